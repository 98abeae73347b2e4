// Stand-in for the generator: one type per .proto file, which names its dependencies' crates.
use std::fmt::Write;
fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.len() == 1 && args[0].starts_with('@') {
        args = std::fs::read_to_string(&args[0][1..]).unwrap().lines().map(String::from).collect();
    }
    let get = |k: &str| -> Vec<String> { args.iter().filter_map(|a| a.strip_prefix(&format!("--{k}=")).map(String::from)).collect() };
    let camel = |p: &str| p.replace('.', "Dot").replace('-', "Hy").split(|c: char| !c.is_alphanumeric()).map(|w| { let mut c = w.chars(); c.next().map(|f| f.to_uppercase().collect::<String>() + c.as_str()).unwrap_or_default() }).collect::<String>();
    let mut s = String::from("// @generated\n");
    let services = get("mode")[0] == "services";
    for e in get("extern") {
        let (krate, paths) = e.split_once('=').unwrap();
        for p in paths.split(',') { writeln!(s, "{} use ::{krate}::{n} as {n};", if services {"pub"} else {"#[allow(unused_imports)]"}, n = camel(p)).unwrap(); }
    }
    for g in get("generate") {
        let n = camel(&g);
        if services && get("services")[0] == "none" {
        } else if services {
            writeln!(s, "pub struct {n}Service;\nimpl ::ringwire_service::Service for {n}Service {{ const NAME: &'static str = <{n} as ::message::Message>::NAME; }}").unwrap();
        } else {
            writeln!(s, "pub struct {n};\nimpl ::message::Message for {n} {{ const NAME: &'static str = {n:?}; }}").unwrap();
        }
    }
    std::fs::write(&get("out")[0], s).unwrap();
}
