//! What the official suite does not ask: of our servers and clients, and of connect-go's for calibration.
//!
//! `SERVER` or `CLIENT` is the program under test, and `SERVER_IS` or `CLIENT_IS` says whose it is: where a case knows that it
//! says something else, that is wanted. `CASES` chooses cases by a part of their name.

mod answers;
mod call;
mod case;
mod cases;
mod clients;
mod http;
mod play;
mod protocol;

use case::{Ask, Case, Server};
use ringwire_conformance::running::Running;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_what_the_cases_say() {
    let program = program("SERVER", option_env!("CARGO_BIN_EXE_conformance_server"));
    let whose = std::env::var("SERVER_IS").ok();
    let server = match whose.as_deref() {
        None | Some("ringwire") => Server::Ringwire,
        Some("connect-go") => Server::ConnectGo,
        Some(other) => panic!("no case knows {other}"),
    };
    let chosen = std::env::var("CASES").unwrap_or_default();
    let mut cases = cases::all();
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name says which case it is");
    cases.retain(|case| case.name.contains(&chosen));

    let mut wrong = BTreeMap::new();
    let mut count = 0;
    let running = Running::start(&program).expect("the server starts");
    for (case, label, said) in calls(&running, &cases, server).await {
        count += 1;
        judge(case, server, label, said, &mut wrong);
    }
    for case in &cases {
        let Ask::Play(play) = &case.ask else { continue };
        let mut running = Running::start(&program).expect("the server starts");
        let said = play.run(&mut running).await.unwrap_or_else(|error| error);
        count += 1;
        judge(case, server, String::new(), said, &mut wrong);
    }
    println!("{} cases in {count} ways, {} wrong", cases.len(), wrong.values().map(Vec::len).sum::<usize>());
    let told = wrong
        .iter()
        .map(|(what, labels): (&String, &Vec<String>)| format!("\n{what}\n    {}", labels.join("; ")));
    assert!(wrong.is_empty(), "{}", told.collect::<String>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_does_what_the_cases_say() {
    let program = program("CLIENT", option_env!("CARGO_BIN_EXE_pooled_client"));
    let is_connect_go = std::env::var("CLIENT_IS").is_ok_and(|whose| whose == "connect-go");
    let chosen = std::env::var("CASES").unwrap_or_default();
    let mut cases = cases::client_cases();
    cases.retain(|case| case.name.contains(&chosen));
    let mut wrong = String::new();
    for case in &cases {
        let want = case.expected(is_connect_go);
        let patience = if want.starts_with(SILENCE) { SILENCE_MIN } else { PATIENCE };
        let said = case.run(&program, patience).await.unwrap_or_else(|error| error.to_string());
        // Some may end in one of two ways, by what comes first.
        if want.split(" || ").all(|want| said != want) {
            wrong.push_str(&format!("\n{}\n    want {want}\n    said {said}\n", case.name));
        }
    }
    println!("{} cases of clients", cases.len());
    assert!(wrong.is_empty(), "{wrong}");
}

/// Makes all calls, many at once, and tells what came of each.
async fn calls<'a>(running: &Running, cases: &'a [Case], server: Server) -> Vec<(&'a Case, String, String)> {
    let at_once = Arc::new(tokio::sync::Semaphore::new(CALLS_AT_ONCE));
    let mut waiting = JoinSet::new();
    for (index, case) in cases.iter().enumerate() {
        let Ask::Call(call) = &case.ask else { continue };
        for (label, way) in call.ways() {
            let (request, port, at_once) = (way.request(), running.port(), at_once.clone());
            let is_silent = case.expected(server, &label) == SILENCE;
            waiting.spawn(async move {
                let _turn = at_once.acquire_owned().await;
                let patience = if is_silent { SILENCE_MIN } else { PATIENCE };
                let answer = tokio::time::timeout(patience, request.send(port)).await;
                (index, label, answer)
            });
        }
    }
    let mut said = Vec::new();
    while let Some(done) = waiting.join_next().await {
        let (index, label, answer) = done.expect("asking does not panic");
        let case = &cases[index];
        let Ask::Call(call) = &case.ask else { continue };
        let ways = call.ways();
        let (_, way) = ways.iter().find(|(other, _)| *other == label).expect("it was one of them");
        let text = match answer {
            Ok(Ok(answer)) => way.shown(&answer),
            Ok(Err(refusal)) => refusal,
            Err(_) => SILENCE.to_owned(),
        };
        said.push((case, label, text));
    }
    said
}

/// Notes what is not as it should be, and in which ways of asking.
fn judge(
    case: &Case,
    server: Server,
    label: String,
    said: String,
    wrong: &mut BTreeMap<String, Vec<String>>,
) {
    let want = case.expected(server, &label);
    // Some may end in one of two ways, by what comes first.
    if want.split(" || ").all(|want| said != want) {
        let what = format!("{}\n    want {want}\n    said {said}", case.name);
        wrong.entry(what).or_default().push(label);
    }
}

fn program(variable: &str, built: Option<&str>) -> PathBuf {
    let built = built.map(PathBuf::from);
    let program = std::env::var_os(variable).map(PathBuf::from).or(built).expect("a program");
    // Bazel gives a path from where the test begins.
    Path::new(&program).canonicalize().unwrap_or(program)
}

/// What a server says that says nothing.
const SILENCE: &str = "silence";
const CALLS_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);
const SILENCE_MIN: Duration = Duration::from_millis(1500);
