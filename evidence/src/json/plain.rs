//! The spelling that nearly every document has, recognised in one pass and without building anything.
//!
//! What is taken here is canonical. What is not taken may be canonical all the same: member names beyond ASCII, rare
//! escapes and deep nesting are left to [`super::parse_canonical`], which also says what is wrong.

use super::MAX_INTEGER;

/// Objects and arrays in each other; the canonical form allows twice as many.
const MAX_DEPTH: u8 = 64;
/// Bytes of a string that are looked at together.
const STEP: usize = 32;

/// The text, if it is plainly canonical.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    value(bytes, MAX_DEPTH)?.is_empty().then_some(text)
}

/// What follows the value that `bytes` begin with.
fn value(bytes: &[u8], depth: u8) -> Option<&[u8]> {
    match bytes {
        [b'"', rest @ ..] => string(rest),
        [b'{', rest @ ..] => object(rest, depth.checked_sub(1)?),
        [b'[', rest @ ..] => array(rest, depth.checked_sub(1)?),
        [b't', rest @ ..] => rest.strip_prefix(b"rue"),
        [b'f', rest @ ..] => rest.strip_prefix(b"alse"),
        [b'n', rest @ ..] => rest.strip_prefix(b"ull"),
        _ => integer(bytes),
    }
}

fn object(bytes: &[u8], depth: u8) -> Option<&[u8]> {
    if let [b'}', rest @ ..] = bytes {
        return Some(rest);
    }
    let (mut before, mut bytes): (Option<&[u8]>, _) = (None, bytes);
    loop {
        let (name, rest) = name(bytes.strip_prefix(b"\"")?)?;
        // In ASCII the order of UTF-16 code units is that of bytes. A name given twice is not in order.
        if before.is_some_and(|before| before >= name) {
            return None;
        }
        before = Some(name);
        match value(rest.strip_prefix(b":")?, depth)? {
            [b',', rest @ ..] => bytes = rest,
            [b'}', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

fn array(bytes: &[u8], depth: u8) -> Option<&[u8]> {
    if let [b']', rest @ ..] = bytes {
        return Some(rest);
    }
    let mut bytes = bytes;
    loop {
        match value(bytes, depth)? {
            [b',', rest @ ..] => bytes = rest,
            [b']', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

/// A member's name of ASCII without escapes, and what follows its end.
fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii() || is_special(*byte))?;
    let (name, rest) = bytes.split_at_checked(end)?;
    Some((name, rest.strip_prefix(b"\"")?))
}

/// What follows the end of the string whose inside `bytes` begin with.
fn string(bytes: &[u8]) -> Option<&[u8]> {
    let mut bytes = bytes;
    loop {
        bytes = bytes.get(ordinary(bytes)..)?;
        bytes = match bytes {
            [b'"', rest @ ..] => return Some(rest),
            // The escapes of RFC 8785 section 3.2.2.2 but `\u00xx`.
            [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// How many bytes stand before the first that is special, or before the end.
fn ordinary(bytes: &[u8]) -> usize {
    let (steps, _) = bytes.as_chunks::<STEP>();
    // Without an early end the compiler looks at all bytes of a step at once.
    let special = |step: &[u8; STEP]| step.iter().fold(false, |any, byte| any | is_special(*byte));
    let whole = steps.iter().take_while(|step| !special(step)).count() * STEP;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// Ends a string, begins an escape, or must be escaped.
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn integer(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(length)?;
    match digits {
        [b'0'] if bytes.first() == Some(&b'0') => Some(rest),
        [b'1'..=b'9', ..] if length <= 16 => {
            let number = digits
                .iter()
                .fold(0, |number, digit| number * 10 + i64::from(*digit - b'0'));
            (number <= MAX_INTEGER).then_some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{canonical, parse_slowly};
    use super::*;

    #[test]
    fn takes_what_documents_are_made_of() {
        for plain in [
            "{}",
            "[]",
            "null",
            "-1",
            "9007199254740991",
            "\"a\\n\\\"\\\\é\u{7f}/\"",
            "{\"a\":{\"b\":[true,false,0]},\"aa\":\"\",\"b\":[[],{}]}",
            "\"0123456789012345678901234567890123456789\\t0123456789012345678901234567890\"",
        ] {
            assert_eq!(text(plain.as_bytes()), Some(plain));
        }
    }

    #[test]
    fn takes_nothing_else() {
        for other in [
            "",
            " 1",
            "1 ",
            "1,",
            "-",
            "-0",
            "00",
            "01",
            "-01",
            "+1",
            "1.0",
            "1e3",
            "9007199254740992",
            "-9007199254740992",
            "99999999999999999999999999",
            "nul",
            "nulll",
            "tru",
            "\"",
            "\"\\",
            "\"\\/\"",
            "\"\\u0041\"",
            "\"\\u000A\"",
            "\"\n\"",
            "[1,]",
            "[,1]",
            "[1",
            "[1}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{\"a\"}",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":2}",
            "{\"aa\":1,\"a\":2}",
            "{a:1}",
            "{\"a\":1}{}",
        ] {
            assert_eq!(text(other.as_bytes()), None, "{other}");
            assert!(
                other == "\"\\u000A\"" || parse_slowly(other.as_bytes()).is_err(),
                "{other}"
            );
        }
        assert_eq!(text(b"\"\xff\""), None);
        assert_eq!(text(&b"[".repeat(100_000)), None);
        // Canonical, and left to the slow way.
        for canonical in ["{\"é\":1}", "\"\\u001f\"", "{\"\\n\":1}"] {
            assert_eq!(text(canonical.as_bytes()), None);
            assert!(parse_slowly(canonical.as_bytes()).is_ok(), "{canonical}");
        }
    }

    /// Bytes that are nearly JSON.
    fn nearly() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{\"a\":".to_owned()),
            Just("\"b\":".to_owned()),
            Just("null".to_owned()),
            "[\\[\\]{},:]",
            "-?[0-9]{1,17}",
            "\"[ -~é]{0,40}\"",
            "\"\\\\[\"\\\\/bfnrtu]\"",
            "\"\\\\u00[01][0-9a-fA-F]\"",
            "[ \n]",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn what_is_taken_is_canonical(json in nearly()) {
            if text(json.as_bytes()).is_some() {
                let value = parse_slowly(json.as_bytes()).unwrap();
                prop_assert_eq!(canonical(&value).unwrap(), json.as_bytes());
            }
        }

        /// Every byte in turn replaced by another: what is still taken is still canonical.
        #[test]
        fn what_is_taken_after_a_change_is_canonical(
            strings in prop::collection::btree_map("[a-c]{0,3}", "[ -~\n\t\u{1}é]{0,70}", 0..4),
            number in any::<i64>(),
            byte in any::<u8>(),
        ) {
            let bytes = canonical(&serde_json::json!([strings, number / 1024, true, null])).unwrap();
            for position in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[position] = byte;
                prop_assert!(text(&bytes).is_none() || parse_slowly(&bytes).is_ok());
            }
        }
    }
}
