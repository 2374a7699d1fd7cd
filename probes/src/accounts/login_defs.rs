//! `/etc/login.defs` (login.defs(5)), and that of vendors in `/usr/etc`.

use std::collections::BTreeMap;

use crate::order::IntoMap as _;
use crate::reading::{Reading, Unread};

/// The administrator's file.
pub(crate) const FILE: &str = "/etc/login.defs";
/// Where vendors keep it whose shadow reads drop-ins too (libeconf).
const VENDOR: &str = "/usr/etc/login.defs";

/// What the files set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LoginDefs {
    /// Values by name; the last line of a name counts.
    pub(crate) values: BTreeMap<String, String>,
    /// The files, in the order of reading.
    pub(crate) files: Vec<String>,
}

impl LoginDefs {
    /// Reads them; `Ok(None)`: there is none.
    pub(crate) fn read(reading: &Reading<'_>) -> Result<Option<Self>, Unread> {
        let own = reading.text(FILE)?;
        let vendor = reading.text(VENDOR)?;
        let has_vendor = vendor.is_some();
        let mut defs = Self::default();
        match (own, vendor) {
            (Some(text), _) => defs.add(FILE.to_owned(), &text),
            (None, Some(text)) => defs.add(VENDOR.to_owned(), &text),
            (None, None) => {}
        }
        if has_vendor {
            let mut drop_ins = BTreeMap::new();
            for folder in [FILE, VENDOR].map(|path| format!("{path}.d")) {
                for entry in reading.list(&folder)?.unwrap_or_default() {
                    if entry.name.strip_suffix(".defs").is_some() {
                        let path = format!("{folder}/{}", entry.name);
                        drop_ins.entry(entry.name).or_insert(path);
                    }
                }
            }
            for path in drop_ins.into_values() {
                if let Some(text) = reading.text(&path)? {
                    defs.add(path, &text);
                }
            }
        }
        Ok((!defs.files.is_empty()).then_some(defs))
    }

    fn add(&mut self, path: String, text: &str) {
        self.values.extend(parse(text));
        self.files.push(path);
    }
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (name, value) = line.split_once([' ', '\t', '"'])?;
        Some((name.to_owned(), value.trim().trim_matches('"').to_owned()))
    };
    lines.filter_map(entry).into_map()
}

/// A number, which may be octal or hexadecimal as in C.
pub(crate) fn number(values: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = values.get(name) else { return Ok(None) };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let value = value.map_err(|_| format!("{name} is {text:?}, not a number"))?;
    Ok(Some(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn login_definitions() {
        let values =
            parse("# UID_MIN 1\nUID_MIN\t\t\t 1000\nUMASK 027\nUID_MAX 0xEA60\nENCRYPT_METHOD \"SHA512\"\nX\n");
        assert_eq!(number(&values, "UID_MIN"), Ok(Some(1000)));
        assert_eq!(number(&values, "UID_MAX"), Ok(Some(60_000)));
        assert_eq!(number(&values, "UMASK"), Ok(Some(0o27)));
        assert_eq!(number(&values, "GID_MIN"), Ok(None));
        assert_eq!(values["ENCRYPT_METHOD"], "SHA512");
        assert!(number(&values, "ENCRYPT_METHOD").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
