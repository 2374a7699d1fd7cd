//! Dates as release files of archives have them: `Sun, 22 Nov 2026 19:58:56 UTC` (RFC 5322 with the zones that apt
//! accepts).

use evidence::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The instant, if `text` is such a date between 1970 and 9999.
pub fn parse(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    // The name of the day says nothing new.
    words.next().filter(|day| day.ends_with(','))?;
    let day = number(words.next()?, 2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))? + 1;
    let year = words.next().filter(|year| year.len() == 4)?;
    let midnight = Timestamp::from_date(number(year, 4)?, i64::try_from(month).ok()?, day)?;
    let mut clock = words.next()?.split(':');
    let (hour, minute) = (number(clock.next()?, 2)?, number(clock.next()?, 2)?);
    let second = number(clock.next()?, 2)?;
    let zone = words.next()?;
    let known = matches!(zone, "UTC" | "GMT" | "Z" | "+0000" | "+0" | "-0000");
    (known && clock.next().is_none() && words.next().is_none() && hour < 24 && minute < 60 && second <= 60)
        .then(|| midnight.plus(hour * 3600 + minute * 60 + second))
}

/// A day, `2026-07-11`, at midnight UTC.
pub fn parse_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    Timestamp::from_date(number(year, 4)?, number(month, 2)?, number(day, 2)?)
}

fn number(digits: &str, most: usize) -> Option<i64> {
    let plain = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        for (text, instant) in [
            ("Sun, 22 Nov 2026 19:58:56 UTC", "2026-11-22T19:58:56Z"),
            ("Sat, 09 May 2026 09:35:01 +0000", "2026-05-09T09:35:01Z"),
            ("Thu, 25 Apr 2024  15:10:33 GMT", "2024-04-25T15:10:33Z"),
            ("Thu, 1 Jan 1970 00:00:00 Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text), Some(instant.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "22 Nov 2026 19:58:56 UTC",
            "Sun, 22 Nov 2026 19:58:56",
            "Sun, 22 Nov 2026 19:58:56 CET",
            "Sun, 22 Nov 26 19:58:56 UTC",
            "Sun, 31 Nov 2026 19:58:56 UTC",
            "Sun, 22 Nov 2026 24:00:00 UTC",
            "Sun, 22 Nov 2026 19:58 UTC",
            "Sun, +2 Nov 2026 19:58:56 UTC",
            "Sun, 22 Nov 2026 19:58:56 UTC UTC",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_day("2026-07-11"), Some("2026-07-11T00:00:00Z".parse().unwrap()));
        for text in ["", "2026-7-11", "2026-07-32", "2026-07-11-", "20260711", "+026-07-11"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,40}", near in "[A-Z][a-z]{2}, [0-9]{1,2} (Jan|Feb|x) [0-9]{4} [0-9:]{8} [A-Z+0]{3}") {
            parse(&text);
            parse(&near);
            parse_day(&text);
        }
    }
}
