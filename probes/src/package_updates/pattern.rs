//! The patterns of apt_preferences(5): glob(7) expressions and, between slashes, POSIX extended regular expressions.
//! Both disregard case.

use regex_lite::{Regex, RegexBuilder};

/// Longest pattern. The time a glob can take grows with the product of its length and the text's.
const MAX_LENGTH: usize = 500;

/// A pattern.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Shell wildcards; without any it is plain text.
    Glob(String),
    /// A regular expression.
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern. `None`: it cannot be understood as apt would.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        match text.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
            Some(regex) => RegexBuilder::new(regex)
                .case_insensitive(true)
                .size_limit(1 << 20)
                .build()
                .ok()
                .map(Self::Regex),
            // Named classes, which nobody uses here, are the one part of globs that is not done.
            None if text.contains("[:") || text.contains("[.") || text.contains("[=") => None,
            None => Some(Self::Glob(text.to_owned())),
        }
    }

    /// Whether `text` is a pattern rather than the name of a package.
    pub(super) fn is_pattern(text: &str) -> bool {
        (text.len() > 1 && text.starts_with('/') && text.ends_with('/')) || text.contains(['*', '[', '?'])
    }

    /// Whether it matches the whole of `text` (a regular expression: a part).
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::Glob(glob) => glob_matches(glob.as_bytes(), text.as_bytes()),
        }
    }
}

/// fnmatch(3) with `FNM_CASEFOLD`. Goes back to the last `*` only, so the time is bounded by the product of lengths.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match one(glob.get(at..).unwrap_or_default(), text.get(from).copied()) {
            Step::Star => {
                star = Some((at + 1, from));
                at += 1;
            }
            Step::Matched(length) => {
                at += length;
                from += 1;
            }
            Step::End => return true,
            Step::No => match star {
                Some((after, tried)) if tried < text.len() => {
                    star = Some((after, tried + 1));
                    (at, from) = (after, tried + 1);
                }
                _ => return false,
            },
        }
    }
}

enum Step {
    /// `*`.
    Star,
    /// One byte of the text matched so many bytes of the glob.
    Matched(usize),
    /// Glob and text end together.
    End,
    /// No match here.
    No,
}

fn one(glob: &[u8], byte: Option<u8>) -> Step {
    let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b);
    match (glob, byte) {
        ([], None) => Step::End,
        ([b'*', ..], _) => Step::Star,
        ([b'?', ..], Some(_)) => Step::Matched(1),
        ([b'[', rest @ ..], Some(byte)) => match set(rest, byte) {
            Some((true, length)) => Step::Matched(length + 1),
            None if byte == b'[' => Step::Matched(1),
            _ => Step::No,
        },
        ([b'\\', escaped, ..], Some(byte)) if same(*escaped, byte) => Step::Matched(2),
        ([literal, ..], Some(byte)) if *literal != b'\\' && same(*literal, byte) => Step::Matched(1),
        _ => Step::No,
    }
}

/// Whether `byte` is in the set that `glob` goes on with after `[`, and the length up to and with `]`. `None`: no `]`.
fn set(glob: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(glob.first(), Some(b'!' | b'^'));
    let begin = usize::from(negated);
    let byte = byte.to_ascii_lowercase();
    let (mut at, mut found) = (begin, false);
    loop {
        let low = *glob.get(at)?;
        if low == b']' && at > begin {
            return Some((found != negated, at + 1));
        }
        let (low, width) = if low == b'\\' {
            (*glob.get(at + 1)?, 2)
        } else {
            (low, 1)
        };
        at += width;
        let high = match (glob.get(at), glob.get(at + 1)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                at += 2;
                *high
            }
            _ => low,
        };
        found |= (low.to_ascii_lowercase()..=high.to_ascii_lowercase()).contains(&byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn globs() {
        for (glob, text) in [
            ("", ""),
            ("*", ""),
            ("linux-*", "linux-image"),
            ("*.*", "12.5"),
            ("L?B[a-c]", "libB"),
            ("[!x]*z", "abz"),
            ("[]a]", "]"),
            ("a\\*", "a*"),
            ("[", "["),
            ("a*b*c", "aXbYbZc"),
            ("[a-]", "-"),
        ] {
            assert!(Pattern::parse(glob).unwrap().matches(text), "{glob} {text}");
        }
        for (glob, text) in [
            ("", "a"),
            ("?", ""),
            ("linux", "linux-image"),
            ("[!x]", "x"),
            ("a*b*c", "aXbYbZ"),
            ("[a", "a"),
            ("a\\*", "ab"),
        ] {
            assert!(!Pattern::parse(glob).unwrap().matches(text), "{glob} {text}");
        }
    }

    #[test]
    fn regular_expressions() {
        let pattern = Pattern::parse("/^linux-(image|headers)-[[:digit:]]+/").unwrap();
        assert!(pattern.matches("Linux-image-6.1"));
        assert!(!pattern.matches("linux-image-amd64"));
        assert!(Pattern::parse("/(/").is_none());
        assert!(Pattern::parse("[[:alpha:]]").is_none());
        assert!(Pattern::parse(&"a".repeat(501)).is_none());
        assert!(
            Pattern::is_pattern("/a/")
                && Pattern::is_pattern("a*")
                && !Pattern::is_pattern("/")
                && !Pattern::is_pattern("a.b")
        );
    }

    proptest! {
        #[test]
        fn any_text(glob in "[a*?\\[\\]!\\\\-]{0,30}", text in "[ab\\]-]{0,30}", regex in "/\\PC{0,20}/") {
            if let Some(pattern) = Pattern::parse(&glob) {
                pattern.matches(&text);
            }
            Pattern::parse(&regex).map(|pattern| pattern.matches(&text));
        }
    }
}
