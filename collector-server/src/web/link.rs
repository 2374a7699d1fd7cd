//! Addresses of pages.

use std::fmt::{self, Write as _};

/// A text as a part of an address (RFC 3986: all but unreserved signs are percent-encoded).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _: fmt::Result = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// `?` and pairs joined with `&`; empty without pairs. Pairs with an empty value are left out.
pub(super) fn question<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !value.is_empty() {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            text.push_str(&escape(value));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        assert_eq!(escape("a b/ä&c"), "a%20b%2F%C3%A4%26c");
        assert_eq!(
            question([("text", "x y"), ("at", ""), ("page", "2")]),
            "?text=x%20y&page=2"
        );
        assert_eq!(question([]), "");
    }
}
