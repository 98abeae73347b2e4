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
