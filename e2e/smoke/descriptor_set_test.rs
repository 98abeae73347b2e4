//! A proto_library of the stranger's goes through our protoc.

#[test]
fn the_service_is_in_the_descriptor_set() {
    let set = std::fs::read(std::env::var("DESCRIPTOR_SET").unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&set).contains("GreetRequest"));
}
