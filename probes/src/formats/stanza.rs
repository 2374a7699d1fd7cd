//! Stanzas of fields: deb822(5), the form of package databases, lists, release files and apt's configuration.
//!
//! Borrowing, and lazy: a list of 60,000 packages is mostly stepped over, so a stanza is found by its blank line and
//! its fields are looked at only if somebody asks.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

/// A run of lines that are not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stanza<'a> {
    /// Its lines, without the blank line that ends it.
    pub text: &'a [u8],
    /// Where it begins, bytes from the beginning of what was searched.
    pub offset: usize,
}

/// The stanzas of `text`, in order.
pub fn stanzas(text: &[u8]) -> Stanzas<'_> {
    Stanzas {
        text,
        at: 0,
        blank: Finder::new(b"\n\n"),
    }
}

/// See [`stanzas`].
pub struct Stanzas<'a> {
    text: &'a [u8],
    at: usize,
    blank: Finder<'static>,
}

impl<'a> Iterator for Stanzas<'a> {
    type Item = Stanza<'a>;

    fn next(&mut self) -> Option<Stanza<'a>> {
        let rest = self.text.get(self.at..)?;
        let skipped = rest.iter().position(|byte| *byte != b'\n')?;
        let rest = rest.get(skipped..)?;
        let length = self.blank.find(rest).unwrap_or(rest.len());
        let offset = self.at + skipped;
        self.at = offset + length;
        let text = rest.get(..length)?;
        Some(Stanza {
            text: text.strip_suffix(b"\n").unwrap_or(text),
            offset,
        })
    }
}

/// Line of the byte at `offset`, from 1. Counts, so it is for messages only.
pub fn line_of(text: &[u8], offset: usize) -> u64 {
    memchr_iter(b'\n', text.get(..offset).unwrap_or(text)).count() as u64 + 1
}

/// A text without its comment lines (`#` in the first column), which apt removes before it looks for stanzas.
#[derive(Debug, Default)]
pub struct Uncommented {
    /// What is left.
    pub text: Vec<u8>,
    /// Where comments were cut out: offset in `text`, lines missing before it.
    cuts: Vec<(usize, u64)>,
}

impl Uncommented {
    /// Removes the comment lines of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut kept = Self::default();
        let mut missing = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.first() == Some(&b'#') {
                missing += 1;
                kept.cuts.push((kept.text.len(), missing));
            } else {
                kept.text.extend_from_slice(line);
            }
        }
        kept
    }

    /// The line, from 1, in the text with its comments, of the byte at `offset` in the text without them.
    pub fn line_of(&self, offset: usize) -> u64 {
        let before = self.cuts.partition_point(|(at, _)| *at <= offset);
        let missing = before.checked_sub(1).and_then(|last| self.cuts.get(last));
        line_of(&self.text, offset) + missing.map_or(0, |(_, lines)| *lines)
    }
}

/// A field of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as written; names are the same whatever their case.
    pub name: &'a [u8],
    /// Everything after the colon, continuation lines included, outer white space removed.
    pub value: &'a [u8],
}

impl<'a> Stanza<'a> {
    /// The fields in order. `Err` is the number, from 0, of a line that neither names a field nor continues one; the
    /// iteration goes on after it.
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            rest: self.text,
            line: 0,
        }
    }

    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.fields()
            .filter_map(Result::ok)
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
}

/// See [`Stanza::fields`].
pub struct Fields<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, u64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let begin = self.line;
        let mut end = 0;
        loop {
            let from_here = self.rest.get(end..).unwrap_or_default();
            end += memchr(b'\n', from_here).map_or(from_here.len(), |length| length + 1);
            self.line += 1;
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (whole, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let colon = memchr(b':', whole);
        let (name, value) = colon
            .and_then(|colon| whole.split_at_checked(colon))
            .unwrap_or_default();
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return Some(Err(begin));
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        Some(Ok(Field { name, value }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named<'a>(stanza: &Stanza<'a>) -> Vec<(&'a str, &'a str)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        stanza
            .fields()
            .map(|field| field.map_or(("", "?"), |field| (text(field.name), text(field.value))))
            .collect()
    }

    #[test]
    fn stanzas_and_fields() {
        let text = b"\n\nPackage: a\nDepends: b,\n c\n\n\n\nPackage: d\njunk\nX:\n .\n e\n";
        let found: Vec<_> = stanzas(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(named(&found[0]), [("Package", "a"), ("Depends", "b,\n c")]);
        assert_eq!(named(&found[1]), [("Package", "d"), ("", "?"), ("X", ".\n e")]);
        assert_eq!(found[1].fields().nth(1), Some(Err(1)));
        assert_eq!(line_of(text, found[0].offset), 3);
        assert_eq!(line_of(text, found[1].offset), 9);
        assert_eq!(found[0].get("depends"), Some(&b"b,\n c"[..]));
        assert_eq!(found[0].get("Version"), None);
        assert_eq!(stanzas(b"").count() + stanzas(b"\n\n\n").count(), 0);
        assert_eq!(stanzas(b"a: b").count(), 1);
    }

    #[test]
    fn comments() {
        let text = Uncommented::of(b"# a\nA: b\n# c\n d\n\n# e\nF: g\n#");
        assert_eq!(text.text, b"A: b\n d\n\nF: g\n");
        let lines: Vec<_> = stanzas(&text.text).map(|stanza| text.line_of(stanza.offset)).collect();
        assert_eq!(lines, [2, 7]);
    }

    proptest! {
        #[test]
        fn any_bytes(text in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..200)) {
            let mut covered = 0;
            for stanza in stanzas(&text) {
                prop_assert!(stanza.offset >= covered);
                covered = stanza.offset + stanza.text.len();
                prop_assert!(stanza.fields().count() <= stanza.text.len());
                line_of(&text, stanza.offset);
            }
            prop_assert!(covered <= text.len());
        }
    }
}
