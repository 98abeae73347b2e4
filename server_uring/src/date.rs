//! The `date` of responses: text that changes once a second.

use std::time::{Duration, Instant, SystemTime};

/// The present date, as RFC 9110 section 5.6.7 writes it.
pub(crate) struct Date {
    text: [u8; LEN],
    until: Option<Instant>,
}

impl Date {
    pub(crate) fn new() -> Self {
        Self { text: [0; LEN], until: None }
    }

    /// The text of the date at `now`, which is the present.
    pub(crate) fn at(&mut self, now: Instant) -> &[u8] {
        if self.until.is_none_or(|until| until <= now) {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.text = format(since.as_secs());
            // Until the second is over.
            self.until =
                Some(now + Duration::from_secs(1) - Duration::from_nanos(u64::from(since.subsec_nanos())));
        }
        &self.text
    }
}

/// Formats seconds since 1970, for years of four digits.
fn format(seconds: u64) -> [u8; LEN] {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since the first of March of the year 0: a year then ends with its leap day. The algorithm is Howard Hinnant's
    // `civil_from_days`, for dates after 1970 alone.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    text[..3].copy_from_slice(WEEKDAYS[(days % 7) as usize]);
    text[8..11].copy_from_slice(MONTHS[month as usize]);
    for (at, number) in
        [(5, day), (12, year / 100), (14, year), (17, second / 3600), (20, second / 60), (23, second)]
    {
        let number = if at >= 20 { number % 60 } else { number % 100 };
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    text
}

const LEN: usize = 29;
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
        ] {
            assert_eq!(std::str::from_utf8(&format(seconds)), Ok(text));
        }
    }

    #[test]
    fn the_text_is_kept_for_less_than_a_second() {
        let now = Instant::now();
        let mut date = Date::new();
        let first = date.at(now).to_vec();
        assert!(date.until.is_some_and(|until| until > now && until <= now + Duration::from_secs(1)));
        assert_eq!(date.at(now), first);
    }
}
