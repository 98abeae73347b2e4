//! Messages of the corpus against protoc: what it encodes is decoded here and encoded again, and it reads the same.

use bytes::{Bytes, BytesMut};
use ringwire_codegen_corpus::*;
use ringwire_message::{DecodeLimits, Json, Message, Proto};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Takes a message in protobuf's text format, as protoc writes it.
#[track_caller]
fn check<M: Message>(file: &str, text: &str) {
    let limits = DecodeLimits::DEFAULT;
    let encoded = protoc(file, &format!("--encode={}", M::FULL_NAME), text.as_bytes());
    let message = M::owned(&Proto, Bytes::from(encoded.clone()), &limits).expect("protoc's bytes");
    let mut bytes = BytesMut::new();
    message.write_proto(usize::MAX, &mut bytes).expect("encoded");
    assert_eq!(decoded::<M>(file, &bytes), text, "the message");

    let viewable = Bytes::from(encoded);
    let view = M::view(&viewable, &limits).expect("protoc's bytes");
    let mut bytes = BytesMut::new();
    ringwire_message::View::write_proto(&view, usize::MAX, &mut bytes).expect("encoded");
    assert_eq!(decoded::<M>(file, &bytes), text, "its view");

    let mut json = BytesMut::new();
    message.write_json(usize::MAX, &mut json).expect("in JSON");
    let shown = String::from_utf8_lossy(&json).into_owned();
    let message = M::owned(&Json, json.freeze(), &limits).unwrap_or_else(|error| panic!("{error}: {shown}"));
    let mut bytes = BytesMut::new();
    message.write_proto(usize::MAX, &mut bytes).expect("encoded");
    assert_eq!(decoded::<M>(file, &bytes), text, "its JSON: {shown}");
}

fn decoded<M: Message>(file: &str, bytes: &[u8]) -> String {
    String::from_utf8(protoc(file, &format!("--decode={}", M::FULL_NAME), bytes)).expect("text")
}

fn protoc(file: &str, what: &str, input: &[u8]) -> Vec<u8> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protos");
    let mut child = Command::new(ringwire_protoc::path())
        .arg(what)
        .arg("-I")
        .arg(&protos)
        .arg(format!("awkward/{file}.proto"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("protoc runs");
    child.stdin.take().expect("piped").write_all(input).expect("protoc reads");
    let output = child.wait_with_output().expect("protoc ends");
    assert!(output.status.success(), "protoc {what} {file}");
    output.stdout
}

#[test]
fn names_that_generated_code_is_made_of() {
    use rpc_names::awkward::rpc_names as p;
    check::<p::Option>("rpc_names", "value: \"x\"\n");
    check::<p::Result>("rpc_names", "option {\n  value: \"x\"\n}\n");
    check::<p::Vec>("rpc_names", "vec {\n  vec {\n  }\n}\n");
    check::<p::Ok>("rpc_names", "b {\n  a: 0\n}\n");
    check::<p::Send>("rpc_names", "send {\n  key: \"a\"\n  value {\n  }\n}\n");
    check::<p::S>("rpc_names", "s: \"x\"\n");
    check::<p::i32_>("rpc_names", "i32 {\n  x: 7\n}\nx: -1\n");
    check::<p::str_>("rpc_names", "str: \"x\"\n");
}

#[test]
fn keywords_of_rust() {
    use keywords::awkward::r#type::r#async as p;
    check::<p::Fields>("keywords", "as: 1\ncrate: 5\nself: 24\nSelf: 25\nsuper: 28\ntype: 31\ngen: 39\n");
    check::<p::Underscore>("keywords", "_: \"x\"\n");
    check::<p::Oneofs>("keywords", "fn {\n  fn: 10\n}\nsuper {\n}\n");
    check::<p::Self_>("keywords", "inner {\n  crate: \"x\"\n  kind: Crate\n}\n");
    check::<p::self_::Inner>("keywords", "kind: Crate\n");
    check::<p::struct_>("keywords", "struct {\n  kind: self\n}\n");
    check::<p::Uses>(
        "keywords",
        "while: loop\nwhiles: do\nwhiles: while_\nby_name {\n  key: \"a\"\n  value: loop\n}\n",
    );
}

#[test]
fn names_of_type_parameters() {
    use letters::awkward::letters as p;
    let all = "a: A_1\nd: D_1\ne: E_1\nk: K_1\ns: S_1\nes: E_0\nes: E_1\nby_name {\n  key: \"a\"\n  value: E_1\n}\none: E_0\nnested: N_1\nmaybe: E_0\n";
    check::<p::All>("letters", all);
    let _: p::E = p::E::E_1;
    use letters2::awkward::letters2 as q;
    check::<q::E>("letters2", "a {\n  y: \"x\"\n}\nz {\n}\n");
    check::<q::_V>("letters2", "a {\n  y: \"x\"\n}\nz {\n}\n");
}

#[test]
fn names_of_generated_modules() {
    use oneofs::awkward::oneofs as p;
    check::<p::Oneof>("oneofs", "inner {\n  b {\n    kind: KIND_0\n  }\n}\nagain {\n  a: \"x\"\n}\n");
    check::<p::View>("oneofs", "inner {\n  view {\n    text: \"x\"\n  }\n}\n");
    check::<p::Foo>("oneofs", "view {\n  x: \"x\"\n}\nfoo2 {\n}\n");
    use modules::awkward::modules as q;
    check::<q::HttpRequest>("modules", "in {\n  x: \"x\"\n}\nother {\n}\n");
    check::<q::HTTPRequest>("modules", "in {\n  x: \"x\"\n}\n");
    use packages_a::awkward::packages as r;
    check::<r::Below>("packages_a", "in {\n  x: \"x\"\n}\nother {\n  x: \"y\"\n}\n");
}

#[test]
fn types_that_come_with_protobuf() {
    use well_known::awkward::well_known as p;
    let all = "api {\n  name: \"a\"\n  methods {\n    name: \"m\"\n    options {\n      name: \"o\"\n    }\n  }\n}\n\
               duration {\n  seconds: 1\n  nanos: 2\n}\nempty {\n}\nmask {\n  paths: \"a.b\"\n}\nsource {\n  file_name: \"f\"\n}\n\
               struct {\n  fields {\n    key: \"k\"\n    value {\n      number_value: 1\n    }\n  }\n}\n\
               timestamp {\n  seconds: 3\n}\ntype {\n  name: \"t\"\n  fields {\n    kind: TYPE_STRING\n  }\n}\n\
               syntax: SYNTAX_PROTO3\nvalue {\n  bool_value: true\n}\nbool {\n  value: true\n}\n\
               uint32 {\n  value: 5\n}\nwait {\n  seconds: 2\n}\nkind: TYPE_INT32\n";
    check::<p::All>("well_known", all);
    use descriptors::awkward::descriptors::Described;
    let described = "file {\n  name: \"f\"\n  dependency: \"g\"\n  options {\n    optimize_for: CODE_SIZE\n  }\n}\ntype: TYPE_BYTES\n";
    check::<Described>("descriptors", described);
    check::<below::google::protobuf::awkward::Below>(
        "below",
        "below {\n}\nat {\n  seconds: 1\n}\ny: \"x\"\n",
    );
    check::<within::google::protobuf::Within>(
        "within",
        "at {\n  seconds: 1\n}\nin {\n  value {\n    null_value: NULL_VALUE\n  }\n}\nz {\n  nanos: 1\n}\n",
    );
}

#[test]
fn what_only_proto2_has() {
    use proto2::awkward::proto2 as p;
    let text = "name: \"n\"\nnumber: -8\nkind: FIRST\nResult {\n  url: \"u\"\n  Part {\n    x: 1\n  }\n  Part {\n    x: 2\n  }\n}\n\
                Single {\n  Self: \"s\"\n}\nChosen {\n  yes: true\n}\npacked: 1\npacked: 2\nkinds {\n  key: 1\n  value: MINUS\n}\n";
    check::<p::Everything>("proto2", text);
    assert_eq!(p::Everything::default().number, None);
}

#[test]
fn extensions() {
    use proto2::awkward::proto2 as p;
    ringwire_message::Types::new().with(proto2::register_types).install();
    let text = "name: \"n\"\n[awkward.proto2.extension]: 5\n[awkward.proto2.texts]: \"a\"\n[awkward.proto2.texts]: \"b\"\n\
                [awkward.proto2.Everything.nested_extension]: \"e\"\n";
    check::<p::Everything>("proto2", text);
    let mut message = p::Everything::default();
    ringwire_message::buffa::ExtensionSet::set_extension(&mut message, &p::EXTENSION, 7);
    assert_eq!(ringwire_message::buffa::ExtensionSet::extension(&message, &p::EXTENSION), Some(7));
}

#[test]
fn editions() {
    use edition2023::awkward::edition2023 as p;
    let text = "explicit: \"\"\nimplicit: \"i\"\nrequired: \"r\"\nexpanded: 1\nexpanded: 2\ndelimited {\n  required: \"d\"\n}\n\
                closed: CLOSED_ONE\nopen: OPEN_ZERO\nall_closed: CLOSED_ONE\nall_delimited {\n  required: \"e\"\n}\n\
                y {\n  required: \"y\"\n}\n";
    check::<p::Fields>("edition2023", text);
    use edition2024::awkward::edition2024 as q;
    check::<q::Fields>("edition2024", "name: \"n\"\nother {\n  required: \"r\"\n}\nhidden {\n  x: 0\n}\n");
}

#[test]
fn shapes_of_messages() {
    use shapes::awkward::shapes as p;
    let scalars = "double: 1.5\nfloat: -0.25\nint32: -1\nint64: -2\nuint32: 4294967295\nuint64: 18446744073709551615\n\
                   sint32: -3\nsint64: -4\nfixed32: 5\nfixed64: 6\nsfixed32: -7\nsfixed64: -8\nbool: true\nstring: \"s\"\n\
                   bytes: \"\\001\\377\"\nalias: ONE\ndoubles: 1\ndoubles: inf\nint64s: -9\nstrings: \"\"\nstrings: \"t\"\n\
                   bytess: \"\"\naliases: MINUS\nmaybe_bytes: \"\"\nmaybe_bool: false\n";
    check::<p::Scalars>("shapes", scalars);
    let maps = "a {\n  key: -1\n  value: \"x\"\n}\nb {\n  key: 2\n  value: \"\\000\"\n}\nd {\n  key: 3\n  value: true\n}\n\
                e {\n  key: -4\n  value {\n  }\n}\nf {\n  key: 5\n  value: BIG\n}\nh {\n  key: true\n  value: 6\n}\n";
    check::<p::Maps>("shapes", maps);
    check::<p::CamelCase>(
        "shapes",
        "webMessageInfo: \"w\"\nXMLHttpRequest: \"x\"\nURL: \"u\"\noptionB {\n  optionA: \"a\"\n}\n",
    );
    check::<p::Reserved>(
        "shapes",
        "decode: \"1\"\nview: \"2\"\nbytes: \"3\"\nclone: \"6\"\nreborrow: \"10\"\n",
    );
    check::<p::Ping>(
        "shapes",
        "pong {\n  all {\n    key: \"k\"\n    value {\n    }\n  }\n}\npings {\n}\none {\n}\n",
    );
    check::<p::deep::a::b::c::D>("shapes", "deep {\n}\ny: ZERO\n");
    check::<p::Large>("shapes", "last: 1\n");
    check::<no_package::Rootless>("no_package", "rootless {\n  z: \"z\"\n}\nin {\n  x: \"x\"\n}\n");
}
