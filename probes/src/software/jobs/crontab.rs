//! Lines of a crontab (crontab(5)).

/// Schedule and command of each entry; `with_user`: a user stands between them. Assignments, comments and lines that are
/// no entry are left out, as cron does.
pub(super) fn entries(text: &str, with_user: bool) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(move |line| entry(line.trim(), with_user))
}

fn entry(line: &str, with_user: bool) -> Option<(&str, &str)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let (schedule, mut rest) = after(line, fields)?;
    if fields == 5 && !schedule.split_ascii_whitespace().all(is_field) {
        return None;
    }
    if with_user {
        rest = after(rest, 1)?.1;
    }
    (!rest.is_empty()).then_some((schedule, rest))
}

fn is_field(field: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "*,-/~".contains(c);
    field.chars().all(known)
}

/// The first `words` words, and what comes after them.
fn after(text: &str, words: usize) -> Option<(&str, &str)> {
    let mut at = 0;
    for _ in 0..words {
        let rest = text.get(at..)?;
        let begin = at + (rest.len() - rest.trim_start().len());
        let word = text.get(begin..)?;
        let length = word.find(char::is_whitespace).unwrap_or(word.len());
        if length == 0 {
            return None;
        }
        at = begin + length;
    }
    Some((text.get(..at)?, text.get(at..)?.trim_start()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines() {
        let text = "# c\nPATH=/bin:/usr/bin\nMAILTO = \"\"\n17 *\t* * *  root  cd / && run x\n@daily root y\n@reboot\n1 2 3 4\n";
        let found: Vec<_> = entries(text, true).collect();
        assert_eq!(found, [("17 *\t* * *", "cd / && run x"), ("@daily", "y")]);
        let own: Vec<_> = entries("*/5 1-3 * jan mon-fri /x y\nA B C D E=1 F\n", false).collect();
        assert_eq!(own, [("*/5 1-3 * jan mon-fri", "/x y")]);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "(?s).{0,200}", with_user: bool) {
            let _ = entries(&text, with_user).count();
        }
    }
}
