//! The database of apk: `/lib/apk/db/installed`, or `/usr/lib/apk/db/installed` of newer releases.
//!
//! Source: apk-package(5), `src/database.c` of apk-tools. Lines of one letter, a colon and a value; a blank line ends a
//! package.

use super::file_owners::Wanted;
use super::stanza::{line_of, stanzas};
use crate::probe::ProbeError;
use crate::reading::Reading;

/// Where it may be.
pub const DATABASES: [&str; 2] = ["/usr/lib/apk/db/installed", "/lib/apk/db/installed"];

const MAX_PACKAGES: usize = 100_000;
const MAX_UNPARSED: usize = 100;
const MAX_TEXT: usize = 300;

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version, for instance `1.2.5-r1`.
    pub version: String,
    /// Architecture.
    pub architecture: String,
    /// Name of the package that it was built from (`o:`), if the database tells.
    pub source: Option<String>,
    /// Whether its installation broke off (`s:` or `f:` flags).
    pub broken: bool,
}

/// What the database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database {
    /// The packages, in order of the database.
    pub packages: Vec<Package>,
    /// What could not be understood, `path:line: what is wrong`.
    pub unparsed: Vec<String>,
}

impl Database {
    /// Reads the database at `path`.
    pub fn read(reading: &Reading<'_>, path: &str) -> Result<Self, ProbeError> {
        let bytes = reading.file(path)?.ok_or_else(|| ProbeError::absent(path))?;
        Ok(Self::parse(path, &bytes))
    }

    /// The packages in `bytes`.
    pub fn parse(path: &str, bytes: &[u8]) -> Self {
        let mut database = Self::default();
        for stanza in stanzas(bytes) {
            let package = if database.packages.len() < MAX_PACKAGES {
                package(stanza.text)
            } else {
                Err("more packages than can be looked at")
            };
            match package {
                Ok(package) => database.packages.push(package),
                Err(_) if database.unparsed.len() >= MAX_UNPARSED => break,
                Err(why) => {
                    let line = line_of(bytes, stanza.offset);
                    database.unparsed.push(format!("{path}:{line}: {why}"));
                }
            }
        }
        if database.packages.is_empty() && database.unparsed.is_empty() {
            database.unparsed.push(format!("{path}: there is no package in it"));
        }
        database
    }
}

/// Looks for the packages of files: `F:` is a folder, and `R:` a file in it.
pub fn owners(path: &str, bytes: &[u8], wanted: &mut Wanted<'_>) -> Result<(), ProbeError> {
    for stanza in stanzas(bytes) {
        let malformed = |why| {
            let place = format!("{path}:{}", line_of(bytes, stanza.offset));
            ProbeError::malformed(&place, why)
        };
        let lines = || stanza.text.split(|byte| *byte == b'\n');
        let name = lines().find_map(|line| line.strip_prefix(b"P:"));
        let name = name.and_then(word).ok_or_else(|| malformed("no valid name (P)"))?;
        let mut folder: &[u8] = &[];
        for line in lines() {
            match line {
                [b'F', b':', value @ ..] => folder = value,
                [b'R', b':', value @ ..] if wanted.has_name(value) => wanted.take(&name, folder, value, true),
                _ => {}
            }
        }
    }
    Ok(())
}

fn package(stanza: &[u8]) -> Result<Package, &'static str> {
    let (mut name, mut version, mut architecture, mut source, mut broken) = (None, None, None, None, false);
    for line in stanza.split(|byte| *byte == b'\n') {
        let [letter, b':', value @ ..] = line else {
            return Err("a line is no field");
        };
        match letter {
            b'P' => name = word(value),
            b'V' => version = word(value),
            b'A' => architecture = word(value),
            b'o' => source = word(value),
            // Flags of a package whose files or scripts failed: `f` files, `s` script, `x` extended attributes, `S` sha256.
            b'f' => broken |= value.iter().any(|flag| matches!(flag, b'f' | b's' | b'x')),
            _ => {}
        }
    }
    Ok(Package {
        name: name.ok_or("no valid name (P)")?,
        version: version.ok_or("no valid version (V)")?,
        architecture: architecture.ok_or("no valid architecture (A)")?,
        source,
        broken,
    })
}

fn word(value: &[u8]) -> Option<String> {
    let fits = !value.is_empty() && value.len() <= MAX_TEXT && value.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(value).ok().filter(|_| fits).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packages() {
        let text =
            "C:Q1abc=\nP:musl\nV:1.2.5-r1\nA:x86_64\no:musl\nF:lib\nR:x\na:0:0:755\n\nP:x\nV:1\nA:noarch\nf:s\n\n";
        let database = Database::parse("/db", text.as_bytes());
        assert!(database.unparsed.is_empty());
        assert_eq!(database.packages[0].name, "musl");
        assert_eq!(database.packages[0].source.as_deref(), Some("musl"));
        assert_eq!(
            (database.packages[0].broken, database.packages[1].broken),
            (false, true)
        );
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let text = "P:a\nV:1\nA:x\n\nP:b\nA:x\n\njunk\n\nP:c\nV:1 2\nA:x\n";
        let database = Database::parse("/db", text.as_bytes());
        assert_eq!(database.packages.len(), 1);
        assert_eq!(
            database.unparsed,
            [
                "/db:5: no valid version (V)",
                "/db:8: a line is no field",
                "/db:10: no valid version (V)"
            ]
        );
        assert_eq!(Database::parse("/db", b"").unparsed, ["/db: there is no package in it"]);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), near in prop::collection::vec("[PVAof]:[a-z ]{0,4}|", 0..20)) {
            Database::parse("/db", &bytes);
            Database::parse("/db", near.join("\n").as_bytes());
        }
    }
}
