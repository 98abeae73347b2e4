//! Published .proto files, each compiled, and their services, each in the Rust of its family.

#![forbid(unsafe_code)]

use buffa::Message;
use descriptor_rust::google::protobuf::FileDescriptorSet;
use std::fs;

/// The crates of these many files are built; the well-known ones have none of their own.
const FILES_MIN: usize = 300;
const SERVICES_MIN: usize = 60;

#[test]
fn every_file_is_compiled() {
    let crates = fs::read_to_string(std::env::var("CRATES").unwrap()).unwrap();
    let count = crates.lines().filter(|line| line.ends_with(".rlib")).count();
    println!("{count} crates");
    assert!(count >= FILES_MIN, "{count}");
}

#[test]
fn every_service_is_there_with_all_its_methods() {
    let (sets, sources) = (std::env::var("SETS").unwrap(), std::env::var("SOURCES").unwrap());
    let mut services = 0;
    for (set, source) in sets.split(' ').zip(sources.split(' ')) {
        let source = fs::read_to_string(source).unwrap();
        let set = FileDescriptorSet::decode_from_slice(&fs::read(set).unwrap()).unwrap();
        for file in &set.file {
            let package = file.package.as_deref().map(|name| format!("{name}.")).unwrap_or_default();
            for service in &file.service {
                services += 1;
                let name = format!("{package}{}", service.name.as_deref().unwrap());
                for method in &service.method {
                    let procedure = format!("\"/{name}/{}\"", method.name.as_deref().unwrap());
                    assert!(source.contains(&procedure), "{procedure} of {:?}", file.name);
                }
            }
        }
    }
    println!("{services} services");
    assert!(services >= SERVICES_MIN, "{services}");
}
