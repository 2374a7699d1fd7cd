//! The command line that a unit starts, its variables put in (systemd.service(5), *Command lines*), and the flags on it.

use std::collections::BTreeMap;

use crate::formats::systemd::Units;
use crate::reading::{Reading, Unread};

/// More words are not looked at.
const MAX_WORDS: usize = 2_000;
/// More files of variables are not read.
const MAX_FILES: usize = 20;

/// The words of a command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine {
    /// The program first.
    pub words: Vec<String>,
}

impl CommandLine {
    /// The last command that `unit` starts with. `Ok(None)`: no such unit, or it starts none. Variables that nothing sets
    /// are empty, as systemd has it.
    pub fn of_unit(reading: &Reading<'_>, units: &Units, unit: &str) -> Result<Option<Self>, Unread> {
        let Some(own) = units.assignments(reading, unit)? else {
            return Ok(None);
        };
        let mut command = None;
        let mut variables = BTreeMap::new();
        let mut files = vec![];
        for one in own.iter().filter(|one| one.section == "Service") {
            match one.name.as_str() {
                "ExecStart" => command = (!one.value.is_empty()).then_some(one.value.as_str()),
                "Environment" if one.value.is_empty() => variables.clear(),
                "Environment" => {
                    for word in split(&one.value) {
                        if let Some((name, value)) = word.split_once('=') {
                            variables.insert(name.to_owned(), value.to_owned());
                        }
                    }
                }
                "EnvironmentFile" if one.value.is_empty() => files.clear(),
                "EnvironmentFile" => files.push(one.value.trim_start_matches('-')),
                _ => {}
            }
        }
        for path in files.into_iter().take(MAX_FILES).filter(|path| path.starts_with('/')) {
            // Variables may hold secrets: no digest.
            let bytes = reading.private(path, path)?.unwrap_or_default();
            for line in String::from_utf8_lossy(&bytes).lines().map(str::trim) {
                let assignment = (!line.starts_with(['#', ';'])).then(|| line.split_once('=')).flatten();
                if let Some((name, value)) = assignment {
                    variables.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
                }
            }
        }
        Ok(command.map(|command| Self::expanded(command, &variables)))
    }

    fn expanded(command: &str, variables: &BTreeMap<String, String>) -> Self {
        let mut words = vec![];
        for (at, word) in split(command).into_iter().enumerate() {
            if words.len() >= MAX_WORDS {
                break;
            }
            let variable = word.strip_prefix('$').filter(|name| !name.starts_with(['{', '$']));
            match variable {
                // A variable that is a word of its own becomes as many words as it has.
                Some(name) => words.extend(split(variables.get(name).map_or("", String::as_str))),
                None if at == 0 => words.push(word.trim_start_matches(['-', '@', '+', ':', '!']).to_owned()),
                None => words.push(braced(&word, variables)),
            }
        }
        Self { words }
    }

    /// The values of `--name value`, `--name=value` and of a short form `-n value`, in order.
    pub fn values(&self, name: &str, short: Option<char>) -> Vec<&str> {
        let long = format!("--{name}");
        let short = short.map(|letter| format!("-{letter}"));
        let mut found = vec![];
        let mut words = self.words.iter().skip(1).map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if word == long || Some(word) == short.as_deref() {
                found.extend(words.peek().copied());
            } else if let Some(value) = word.strip_prefix(&long).and_then(|rest| rest.strip_prefix('=')) {
                found.push(value);
            } else if let Some(value) = short.as_deref().and_then(|short| word.strip_prefix(short))
                && !value.is_empty()
                && !word.starts_with("--")
            {
                found.push(value.strip_prefix('=').unwrap_or(value));
            }
        }
        found
    }

    /// The last value of a flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name, None).pop()
    }

    /// A flag that is a boolean as Go's programs have them: `--name` alone is true.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        let long = format!("--{name}");
        let words = self.words.iter().skip(1);
        let mut of_flag = words.filter_map(|word| match word.strip_prefix(&long)? {
            "" => Some(true),
            rest => match rest.strip_prefix('=')? {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
                _ => None,
            },
        });
        of_flag.next_back()
    }
}

/// `${NAME}` put in.
fn braced(word: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        out.push_str(variables.get(name).map_or("", String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

/// Words, quotes taken off.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = None::<String>;
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if character == open => quote = None,
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn variables_and_flags() {
        let host = Captured::default()
            .file(
                "/usr/lib/systemd/system/d.service",
                "[Service]\nEnvironment=\"A=--icc=false -H fd://\" B=x\nEnvironmentFile=-/etc/default/d\nExecStart=/usr/bin/old\n",
            )
            .file(
                "/etc/systemd/system/d.service.d/o.conf",
                "[Service]\nExecStart=\nExecStart=-/usr/bin/d $A $NONE --path=${B}/y -H tcp://1 \"--q=a b\" $O --live\n",
            )
            .file("/etc/default/d", "# c\nO='--tls --n 5'\n");
        let reading = testing(&host);
        let units = Units::read(&reading).unwrap().unwrap();
        let line = CommandLine::of_unit(&reading, &units, "d.service").unwrap().unwrap();
        assert_eq!(line.words[0], "/usr/bin/d");
        assert_eq!(line.boolean("icc"), Some(false));
        assert_eq!(line.boolean("live"), Some(true));
        assert_eq!(line.boolean("tlsverify"), None);
        assert_eq!(line.values("host", Some('H')), ["fd://", "tcp://1"]);
        assert_eq!(line.value("path"), Some("x/y"));
        assert_eq!(line.value("q"), Some("a b"));
        assert_eq!(line.value("n"), Some("5"));
        assert_eq!(CommandLine::of_unit(&reading, &units, "x.service").unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[-$\\{\\}A='\" a]{0,100}") {
            let line = CommandLine::expanded(&text, &BTreeMap::new());
            line.values("a", Some('a'));
            line.boolean("a");
        }
    }
}
