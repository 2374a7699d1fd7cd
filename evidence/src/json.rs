//! Canonical JSON: RFC 8785 restricted to integers between −(2^53−1) and 2^53−1.
//!
//! A document has exactly one spelling, so that equal facts have equal digests and an auditor can rebuild the bytes
//! from the values.

mod plain;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// 2^53 − 1, the largest integer that every JSON implementation keeps exactly (RFC 7493 section 2.2).
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Why bytes or a value are not canonical JSON.
#[derive(Debug, Error)]
pub enum JsonError {
    /// No JSON (RFC 8259), not UTF-8, or nested deeper than 127 levels.
    #[error("not JSON: {0}")]
    Syntax(#[source] serde_json::Error),
    /// A value that cannot be turned into JSON, for instance a map whose keys are no strings.
    #[error("not representable as JSON: {0}")]
    Representation(#[source] serde_json::Error),
    /// A fraction, an exponent, or an integer of 2^53 and more.
    #[error("the number {number} is not an integer between -(2^53-1) and 2^53-1")]
    Number {
        /// As it was written.
        number: String,
    },
    /// JSON, in another spelling: white space, member order, escapes, or a member twice.
    #[error("not canonical JSON (RFC 8785): differs from the canonical form at byte {position}")]
    Spelling {
        /// First byte that differs.
        position: usize,
    },
}

/// The canonical bytes of a value.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    let value = serde_json::to_value(value).map_err(JsonError::Representation)?;
    let mut out = Vec::new();
    write(&value, &mut out)?;
    Ok(out)
}

/// The canonical bytes of an object with one member more, which may be large and is not copied.
pub(crate) fn canonical_with<T: Serialize>(object: &T, name: &str, member: &Value) -> Result<Vec<u8>, JsonError> {
    let object = serde_json::to_value(object).map_err(JsonError::Representation)?;
    let members = object.as_object().into_iter().flatten();
    let members = members.map(|(name, member)| (name.as_str(), member));
    let mut out = Vec::new();
    write_object(members.chain([(name, member)]).collect(), &mut out)?;
    Ok(out)
}

/// Reads bytes that must be canonical JSON; a member given twice is refused, since it cannot be in the canonical form.
pub fn parse_canonical(bytes: &[u8]) -> Result<Value, JsonError> {
    match plain::text(bytes) {
        Some(text) => serde_json::from_str(text).map_err(JsonError::Syntax),
        None => parse_slowly(bytes),
    }
}

/// Reads canonical bytes into a type. A member that the type does not know is an error where the type says so.
pub fn from_canonical<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, JsonError> {
    let read = if let Some(text) = plain::text(bytes) {
        serde_json::from_str(text)
    } else {
        parse_slowly(bytes)?;
        serde_json::from_slice(bytes)
    };
    read.map_err(JsonError::Syntax)
}

/// As [`parse_canonical`], whatever the spelling: by writing the canonical form and comparing.
fn parse_slowly(bytes: &[u8]) -> Result<Value, JsonError> {
    let value: Value = serde_json::from_slice(bytes).map_err(JsonError::Syntax)?;
    let mut expected = Vec::with_capacity(bytes.len());
    write(&value, &mut expected)?;
    if expected == bytes {
        return Ok(value);
    }
    let same = bytes
        .iter()
        .zip(&expected)
        .take_while(|(found, wanted)| found == wanted)
        .count();
    Err(JsonError::Spelling { position: same })
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-MAX_INTEGER..=MAX_INTEGER).contains(&integer) => {
                out.extend_from_slice(integer.to_string().as_bytes());
            }
            _ => {
                return Err(JsonError::Number {
                    number: number.to_string(),
                });
            }
        },
        Value::String(text) => write_string(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| (name.as_str(), member));
            write_object(members.collect(), out)?;
        }
    }
    Ok(())
}

fn write_object(mut members: Vec<(&str, &Value)>, out: &mut Vec<u8>) -> Result<(), JsonError> {
    // RFC 8785 section 3.2.3 orders by UTF-16 code units, which differs from byte order above U+D7FF.
    if members.iter().all(|(name, _)| name.is_ascii()) {
        members.sort_by_key(|(name, _)| *name);
    } else {
        members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    }
    out.push(b'{');
    for (index, (name, member)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out)?;
        out.push(b':');
        write(member, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// serde_json escapes exactly as RFC 8785 section 3.2.2.2 asks: two-character escapes where they exist, `\u00xx` in
/// lower case for other control characters, nothing else.
fn write_string(text: &str, out: &mut Vec<u8>) -> Result<(), JsonError> {
    serde_json::to_writer(out, text).map_err(JsonError::Representation)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_ordered_by_utf16() {
        // The example of RFC 8785 section 3.2.3.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let text = String::from_utf8(canonical(&value).unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn fractions_large_numbers_and_other_spellings_are_refused() {
        for bytes in [
            &b"1.0"[..],
            b"1e3",
            b"9007199254740992",
            b"-9007199254740992",
            b"18446744073709551615",
        ] {
            assert!(
                matches!(parse_canonical(bytes), Err(JsonError::Number { .. })),
                "{bytes:?}"
            );
        }
        for bytes in [
            &b" 1"[..],
            b"{\"b\":1,\"a\":2}",
            b"{\"a\":1,\"a\":1}",
            b"\"\\u0041\"",
            b"-0",
            b"\"\\/\"",
        ] {
            assert!(parse_canonical(bytes).is_err(), "{bytes:?}");
        }
        assert!(matches!(parse_canonical(b"\"\xff\""), Err(JsonError::Syntax(_))));
        assert!(matches!(
            parse_canonical(&b"[".repeat(100_000)),
            Err(JsonError::Syntax(_))
        ));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            let bytes = canonical(&value).unwrap();
            prop_assert_eq!(parse_canonical(&bytes).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = parse_canonical(&bytes) {
                prop_assert_eq!(canonical(&value).unwrap(), bytes);
            }
        }
    }
}
