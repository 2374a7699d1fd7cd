//! Files of `NAME=value` that a shell reads, such as those under `/etc/default` and `/etc/sysconfig`.
//!
//! Only assignments that say what they mean: no expansion, no commands.

/// Lines that are looked at.
const MAX_LINES: usize = 100_000;

/// The assignments in order, `export` before them allowed; quotes around the value taken off. Lines that are something
/// else are skipped, since a shell may do anything there.
pub fn assignments(text: &str) -> Vec<(String, String)> {
    text.lines().take(MAX_LINES).filter_map(assignment).collect()
}

/// The last value of a name.
pub fn last<'a>(assignments: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = assignments.iter().rev().find(|(of, _)| of == name);
    found.map(|(_, value)| value.as_str())
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=')?;
    let valid = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(valid) {
        return None;
    }
    Some((name.to_owned(), word(value)))
}

/// The first word of a value, as a shell takes it: parts in quotes and outside of them.
fn word(value: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            (None | Some('"'), '\\') => word.extend(characters.next()),
            (None, _) if character.is_whitespace() || character == ';' => break,
            _ => word.push(character),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_a_shell_takes_them() {
        let text = "# A=0\nA=1\nexport B=\"x y\" # c\nC='$x'\nD=a\\ b\"c\" d\n1E=2\nif F=3\nG=\nA=2\n";
        let read = assignments(text);
        assert_eq!(last(&read, "A"), Some("2"));
        assert_eq!(last(&read, "B"), Some("x y"));
        assert_eq!(last(&read, "C"), Some("$x"));
        assert_eq!(last(&read, "D"), Some("a bc"));
        assert_eq!(last(&read, "G"), Some(""));
        assert_eq!(last(&read, "1E"), None);
        assert_eq!(last(&read, "F"), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[A-Z=\"'\\\\ \\n]{0,200}") {
            assignments(&text);
        }
    }
}
