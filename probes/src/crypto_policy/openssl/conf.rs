//! The syntax of config(5) of OpenSSL: sections, quotes, escapes, continued lines, variables, includes.

use std::collections::BTreeMap;

use crate::reading::{Kind, Reading, Unread};

/// Files and folders that include each other, at most so deep.
const MAX_DEPTH: u8 = 8;
const MAX_FILES: usize = 100;
/// More values than a configuration has.
const MAX_VALUES: usize = 10_000;
/// Values grow by the variables in them.
const MAX_VALUE: usize = 64 * 1024;

/// A configuration with all that it includes.
#[derive(Debug, Default)]
pub(super) struct Conf {
    /// In the order of reading.
    pub(super) files: Vec<String>,
    /// Names and values in their order, by section. Of a name that stands twice the last counts, at its place.
    sections: BTreeMap<String, Vec<(String, String)>>,
    values: usize,
}

impl Conf {
    /// Reads `main`; `None` if it is not there. An included file that is not there is skipped, as OpenSSL does.
    pub(super) fn read(reading: &Reading<'_>, main: &str) -> Result<Option<Self>, Unread> {
        let mut conf = Self::default();
        let there = conf.file(reading, main, &mut "default".to_owned(), MAX_DEPTH)?;
        Ok(there.then_some(conf))
    }

    /// The value of `name` in `section`; a name that is not there is looked for in the default section.
    pub(super) fn value(&self, section: &str, name: &str) -> Option<String> {
        let own = |section: &str| {
            let values = self.sections.get(section)?;
            let (_, value) = values.iter().rev().find(|(own, _)| own == name)?;
            Some(value.clone())
        };
        own(section).or_else(|| own("default"))
    }

    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// All names and values of a section.
    pub(super) fn all(&self, section: &str) -> impl Iterator<Item = (&str, &str)> {
        let values = self.sections.get(section).into_iter().flatten();
        values.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reads a file that begins in `section`: an included one in that which includes it, and where it ends the other
    /// goes on, as in OpenSSL.
    fn file(&mut self, reading: &Reading<'_>, path: &str, section: &mut String, depth: u8) -> Result<bool, Unread> {
        let malformed = |reason: &str| Unread::Malformed {
            place: path.to_owned(),
            reason: reason.to_owned(),
        };
        if depth == 0 || self.files.len() >= MAX_FILES {
            return Err(malformed("includes are nested too deeply, or are too many"));
        }
        let Some(bytes) = reading.file(path)? else {
            return Ok(false);
        };
        self.files.push(path.to_owned());
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in logical_lines(&text) {
            let wrong = |reason: &str| malformed(&format!("line {number}: {reason}"));
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest
                    .split_once(']')
                    .ok_or_else(|| wrong("a section's name is not closed"))?
                    .0;
                name.trim().clone_into(section);
                self.sections.entry(section.clone()).or_default();
                continue;
            }
            let (name, value) = match line.split_once('=') {
                Some((name, value)) => (name.trim(), value.trim()),
                // `.include path` without a sign.
                None => match line.split_once([' ', '\t']) {
                    Some((name, value)) if name.starts_with('.') => (name, value.trim()),
                    _ => return Err(wrong("no equal sign")),
                },
            };
            match name {
                ".include" => {
                    let value = self
                        .expand(section, value)
                        .ok_or_else(|| wrong("a variable has no value"))?;
                    self.include(reading, &value, section, depth)?;
                }
                ".pragma" => {}
                _ => {
                    let (of, name) = name.split_once("::").unwrap_or((section.as_str(), name));
                    let value = self.expand(of, value).ok_or_else(|| wrong("a variable has no value"))?;
                    self.set(of, name, value).ok_or_else(|| wrong("too many values"))?;
                }
            }
        }
        Ok(true)
    }

    fn set(&mut self, section: &str, name: &str, value: String) -> Option<()> {
        self.values += 1;
        if self.values > MAX_VALUES || value.len() > MAX_VALUE {
            return None;
        }
        let values = self.sections.entry(section.to_owned()).or_default();
        values.retain(|(own, _)| own != name);
        values.push((name.to_owned(), value));
        Some(())
    }

    fn include(&mut self, reading: &Reading<'_>, path: &str, section: &mut String, depth: u8) -> Result<(), Unread> {
        // A relative path depends on the program's folder.
        if !path.starts_with('/') {
            return Ok(());
        }
        if reading.stat(path)?.is_some_and(|stat| stat.kind == Kind::Folder) {
            for entry in reading.list(path)?.unwrap_or_default() {
                let wanted = [".cnf", ".conf"].iter().any(|ending| entry.name.ends_with(ending));
                if wanted && entry.kind != Kind::Folder {
                    self.file(reading, &format!("{path}/{}", entry.name), section, depth - 1)?;
                }
            }
            return Ok(());
        }
        self.file(reading, path, section, depth - 1).map(|_| ())
    }

    /// Removes quotes, undoes escapes and puts in variables: `$name`, `${name}`, `$(name)`, `$section::name`. `None` if
    /// one has no value: OpenSSL then refuses the whole file.
    fn expand(&self, section: &str, value: &str) -> Option<String> {
        let mut text = String::new();
        let mut left = value.chars().peekable();
        while let Some(c) = left.next() {
            match c {
                '"' | '\'' | '`' => {
                    // Up to the same quote; the other escapes stand for themselves in there.
                    while let Some(inside) = left.next() {
                        match inside {
                            _ if inside == c => break,
                            '\\' => text.extend(left.next()),
                            _ => text.push(inside),
                        }
                    }
                }
                '\\' => match left.next() {
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some('b') => text.push('\u{8}'),
                    other => text.extend(other),
                },
                '$' => {
                    let close = match left.peek() {
                        Some('{') => Some('}'),
                        Some('(') => Some(')'),
                        _ => None,
                    };
                    if close.is_some() {
                        left.next();
                    }
                    let mut name = String::new();
                    while let Some(c) = left.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':')) {
                        name.push(c);
                    }
                    if let Some(close) = close
                        && left.next() != Some(close)
                    {
                        return None;
                    }
                    let (of, name) = name.split_once("::").unwrap_or((section, &name));
                    text.push_str(&self.value(of, name)?);
                }
                _ => text.push(c),
            }
            if text.len() > MAX_VALUE {
                return None;
            }
        }
        Some(text)
    }
}

/// Lines without comments; one that ends in a backslash goes on in the next. With the number of the last.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = vec![];
    let mut open = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (line, continued) = match line.trim_end_matches('\r').strip_suffix('\\') {
            Some(before) if !before.ends_with('\\') => (before, true),
            _ => (line, false),
        };
        open.push_str(line);
        if !continued {
            lines.push((number, without_comment(&std::mem::take(&mut open))));
        }
    }
    if !open.is_empty() {
        lines.push((lines.len() + 1, without_comment(&open)));
    }
    lines
}

/// Cut at a `#` outside quotes and escapes.
fn without_comment(line: &str) -> String {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if quote == Some(c) => quote = None,
            '"' | '\'' | '`' if quote.is_none() => quote = Some(c),
            '#' if quote.is_none() => return line.get(..at).unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn conf(host: &Captured) -> Result<Option<Conf>, Unread> {
        Conf::read(&testing(host), "/c")
    }

    #[test]
    fn sections_variables_and_includes() {
        let text = "a = 1 # c\nb = \"x # y\" \\\n z\n[s]\na = $default::a-${b}\n.include = /d\n.include /none\n[ t ]\ns::c = \\$$(default::a)\n";
        let host = Captured::default()
            .file("/c", text)
            .file("/d/x.cnf", "[s]\na = 3\n")
            .file("/d/y.txt", "q");
        let conf = conf(&host).unwrap().unwrap();
        assert_eq!(conf.files, ["/c", "/d/x.cnf"]);
        assert_eq!(conf.value("s", "a").unwrap(), "3");
        assert_eq!(conf.value("s", "b").unwrap(), "x # y  z", "from the default section");
        assert_eq!(conf.value("s", "c").unwrap(), "$1");
        assert!(conf.has("t") && !conf.has("u"));
    }

    #[test]
    fn refusals_name_the_line() {
        let wrong = |text: &str| conf(&Captured::default().file("/c", text)).unwrap_err().to_string();
        assert_eq!(wrong("a = 1\nb\n"), "/c: line 2: no equal sign");
        assert_eq!(wrong("[a\n"), "/c: line 1: a section's name is not closed");
        assert_eq!(wrong("a = $x\n"), "/c: line 1: a variable has no value");
        assert!(wrong(".include /c\n").contains("nested too deeply"));
        let doubled = format!("a = {}\n{}", "x".repeat(1_000), "a = $a$a\n".repeat(30));
        assert!(wrong(&doubled).contains("a variable has no value"));
        assert_eq!(conf(&Captured::default()).unwrap().map(|_| ()), None);
        assert!(conf(&Captured::default().file("/c", ".include /d\n").denied("/d")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-z=\\[\\]$\\{\\}\"'\\\\# \n:.]{0,120}") {
            let _ = conf(&Captured::default().file("/c", text));
        }
    }
}
