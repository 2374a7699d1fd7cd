//! What rules of AIDE compare: attributes, and groups of them by name (aide.conf(5), *GROUPS* and *ATTRIBUTES*).

use std::collections::{BTreeMap, BTreeSet};

const MAX_GROUPS: usize = 1_000;
/// More names that nothing defines are not told.
const MAX_UNDEFINED: usize = 20;

/// Sorted. `fstype`, `sha3_256`, `sha3_512` and `sha512_256` are AIDE 0.19's.
pub(super) const ATTRIBUTES: [&str; 39] = [
    "ANF",
    "ARF",
    "I",
    "a",
    "acl",
    "b",
    "c",
    "caps",
    "compressed",
    "crc32",
    "crc32b",
    "e2fsattrs",
    "fstype",
    "ftype",
    "g",
    "gost",
    "growing",
    "haval",
    "i",
    "l",
    "m",
    "md5",
    "n",
    "p",
    "rmd160",
    "s",
    "selinux",
    "sha1",
    "sha256",
    "sha3_256",
    "sha3_512",
    "sha512",
    "sha512_256",
    "stribog256",
    "stribog512",
    "tiger",
    "u",
    "whirlpool",
    "xattrs",
];
/// As AIDE 0.18 has them with libmhash; which hashes and extended attributes are in them depends on how it was built.
const PREDEFINED: [(&str, &str); 7] = [
    (">", "L+s+growing"),
    ("E", ""),
    (
        "H",
        "md5+sha1+rmd160+tiger+crc32+haval+gost+crc32b+sha256+sha512+whirlpool",
    ),
    ("L", "p+ftype+i+l+n+u+g+X"),
    ("R", "p+ftype+i+l+n+u+g+s+m+c+md5+X"),
    ("S", "growing+s"),
    ("X", "acl+selinux+xattrs+e2fsattrs+caps"),
];

/// Some of [`ATTRIBUTES`]: of each the bit of its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attributes(u64);

impl Attributes {
    fn named(name: &str) -> Option<Self> {
        let at = ATTRIBUTES.binary_search(&name).ok()?;
        Some(Self(1 << at))
    }

    /// Whether each of [`ATTRIBUTES`] is among them, in the same order.
    pub(super) fn flags(self) -> impl Iterator<Item = bool> {
        (0..ATTRIBUTES.len()).map(move |at| self.0 & (1 << at) != 0)
    }
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Compared {
    pub(super) attributes: Attributes,
    /// Names in it that are neither attributes nor groups.
    pub(super) undefined: BTreeSet<String>,
}

/// Groups that were defined so far: a rule takes them as they are when its line comes.
#[derive(Debug, Default)]
pub(super) struct Groups {
    defined: BTreeMap<String, Compared>,
}

impl Groups {
    /// `NAME = EXPRESSION`, unless the name cannot be one of a group: settings look the same.
    pub(super) fn define(&mut self, name: &str, expression: &str) {
        let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if valid && self.defined.len() < MAX_GROUPS {
            let compared = self.compared(expression);
            self.defined.insert(name.chars().take(100).collect(), compared);
        }
    }

    /// Names with `+` or `-` between them, from the left.
    pub(super) fn compared(&self, expression: &str) -> Compared {
        let mut all = Compared::default();
        let mut rest = expression;
        let mut adds = true;
        while !rest.is_empty() {
            let end = rest.find(['+', '-']);
            let (name, after) = end.map_or((rest, ""), |end| rest.split_at(end));
            let one = self.named(name.trim());
            if adds {
                all.attributes.0 |= one.attributes.0;
                all.undefined.extend(one.undefined);
            } else {
                all.attributes.0 &= !one.attributes.0;
            }
            adds = !after.starts_with('-');
            rest = after.get(1..).unwrap_or_default();
        }
        while all.undefined.len() > MAX_UNDEFINED {
            all.undefined.pop_last();
        }
        all
    }

    fn named(&self, name: &str) -> Compared {
        if let Some(compared) = self.defined.get(name) {
            return compared.clone();
        }
        if let Some((_, expression)) = PREDEFINED.iter().find(|(group, _)| *group == name) {
            // Those are made of attributes, and of groups without others in them.
            return Self::default().compared(expression);
        }
        let mut compared = Compared::default();
        match Attributes::named(name) {
            Some(attribute) => compared.attributes = attribute,
            None if name.is_empty() => {}
            None => drop(compared.undefined.insert(name.chars().take(100).collect())),
        }
        compared
    }
}

/// The expression of a rule: what stands behind its path, and behind the types of files that it is for. A blank in the path
/// has a backslash before it.
pub(super) fn expression(rule: &str) -> String {
    let mut escaped = false;
    let path_end = rule.find(|character: char| {
        let ends = character.is_whitespace() && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    let rest = path_end.and_then(|end| rule.get(end..)).unwrap_or_default();
    let mut words: Vec<&str> = rest.split_whitespace().collect();
    let follows = |word: Option<&&str>| word.is_some_and(|word| !word.starts_with(['+', '-']));
    if words.len() > 1 && follows(words.get(1)) && !words.first().is_some_and(|word| word.ends_with(['+', '-'])) {
        words.remove(0);
    }
    words.concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(groups: &Groups, expression: &str) -> String {
        let flags = groups.compared(expression).attributes.flags();
        let named = ATTRIBUTES
            .iter()
            .zip(flags)
            .filter_map(|(name, has)| has.then_some(*name));
        named.collect::<Vec<_>>().join("+")
    }

    #[test]
    fn each_attribute_is_found_by_its_name() {
        for name in ATTRIBUTES {
            assert_eq!(told(&Groups::default(), name), name);
        }
    }

    #[test]
    fn groups_and_expressions() {
        let mut groups = Groups::default();
        groups.define("Full", "R+sha256-md5-X");
        groups.define("Full", "Full-c");
        groups.define("gzip_dbout", "yes");
        assert_eq!(told(&groups, "Full"), "ftype+g+i+l+m+n+p+s+sha256+u");
        assert_eq!(told(&groups, "p + u"), "p+u");
        assert_eq!(told(&groups, "E"), "");
        assert_eq!(told(&groups, "S"), "growing+s");
        assert_eq!(told(&groups, ">-X"), "ftype+g+growing+i+l+n+p+s+u");
        groups.define("Mine", "p+Nowhere");
        let compared = groups.compared("Mine+u");
        assert_eq!(compared.undefined.into_iter().collect::<Vec<_>>(), ["Nowhere"]);
        // A group of one's own may have the name of one that is there.
        groups.define("R", "p");
        assert_eq!(told(&groups, "R"), "p");
        assert_eq!(told(&groups, "H-md5").split('+').count(), 10);
    }

    #[test]
    fn expressions_of_rules() {
        for (rule, expected) in [
            ("/etc p+u", "p+u"),
            ("/a\\ b p", "p"),
            ("/d f,d H2", "H2"),
            ("=/e  p + u", "p+u"),
            ("/f p+ u", "p+u"),
            ("/g", ""),
        ] {
            assert_eq!(expression(rule), expected, "{rule}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "\\PC{0,60}", near in "[-+ \\\\/RLHXpu>]{0,40}") {
            let mut groups = Groups::default();
            for text in [text, near] {
                groups.define("A", &text);
                groups.compared(&expression(&text));
            }
        }
    }
}
