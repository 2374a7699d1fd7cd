//! File names that are not UTF-8, as text.
//!
//! A byte that is no part of UTF-8 is written `\xNN`. So that no two names look alike, a backslash that would itself
//! begin such a sequence is written `\x5c`; all other backslashes (systemd's `\x2d`) stay. Reading a name back gives
//! the bytes, so that a probe can open what it listed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of a name.
pub(super) fn to_text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        let (valid, rest) = match std::str::from_utf8(bytes) {
            Ok(valid) => (valid, &[][..]),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        push_escaped(&mut text, valid);
        let Some((byte, rest)) = rest.split_first() else {
            return text;
        };
        let _ = write!(text, "\\x{byte:02x}");
        bytes = rest;
    }
}

fn push_escaped(text: &mut String, valid: &str) {
    for (index, character) in valid.char_indices() {
        let ambiguous = character == '\\' && valid.get(index..).and_then(escaped).is_some();
        if ambiguous {
            text.push_str("\\x5c");
        } else {
            text.push(character);
        }
    }
}

/// The bytes behind a text.
pub(super) fn to_bytes(text: &str) -> Cow<'_, [u8]> {
    if !text.contains("\\x") {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some((byte, after)) = escaped(rest) {
            bytes.push(byte);
            rest = after;
        } else {
            let (head, after) = rest.split_at(character.len_utf8());
            bytes.extend_from_slice(head.as_bytes());
            rest = after;
        }
    }
    Cow::Owned(bytes)
}

/// The byte that `text` begins with in its written form, and what follows: bytes from 0x80, and the backslash.
fn escaped(text: &str) -> Option<(u8, &str)> {
    let digits = text.strip_prefix("\\x")?.get(..2)?;
    let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (lower && (byte >= 0x80 || byte == b'\\')).then_some((byte, text.get(4..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_names() {
        assert_eq!(to_text(b"caf\xe9"), "caf\\xe9");
        assert_eq!(to_text("caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(to_text(b"a\\x2db"), "a\\x2db");
        assert_eq!(to_text(b"a\\xffb"), "a\\x5cxffb");
        assert_eq!(&*to_bytes("a\\x5cxffb"), b"a\\xffb");
        assert_eq!(&*to_bytes("a\\xffb"), b"a\xffb");
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(bytes in prop::collection::vec(prop_oneof![
            Just(b'\\'), Just(b'x'), Just(b'f'), Just(b'5'), Just(b'c'), any::<u8>()], 0..40)) {
            let text = to_text(&bytes);
            prop_assert_eq!(&*to_bytes(&text), &bytes[..]);
        }
    }
}
