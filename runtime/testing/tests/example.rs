//! The smallest machine that a transcript can drive.

use ringwire_testing::transcript::{Command, Machine, Said, check};

struct Upper;

impl Machine for Upper {
    fn command(&mut self, command: &Command<'_>, _: &mut Said) -> Result<(), String> {
        Err(format!("there is no command {}", command.name))
    }

    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said) {
        said.bytes(&bytes.to_ascii_uppercase());
        if end {
            said.event("done");
        }
    }
}

#[test]
fn upper_keeps_to_its_transcripts() {
    check("runtime/testing", "testdata", || Upper);
}
