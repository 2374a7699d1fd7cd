//! Words of a line, as Redis cuts them.

/// `None`: a quote is not closed, or something follows it.
pub(super) fn split(line: &[u8]) -> Option<Vec<String>> {
    let mut words = vec![];
    let mut at = 0;
    let byte = |at: usize| line.get(at).copied();
    loop {
        while byte(at).is_some_and(is_space) {
            at += 1;
        }
        if at >= line.len() {
            return Some(words);
        }
        let mut word = vec![];
        let mut quote = None;
        loop {
            let one = byte(at);
            at += 1;
            match (quote, one) {
                (Some(_), None) => return None,
                (None, None | Some(b' ' | b'\n' | b'\r' | b'\t')) => break,
                (None, Some(one @ (b'"' | b'\''))) => quote = Some(one),
                (Some(open), Some(one)) if one == open => {
                    if byte(at).is_some_and(|next| !is_space(next)) {
                        return None;
                    }
                    break;
                }
                (Some(b'"'), Some(b'\\')) => {
                    let (escaped, length) = escape(line.get(at..).unwrap_or_default());
                    word.push(escaped);
                    at += length;
                }
                (Some(b'\''), Some(b'\\')) if byte(at) == Some(b'\'') => {
                    word.push(b'\'');
                    at += 1;
                }
                (_, Some(one)) => word.push(one),
            }
        }
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// What follows a backslash in double quotes, and how long it is.
fn escape(after: &[u8]) -> (u8, usize) {
    let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    if let (Some(b'x'), Some(high), Some(low)) = (after.first(), digit(1), digit(2)) {
        return (u8::try_from(high * 16 + low).unwrap_or_default(), 3);
    }
    match after.first() {
        None => (b'\\', 0),
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b't') => (b'\t', 1),
        Some(b'b') => (0x08, 1),
        Some(b'a') => (0x07, 1),
        Some(other) => (*other, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;

    #[test]
    fn words() {
        let split = |text: &str| split(text.as_bytes());
        assert_eq!(
            split("a  \"b c\\x41\\\"\" 'd\\'e' f").unwrap(),
            ["a", "b cA\"", "d'e", "f"]
        );
        assert_eq!(split("a\"b\"").unwrap(), ["ab"]);
        assert_eq!(split("requirepass \"\"").unwrap(), ["requirepass", ""]);
        assert_eq!(split("a \"b"), None);
        assert_eq!(split("a \"b\"c"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>, near in "(a|\"|'|\\\\| |x41){0,30}") {
            let _ = split(&bytes);
            let _ = split(near.as_bytes());
        }
    }
}
