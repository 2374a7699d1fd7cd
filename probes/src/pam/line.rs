//! Lines of pam.d(5) and pam.conf(5), as libpam reads them (`pam_handlers.c`, `pam_misc.c`).

/// More lines than a file has that somebody wrote.
const MAX_LINES: usize = 10_000;

/// A line put together from those that a backslash joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Number of its first line, from 1.
    pub(super) number: u32,
    pub(super) words: Vec<String>,
}

/// The lines that are not empty.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = vec![];
    let mut rest = (1..).zip(text.lines()).take(MAX_LINES);
    while let Some((number, first)) = rest.next() {
        let first = first.trim_start_matches(blank);
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let mut whole = String::new();
        let mut next = Some(first);
        while let Some(line) = next.take() {
            // A comment ends the line, and no backslash after it joins another.
            if let Some((before, _)) = line.split_once('#') {
                whole.push_str(before);
            } else if let Some(before) = line.trim_end_matches(blank).strip_suffix('\\') {
                whole.push_str(before);
                whole.push(' ');
                // Empty lines and comments do not end what is to be joined.
                next = rest
                    .by_ref()
                    .map(|(_, line)| line.trim_start_matches(blank))
                    .find(|line| !line.is_empty() && !line.starts_with('#'));
            } else {
                whole.push_str(line);
            }
        }
        found.push(Line {
            number,
            words: words(&whole),
        });
    }
    found
}

fn blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// Words; what stands in brackets is one, in which `\]` is a bracket.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut rest = text.trim_start_matches(blank);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let mut word = String::from("[");
            let mut letters = inner.char_indices().peekable();
            let mut end = inner.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\\' if letters.peek().is_some_and(|(_, next)| *next == ']') => {
                        word.push(']');
                        letters.next();
                    }
                    ']' => {
                        end = at + 1;
                        word.push(']');
                        break;
                    }
                    letter => word.push(letter),
                }
            }
            words.push(word);
            rest = inner.get(end..).unwrap_or_default();
        } else {
            let end = rest.find(blank).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            words.push(word.to_owned());
            rest = after;
        }
        rest = rest.trim_start_matches(blank);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_joined_lines_and_brackets() {
        let text = "# c\n\nauth\toptional a.so x#y\nauth [a=b  c=d] b.so \\\n\n# c\n  [x y] z\n  session a b\\";
        let found = lines(text.as_bytes());
        let words: Vec<(u32, Vec<&str>)> = found
            .iter()
            .map(|line| (line.number, line.words.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(words[0], (3, vec!["auth", "optional", "a.so", "x"]));
        assert_eq!(words[1], (4, vec!["auth", "[a=b  c=d]", "b.so", "[x y]", "z"]));
        assert_eq!(words[2], (8, vec!["session", "a", "b"]));
        assert_eq!(super::words("[a\\]b] [open"), ["[a]b]", "[open"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            lines(&bytes);
        }

        #[test]
        fn any_brackets_are_read_without_panic(text in "[\\[\\]\\\\ a=é\\n#]{0,60}") {
            lines(text.as_bytes());
        }
    }
}
