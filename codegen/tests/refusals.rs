//! What is refused: each time with the file, the line and a remedy.

use buffa_codegen::generated::descriptor::field_descriptor_proto::{Label, Type};
use buffa_codegen::generated::descriptor::source_code_info::Location;
use buffa_codegen::generated::descriptor::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
    ServiceDescriptorProto, SourceCodeInfo,
};
use ringwire_codegen::{Externs, Layout, Mode, Options, Request, Schema, Sides, generate};

fn message(name: &str) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_owned()), ..Default::default() }
}

/// A file with the package `p` and the message `Named`, and with lines: what a path leads to is at ten times its length.
fn file(name: &str, imports: &[&str], fields: &[&str]) -> FileDescriptorProto {
    let field = |(number, type_name): (usize, &&str)| FieldDescriptorProto {
        name: Some(format!("field{number}")),
        number: Some(number as i32 + 1),
        label: Some(Label::LABEL_OPTIONAL),
        r#type: Some(Type::TYPE_MESSAGE),
        type_name: Some((*type_name).to_owned()),
        ..Default::default()
    };
    let paths = [&[2][..], &[4, 0], &[4, 0, 2, 0], &[6, 0], &[6, 0, 2, 0]];
    let location = |path: &[i32]| Location {
        path: path.to_vec(),
        span: vec![path.len() as i32 * 10 - 1, 0, 1],
        ..Default::default()
    };
    let lines = SourceCodeInfo { location: paths.into_iter().map(location).collect(), ..Default::default() };
    FileDescriptorProto {
        name: Some(name.to_owned()),
        package: Some("p".to_owned()),
        dependency: imports.iter().map(|&import| import.to_owned()).collect(),
        message_type: vec![DescriptorProto {
            field: fields.iter().enumerate().map(field).collect(),
            ..message(&format!("Named{}", name.len()))
        }],
        source_code_info: lines.into(),
        ..Default::default()
    }
}

fn with_service(mut file: FileDescriptorProto, input: &str) -> FileDescriptorProto {
    let method = MethodDescriptorProto {
        name: Some("Call".to_owned()),
        input_type: Some(input.to_owned()),
        output_type: Some(input.to_owned()),
        ..Default::default()
    };
    file.service = vec![ServiceDescriptorProto {
        name: Some("Served".to_owned()),
        method: vec![method],
        ..Default::default()
    }];
    file
}

struct Case {
    files: Vec<FileDescriptorProto>,
    externs: Externs,
    mode: Mode,
    options: Options,
}

impl Case {
    fn of(files: impl IntoIterator<Item = FileDescriptorProto>) -> Self {
        let files = files.into_iter().collect();
        Self { files, externs: Externs::new(), mode: Mode::Both, options: Options::default() }
    }

    #[track_caller]
    fn check(self, generated: &[&str], refusal: &str) {
        let Self { files, externs, mode, options } = self;
        let schema = Schema::new(files);
        let generated: Vec<String> = generated.iter().map(|&file| file.to_owned()).collect();
        let request = Request {
            schema: &schema,
            generate: &generated,
            externs: &externs,
            mode,
            layout: Layout::File,
            options: &options,
        };
        match generate(&request) {
            Ok(_) => assert_eq!("", refusal, "generated"),
            Err(error) => assert_eq!(error.to_string(), refusal),
        }
    }
}

#[test]
fn a_file_that_is_not_there() {
    Case::of([]).check(
        &["a.proto"],
        "a.proto is to be generated, but no descriptor set holds it\n  to fix it: pass the descriptor sets of all files \
         and of everything that they import (protoc has --include_imports)",
    );
    Case::of([file("a.proto", &["b.proto"], &[])]).check(
        &["a.proto"],
        "a.proto imports b.proto, which no descriptor set holds\n  to fix it: pass the descriptor sets of all files \
         and of everything that they import (protoc has --include_imports)",
    );
}

#[test]
fn a_type_without_a_home() {
    let files = || [file("a.proto", &["bb.proto"], &[".p.Named8"]), file("bb.proto", &[], &[])];
    Case::of(files()).check(
        &["a.proto"],
        "a.proto:40: p.Named8 is declared in bb.proto, for which nothing is generated\n  to fix it: generate bb.proto \
         too, or say which crate has its types (extern=CRATE=bb.proto)",
    );
    Case::of(files()).check(&["a.proto", "bb.proto"], "");
    let mut elsewhere = Case::of(files());
    elsewhere.externs.add("bb", ["bb.proto".to_owned()]).expect("one crate");
    elsewhere.check(&["a.proto"], "");
    let [a, b] = files();
    Case::of([with_service(FileDescriptorProto { message_type: vec![], ..a }, ".p.Named8"), b]).check(
        &["a.proto"],
        "a.proto:40: p.Named8 is declared in bb.proto, for which nothing is generated\n  to fix it: generate bb.proto \
         too, or say which crate has its types (extern=CRATE=bb.proto)",
    );
}

#[test]
fn a_file_that_is_generated_and_elsewhere() {
    let mut case = Case::of([file("a.proto", &[], &[])]);
    case.externs.add("other", ["a.proto".to_owned()]).expect("one crate");
    case.check(
        &["a.proto"],
        "a.proto is to be generated, but its types are said to be in the crate other\n  to fix it: list it once: \
         either to be generated, or as a file of that crate",
    );
}

#[test]
fn a_package_that_no_module_can_be_named() {
    let unfit = FileDescriptorProto { package: Some("p.self".to_owned()), ..file("a.proto", &[], &[]) };
    Case::of([unfit]).check(
        &["a.proto"],
        "a.proto:10: the package p.self has a part named self, which no Rust module can be named\n  to fix it: rename \
         the package",
    );
}

#[test]
fn a_facade_without_services() {
    let mut case = Case::of([file("a.proto", &[], &[])]);
    case.mode = Mode::Services;
    case.externs.add("messages", ["a.proto".to_owned()]).expect("one crate");
    case.check(
        &["a.proto"],
        "no service is declared in a.proto\n  to fix it: depend on the proto_library that declares the service, or ask \
         for messages only (services=none)",
    );
    let mut case = Case::of([file("a.proto", &[], &[])]);
    case.mode = Mode::Services;
    case.options.services = Sides::NONE;
    case.externs.add("messages", ["a.proto".to_owned()]).expect("one crate");
    case.check(&["a.proto"], "");
}

#[test]
fn services_whose_messages_lack_what_services_need() {
    let mut case = Case::of([with_service(file("a.proto", &[], &[]), ".p.Named7")]);
    case.options.json = false;
    case.check(
        &["a.proto"],
        "a.proto:20: the messages of the service p.Served need json and views\n  to fix it: leave json and views on, \
         or generate messages only (services=none)",
    );
}

#[test]
fn names_that_generated_messages_keep_to_themselves() {
    let mut reserved = file("a.proto", &[], &[".p.Named7"]);
    reserved.message_type[0].field[0].name = Some("__buffa_cached_size".to_owned());
    let schema = Schema::new([reserved]);
    let (files, externs, options) = (["a.proto".to_owned()], Externs::new(), Options::default());
    let error = generate(&Request {
        schema: &schema,
        generate: &files,
        externs: &externs,
        mode: Mode::Messages,
        layout: Layout::File,
        options: &options,
    })
    .expect_err("refused");
    let place = error.place.expect("a place");
    assert_eq!((place.file.as_str(), place.line), ("a.proto", Some(20)));
    assert_eq!(error.remedy.as_deref(), Some("rename it in the .proto file"));
}

#[test]
fn bytes_that_are_no_descriptor_set() {
    let sets: [&[u8]; 2] = [b"", b"\xff"];
    let (place, error) = Schema::decode(sets, Schema::ELEMENT_MEMORY_MAX).expect_err("refused");
    assert_eq!(place, 1);
    assert!(error.to_string().starts_with("not a FileDescriptorSet: "), "{error}");
}
