//! The syntax of unit files and of `*.conf` files (systemd.syntax(7)).

use thiserror::Error;

/// A line that is longer, continuation lines included, is malformed; systemd's own limit (`LONG_LINE_MAX`).
const MAX_LINE: usize = 1024 * 1024;
/// A file with more assignments is malformed.
const MAX_ASSIGNMENTS: usize = 10_000;

/// One `Name=value` and the section that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Without brackets; empty before the first section.
    pub section: String,
    /// As written.
    pub name: String,
    /// Continuation lines joined by a space each, as systemd does. Quotes are kept.
    pub value: String,
}

/// Where systemd stops reading: of a unit file it then takes nothing, of a drop-in what stands before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}; systemd reads no further")]
pub struct Stop {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// The assignments of a file, in order, and where systemd stops, if it does. A line without `=` is left out with a warning,
/// as systemd does; comments may hold any bytes.
pub fn parse(bytes: &[u8]) -> (Vec<Assignment>, Option<Stop>) {
    scan(bytes, |_| true)
}

/// As [`parse`], without the lines that are wrong, for files of other programs in this syntax.
pub fn lenient(text: &str) -> Vec<Assignment> {
    scan(text.as_bytes(), |stop| {
        stop.reason == TOO_MANY || stop.reason == TOO_LONG
    })
    .0
}

const TOO_LONG: &str = "longer than 1 MiB";
const TOO_MANY: &str = "more than 10,000 assignments";

/// `stops`: whether what is wrong ends the reading.
fn scan(bytes: &[u8], stops: impl Fn(&Stop) -> bool) -> (Vec<Assignment>, Option<Stop>) {
    let mut assignments = Vec::new();
    let mut section = String::new();
    let mut begun: Option<Vec<u8>> = None;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = bytes.split(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_ascii();
        // Within a line that goes on, too.
        if is_comment(line) {
            continue;
        }
        let mut whole = begun.take().unwrap_or_default();
        whole.extend_from_slice(line);
        let backslashes = whole.iter().rev().take_while(|byte| **byte == b'\\').count();
        let problem = if whole.len() > MAX_LINE {
            Some(TOO_LONG)
        } else if backslashes % 2 == 1 {
            whole.pop();
            whole.push(b' ');
            if lines.peek().is_some() {
                begun = Some(whole);
                continue;
            }
            take(&whole, &mut section, &mut assignments)
        } else {
            take(&whole, &mut section, &mut assignments)
        };
        let problem = problem.or((assignments.len() > MAX_ASSIGNMENTS).then_some(TOO_MANY));
        if let Some(reason) = problem {
            let stop = Stop {
                line: index + 1,
                reason,
            };
            if stops(&stop) {
                return (assignments, Some(stop));
            }
        }
    }
    (assignments, None)
}

/// One line; what is wrong with it.
fn take(line: &[u8], section: &mut String, assignments: &mut Vec<Assignment>) -> Option<&'static str> {
    let Ok(line) = std::str::from_utf8(line) else {
        return Some("not UTF-8");
    };
    let line = line.trim();
    if let Some(rest) = line.strip_prefix('[') {
        let Some(name) = rest.strip_suffix(']') else {
            return Some("a section without its bracket");
        };
        name.clone_into(section);
    } else if let Some((name, value)) = line.split_once('=') {
        assignments.push(Assignment {
            section: section.clone(),
            name: name.trim_end().to_owned(),
            value: value.trim().to_owned(),
        });
    }
    None
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'#' | b';'))
}

/// A boolean as systemd reads it (`parse_boolean`); `None` if it is none.
pub fn boolean(value: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    if is(&["1", "yes", "y", "true", "t", "on"]) {
        Some(true)
    } else if is(&["0", "no", "n", "false", "f", "off"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn triples(text: &str) -> Vec<(String, String, String)> {
        let assignments = parse(text.as_bytes()).0.into_iter();
        assignments.map(|one| (one.section, one.name, one.value)).collect()
    }

    #[test]
    fn sections_comments_and_continuations() {
        let text = "# c\n[Unit]\n; c\nA = b c \n[S]\nX=1 \\\n# c\n  2 \\\n3\nX=\n";
        let expected = [("Unit", "A", "b c"), ("S", "X", "1  2  3"), ("S", "X", "")];
        let expected = expected.map(|(section, name, value)| (section.to_owned(), name.to_owned(), value.to_owned()));
        assert_eq!(triples(text), expected);
    }

    #[test]
    fn lines_without_an_assignment_are_left_out_and_others_end_the_reading() {
        assert_eq!(triples("[S]\nA=1\nnonsense\nB=2\n").len(), 2);
        let (before, stop) = parse(b"[S]\nA=1\n[Bad\nB=2\n");
        assert_eq!((before.len(), stop.unwrap().line), (1, 3));
        let (before, stop) = parse(b"\xef\xbb\xbf[S]\n# \xe4\nA=1\nB=\xe4\nC=2\n");
        assert_eq!((before.len(), stop.unwrap().line), (1, 4));
        assert_eq!(lenient("[S]\nA=1\n[Bad\nB=2\n").len(), 2);
    }

    #[test]
    fn lines_that_go_on() {
        assert_eq!(triples("[S]\nA=1\\\n")[0].2, "1");
        assert_eq!(triples("[S]\nA=1\\\\\nB=2\n")[0].2, "1\\\\");
        assert_eq!(triples("[S]\nA=1\\\n\nB=2\n").len(), 2);
    }

    #[test]
    fn booleans() {
        assert_eq!(boolean("Yes"), Some(true));
        assert_eq!(boolean("off"), Some(false));
        assert_eq!(boolean("2"), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[\\[\\]=\\\\#;aA \n]{0,200}") {
            let _ = (parse(text.as_bytes()), lenient(&text));
        }
    }
}
