//! apt.conf(5): the few settings that decide what apt would install and from where.

use std::collections::BTreeMap;

use super::doubts::Doubts;
use super::parts;
use crate::reading::Reading;

/// Settings that are kept. Debian's own files have under a hundred.
const MAX_SETTINGS: usize = 20_000;

/// Settings that would make apt read elsewhere than this probe does, with the values that do not.
const PLACES: [(&str, &[&str]); 12] = [
    ("rootdir", &["", "/"]),
    ("dir", &["", "/"]),
    (
        "dir::state",
        &["", "var/lib/apt", "var/lib/apt/", "/var/lib/apt", "/var/lib/apt/"],
    ),
    (
        "dir::state::lists",
        &["", "lists", "lists/", "/var/lib/apt/lists", "/var/lib/apt/lists/"],
    ),
    ("dir::state::status", &["", "/var/lib/dpkg/status"]),
    ("dir::etc", &["", "etc/apt", "etc/apt/", "/etc/apt", "/etc/apt/"]),
    ("dir::etc::sourcelist", &["", "sources.list", "/etc/apt/sources.list"]),
    (
        "dir::etc::sourceparts",
        &[
            "",
            "sources.list.d",
            "sources.list.d/",
            "/etc/apt/sources.list.d",
            "/etc/apt/sources.list.d/",
        ],
    ),
    ("dir::etc::preferences", &["", "preferences", "/etc/apt/preferences"]),
    (
        "dir::etc::preferencesparts",
        &[
            "",
            "preferences.d",
            "preferences.d/",
            "/etc/apt/preferences.d",
            "/etc/apt/preferences.d/",
        ],
    ),
    ("dir::ignore-files-silently", &[""]),
    ("apt::architecture", &[""]),
];

/// apt's configuration tree. Names are the same whatever their case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AptConf {
    values: BTreeMap<String, String>,
    /// Items without a name (`A::B:: "x";`), by the name of the list.
    items: BTreeMap<String, Vec<String>>,
}

impl AptConf {
    /// Reads apt's configuration files.
    pub(super) fn read(reading: &Reading<'_>, doubts: &mut Doubts) -> Self {
        let mut conf = Self::default();
        let mut files = parts::files(reading, "/etc/apt/apt.conf.d", &["conf", ""], doubts);
        files.extend(parts::file(reading, "/etc/apt/apt.conf", doubts));
        for (path, text) in files {
            if let Err(line) = conf.add(&text) {
                doubts.add(format!(
                    "{path}:{line}: not understood, so other settings of apt may be in force"
                ));
            }
        }
        for (name, usual) in PLACES {
            let value = conf.get(name);
            if !usual.contains(&value) {
                doubts.add(format!(
                    "apt is configured with {name} {value:?}, which this probe does not follow"
                ));
            }
        }
        let targets = "acquire::indextargets::deb::packages";
        if conf.values.keys().any(|name| name.starts_with(targets)) {
            doubts.add("apt is configured to fetch its lists in another way (Acquire::IndexTargets)".to_owned());
        }
        if !conf.list("apt::sources::with").is_empty() {
            doubts.add("apt is configured with further lists (APT::Sources::With)".to_owned());
        }
        conf
    }

    /// As [`Self::read`], with the reasons why other settings may be in force.
    pub(crate) fn with_doubts(reading: &Reading<'_>) -> (Self, Vec<String>) {
        let mut doubts = Doubts::default();
        let conf = Self::read(reading, &mut doubts);
        (conf, doubts.into_reasons())
    }

    /// The value of `name`, given in lower case; empty if not set.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The setting as a yes or no.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        truth(self.get(name)).unwrap_or(default)
    }

    /// The items of a list, or its value split at commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        match self.items.get(name) {
            Some(items) => items.clone(),
            None => self
                .get(name)
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Adds the settings of one file; later ones override earlier ones. `Err` is the line, from 1, that cannot be
    /// understood; what comes before it counts.
    pub(super) fn add(&mut self, text: &str) -> Result<(), usize> {
        let mut scopes: Vec<String> = vec![];
        let mut statement = String::new();
        let mut in_comment = false;
        for (number, line) in text.lines().enumerate() {
            let line_number = number + 1;
            let line = without_comments(line.trim(), &mut in_comment);
            let mut in_quotes = false;
            let mut begin = 0;
            for (at, byte) in line.bytes().enumerate() {
                in_quotes ^= byte == b'"';
                if in_quotes || !matches!(byte, b'{' | b'}' | b';') {
                    continue;
                }
                join(&mut statement, line.get(begin..at).unwrap_or_default());
                begin = at + 1;
                if !statement.is_empty() {
                    let opened = self.statement(&statement, &scopes, byte == b'{').ok_or(line_number)?;
                    if byte == b'{' {
                        scopes.push(opened);
                    }
                    statement.clear();
                } else if byte == b'{' {
                    return Err(line_number);
                }
                if byte == b'}' {
                    scopes.pop();
                }
            }
            join(&mut statement, line.get(begin..).unwrap_or_default());
            if self.values.len() + self.items.values().map(Vec::len).sum::<usize>() > MAX_SETTINGS {
                return Err(line_number);
            }
        }
        if statement.is_empty() && !in_comment {
            Ok(())
        } else {
            Err(text.lines().count())
        }
    }

    /// One `name value`, `name` or `"value"`; gives its full name, which is the scope if it `opens` one. `None`: not
    /// understood.
    fn statement(&mut self, statement: &str, scopes: &[String], opens: bool) -> Option<String> {
        let (first, rest) = word(statement)?;
        let (mut name, mut value) = (first, String::new());
        let mut rest = rest.trim_start();
        let mut any = false;
        while !rest.is_empty() {
            let (next, after) = word(rest)?;
            // Only quoted strings are joined (apt's "CWord"); anything else is junk behind the value.
            if any && !rest.starts_with('"') {
                return None;
            }
            (value, rest, any) = (value + &next, after.trim_start(), true);
        }
        if !any && !opens {
            (name, value, any) = (String::new(), name, true);
        }
        let parent = scopes.last().map_or("", String::as_str);
        if let Some(directive) = name.strip_prefix('#') {
            return (directive == "clear" && parent.is_empty()).then(|| {
                self.clear(&value.to_ascii_lowercase());
                String::new()
            });
        }
        let full = match (parent, name.as_str()) {
            ("", name) => name.to_owned(),
            (parent, name) => format!("{parent}::{name}"),
        }
        .to_ascii_lowercase();
        if any && !value.is_empty() {
            match full.strip_suffix("::") {
                Some(list) => self.items.entry(list.to_owned()).or_default().push(value),
                None if full.is_empty() => return None,
                None => {
                    self.values.insert(full.clone(), value);
                }
            }
        } else if any {
            self.values.remove(&full);
        }
        Some(full)
    }

    fn clear(&mut self, name: &str) {
        let below = format!("{name}::");
        self.values.retain(|key, _| key != name && !key.starts_with(&below));
        self.items.retain(|key, _| key != name && !key.starts_with(&below));
    }
}

/// apt's yes and no.
pub(super) fn truth(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["1", "yes", "true", "with", "on", "enable"]) {
        Some(true)
    } else if is(&["0", "no", "false", "without", "off", "disable"]) {
        Some(false)
    } else {
        None
    }
}

fn join(statement: &mut String, more: &str) {
    let more = more.trim();
    if !statement.is_empty() && !more.is_empty() {
        statement.push(' ');
    }
    statement.push_str(more);
}

/// The line without `//`, `#` and `/* */` comments outside quotes.
fn without_comments(line: &str, in_comment: &mut bool) -> String {
    let mut kept = String::new();
    let mut in_quotes = false;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if *in_comment {
            let Some((_, after)) = rest.split_once("*/") else { break };
            (*in_comment, rest) = (false, after);
            continue;
        }
        if !in_quotes {
            let directive = ["#clear", "#include", "#x-apt-configure-index"]
                .iter()
                .any(|directive| rest.starts_with(directive));
            if rest.starts_with("//") || (character == '#' && !directive) {
                break;
            }
            if let Some(after) = rest.strip_prefix("/*") {
                (*in_comment, rest) = (true, after);
                continue;
            }
        }
        in_quotes ^= character == '"';
        kept.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    kept
}

/// The first word, without its quotes, and the rest. `None`: a quote is not closed.
fn word(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inner, rest) = quoted.split_once('"')?;
        return Some((inner.to_owned(), rest));
    }
    let mut in_quotes = false;
    let end = text
        .char_indices()
        .find(|(_, character)| {
            in_quotes ^= *character == '"';
            character.is_ascii_whitespace() && !in_quotes
        })
        .map_or(text.len(), |(at, _)| at);
    let (first, rest) = text.split_at_checked(end)?;
    (first.matches('"').count() % 2 == 0).then(|| (first.replace('"', ""), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<AptConf, usize> {
        let mut conf = AptConf::default();
        conf.add(text).map(|()| conf)
    }

    #[test]
    fn forms_of_settings() {
        let conf = parse(
            "# comment\nAPT::Default-Release \"bookworm\"; // more\nApt { Architectures { \"amd64\"; \"i386\"; };\n \
             Get::Assume-Yes\n  \"true\"; };\nAcquire::AllowInsecureRepositories \"0\"; /* a\n b */ X::Y:: \"1 # no\";\n\
             DPkg::Post-Invoke { \"rm -f /x || true\"; };\nAcquire::Languages { };\nA \"b\" \"c\";\n",
        )
        .unwrap();
        assert_eq!(conf.get("apt::default-release"), "bookworm");
        assert_eq!(conf.list("apt::architectures"), ["amd64", "i386"]);
        assert!(conf.flag("apt::get::assume-yes", false));
        assert!(!conf.flag("acquire::allowinsecurerepositories", true));
        assert!(conf.flag("not::there", true));
        assert_eq!(conf.list("x::y"), ["1 # no"]);
        assert_eq!(conf.get("a"), "bc");
    }

    #[test]
    fn later_settings_override_and_clear_removes() {
        let mut conf = parse("A::B \"1\"; A::B \"2\"; A::L:: \"x\"; C \"a,b\";").unwrap();
        assert_eq!(conf.get("a::b"), "2");
        assert_eq!(conf.list("c"), ["a", "b"]);
        conf.add("#clear A;").unwrap();
        assert_eq!((conf.get("a::b"), conf.list("a::l")), ("", vec![]));
    }

    #[test]
    fn malformed_settings_are_told_by_line() {
        for text in [
            "A \"b",
            "A b c;",
            "{ A b; };",
            "A b",
            "#include \"/etc/x\";",
            "/* open",
            "A { #clear B; };",
            "\"\";\"x\";",
        ] {
            assert_eq!(parse(&format!("Good 1;\n{text}\n")), Err(2), "{text}");
        }
    }

    #[test]
    fn a_file_of_debian_12() {
        // The form of 20packagekit and 20auto-upgrades, with what quoting they use.
        let conf = parse(
            "// THIS FILE IS USED TO INFORM PACKAGEKIT\nDPkg::Post-Invoke {\n\"/usr/bin/test -e /usr/share/x \
             && /usr/bin/gdbus call --system > /dev/null; /bin/echo > /dev/null\";\n};\n\n\
             APT::Periodic::Update-Package-Lists \"1\";\nDPkg::Pre-Install-Pkgs {\"/usr/sbin/dpkg-preconfigure --apt || true\";};\n",
        )
        .unwrap();
        assert_eq!(conf.list("dpkg::post-invoke").len(), 1);
        assert_eq!(
            conf.list("dpkg::pre-install-pkgs"),
            ["/usr/sbin/dpkg-preconfigure --apt || true"]
        );
        assert!(conf.flag("apt::periodic::update-package-lists", false));
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\PC\n]{0,100}", near in "[a-z:{};\"#/* \n]{0,60}") {
            let _ = parse(&text);
            let _ = parse(&near);
        }
    }
}
