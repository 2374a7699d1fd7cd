//! Rules files: JavaScript, searched for words.

use std::collections::BTreeSet;

use evidence::Digest;

use super::facts::RulesFile;

/// Names of groups that are no secret.
const ADMINS: [&str; 4] = ["admin", "root", "sudo", "wheel"];

pub(super) fn read(path: &str, bytes: &[u8]) -> RulesFile {
    let text = without_comments(&String::from_utf8_lossy(bytes));
    let strings = strings(&text);
    let groups = ADMINS.iter().filter(|name| {
        let group = format!("unix-group:{name}");
        strings.iter().any(|text| text == *name || *text == group)
    });
    RulesFile {
        path: path.to_owned(),
        sha256: Digest::of(bytes),
        adds_rule: text.contains("addRule"),
        adds_admin_rule: text.contains("addAdminRule"),
        // Also as Result["YES"], and as the text itself.
        can_allow: text.contains("YES") || strings.contains("yes"),
        spawns: text.contains("spawn"),
        admin_groups: groups.map(|name| (*name).to_owned()).collect(),
    }
}

/// Comments as blanks; what stands in quotes is no comment.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter, letters.peek()) {
            (Some(_), '\\', _) => {
                kept.push(letter);
                kept.extend(letters.next());
            }
            (Some(open), letter, _) => {
                kept.push(letter);
                // A quote that is not closed ends with its line, but for templates.
                if letter == open || (letter == '\n' && open != '`') {
                    quote = None;
                }
            }
            (None, '/', Some('/')) => while letters.next_if(|letter| *letter != '\n').is_some() {},
            (None, '/', Some('*')) => {
                let mut star = false;
                letters.next();
                for letter in letters.by_ref() {
                    if star && letter == '/' {
                        break;
                    }
                    star = letter == '*';
                }
                kept.push(' ');
            }
            (None, letter, _) => {
                if matches!(letter, '"' | '\'' | '`') {
                    quote = Some(letter);
                }
                kept.push(letter);
            }
        }
    }
    kept
}

/// What stands in quotes.
fn strings(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Option<(char, String)> = None;
    for letter in text.chars() {
        match &mut open {
            Some((quote, inner)) if letter == *quote => {
                found.insert(std::mem::take(inner));
                open = None;
            }
            Some((_, inner)) => inner.push(letter),
            None if matches!(letter, '"' | '\'' | '`') => open = Some((letter, String::new())),
            None => {}
        }
    }
    found
}
