//! What both drivers read and write alike.

use ringwire_http::Headers;
use ringwire_rpc::{Code, Error, Idempotency, Metadata, Spec, StreamShape};
use ringwire_testing::transcript::{Command, Said, notation};

pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// The method that a command names: a shape, or `query` for a unary one without side effects.
pub(crate) fn method(name: &str) -> Result<Spec, String> {
    Ok(match name {
        "unary" => Spec::new("/s.S/Unary", StreamShape::Unary),
        "query" => Spec::new("/s.S/Query", StreamShape::Unary).with_idempotency(Idempotency::NoSideEffects),
        "client-stream" => Spec::new("/s.S/ClientStream", StreamShape::ClientStream),
        "server-stream" => Spec::new("/s.S/ServerStream", StreamShape::ServerStream),
        "bidi" => Spec::new("/s.S/Bidi", StreamShape::Bidi),
        _ => return Err(format!("there is no method {name:?}")),
    })
}

/// The number that a command gives.
pub(crate) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// The fields below a command, as metadata.
pub(crate) fn metadata(command: &Command<'_>) -> Result<Metadata, String> {
    let mut metadata = Metadata::new();
    for (name, value) in command.fields()? {
        metadata.append(name.to_owned(), value.to_owned()).map_err(|error| error.to_string())?;
    }
    Ok(metadata)
}

/// Says fields, one a line.
pub(crate) fn say_fields(before: &str, fields: &dyn Headers, said: &mut Said) {
    fields.for_each(&mut |name, value| say_field(before, name, value, said));
}

/// Says metadata, one field a line.
pub(crate) fn say_metadata(before: &str, metadata: &Metadata, said: &mut Said) {
    for (name, value) in metadata.iter_custom() {
        say_field(before, name, value, said);
    }
}

fn say_field(before: &str, name: &str, value: &[u8], said: &mut Said) {
    let value = value.escape_ascii().to_string().replace("\\\"", "\"");
    said.event(format_args!("{before}{name}: {value}"));
}

/// Says an error, and its details.
pub(crate) fn say_error(error: &Error, said: &mut Said) {
    said.event(format_args!("error {error}"));
    for detail in error.details() {
        said.event(format_args!("detail {} {}", detail.type_name, notation::write(&detail.value)));
    }
}

/// An error from the arguments of a command, its code and message, and its block: `detail` lines and metadata.
pub(crate) fn error(command: &Command<'_>) -> Result<Error, String> {
    let (code, message) = command.args.split_once(' ').unwrap_or((command.args, ""));
    let code = Code::from_name(code).ok_or_else(|| format!("there is no code {code:?}"))?;
    let message =
        String::from_utf8(notation::parse(&format!("\"{message}\""))?).map_err(|error| error.to_string())?;
    let mut error = Error::new(code, message);
    for line in &command.block {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no field"))?;
        if let Some(type_name) = name.strip_prefix("detail ") {
            error = error.with_detail_raw(type_name, notation::parse(value)?);
            continue;
        }
        let appended = error.metadata_mut().append(name.to_owned(), value.trim().to_owned());
        appended.map_err(|error| error.to_string())?;
    }
    Ok(error)
}
