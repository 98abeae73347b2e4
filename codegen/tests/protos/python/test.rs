//! Messages of every kind of field, made by protobuf's own package for Python: they are decoded, and encoded again, as
//! messages, as views, through JSON and through protoc's text, and that package finds in them what it had made.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.
#![allow(deprecated)] // One of the messages is.

use bytes::{Bytes, BytesMut};
use ringwire_message::{DecodeLimits, Json, Message, Proto, View};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[test]
fn messages_of_another_implementation_come_back_as_they_were() {
    let types = types();
    let made = python(&["make", &set()]);
    let (mut again, mut made_of) = (<[String; 3]>::default(), <[String; 3]>::default());
    for line in made.lines() {
        let [name, hex, unknown] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let again_by_name = types.get(name).unwrap_or_else(|| panic!("no Rust type is listed for {name}"));
        // What the schema does not know is in no JSON and no text.
        for (way, encoded) in again_by_name(&bytes(hex), unknown == "unknown").into_iter().enumerate() {
            again[way].push_str(&format!("{name} {}\n", self::hex(&encoded)));
            made_of[way].push_str(&format!("{line}\n"));
        }
    }
    for (way, (made, again)) in ["message", "view", "JSON"].iter().zip(made_of.iter().zip(&again)) {
        assert!(made.lines().count() >= types.len(), "{way}");
        python(&["check", &set(), &written(way, "made", made), &written(way, "again", again)]);
    }
}

#[test]
fn protoc_reads_what_is_written_here_and_the_other_way_round() {
    let types = types();
    let made = python(&["make", &set()]);
    // One of each ten: a run of protoc takes its time.
    for line in made.lines().filter(|line| line.ends_with(" known")).step_by(10) {
        let [name, hex, _] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let text = protoc(&format!("--decode={name}"), &bytes(hex));
        let encoded = protoc(&format!("--encode={name}"), &text);
        for again in types[name](&encoded, false) {
            let again = protoc(&format!("--decode={name}"), &again);
            assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&text), "{line}");
        }
    }
}

/// Encodes an encoded message again: as a message, as a view, and, unless a field of it is unknown, through JSON.
type Again = fn(&[u8], bool) -> Vec<Vec<u8>>;

fn again<M: Message>(encoded: &[u8], unknown: bool) -> Vec<Vec<u8>> {
    let limits = DecodeLimits::DEFAULT;
    let encoded = Bytes::copy_from_slice(encoded);
    let message = M::owned(&Proto, encoded.clone(), &limits).unwrap();
    let mut again = vec![proto(&message)];

    let mut bytes = BytesMut::new();
    M::view(&encoded, &limits).unwrap().write_proto(usize::MAX, &mut bytes).unwrap();
    again.push(bytes.to_vec());

    if !unknown {
        let mut json = BytesMut::new();
        message.write_json(usize::MAX, &mut json).unwrap();
        let shown = String::from_utf8_lossy(&json).into_owned();
        let message =
            M::owned(&Json, json.freeze(), &limits).unwrap_or_else(|error| panic!("{error}: {shown}"));
        again.push(proto(&message));
    }
    again
}

fn proto<M: Message>(message: &M) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    message.write_proto(usize::MAX, &mut bytes).unwrap();
    bytes.to_vec()
}

macro_rules! types {
    ($($module:path { $($name:ident)* })*) => {{
        let mut types = BTreeMap::<&str, Again>::new();
        $({
            use $module as module;
            $(types.insert(<module::$name as Message>::FULL_NAME, again::<module::$name>);)*
        })*
        types
    }};
}

/// Every message of the schemas that is in no other.
fn types() -> BTreeMap<&'static str, Again> {
    types! {
        below::google::protobuf::awkward { Below }
        big_set::awkward::big_set { Item Set }
        comments::awkward::comments { Message }
        descriptors::awkward::descriptors { Described }
        keywords::awkward::r#type::r#async { Fields Oneofs Self_ Type Underscore Uses struct_ }
        letters::awkward::letters { All B M Nested R }
        letters2::awkward::letters2 { A D E K S T V _V }
        modules::awkward::modules { HTTPRequest HttpRequest Outer }
        no_package { Rootless }
        oneofs::awkward::oneofs { Ext Foo FooOwnedView FooView Inner LazyView Oneof Reflect View }
        packages::awkward::packages { Below Below_ }
        packages::awkward::packages::below { Other }
        proto2::awkward::proto2 { Everything Grouped Optioned Set SetItem }
        rpc_names::awkward::rpc_names {
            Box Call Copy Debug Default Deserialize Encode Eq Err Error Future HashMap Iterator K Message MessageView
            MockHalf MockMethod MockService None Ok Option PartialEq Request Requests Response Responses Result Router
            S Self_ Send Serialize ServiceClient Some Spec String Sync T UnaryCall Vec bool_ i32_ str_ u8_ usize_
        }
        shapes::awkward::shapes { CamelCase Deep Empty Large Maps Ping Pong Reserved Scalars }
        well_known::awkward::well_known { All }
        within::google::protobuf { Within }
    }
}

fn set() -> String {
    std::env::var("DESCRIPTOR_SET").unwrap()
}

fn python(arguments: &[&str]) -> String {
    let script = std::env::var("MESSAGES").unwrap();
    let output = Command::new("python3").arg(script).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}{err}");
    out
}

fn protoc(what: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(std::env::var("PROTOC").unwrap())
        .arg(format!("--descriptor_set_in={}", set()))
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "protoc {what}");
    output.stdout
}

fn written(way: &str, name: &str, text: &str) -> String {
    let path = PathBuf::from(std::env::var_os("TEST_TMPDIR").unwrap()).join(format!("{way}.{name}"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// In hexadecimal; nothing is `-`.
fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim_matches('-').as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
