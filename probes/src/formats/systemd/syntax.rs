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

/// A line that cannot be understood. systemd ignores it and goes on; a reader of evidence must know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// The assignments of a file, in order.
pub fn parse(text: &str) -> Result<Vec<Assignment>, SyntaxError> {
    let mut first = None;
    let assignments = scan(text, &mut |error| {
        first.get_or_insert(error);
    });
    first.map_or(Ok(assignments), Err)
}

/// As [`parse`], without the lines that cannot be understood, as systemd reads: for what it does, where what it was
/// meant to do is another question.
pub fn lenient(text: &str) -> Vec<Assignment> {
    scan(text, &mut |_| {})
}

fn scan(text: &str, wrong: &mut dyn FnMut(SyntaxError)) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let error = |reason| SyntaxError {
            line: index + 1,
            reason,
        };
        let line = line.trim();
        if line.is_empty() || is_comment(line) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            match rest.strip_suffix(']') {
                Some(name) => name.clone_into(&mut section),
                None => wrong(error("a section without its bracket")),
            }
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            wrong(error("neither a section nor an assignment"));
            continue;
        };
        let mut value = value.trim_start().to_owned();
        while value.ends_with('\\') {
            value.pop();
            // Comments within a continued line are skipped.
            let next = lines
                .by_ref()
                .map(|(_, next)| next.trim())
                .find(|next| !is_comment(next));
            let Some(next) = next else { break };
            value.push(' ');
            value.push_str(next);
            if value.len() > MAX_LINE {
                wrong(error("longer than 1 MiB"));
                return assignments;
            }
        }
        assignments.push(Assignment {
            section: section.clone(),
            name: name.trim_end().to_owned(),
            value: value.trim_end().to_owned(),
        });
        if assignments.len() > MAX_ASSIGNMENTS {
            wrong(error("more than 10,000 assignments"));
            break;
        }
    }
    assignments
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#') || line.starts_with(';')
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
        let assignments = parse(text).unwrap().into_iter();
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
    fn a_line_that_is_nothing_is_named() {
        assert_eq!(parse("[S]\nA=1\nnonsense\n").unwrap_err().line, 3);
        assert_eq!(parse("[S\n").unwrap_err().line, 1);
        assert_eq!(triples("[S]\nA=1\\\n")[0].2, "1");
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
            let _ = parse(&text);
        }
    }
}
