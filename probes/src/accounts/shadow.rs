//! `/etc/shadow`, shadow(5).

use evidence::Timestamp;

use super::facts::Ageing;
use super::records::{self, Entries, TooManyLines, printable};

const DAY: i64 = 86_400;

/// An entry. The password stays in the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// User name.
    pub(crate) name: String,
    /// Hash, lock or nothing.
    pub(crate) password: Vec<u8>,
    /// Ageing.
    pub(crate) ageing: Ageing,
}

/// Reads the file.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entries<Entry>, TooManyLines> {
    records::read(bytes, |record| {
        let [name, password, last, min, max, warn, inactive, expires, _] = record.fields.as_slice() else {
            return Err("not nine fields");
        };
        if name.is_empty() {
            return Err("no user name");
        }
        let last = days(last)?;
        Ok(Entry {
            name: printable(name),
            password: password.to_vec(),
            ageing: Ageing {
                last_change: last.filter(|days| *days > 0).map(date).transpose()?,
                change_forced: last == Some(0),
                min_days: days(min)?,
                max_days: days(max)?,
                warn_days: days(warn)?,
                inactive_days: days(inactive)?,
                expires: days(expires)?.map(date).transpose()?,
            },
        })
    })
}

/// A number of days; empty and -1 (as older tools write it) both say that it is not set.
fn days(field: &[u8]) -> Result<Option<u32>, &'static str> {
    if field.is_empty() || field == b"-1" {
        return Ok(None);
    }
    records::number(field)
        .map(Some)
        .ok_or("a field of days is not a number")
}

fn date(days: u32) -> Result<Timestamp, &'static str> {
    Timestamp::from_unix(i64::from(days) * DAY).map_err(|_| "a day lies after the year 9999")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ageing() {
        let read = parse(
            b"a:*:19000:0:99999:7:::\nb:!:0:-1:90:7:30:19700:\nc:::::::\nd::x:::::::\ne:*:1:1:1:1:1:4294967295:\n",
        )
        .unwrap();
        let [a, b] = read.entries.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(a.ageing.last_change.unwrap().to_string(), "2022-01-08T00:00:00Z");
        assert_eq!(
            (a.ageing.max_days, a.ageing.inactive_days, a.ageing.change_forced),
            (Some(99_999), None, false)
        );
        assert_eq!(
            (b.ageing.last_change, b.ageing.change_forced, b.ageing.min_days),
            (None, true, None)
        );
        assert_eq!(b.ageing.expires.unwrap().to_string(), "2023-12-09T00:00:00Z");
        assert_eq!(read.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3, 4, 5]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
