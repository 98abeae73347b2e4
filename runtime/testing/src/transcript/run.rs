//! One transcript, run in every way.

use std::fmt;

use super::{
    Machine, Said,
    diff::diff,
    file::{Case, Deed, Step, parse, rewritten},
};
use crate::chop::{self, Chop};

/// What is wrong with each case that fails; the first thing that is.
pub(super) fn failures<M: Machine>(file: &str, text: &str, machine: &impl Fn() -> M) -> Vec<String> {
    match parse(text) {
        Ok(cases) => cases.iter().filter_map(|case| every_way(file, case, machine).err()).collect(),
        Err((line, what)) => vec![format!("{file}:{line}: {what}\n")],
    }
}

/// The text with what the machine says in place of what it should say.
pub(super) fn updated<M: Machine>(
    file: &str,
    text: &str,
    machine: &impl Fn() -> M,
) -> Result<String, String> {
    let cases = parse(text).map_err(|(line, what)| format!("{file}:{line}: {what}"))?;
    let mut said = Vec::new();
    for case in &cases {
        let mut run = Run { file, case, machine: machine(), cut: Cut::Whole };
        said.push(case.steps.iter().map(|step| run.step(step, Chop::Whole)).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(rewritten(text, &cases, &said))
}

fn every_way<M: Machine>(file: &str, case: &Case<'_>, machine: &impl Fn() -> M) -> Result<(), String> {
    let run = |cut| Run { file, case, machine: machine(), cut }.check();
    run(Cut::Whole)?;
    for way in [Chop::Bytes, Chop::Seeded(1), Chop::Seeded(2)] {
        run(Cut::All(way))?;
    }
    for (index, step) in case.steps.iter().enumerate() {
        let Deed::Input { bytes, end } = &step.deed else { continue };
        for way in chop::ways(bytes.len()).skip(1) {
            run(Cut::One(index, way))?;
        }
        // Where the input goes on, ending it behind this step is too early as well.
        let whole = if *end { None } else { Some(bytes.len()) };
        for len in [0].into_iter().chain(chop::places(bytes.len())).chain(whole) {
            run(Cut::Short(index, len))?;
        }
    }
    Ok(())
}

/// Which input is cut, and how.
#[derive(Clone, Copy)]
enum Cut {
    Whole,
    /// Every input.
    All(Chop),
    /// The input of this step.
    One(usize, Chop),
    /// The input of this step ends after so many bytes, and nothing follows.
    Short(usize, usize),
}

struct Run<'a, M> {
    file: &'a str,
    case: &'a Case<'a>,
    machine: M,
    cut: Cut,
}

impl<'a, M: Machine> Run<'a, M> {
    fn check(mut self) -> Result<(), String> {
        for (index, step) in self.case.steps.iter().enumerate() {
            let way = match self.cut {
                Cut::Short(short, len) if short == index => return self.short(step, len),
                Cut::Whole | Cut::Short(..) => Chop::Whole,
                Cut::All(way) => way,
                Cut::One(one, way) => {
                    if one == index {
                        way
                    } else {
                        Chop::Whole
                    }
                }
            };
            let said = self.step(step, way)?;
            if said != step.expected {
                return Err(self.difference(step, &said));
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step<'_>, way: Chop) -> Result<Said, String> {
        let place = self.place(step.line);
        let mut said = Said::default();
        match &step.deed {
            Deed::Start => {}
            Deed::Command(command) => {
                let taken = self.machine.command(command, &mut said);
                taken.map_err(|what| format!("{place}\n{what}\n"))?;
            }
            Deed::Input { bytes, end } => {
                let pieces = way.pieces(bytes);
                let last = pieces.len().saturating_sub(1);
                for (index, piece) in pieces.iter().enumerate() {
                    self.machine.input(piece, *end && index == last, &mut said);
                }
                if pieces.is_empty() {
                    self.machine.input(b"", *end, &mut said);
                }
            }
        }
        Ok(said)
    }

    fn short(&mut self, step: &Step<'_>, len: usize) -> Result<(), String> {
        let Deed::Input { bytes, .. } = &step.deed else { return Ok(()) };
        let place = self.place(step.line);
        let mut said = Said::default();
        self.machine.input(&bytes[..len], true, &mut said);
        let judged = self.machine.cut(&mut said);
        judged.map_err(|what| {
            let said: Vec<String> = said.lines().iter().map(|line| format!("      {line}\n")).collect();
            format!("{place}\n{what}; it said\n{}", said.concat())
        })
    }

    fn difference(&self, step: &Step<'_>, said: &Said) -> String {
        let marked = step.expected.lines();
        let said = said.lines();
        let marked = diff(&marked, &said);
        // The numbers are right as long as the file says it as we do.
        let agrees = step.expected_lines.len() == marked.iter().filter(|(mark, _)| *mark != '+').count();
        let mut numbers = step.expected_lines.iter().map(|(number, _)| *number);
        let mut first = None;
        let mut text = String::new();
        for (mark, line) in marked {
            let number = if mark == '+' { None } else { numbers.next().filter(|_| agrees) };
            if mark != ' ' {
                first = first.or(Some(number.unwrap_or(step.line)));
            }
            let number = number.map_or(String::new(), |number| number.to_string());
            text.push_str(&format!("{number:>6} {mark} {line}\n"));
        }
        format!("{}\n{text}", self.place(first.unwrap_or(step.line)))
    }

    fn place(&self, line: usize) -> Place<'a> {
        Place { file: self.file, line, case: self.case.name, cut: self.cut }
    }
}

/// Where a run is; a panic that passes through says so.
struct Place<'a> {
    file: &'a str,
    line: usize,
    case: &'a str,
    cut: Cut,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.case)?;
        match self.cut {
            Cut::Whole => Ok(()),
            Cut::All(way) => write!(f, ", every input cut {way:?}"),
            Cut::One(_, way) => write!(f, ", input cut {way:?}"),
            Cut::Short(_, len) => write!(f, ", input ended after {len} bytes"),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}
