//! The lines of a transcript, sorted into cases and steps.

use super::{Command, Part, Said, notation};

/// One case: a machine's life.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) name: &'a str,
    pub(super) steps: Vec<Step<'a>>,
}

/// What is done to the machine, and what it should say to that.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) deed: Deed<'a>,
    /// The number of the first line, from 1.
    pub(super) line: usize,
    /// The number of the last line of the deed: what was said goes below it.
    pub(super) deed_end: usize,
    pub(super) expected: Said,
    /// The `<` and `*` lines, with their numbers.
    pub(super) expected_lines: Vec<(usize, &'a str)>,
}

#[derive(Debug)]
pub(super) enum Deed<'a> {
    /// Making the machine.
    Start,
    Command(Command<'a>),
    Input {
        bytes: Vec<u8>,
        end: bool,
    },
}

/// Reads a transcript; an `Err` names a line and what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Case<'_>>, (usize, String)> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut kind_before = ' ';
    for (number, line) in (1..).zip(text.lines()) {
        let kind = line.chars().next().unwrap_or(' ');
        let rest = line.get(kind.len_utf8()..).unwrap_or("").trim();
        let at = |what: &str| (number, what.to_owned());
        if kind == '=' {
            let name =
                line.strip_prefix("== ").ok_or_else(|| at("a case begins with \"== \" and its name"))?.trim();
            if cases.iter().any(|case| case.name == name) {
                return Err(at("there is a case of this name already"));
            }
            cases.push(Case { name, steps: vec![Step::new(Deed::Start, number)] });
        } else if !matches!(kind, ' ' | '#') {
            let case = cases.last_mut().ok_or_else(|| at("a line stands before the first case"))?;
            case.line(kind, rest, number, kind_before).map_err(|what| (number, what))?;
        }
        kind_before = kind;
    }
    Ok(cases)
}

impl<'a> Case<'a> {
    fn line(&mut self, kind: char, rest: &'a str, number: usize, kind_before: char) -> Result<(), String> {
        let step = self.steps.last_mut().expect("a case starts with a step");
        match kind {
            '!' => {
                let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let command = Command { name, args: args.trim(), block: Vec::new() };
                self.steps.push(Step::new(Deed::Command(command), number));
            }
            '|' => match &mut step.deed {
                Deed::Command(command) if matches!(kind_before, '!' | '|') => {
                    command.block.push(rest);
                    step.deed_end = number;
                }
                _ => return Err("a | line belongs below a command".to_owned()),
            },
            '>' => {
                let (text, ends) = match rest.strip_suffix("end") {
                    Some(text) if text.is_empty() || text.ends_with(char::is_whitespace) => (text, true),
                    _ => (rest, false),
                };
                let more = notation::parse(text)?;
                match &mut step.deed {
                    Deed::Input { end: true, .. } if kind_before == '>' => {
                        return Err("nothing follows the end".to_owned());
                    }
                    Deed::Input { bytes, end } if kind_before == '>' => {
                        bytes.extend(more);
                        *end = ends;
                        step.deed_end = number;
                    }
                    _ => self.steps.push(Step::new(Deed::Input { bytes: more, end: ends }, number)),
                }
            }
            '<' => {
                step.expected.bytes(&notation::parse(rest)?);
                step.expected_lines.push((number, rest));
            }
            '*' => {
                step.expected.parts.push(Part::Event(rest.to_owned()));
                step.expected_lines.push((number, rest));
            }
            _ => return Err("a line begins with one of == ! | > < * #".to_owned()),
        }
        Ok(())
    }
}

impl Step<'_> {
    fn new(deed: Deed<'_>, line: usize) -> Step<'_> {
        Step { deed, line, deed_end: line, expected: Said::default(), expected_lines: Vec::new() }
    }
}

/// The text with what was said in place of what it expects; `said` holds it for each step of each case.
pub(super) fn rewritten(text: &str, cases: &[Case<'_>], said: &[Vec<Said>]) -> String {
    let steps = || cases.iter().zip(said).flat_map(|(case, said)| case.steps.iter().zip(said));
    let mut out = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.starts_with(['<', '*']) {
            out.push_str(line);
            out.push('\n');
        }
        for (_, said) in steps().filter(|(step, _)| step.deed_end == number) {
            for line in said.lines() {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
    out
}
