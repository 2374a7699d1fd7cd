//! os-release(5): which distribution this is.

use std::collections::BTreeMap;

use crate::probe::ProbeError;
use crate::reading::Reading;

/// Lines that are looked at. Distributions have under thirty.
const MAX_LINES: usize = 1_000;

/// The assignments of an os-release file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OsRelease {
    fields: BTreeMap<String, String>,
}

impl OsRelease {
    /// Reads `/etc/os-release`, else `/usr/lib/os-release`. `Ok(None)`: there is neither.
    pub fn read(reading: &Reading<'_>) -> Result<Option<Self>, ProbeError> {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            if let Some(text) = reading.text(path)? {
                return Self::parse(&text).map(Some).map_err(|line| {
                    ProbeError::malformed(&format!("{path}:{line}"), "not an assignment in shell form")
                });
            }
        }
        Ok(None)
    }

    /// The assignments in `text`; the last of a name counts. `Err` is the line, from 1, that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut fields = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if number >= MAX_LINES {
                return Err(number + 1);
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(number + 1)?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let value = unquote(value).filter(|_| is_name).ok_or(number + 1)?;
            fields.insert(name.to_owned(), value);
        }
        Ok(Self { fields })
    }

    /// The value of `name`; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// `ID`. Not set means `linux`.
    pub fn id(&self) -> &str {
        match self.get("ID") {
            "" => "linux",
            id => id,
        }
    }

    /// `ID_LIKE`, word by word.
    pub fn id_like(&self) -> impl Iterator<Item = &str> {
        self.get("ID_LIKE").split_ascii_whitespace()
    }

    /// Whether this is Debian or derives from it.
    pub fn is_debian_like(&self) -> bool {
        let debian = |id: &str| matches!(id, "debian" | "ubuntu");
        debian(self.id()) || self.id_like().any(debian)
    }
}

/// A value in the shell's quoting, without expansion.
fn unquote(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (Some('\''), any) => text.push(any),
            (Some(_), '\\') => match characters.next()? {
                escaped @ ('"' | '$' | '`' | '\\') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            (None, '\\') => text.push(characters.next()?),
            // Would end the word, run something or begin a comment.
            (None, ' ' | '\t' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '$' | '`') | (Some(_), '$' | '`') => {
                return None;
            }
            (_, any) => text.push(any),
        }
    }
    quote.is_none().then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debian_12() {
        let release = OsRelease::parse(include_str!("../../fixtures/kernel-and-release/debian-12/os-release")).unwrap();
        assert_eq!(release.id(), "debian");
        assert_eq!(release.get("VERSION_CODENAME"), "bookworm");
        assert_eq!(release.get("PRETTY_NAME"), "Debian GNU/Linux 12 (bookworm)");
        assert!(release.is_debian_like());
    }

    #[test]
    fn quoting() {
        let text = "# a comment\n\nID=fedora\nA='x \"y\" $z'\nB=\"a \\\"b\\\" \\$c \\n\"\nC=a\\ b\nD=\nID=rhel\nID_LIKE=\"a b\"\n";
        let release = OsRelease::parse(text).unwrap();
        assert_eq!(release.id(), "rhel");
        assert_eq!(release.get("A"), "x \"y\" $z");
        assert_eq!(release.get("B"), "a \"b\" $c \\n");
        assert_eq!(release.get("C"), "a b");
        assert_eq!(release.get("D"), "");
        assert_eq!(release.id_like().collect::<Vec<_>>(), ["a", "b"]);
        assert!(!release.is_debian_like());
        assert_eq!(OsRelease::parse("").unwrap().id(), "linux");
    }

    #[test]
    fn malformed_lines() {
        for text in [
            "ID",
            "=x",
            "ID=\"x",
            "ID='x",
            "ID=a b",
            "ID=$(id)",
            "ID=\"`id`\"",
            "I D=x",
            "ID=x\\",
        ] {
            assert_eq!(OsRelease::parse(&format!("A=b\n{text}\n")), Err(2), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,80}", near in "[A-Z]{1,3}=[\"'\\\\$a-z ]{0,10}") {
            let _ = OsRelease::parse(&text);
            let _ = OsRelease::parse(&near);
        }
    }
}
