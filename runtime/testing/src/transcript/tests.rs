use super::*;

#[test]
fn good_transcript_passes() {
    check_text("good", GOOD, Lines::default);
}

#[test]
fn difference_says_where_and_what() {
    check(
        &GOOD.replace("* line \"two\"", "* line \"too\"\n* line \"more\""),
        "t:8: greeting\n\
         \x20    6   * line \"one\"\n\
         \x20    7   < \"3\\n\"\n\
         \x20    8 - * line \"too\"\n\
         \x20    9 - * line \"more\"\n\
         \x20      + * line \"two\"\n\
         \x20   10   < \"3\\n\"\n",
    );
}

#[test]
fn machine_that_forgets_at_a_cut_is_caught() {
    let forgetful = || Lines { forgets: true, ..Lines::default() };
    let failures = run::failures("t", ONE, &forgetful);
    assert!(failures[0].starts_with("t:3: one, every input cut Bytes\n"), "{}", failures[0]);
}

#[test]
fn machine_that_misses_an_early_end_is_caught() {
    let careless = || Lines { careless: true, ..Lines::default() };
    let failures = run::failures("t", ONE, &careless);
    assert_eq!(failures, ["t:2: one, input ended after 1 bytes\nno error; it said\n      * end\n"]);
}

#[test]
fn update_writes_what_was_said_and_leaves_the_rest() {
    let stale = GOOD.replace("< \"3\\n\"", "< \"9\\n\"").replace("* line \"one\"\n", "* stale\n* staler\n");
    assert_ne!(stale, GOOD);
    assert_eq!(run::updated("t", &stale, &Lines::default).unwrap(), GOOD);
    assert_eq!(run::updated("t", GOOD, &Lines::default).unwrap(), GOOD);
}

#[test]
fn update_fills_in_a_new_case() {
    let new = "== new\n! count twice\n> \"a\\n\" end\n# more\n";
    let full = "== new\n! count twice\n* twice\n> \"a\\n\" end\n* line \"a\"\n< \"1\\n\"\n* end\n# more\n";
    assert_eq!(run::updated("t", new, &Lines::default).unwrap(), full);
}

#[test]
fn command_that_the_machine_does_not_know_fails() {
    check("== a\n! dance all night\n", "t:2: a\nno dance\n");
}

#[test]
fn nonsense_is_refused_with_its_line() {
    check("> \"a\"\n", "t:1: a line stands before the first case\n");
    check("# a\n== a\n== a\n", "t:3: there is a case of this name already\n");
    check("==a\n", "t:1: a case begins with \"== \" and its name\n");
    check("== a\n| a: b\n", "t:2: a | line belongs below a command\n");
    check("== a\n> 0\n", "t:2: \"0\" is neither text in quotes nor pairs of hex digits\n");
    check("== a\n> end\n> 00\n", "t:3: nothing follows the end\n");
    check("== a\nhello\n", "t:2: a line begins with one of == ! | > < * #\n");
}

#[test]
fn commands_have_arguments_and_fields() {
    let text = "== a\n! request  POST /a\n|  content-type: a/b\n| x:\n";
    let cases = file::parse(text).unwrap();
    let file::Deed::Command(command) = &cases[0].steps[1].deed else { panic!("no command") };
    assert_eq!((command.name, command.args), ("request", "POST /a"));
    assert_eq!(command.fields().unwrap(), [("content-type", "a/b"), ("x", "")]);
    assert!(command.bytes().is_err());
}

#[test]
fn events_are_single_lines() {
    let mut said = Said::default();
    said.event("a\r\nb ");
    said.bytes(b"");
    said.bytes(b"c");
    said.bytes(b"d\n");
    assert_eq!(said.lines(), ["* a\\r\\nb", "< \"cd\\n\""]);
}

fn check(text: &str, expected: &str) {
    assert_eq!(run::failures("t", text, &Lines::default), [expected]);
}

const GOOD: &str = "\
# What the machine of these tests does.

== greeting
> \"one\\n\"
> \"two\" 0a \"and a \"
* line \"one\"
< \"3\\n\"
* line \"two\"
< \"3\\n\"
# The rest of the line.
> \"half\\n\" end
* line \"and a half\"
< \"10\\n\"
* end
";

const ONE: &str = "== one\n> \"one\\n\" end\n* line \"one\"\n< \"3\\n\"\n* end\n";

/// Answers each line with its length.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    ended: bool,
    failed: bool,
    forgets: bool,
    careless: bool,
}

impl Machine for Lines {
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String> {
        if command.name != "count" {
            return Err(format!("no {}", command.name));
        }
        said.event(command.args);
        Ok(())
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        if self.forgets {
            self.line.clear();
        }
        for &byte in bytes {
            if byte == b'\n' {
                said.event(format_args!("line {}", notation::write(&self.line)));
                said.bytes(format!("{}\n", self.line.len()).as_bytes());
                self.line.clear();
            } else {
                self.line.push(byte);
            }
        }
        self.ended |= end;
        if end {
            self.failed = !self.line.is_empty() && !self.careless;
            said.event(if self.failed { "error" } else { "end" });
        }
    }

    fn cut(&mut self, _: &mut Said) -> Result<(), String> {
        if self.line.is_empty() || self.failed { Ok(()) } else { Err("no error".to_owned()) }
    }
}
