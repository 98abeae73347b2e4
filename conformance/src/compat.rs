//! How the runner talks to a program under test: messages on its standard streams, each behind its length.

use ringwire_message::buffa::Message;
use std::io::{self, Read, Write};

/// Reads the next message; `None` when the runner says no more.
///
/// # Errors
/// The stream breaks off within a message, or holds something else.
pub fn receive<M: Message>(from: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_be_bytes(length);
    if length > LENGTH_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")));
    }
    let mut message = vec![0; length as usize];
    from.read_exact(&mut message)?;
    M::decode_from_slice(&message)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Writes a message.
///
/// # Errors
/// The stream is closed.
pub fn send(to: &mut impl Write, message: &impl Message) -> io::Result<()> {
    let message = message.encode_to_vec();
    let length =
        u32::try_from(message.len()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&message)?;
    to.flush()
}

/// What the runner itself accepts from a client; nothing it sends comes near.
const LENGTH_MAX: u32 = 16 * 1024 * 1024;
