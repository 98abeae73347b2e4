//! The two grammars in which a request says how long it may take.
//!
//! Writers clamp: what is longer than a grammar can say becomes the longest it can, and what is positive
//! never becomes zero. Otherwise they round down, so that a server does not work past the client's deadline.
//! Readers accept zero, which is a deadline that has passed.

/// Milliseconds in at most ten digits: `connect-timeout-ms`.
pub mod connect {
    use std::time::Duration;

    use bytes::BytesMut;

    use crate::{Malformed, decimal};

    /// Reads a timeout.
    pub fn parse(value: &[u8]) -> Result<Duration, Malformed> {
        decimal::parse(value, DIGITS_MAX).map(Duration::from_millis).ok_or(super::MALFORMED)
    }

    /// Appends a timeout.
    pub fn write(timeout: Duration, out: &mut BytesMut) {
        let ms = timeout.as_millis().max(u128::from(!timeout.is_zero())).min(u128::from(MS_MAX));
        decimal::write(ms as u64, out);
    }

    const DIGITS_MAX: usize = 10;
    const MS_MAX: u64 = 9_999_999_999;
}

/// At most eight digits and a unit from nanoseconds to hours: `grpc-timeout`.
pub mod grpc {
    use std::time::Duration;

    use bytes::{BufMut, BytesMut};

    use crate::{Malformed, decimal};

    /// Reads a timeout.
    pub fn parse(value: &[u8]) -> Result<Duration, Malformed> {
        let (unit, digits) = value.split_last().ok_or(super::MALFORMED)?;
        let count = decimal::parse(digits, DIGITS_MAX).ok_or(super::MALFORMED)?;
        Ok(match unit {
            b'H' => Duration::from_secs(count * 3600),
            b'M' => Duration::from_secs(count * 60),
            b'S' => Duration::from_secs(count),
            b'm' => Duration::from_millis(count),
            b'u' => Duration::from_micros(count),
            b'n' => Duration::from_nanos(count),
            _ => return Err(super::MALFORMED),
        })
    }

    /// Appends a timeout in the finest unit in which it fits.
    pub fn write(timeout: Duration, out: &mut BytesMut) {
        let nanos = timeout.as_nanos();
        let (per_unit, unit) = UNITS
            .into_iter()
            .find(|(per_unit, _)| nanos / per_unit <= COUNT_MAX)
            .unwrap_or(UNITS[UNITS.len() - 1]);
        decimal::write((nanos / per_unit).min(COUNT_MAX) as u64, out);
        out.put_u8(unit);
    }

    const DIGITS_MAX: usize = 8;
    const COUNT_MAX: u128 = 99_999_999;
    const UNITS: [(u128, u8); 6] = [
        (1, b'n'),
        (1_000, b'u'),
        (1_000_000, b'm'),
        (1_000_000_000, b'S'),
        (60_000_000_000, b'M'),
        (3_600_000_000_000, b'H'),
    ];
}

const MALFORMED: crate::Malformed = crate::Malformed { format: "timeout" };

#[cfg(test)]
mod tests;
