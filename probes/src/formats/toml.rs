//! TOML, as containerd, CRI-O and podman have it.

use serde_json::Value;

use crate::reading::{Reading, Unread};

/// The tables of a text; the error says where, and nothing of what stands there.
pub fn parse(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map_or(0, |before| before.matches('\n').count() + 1);
        format!("line {line}: {}", error.message())
    })
}

/// The tables of a file.
pub fn read(reading: &Reading<'_>, path: &str) -> Result<Option<Value>, Unread> {
    let Some(text) = reading.text(path)? else {
        return Ok(None);
    };
    let malformed = |reason| Unread::Malformed {
        place: path.to_owned(),
        reason,
    };
    parse(&text).map(Some).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_and_mistakes() {
        let value = parse("a = [\"x\"]\n[b.\"c/d\"]\ne = true\n").unwrap();
        assert_eq!(value.pointer("/b/c~1d/e"), Some(&Value::Bool(true)));
        let wrong = parse("a = 1\npassword = sec ret\n").unwrap_err();
        assert!(wrong.starts_with("line 2: ") && !wrong.contains("ret"), "{wrong}");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[\\[\\]=\"'#.{}a1, \n]{0,100}") {
            let _ = parse(&text);
        }
    }
}
