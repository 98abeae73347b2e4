//! The server's word on another attempt.

use std::time::Duration;

use crate::Error;
use crate::protocol::RETRY_PUSHBACK;

/// The server's word on another attempt of a call that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PushBack {
    /// It said nothing.
    Silent,
    /// Another attempt may come after this time.
    After(Duration),
    /// There must be no other attempt.
    Never,
}

impl PushBack {
    /// Reads it from the fields that came with an error.
    pub fn of(error: &Error) -> Self {
        let metadata = error.metadata();
        if let Some(value) = metadata.get(RETRY_PUSHBACK.as_str()) {
            // A negative number says never, and so does what is no number.
            return number(value).map_or(Self::Never, |ms| Self::After(Duration::from_millis(ms)));
        }
        // A date, the other form, says nothing to a client that does not know the server's clock.
        let seconds = metadata.get("retry-after").and_then(number);
        seconds.map_or(Self::Silent, |seconds| Self::After(Duration::from_secs(seconds)))
    }
}

impl Error {
    /// Asks the client to wait so long before another attempt, in whole milliseconds.
    #[must_use]
    pub fn with_push_back(mut self, wait: Duration) -> Self {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).to_string();
        self.metadata_mut()
            .insert(RETRY_PUSHBACK.as_str(), ms)
            .expect("a number is a value, and the name is free");
        self
    }
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metadata;

    #[track_caller]
    fn check(name: &str, value: &str, said: PushBack) {
        let mut metadata = Metadata::new();
        metadata.append_received(name, value.as_bytes()).unwrap();
        assert_eq!(PushBack::of(&Error::unavailable("").with_metadata(metadata)), said, "{name}: {value}");
    }

    #[test]
    fn servers_push_back_in_two_ways() {
        let after = |ms| PushBack::After(Duration::from_millis(ms));
        check("grpc-retry-pushback-ms", "0", after(0));
        check("grpc-retry-pushback-ms", "1500", after(1500));
        check("grpc-retry-pushback-ms", "-1", PushBack::Never);
        check("grpc-retry-pushback-ms", "soon", PushBack::Never);
        check("retry-after", "3", after(3000));
        check("retry-after", "99999999999999999999", PushBack::Silent);
        check("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", PushBack::Silent);
        check("x-other", "3", PushBack::Silent);
        let error = Error::unavailable("").with_push_back(Duration::from_secs(9));
        assert_eq!(PushBack::of(&error.with_push_back(Duration::from_micros(1_500_900))), after(1500));
    }
}
