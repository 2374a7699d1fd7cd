//! The lines of `smb.conf`, as Samba reads them since 4.2 (`lib/util/tini.c`): unlike what `formats::ini` has, for what a
//! section or line is, and what Samba refuses, counts here.

/// Longer files are refused, with lines that nobody has.
const MAX_LINES: usize = 100_000;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// `[name]`, as written.
    Section(String),
    /// `name = value`: the name in lower case and without blanks.
    Parameter(String, String),
}

/// What Samba refuses, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// From 1: where the line begins.
    pub(super) line: usize,
    /// What is wrong, without what stands there.
    pub(super) reason: &'static str,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The lines with their numbers, up to the first that Samba refuses. A line without `=` says nothing.
pub(super) fn lines(bytes: &[u8]) -> (Vec<(usize, Line)>, Option<Refused>) {
    let mut found = vec![];
    let mut at = 0;
    let mut number = 1;
    while at < bytes.len() {
        let first = number;
        let line = whole(bytes, &mut at, &mut number);
        let Some(byte) = line.first() else { continue };
        let refused = |reason| Some(Refused { line: first, reason });
        if found.len() >= MAX_LINES {
            return (found, refused("more than 100,000 lines"));
        }
        let text = String::from_utf8_lossy(&line);
        if *byte == b'[' {
            let Some((name, _)) = text.get(1..).and_then(|rest| rest.split_once(']')) else {
                return (found, refused("a section without its bracket"));
            };
            found.push((first, Line::Section(name.to_owned())));
        } else if let Some((name, value)) = text.split_once('=') {
            if name.is_empty() {
                return (found, refused("a value without a name"));
            }
            let one = |text: &str| {
                let text = text.strip_prefix(' ').unwrap_or(text);
                text.strip_suffix(' ').unwrap_or(text).to_owned()
            };
            found.push((first, Line::Parameter(folded(name), one(value))));
        }
    }
    (found, None)
}

/// Without blanks, in lower case: so Samba compares names and words of lists.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

/// One line with those that it goes on in; several blanks are one. Empty for a comment and for nothing.
fn whole(bytes: &[u8], at: &mut usize, number: &mut usize) -> Vec<u8> {
    let mut line: Vec<u8> = vec![];
    let mut begun = false;
    let mut comment = false;
    while let Some(byte) = bytes.get(*at).copied() {
        *at += 1;
        if byte == b'\n' {
            *number += 1;
            if comment || !begun {
                return vec![];
            }
            match line.as_slice() {
                [.., b'\\'] => line.truncate(line.len() - 1),
                [.., b'\\', last] if is_space(*last) => line.truncate(line.len() - 2),
                _ => break,
            }
            continue;
        }
        if comment || !begun && is_space(byte) {
            continue;
        }
        if !begun && matches!(byte, b'#' | b';') {
            comment = true;
            continue;
        }
        begun = true;
        if is_space(byte) && line.last().is_some_and(|last| is_space(*last)) {
            continue;
        }
        // Any blank, so that what follows need know one alone.
        line.push(if is_space(byte) { b' ' } else { byte });
    }
    // Samba's text ends with a nought.
    if let Some(end) = line.iter().position(|byte| *byte == 0) {
        line.truncate(end);
    }
    if comment { vec![] } else { line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_samba_reads() {
        let (found, refused) = lines(b"# c\n ; c\n[ a b ] x\n  Read  Only=  yes \\\n  no\nfoo\npath = /a=b\\ \n\n[c\n");
        let parameter = |name: &str, value: &str| Line::Parameter(name.to_owned(), value.to_owned());
        let expected = [
            (3, Line::Section(" a b ".to_owned())),
            (4, parameter("readonly", "yes no")),
            (7, parameter("path", "/a=b")),
        ];
        assert_eq!(found, expected);
        assert_eq!(refused.unwrap().line, 9);
        assert_eq!(lines(b"=x\n").1.unwrap().reason, "a value without a name");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>, near in "(\\[|\\]|=|\\\\|\n| |#|\u{0}|[a-c]){0,30}") {
            lines(&bytes);
            lines(near.as_bytes());
        }
    }
}
