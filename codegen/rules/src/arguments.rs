//! The command line.

use ringwire_codegen::{Externs, Layout, Mode, Options, Request, Schema};

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) target: Option<String>,
    pub(crate) out: String,
    descriptor_sets: Vec<String>,
    generate: Vec<String>,
    externs: Externs,
    mode: Mode,
    options: Options,
    element_memory_max: usize,
}

/// The arguments, with those that a param file holds in its place: one each line.
pub(crate) fn expand(arguments: Vec<String>) -> Result<Vec<String>, String> {
    let mut expanded = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            None => expanded.push(argument),
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
                expanded.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
            }
        }
    }
    Ok(expanded)
}

impl Arguments {
    /// # Errors
    /// An argument is unknown, twice, missing, or has a value that is none of it.
    pub(crate) fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let (mut out, mut mode, mut target, mut krate) = (None, None, None, None);
        let mut parsed = Self {
            target: None,
            out: String::new(),
            descriptor_sets: Vec::new(),
            generate: Vec::new(),
            externs: Externs::new(),
            mode: Mode::Messages,
            options: Options::default(),
            element_memory_max: Schema::ELEMENT_MEMORY_MAX,
        };
        for argument in arguments {
            let Some((name, value)) =
                argument.strip_prefix("--").and_then(|argument| argument.split_once('='))
            else {
                return Err(format!("{argument:?} is no --name=value; see --help"));
            };
            match name {
                "out" => once(&mut out, name, value)?,
                "mode" => once(&mut mode, name, value)?,
                "target" => once(&mut target, name, value)?,
                // Nothing generated names its own crate. It is taken so that a build that shows its command lines says
                // what is being made.
                "crate" => once(&mut krate, name, value)?,
                "descriptor_set" => parsed.descriptor_sets.push(value.to_owned()),
                "generate" => parsed.generate.push(value.to_owned()),
                "extern" => parsed.add_extern(value)?,
                "element_memory_limit" => parsed.element_memory_max = element_memory_max(value)?,
                option => parsed.options.set(option, Some(value)).map_err(|error| error.to_string())?,
            }
        }
        parsed.out = out.ok_or("--out=FILE is missing")?;
        parsed.mode = mode.ok_or("--mode=messages|services|both is missing")?.parse().map_err(text)?;
        parsed.target = target;
        if parsed.generate.is_empty() && parsed.mode != Mode::Services {
            return Err("nothing to generate: --generate=IMPORT_PATH is missing".to_owned());
        }
        Ok(parsed)
    }

    /// # Errors
    /// A descriptor set cannot be read, or nothing can be generated from it.
    pub(crate) fn generate(&self) -> Result<String, String> {
        let mut sets = Vec::new();
        for file in &self.descriptor_sets {
            sets.push(std::fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?);
        }
        let schema = Schema::decode(sets.iter().map(Vec::as_slice), self.element_memory_max)
            .map_err(|(place, error)| format!("{}: {error}", self.descriptor_sets[place]))?;
        ringwire_codegen::generate(&Request {
            schema: &schema,
            generate: &self.generate,
            externs: &self.externs,
            mode: self.mode,
            layout: Layout::File,
            options: &self.options,
        })
        .map_err(text)
    }

    fn add_extern(&mut self, value: &str) -> Result<(), String> {
        let Some((krate, files)) = value.split_once('=') else {
            return Err(format!("--extern={value} is no --extern=CRATE=IMPORT_PATH,IMPORT_PATH"));
        };
        self.externs.add(krate, files.split(',').map(str::to_owned)).map_err(text)
    }
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    let mut help = HELP.to_owned();
    for (name, meaning) in Options::KNOWN {
        help.push_str(&format!("  --{name}={meaning}\n"));
    }
    help
}

fn once(place: &mut Option<String>, name: &str, value: &str) -> Result<(), String> {
    match place.replace(value.to_owned()) {
        None => Ok(()),
        Some(before) => Err(format!("--{name} is there twice, as {before:?} and as {value:?}")),
    }
}

fn element_memory_max(value: &str) -> Result<usize, String> {
    match value {
        "unlimited" => Ok(usize::MAX),
        bytes => bytes
            .parse()
            .map_err(|_| format!("--element_memory_limit={value} is no number of bytes, nor unlimited")),
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

const HELP: &str = "\
Writes the Rust of .proto files from their descriptor sets: always one file.

ringwire-codegen-rules [@FILE] --out=FILE --mode=MODE --generate=IMPORT_PATH... --descriptor_set=FILE...

  @FILE                        holds more arguments, one each line
  --out=FILE                   what to write: the root of a crate
  --mode=messages|services|both
                               messages: a crate of messages
                               services: a facade, with services and the messages of --extern crates
                               both: all in one crate
  --generate=IMPORT_PATH       a file to generate; repeated
  --descriptor_set=FILE        a serialized FileDescriptorSet; repeated, until all imports are there
  --extern=CRATE=PATH,PATH     the crate that holds the messages of these files; repeated
  --crate=NAME                 the name of the crate, for whoever reads the command line
  --target=LABEL               what to name in front of errors
  --element_memory_limit=BYTES|unlimited
                               what a descriptor set may take in memory (1073741824)
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(arguments.iter().map(|&argument| argument.to_owned()).collect())
    }

    #[track_caller]
    fn check_refused(arguments: &[&str], refusal: &str) {
        assert_eq!(parse(arguments).expect_err("refused"), refusal);
    }

    const LEAST: [&str; 3] = ["--out=lib.rs", "--mode=messages", "--generate=a.proto"];

    fn least_and<'a>(more: &[&'a str]) -> Vec<&'a str> {
        LEAST.into_iter().chain(more.iter().copied()).collect()
    }

    #[test]
    fn arguments_say_what_to_generate() {
        let parsed = parse(&least_and(&[
            "--descriptor_set=a.bin",
            "--descriptor_set=b.bin",
            "--generate=b.proto",
            "--extern=c=x/c.proto,x/d=e.proto",
            "--crate=ab",
            "--target=//a:b",
            "--json=false",
        ]))
        .unwrap();
        assert_eq!((parsed.out.as_str(), parsed.target.as_deref()), ("lib.rs", Some("//a:b")));
        assert_eq!(parsed.descriptor_sets, ["a.bin", "b.bin"]);
        assert_eq!(parsed.generate, ["a.proto", "b.proto"]);
        assert_eq!(["x/c.proto", "x/d=e.proto"].map(|file| parsed.externs.crate_of(file)), [Some("c"); 2]);
        assert!(!parsed.options.json && parsed.options.views);
    }

    #[test]
    fn what_is_missing_is_said() {
        check_refused(&LEAST[1..], "--out=FILE is missing");
        check_refused(&[LEAST[0], LEAST[2]], "--mode=messages|services|both is missing");
        check_refused(&LEAST[..2], "nothing to generate: --generate=IMPORT_PATH is missing");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |argument, refusal| check_refused(&least_and(&[argument]), refusal);
        check("-x", "\"-x\" is no --name=value; see --help");
        check("--json", "\"--json\" is no --name=value; see --help");
        check("--out=b.rs", "--out is there twice, as \"lib.rs\" and as \"b.rs\"");
        check("--extern=c", "--extern=c is no --extern=CRATE=IMPORT_PATH,IMPORT_PATH");
        check("--extern=a-b=c.proto", "\"a-b\" is no name of a crate");
        check("--element_memory_limit=x", "--element_memory_limit=x is no number of bytes, nor unlimited");
        check("--views=1", "the option views is true or false, not \"1\"");
        check(
            "--veiws=true",
            "there is no option \"veiws\"; the options are descriptors, json, services, strict_utf8_mapping, \
             unknown_fields, views",
        );
        let both = ["--extern=c=a.proto", "--extern=d=a.proto"];
        check_refused(&least_and(&both), "a.proto is said to be in two crates, c and d");
    }

    #[test]
    fn a_file_of_arguments_stands_for_its_lines() {
        let file = std::env::temp_dir().join(format!("ringwire-arguments-{}", std::process::id()));
        std::fs::write(&file, "--out=a b.rs\n\n--mode=messages\n").unwrap();
        let expanded = expand(vec![format!("@{}", file.display()), "--crate=c".to_owned()]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(expanded.unwrap(), ["--out=a b.rs", "--mode=messages", "--crate=c"]);
        let missing = expand(vec!["@no such file".to_owned()]).expect_err("refused");
        assert!(missing.starts_with("cannot read no such file: "), "{missing}");
    }
}
