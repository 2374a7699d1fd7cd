//! The deb822 style: stanzas of fields.

use super::super::apt_conf::truth;
use super::{Entry, Found};
use crate::formats::stanza::{Stanza, Uncommented, stanzas};

/// Fields and the options of the one-line style that they are.
const OPTIONS: [(&str, &str); 11] = [
    ("Architectures", "arch"),
    ("Architectures-Add", "arch+"),
    ("Architectures-Remove", "arch-"),
    ("Targets", "target"),
    ("Targets-Add", "target+"),
    ("Targets-Remove", "target-"),
    ("Trusted", "trusted"),
    ("Check-Valid-Until", "check-valid-until"),
    ("Allow-Insecure", "allow-insecure"),
    ("Allow-Weak", "allow-weak"),
    ("Allow-Downgrade-To-Insecure", "allow-downgrade-to-insecure"),
];

/// Stanzas that are looked at.
const MAX_STANZAS: usize = 5_000;

/// The entries of a file of the deb822 style.
pub(super) fn parse(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let text = Uncommented::of(bytes);
    for (count, stanza) in stanzas(&text.text).enumerate() {
        let line = text.line_of(stanza.offset);
        if count >= MAX_STANZAS {
            found
                .errors
                .push((line, "too many stanzas, the rest was not read".to_owned()));
            break;
        }
        match entry(&stanza) {
            Ok(Kind::Enabled(entry)) => found.entries.push(Entry { line, ..entry }),
            Ok(Kind::Disabled) => found.disabled += 1,
            Ok(Kind::Sources) => {}
            Err(reason) => found.errors.push((line, reason.to_owned())),
        }
    }
    found
}

enum Kind {
    Enabled(Entry),
    Disabled,
    Sources,
}

fn entry(stanza: &Stanza<'_>) -> Result<Kind, &'static str> {
    if stanza.fields().any(|field| field.is_err()) {
        return Err("a line is no field");
    }
    let text = |name: &str| match stanza.get(name).map(std::str::from_utf8) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err("a field is not UTF-8"),
    };
    let words = |name: &str| -> Result<Vec<String>, &'static str> {
        let text = text(name)?.unwrap_or_default();
        Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
    };
    let types = words("Types")?;
    if types.is_empty() {
        return Err("no Types field");
    }
    if types.iter().any(|kind| kind != "deb" && kind != "deb-src") {
        return Err("Types holds neither deb nor deb-src");
    }
    // Only a clear no disables: apt takes everything else for a yes.
    if text("Enabled")?.is_some_and(|enabled| truth(enabled) == Some(false)) {
        return Ok(Kind::Disabled);
    }
    if !types.iter().any(|kind| kind == "deb") {
        return Ok(Kind::Sources);
    }
    let mut entry = Entry {
        line: 0,
        uris: words("URIs")?,
        suites: words("Suites")?,
        components: words("Components")?,
        ..Entry::default()
    };
    if entry.uris.is_empty() {
        return Err("no URIs field");
    }
    if entry.suites.is_empty() {
        return Err("no Suites field");
    }
    for (field, option) in OPTIONS {
        if let Some(value) = text(field)? {
            entry.options.insert(option.to_owned(), value.to_owned());
        }
    }
    if let Some(value) = text("Signed-By")? {
        entry.options.insert("signed-by".to_owned(), value.to_owned());
    }
    Ok(Kind::Enabled(entry))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // debian.sources of the Debian 12 image for containers.
    const DEBIAN: &str = "Types: deb\n# http://snapshot.debian.org/archive/debian/20250520T000000Z\n\
        URIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\nTypes: deb\n\
        # http://snapshot.debian.org/archive/debian-security/20250520T000000Z\n\
        URIs: http://deb.debian.org/debian-security\nSuites: bookworm-security\nComponents: main\n\
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";

    #[test]
    fn debian_12() {
        let found = parse(DEBIAN.as_bytes());
        assert_eq!((found.errors.len(), found.disabled, found.entries.len()), (0, 0, 2));
        assert_eq!(found.entries[0].suites, ["bookworm", "bookworm-updates"]);
        assert_eq!(found.entries[1].line, 8);
        assert_eq!(
            found.entries[1].options["signed-by"],
            "/usr/share/keyrings/debian-archive-keyring.gpg"
        );
    }

    #[test]
    fn comments_and_disabled_stanzas() {
        let found = parse(
            b"# first\n\n# second\ntypes: deb deb-src\nURIs: http://h\n# between\nSuites: ./\n# last\n\nEnabled: no\n\
              Types: deb\nURIs: http://i\nSuites: x\n\nTypes: deb-src\nURIs: http://j\nSuites: x\n",
        );
        assert_eq!((found.errors.len(), found.disabled, found.entries.len()), (0, 1, 1));
        assert_eq!(
            (found.entries[0].line, found.entries[0].uris.join(" ")),
            (4, "http://h".to_owned())
        );
    }

    #[test]
    fn errors_carry_their_line() {
        for (stanza, reason) in [
            ("URIs: http://h\nSuites: x", "no Types field"),
            (
                "Types: rpm\nURIs: http://h\nSuites: x",
                "Types holds neither deb nor deb-src",
            ),
            ("Types: deb\nSuites: x", "no URIs field"),
            ("Types: deb\nURIs: http://h", "no Suites field"),
            ("Types: deb\nURIs: http://h\nSuites: x\njunk", "a line is no field"),
        ] {
            let found = parse(format!("\n{stanza}\n\n{DEBIAN}").as_bytes());
            assert_eq!(found.errors, [(2, reason.to_owned())], "{stanza}");
            assert_eq!(found.entries.len(), 2);
        }
        assert_eq!(parse(b"Types: deb\nURIs: \xff\nSuites: x\n").errors.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), near in "(Types|URIs|#|\n|Suites|: | deb)*") {
            parse(&bytes);
            parse(near.as_bytes());
        }
    }
}
