//! Files of fail2ban, read as Python's `configparser` does with fail2ban's settings, each refusal included: unlike what
//! `formats::ini` has, with comments after values, `:` as a sign of assignment, and no name twice.
//!
//! Source: `configparser` of Python 3.11 and `configparserinc.py` of fail2ban 1.0, compared in
//! `probes/tests/intrusion_prevention_authority.rs`.

use std::collections::{BTreeMap, BTreeSet};

/// More lines than anybody has are refused.
const MAX_LINES: usize = 100_000;

/// Values by name in lower case.
pub(super) type Section = BTreeMap<String, String>;

/// What a file, or several together, say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sections {
    /// `[DEFAULT]`.
    pub(super) defaults: Section,
    /// The others, by name.
    pub(super) named: BTreeMap<String, Section>,
    /// Values that a later file replaced: what `%(known/name)s` means.
    pub(super) known: BTreeMap<String, Section>,
}

/// A line that Python refuses, and with it fail2ban the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// From 1.
    pub(super) line: usize,
    /// What is wrong, without what stands there.
    pub(super) reason: &'static str,
}

/// What one file says.
pub(super) fn parse(text: &str) -> Result<Sections, Refused> {
    let mut read = Sections::default();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut sections: BTreeSet<String> = BTreeSet::new();
    let mut section: Option<String> = None;
    let mut option: Option<String> = None;
    let mut indent = usize::MAX;
    let mut bad_line = None;
    for (index, line) in text.split('\n').enumerate() {
        let refused = |reason| Refused {
            line: index + 1,
            reason,
        };
        if index >= MAX_LINES {
            return Err(refused("more than 100,000 lines"));
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let comment = comment(line);
        let value = line.get(..comment.unwrap_or(line.len())).unwrap_or_default().trim();
        let current = section.as_ref().map(|name| read.section(name));
        if value.is_empty() {
            if let (None, Some(values), Some(option)) = (comment, current, &option) {
                values.entry(option.clone()).or_default().push('\n');
            }
            continue;
        }
        let begins = line.chars().take_while(|character| character.is_whitespace()).count();
        if let (Some(values), Some(option)) = (current, &option)
            && begins > indent
        {
            let whole = values.entry(option.clone()).or_default();
            whole.push('\n');
            whole.push_str(value);
            continue;
        }
        indent = begins;
        let header = value.strip_prefix('[').and_then(|rest| rest.rsplit_once(']'));
        if let Some((name, _)) = header.filter(|(name, _)| !name.is_empty()) {
            if name != "DEFAULT" && !sections.insert(name.to_owned()) {
                return Err(refused("a section for the second time"));
            }
            read.section(name);
            (section, option) = (Some(name.to_owned()), None);
            continue;
        }
        let Some(name) = &section else {
            return Err(refused("no section begins before this"));
        };
        let Some((key, assigned)) = value.split_once(['=', ':']) else {
            bad_line = bad_line.or(Some(refused("neither a section nor an assignment")));
            continue;
        };
        let key = key.trim_end().to_lowercase();
        if key.is_empty() {
            bad_line = bad_line.or(Some(refused("a value without a name")));
        }
        if !seen.insert((name.clone(), key.clone())) {
            return Err(refused("a name for the second time"));
        }
        let assigned = assigned.trim().to_owned();
        read.section(name).insert(key.clone(), assigned);
        option = Some(key);
    }
    if let Some(refused) = bad_line {
        return Err(refused);
    }
    let all = read.named.values_mut().chain(std::iter::once(&mut read.defaults));
    for value in all.flat_map(BTreeMap::values_mut) {
        value.truncate(value.trim_end().len());
    }
    Ok(read)
}

/// Where a comment begins: the whole line, or after a blank and a semicolon.
fn comment(line: &str) -> Option<usize> {
    if line.trim_start().starts_with(['#', ';']) {
        return Some(0);
    }
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == ';' && before.is_whitespace() {
            return Some(at);
        }
        before = character;
    }
    None
}

impl Sections {
    fn section(&mut self, name: &str) -> &mut Section {
        if name == "DEFAULT" {
            return &mut self.defaults;
        }
        self.named.entry(name.to_owned()).or_default()
    }

    /// What a later file says counts.
    pub(super) fn add(&mut self, later: Self) {
        self.defaults.extend(later.defaults);
        for (name, values) in later.named {
            let Some(before) = self.named.get_mut(&name) else {
                self.named.insert(name, values);
                continue;
            };
            let known = self.known.entry(name).or_default();
            let replaced = before.iter().filter(|(key, _)| values.contains_key(*key));
            known.extend(replaced.map(|(key, value)| (key.clone(), value.clone())));
            before.extend(values);
        }
    }

    /// The value of `name` for a section, interpolated. `Ok(None)`: it is not set.
    pub(super) fn value(&self, section: &str, name: &str) -> Result<Option<String>, &'static str> {
        let Some(raw) = self.raw(section, name) else {
            return Ok(None);
        };
        let mut value = String::new();
        self.interpolate(section, raw, 1, &mut value)?;
        Ok(Some(value))
    }

    fn raw(&self, section: &str, name: &str) -> Option<&str> {
        let own = self.named.get(section).and_then(|values| values.get(name));
        own.or_else(|| self.defaults.get(name)).map(String::as_str)
    }

    fn interpolate(&self, section: &str, raw: &str, depth: usize, into: &mut String) -> Result<(), &'static str> {
        /// As `configparser` has it.
        const MAX_DEPTH: usize = 10;
        /// A value that grows longer is refused.
        const MAX_VALUE: usize = 64 * 1024;
        if depth > MAX_DEPTH {
            return Err("a value that refers to itself, or too deeply");
        }
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('%') {
            into.push_str(before);
            if into.len() > MAX_VALUE {
                return Err("a value that is too long");
            }
            if let Some(after) = after.strip_prefix('%') {
                into.push('%');
                rest = after;
                continue;
            }
            let reference = after.strip_prefix('(').and_then(|rest| rest.split_once(")s"));
            let (name, after) = reference.ok_or("a percent sign that is no reference")?;
            if name.contains(')') {
                return Err("a percent sign that is no reference");
            }
            rest = after;
            match name.to_lowercase().as_str() {
                "__name__" => into.push_str(section),
                // Known to fail2ban itself.
                "fail2ban_version" => into.push('1'),
                "fail2ban_confpath" => into.push_str("/etc/fail2ban"),
                name => {
                    let value = self
                        .referred(section, name)
                        .ok_or("a value that refers to what is not set")?;
                    if value.contains('%') {
                        self.interpolate(section, value, depth + 1, into)?;
                    } else {
                        into.push_str(value);
                    }
                }
            }
        }
        into.push_str(rest);
        if into.len() > MAX_VALUE {
            return Err("a value that is too long");
        }
        Ok(())
    }

    /// `name`, or `section/name` of another section, of what was known before, or of the defaults.
    fn referred(&self, section: &str, name: &str) -> Option<&str> {
        if let Some(value) = self.raw(section, name) {
            return Some(value);
        }
        let (of, name) = name.split_once('/')?;
        let other = match of {
            "default" => None,
            "known" => self.known.get(section),
            of => Some(self.named.get(of)?),
        };
        let value = other.and_then(|values| values.get(name));
        value.or_else(|| self.defaults.get(name)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_python_reads() {
        let read = parse(
            "# c\n[DEFAULT]\nA = 1 ; c\nb: x\n  y\n\n  # c\n  z\n[j]\nc = %(a)s %(b)s %% %(__name__)s %(default/a)s\nd=e;f\n",
        )
        .unwrap();
        assert_eq!(read.value("j", "c").unwrap().unwrap(), "1 x\ny\n\nz % j 1");
        assert_eq!(read.value("j", "d").unwrap().unwrap(), "e;f");
        assert_eq!(read.value("j", "x"), Ok(None));
        for (text, line) in [
            ("a=1\n", 1),
            ("[a]\n[a]\n", 2),
            ("[a]\nb=1\nB=2\n", 3),
            ("[a]\nword\nb=1\n", 2),
            ("[a]\n=1\n", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn references() {
        let mut read = parse(
            "[DEFAULT]\na = %(b)s\nb = %(a)s\nc = %(none)s\nd = 5%\n[j]\ne = 1\nf = %(other/g)s\n[other]\ng = 2\n",
        )
        .unwrap();
        read.add(parse("[j]\ne = %(known/e)s0\n").unwrap());
        assert_eq!(read.value("j", "e").unwrap().unwrap(), "10");
        assert_eq!(read.value("j", "f").unwrap().unwrap(), "2");
        for name in ["a", "c", "d"] {
            assert!(read.value("j", name).is_err(), "{name}");
        }
    }

    #[test]
    fn references_that_grow_end() {
        let mut text = "[DEFAULT]\na0 = xxxxxxxxxx\n".to_owned();
        for level in 1..10 {
            let before = format!("%(a{})s", level - 1).repeat(20);
            text.push_str(&format!("a{level} = {before}\n"));
        }
        let read = parse(&text).unwrap();
        assert_eq!(read.value("j", "a9"), Err("a value that is too long"));
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC|\n){0,60}", near in "(\\[|\\]|a|b|DEFAULT|=|:|%|\\(|\\)s|\n| |;|#|/){0,40}") {
            for text in [text, near] {
                if let Ok(mut read) = parse(&text) {
                    read.add(read.clone());
                    for name in ["a", "b"] {
                        let _ = read.value("a", name);
                    }
                }
            }
        }
    }
}
