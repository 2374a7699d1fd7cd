//! Instants as the format writes them: whole seconds, UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::written;

const DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z, the last instant that RFC 3339 can write.
const LAST: i64 = 253_402_300_799;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Written `2026-11-24T10:08:42Z` (RFC 3339, UTC, no
/// fraction) and read only in that form, so that an instant has one spelling. Years 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text or number that is no [`Timestamp`].
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum TimestampError {
    /// Not of the form `2026-11-24T10:08:42Z`.
    #[error("not a time of the form 2026-11-24T10:08:42Z: {text:?}")]
    Form {
        /// The beginning of what was found.
        text: String,
    },
    /// The form is right and the day or the hour does not exist.
    #[error("no such time: {text}")]
    NoSuchTime {
        /// What was found.
        text: String,
    },
    /// Before 1970 or after 9999.
    #[error("{seconds} seconds since 1970 is outside the years 1970 to 9999")]
    Range {
        /// What was given.
        seconds: i64,
    },
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the first.
    pub const EPOCH: Self = Self(0);

    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(LAST);

    /// From seconds since the Unix epoch.
    pub fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        if (0..=LAST).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(TimestampError::Range { seconds })
        }
    }

    /// Seconds since the Unix epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This instant moved by `seconds`, kept within the range.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, LAST))
    }

    /// Seconds from `earlier` to this instant; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Midnight (UTC) of a calendar date.
    pub fn from_date(year: i64, month: i64, day: i64) -> Option<Self> {
        let last = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1970..=9999).contains(&year) || !(1..=last).contains(&day) {
            return None;
        }
        // Days from civil, in eras of 400 years that begin in March (Howard Hinnant, chrono-Compatible Low-Level Date
        // Algorithms).
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year / 400;
        let year_of_era = shifted_year % 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self((era * 146_097 + day_of_era - 719_468) * DAY))
    }

    /// Year, month (1 to 12), day (1 to 31) in UTC.
    pub fn date(self) -> (i64, i64, i64) {
        let days = self.0 / DAY + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let form = || TimestampError::Form {
            text: text.chars().take(40).collect(),
        };
        let bytes: &[u8; 20] = text.as_bytes().try_into().map_err(|_| form())?;
        let [
            y0,
            y1,
            y2,
            y3,
            b'-',
            mo0,
            mo1,
            b'-',
            d0,
            d1,
            b'T',
            h0,
            h1,
            b':',
            mi0,
            mi1,
            b':',
            s0,
            s1,
            b'Z',
        ] = bytes
        else {
            return Err(form());
        };
        let number = |digits: &[&u8]| {
            digits.iter().try_fold(0_i64, |value, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| value * 10 + i64::from(**digit - b'0'))
                    .ok_or_else(form)
            })
        };
        let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[mo0, mo1])?, number(&[d0, d1])?);
        let (hour, minute, second) = (number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?);
        let no_such_time = || TimestampError::NoSuchTime { text: text.to_owned() };
        if hour > 23 || minute > 59 || second > 59 {
            return Err(no_such_time());
        }
        let midnight = Self::from_date(year, month, day).ok_or_else(no_such_time)?;
        Ok(midnight.plus(hour * 3600 + minute * 60 + second))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.0 % DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        written::read(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_514_922, "2026-11-24T10:08:42Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            let instant = Timestamp::from_unix(seconds).unwrap();
            assert_eq!(instant.to_string(), text);
            assert_eq!(text.parse(), Ok(instant));
        }
        assert!(Timestamp::from_unix(-1).is_err());
        assert!(Timestamp::from_unix(LAST + 1).is_err());
    }

    #[test]
    fn every_day_for_four_centuries_round_trips() {
        for day in 0..146_097 {
            let instant = Timestamp::from_unix(day * DAY).unwrap();
            let (year, month, day) = instant.date();
            assert_eq!(Timestamp::from_date(year, month, day), Some(instant));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2026-11-24T10:08:42+00:00",
            "2026-11-24 10:08:42Z",
            "2026-11-24T10:08:42.0Z",
            "",
            "2026-1é-24T10:08:42Z",
        ] {
            assert!(
                matches!(text.parse::<Timestamp>(), Err(TimestampError::Form { .. })),
                "{text}"
            );
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(
                matches!(text.parse::<Timestamp>(), Err(TimestampError::NoSuchTime { .. })),
                "{text}"
            );
        }
    }
}
