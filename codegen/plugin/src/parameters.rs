//! The parameters that protoc and buf pass on.

use ringwire_codegen::{Externs, Mode, OptionError, Options};

/// What the parameters say.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) options: Options,
    pub(crate) externs: Externs,
    pub(crate) mode: Mode,
    pub(crate) file: String,
}

impl Parameters {
    /// # Errors
    /// A parameter is unknown, or has a value that is none of it.
    pub(crate) fn parse(parameter: &str) -> Result<Self, String> {
        let mut parsed = Self {
            options: Options::default(),
            externs: Externs::new(),
            mode: Mode::Both,
            file: "mod.rs".to_owned(),
        };
        for entry in parameter.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, value) = match entry.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (entry, None),
            };
            parsed.set(name, value)?;
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        match (name, value) {
            ("mode", _) => self.mode = value.unwrap_or_default().parse().map_err(|error| text(&error))?,
            ("file", Some(file)) if file.ends_with(".rs") => self.file = file.to_owned(),
            ("file", _) => return Err("the option file is the name of a file that ends in .rs".to_owned()),
            ("extern", _) => match value.and_then(|value| value.split_once('=')) {
                Some((krate, file)) => {
                    self.externs.add(krate, [file.to_owned()]).map_err(|error| text(&error))?;
                }
                None => return Err("the option extern is extern=CRATE=IMPORT_PATH".to_owned()),
            },
            // Read before the request was decoded, because it says how to decode it.
            ("element_memory_limit", Some(_)) => {}
            _ => self.options.set(name, value).map_err(|error| text(&with_own(error)))?,
        }
        Ok(())
    }
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    let mut help = HELP.to_owned();
    let mut known: Vec<_> = Options::KNOWN.into_iter().chain(OWN).collect();
    known.sort_unstable();
    for (name, meaning) in known {
        help.push_str(&format!("  {name}={meaning}\n"));
    }
    help
}

/// The parameters beside those that all fronts of the generator have.
const OWN: [(&str, &str); 4] = [
    ("element_memory_limit", "BYTES|unlimited (1073741824): what the request may take in memory"),
    ("extern", "CRATE=IMPORT_PATH: the crate that holds the messages of this file; repeated"),
    ("file", "NAME.rs (mod.rs): the file to write"),
    ("mode", "messages|services|both (both): what to generate"),
];

fn with_own(error: OptionError) -> OptionError {
    match error {
        OptionError::Unknown { name, mut known } => {
            known.extend(OWN.map(|(name, _)| name));
            known.sort_unstable();
            OptionError::Unknown { name, known }
        }
        OptionError::Value { .. } => error,
    }
}

const HELP: &str = "\
A plugin of protoc and buf that writes Rust: messages, and Connect services. It always writes one file.

  protoc --connect-rust_out=src/proto --connect-rust_opt=OPTION,OPTION -I . greet.proto

  # buf.gen.yaml
  plugins:
    - local: protoc-gen-connect-rust
      out: src/proto
      strategy: all
      include_wkt: false
      opt: [OPTION, OPTION]

Options:
";

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(parameter: &str, part: &str) {
        let error = Parameters::parse(parameter).expect_err("refused");
        assert!(error.contains(part), "{parameter}: {error}");
    }

    #[test]
    fn nothing_is_the_default() {
        let parsed = Parameters::parse("").unwrap();
        assert_eq!(
            (parsed.options, parsed.mode, parsed.file),
            (Options::default(), Mode::Both, "mod.rs".to_owned())
        );
    }

    #[test]
    fn parameters_are_set_by_name() {
        let parsed = Parameters::parse(
            "json=false, strict_utf8_mapping,mode=messages,file=a.rs,extern=c=x/y.proto,services=none",
        );
        let parsed = parsed.unwrap();
        assert!(!parsed.options.json && parsed.options.strict_utf8_mapping);
        assert_eq!((parsed.mode, parsed.file.as_str()), (Mode::Messages, "a.rs"));
        assert_eq!(parsed.externs.crate_of("x/y.proto"), Some("c"));
    }

    #[test]
    fn sides_are_chosen() {
        let check = |value, client, server| {
            let sides = Parameters::parse(&format!("services={value}")).unwrap().options.services;
            assert_eq!((sides.client, sides.server), (client, server), "{value}");
        };
        check("client", true, false);
        check("server", false, true);
        check("client+server", true, true);
        check("none", false, false);
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_known() {
        check_refused(
            "jsn=true",
            "there is no option \"jsn\"; the options are descriptors, element_memory_limit, extern",
        );
    }

    #[test]
    fn values_have_types() {
        check_refused("json=yes", "the option json is true or false, not \"yes\"");
        check_refused("mode=all", "messages, services or both");
        check_refused("mode", "messages, services or both");
        check_refused("services=clients", "client, server, client+server, or none, not \"clients\"");
        check_refused("file=a.txt", "ends in .rs");
        check_refused("extern=a", "extern=CRATE=IMPORT_PATH");
        check_refused("extern=a-b=c.proto", "no name of a crate");
        check_refused("extern=a=c.proto,extern=b=c.proto", "in two crates, a and b");
    }
}
