//! INI files as dnf, yum and zypper have them: `[section]`, `key = value`, and lines that begin with white space go on.

/// Lines that are looked at.
const MAX_LINES: usize = 100_000;

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its line, from 1.
    pub line: u64,
    /// Keys and values in order, keys in lower case; continued lines are divided by line ends.
    pub entries: Vec<(String, String)>,
}

/// The sections of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ini {
    /// In order.
    pub sections: Vec<Section>,
    /// Lines, from 1, that could not be understood.
    pub unparsed: Vec<u64>,
}

impl Ini {
    /// Reads a file.
    pub fn parse(text: &str) -> Self {
        let mut ini = Self::default();
        for (number, whole) in (1..).zip(text.lines().take(MAX_LINES)) {
            let line = whole.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                match name.split_once(']') {
                    Some((name, _)) => ini.sections.push(Section {
                        name: name.trim().to_owned(),
                        line: number,
                        entries: vec![],
                    }),
                    None => ini.unparsed.push(number),
                }
                continue;
            }
            let entries = ini.sections.last_mut().map(|section| &mut section.entries);
            let added = entries.and_then(|entries| {
                if whole.starts_with([' ', '\t'])
                    && let Some((_, value)) = entries.last_mut()
                {
                    *value = format!("{value}\n{line}");
                    return Some(());
                }
                let (key, value) = line.split_once('=')?;
                let key = key.trim();
                (!key.is_empty()).then(|| entries.push((key.to_ascii_lowercase(), value.trim().to_owned())))
            });
            if added.is_none() {
                ini.unparsed.push(number);
            }
        }
        ini
    }
}

impl Section {
    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut entries = self.entries.iter().rev();
        entries.find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A value as a list, divided by commas or white space.
    pub fn list(&self, key: &str) -> Vec<String> {
        let words = self.get(key).unwrap_or_default().split([',', ' ', '\t', '\n']);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

/// A value as a truth, in the words of dnf. `None`: none of them.
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections() {
        let ini = Ini::parse("junk\n[a]\n# x\nK = v=w\nlist=1, 2\n  3\n\n[b\n[c]\nno\n = x\nk=\nk=2\n");
        assert_eq!(ini.unparsed, [1, 8, 10, 11]);
        assert_eq!(ini.sections[0].get("k"), Some("v=w"));
        assert_eq!(ini.sections[0].list("list"), ["1", "2", "3"]);
        assert_eq!((ini.sections[1].line, ini.sections[1].get("k")), (9, Some("2")));
        assert_eq!(ini.sections[1].get("x"), None);
        assert_eq!(
            (boolean("Yes"), boolean("off"), boolean("maybe")),
            (Some(true), Some(false), None)
        );
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC|\n|\\[|\\]|=| ){0,60}") {
            let ini = Ini::parse(&text);
            prop_assert!(ini.sections.len() + ini.unparsed.len() <= text.len());
        }
    }
}
