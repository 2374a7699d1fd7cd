//! Assignments of `postgresql.conf`, cut as the server does.
//!
//! Source: the manual, *Parameter Interaction via the Configuration File*; compared with PostgreSQL 15 in
//! `probes/tests/database_access_authority.rs`.

/// More assignments than anybody has are refused.
const MAX_ASSIGNMENTS: usize = 20_000;

/// One `name = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// From 1.
    pub(super) line: usize,
    /// In lower case.
    pub(super) name: String,
    /// Without its quotes.
    pub(super) value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Line,
    Name,
    /// With one dot in it: a name, and no value.
    Qualified,
    Equals,
    Text,
    Quoted,
    Bad,
}

/// The assignments, or the number of the line that the server refuses.
pub(super) fn assignments(bytes: &[u8]) -> Result<Vec<Assignment>, usize> {
    let mut found = vec![];
    let (mut at, mut line) = (0, 1);
    loop {
        let (token, name) = next(bytes, &mut at);
        match token {
            Token::End => return Ok(found),
            Token::Line => {
                line += 1;
                continue;
            }
            Token::Name | Token::Qualified => {}
            _ => return Err(line),
        }
        let (mut token, mut value) = next(bytes, &mut at);
        if token == Token::Equals {
            (token, value) = next(bytes, &mut at);
        }
        let value = match token {
            Token::Name | Token::Text => value.to_vec(),
            Token::Quoted => unquoted(value),
            _ => return Err(line),
        };
        found.push(Assignment {
            line,
            name: String::from_utf8_lossy(name).to_ascii_lowercase(),
            value: String::from_utf8_lossy(&value).into_owned(),
        });
        match next(bytes, &mut at).0 {
            Token::Line => line += 1,
            Token::End => return Ok(found),
            _ => return Err(line),
        }
        if found.len() > MAX_ASSIGNMENTS {
            return Err(line);
        }
    }
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

const fn is_inner(byte: u8) -> bool {
    is_letter(byte) || byte.is_ascii_digit()
}

/// How many bytes from the first are such.
fn run(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len())
}

fn rest(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

/// The next token, the longest that there can be.
fn next<'a>(bytes: &'a [u8], at: &mut usize) -> (Token, &'a [u8]) {
    let mut left = rest(bytes, *at);
    left = rest(left, run(left, |byte| matches!(byte, b' ' | b'\t' | b'\r')));
    if left.first() == Some(&b'#') {
        left = rest(left, run(left, |byte| byte != b'\n'));
    }
    let (token, length) = match left.first() {
        None => (Token::End, 0),
        Some(b'\n') => (Token::Line, 1),
        Some(b'=') => (Token::Equals, 1),
        Some(b'\'') => quoted(left).map_or((Token::Bad, 1), |length| (Token::Quoted, length)),
        Some(first) if is_letter(*first) => word(left),
        Some(_) => match number(left) {
            0 => (Token::Bad, 1),
            length => (Token::Text, length),
        },
    };
    *at = bytes.len() - left.len() + length;
    (token, left.get(..length).unwrap_or_default())
}

fn word(left: &[u8]) -> (Token, usize) {
    let name = run(left, is_inner);
    let whole = run(left, |byte| is_inner(byte) || b"-._:/".contains(&byte));
    if name == whole {
        return (Token::Name, whole);
    }
    let after = rest(left, name + 1);
    let begins = left.get(name) == Some(&b'.') && after.first().is_some_and(|byte| is_letter(*byte));
    if begins && name + 1 + run(after, is_inner) == whole {
        (Token::Qualified, whole)
    } else {
        (Token::Text, whole)
    }
}

/// The length of a number with its unit; 0: there is none.
fn number(left: &[u8]) -> usize {
    let sign = usize::from(matches!(left.first(), Some(b'-' | b'+')));
    let digits = run(rest(left, sign), |byte| byte.is_ascii_digit());
    let mut end = sign + digits;
    if left.get(end) == Some(&b'.') {
        end += 1;
        end += run(rest(left, end), |byte| byte.is_ascii_digit());
        if matches!(left.get(end), Some(b'e' | b'E')) {
            let sign = end + 1 + usize::from(matches!(left.get(end + 1), Some(b'-' | b'+')));
            let exponent = run(rest(left, sign), |byte| byte.is_ascii_digit());
            if exponent > 0 {
                end = sign + exponent;
            }
        }
        return end;
    }
    if digits == 0 {
        return 0;
    }
    if digits == 1 && rest(left, sign).starts_with(b"0x") {
        let hexadecimal = run(rest(left, sign + 2), |byte| byte.is_ascii_hexdigit());
        if hexadecimal > 0 {
            end = sign + 2 + hexadecimal;
        }
    }
    end + run(rest(left, end), |byte| byte.is_ascii_alphabetic())
}

/// The length of a string in quotes, its quotes included.
fn quoted(left: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match (left.get(at)?, left.get(at + 1)) {
            (b'\n', _) | (b'\\', None | Some(b'\n')) => return None,
            (b'\\', _) | (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn unquoted(text: &[u8]) -> Vec<u8> {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut value = vec![];
    let mut at = 0;
    while let Some(byte) = inner.get(at) {
        at += 1;
        let escaped = inner.get(at).copied();
        let one = match (byte, escaped) {
            (b'\\', Some(b'b')) => 0x08,
            (b'\\', Some(b'f')) => 0x0c,
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b't')) => b'\t',
            (b'\\', Some(b'0'..=b'7')) => {
                let octal = inner.get(at..).unwrap_or_default().iter().take(3);
                let octal: Vec<u8> = octal.copied().take_while(|byte| matches!(byte, b'0'..=b'7')).collect();
                at += octal.len() - 1;
                octal
                    .iter()
                    .fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit - b'0'))
            }
            (b'\\', Some(other)) => other,
            (b'\'', _) => b'\'',
            (other, _) => {
                value.push(*other);
                continue;
            }
        };
        at += 1;
        value.push(one);
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, usize> {
        let found = assignments(text.as_bytes())?.into_iter();
        Ok(found.map(|one| (one.name, one.value)).collect())
    }

    #[test]
    fn what_the_server_takes() {
        for (text, name, value) in [
            ("Port = 5432 # c\n", "port", "5432"),
            ("ssl on", "ssl", "on"),
            (" listen_addresses='*'\r\n", "listen_addresses", "*"),
            ("a = 'it''s \\'x\\' \\101'", "a", "it's 'x' A"),
            ("a.b = 0x1Fkb", "a.b", "0x1Fkb"),
            ("a = TLSv1.2", "a", "TLSv1.2"),
            ("a = -1.5e3", "a", "-1.5e3"),
            ("a = localhost", "a", "localhost"),
        ] {
            assert_eq!(read(text).unwrap(), [(name.to_owned(), value.to_owned())], "{text}");
        }
    }

    #[test]
    fn what_it_refuses() {
        for (text, line) in [
            ("\na = x.y", 2),
            ("a = b c", 1),
            ("a", 1),
            ("a = 127.0.0.1", 1),
            ("a = 'x\n'", 1),
            ("a = b,c", 1),
            ("= b", 1),
            ("a = = b", 1),
        ] {
            assert_eq!(read(text), Err(line), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>, near in "(a|b|=|'|\\\\|\n| |#|[0-9]|\\.|x|-|e){0,40}") {
            let _ = assignments(&bytes);
            let _ = assignments(near.as_bytes());
        }
    }
}
