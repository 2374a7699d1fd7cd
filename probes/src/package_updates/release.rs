//! Release files: what an archive says about itself and which lists it has.
//!
//! Source: <https://wiki.debian.org/DebianRepository/Format>.

use evidence::Timestamp;

use super::facts::Release;
use crate::formats::archive_date;
use crate::formats::stanza::{Stanza, stanzas};

/// Longest value that goes into the facts. Debian's have under 40 characters.
const MAX_VALUE: usize = 200;

/// Fields with checksums of the lists, best first.
const CHECKSUMS: [&str; 4] = ["SHA256", "SHA512", "SHA1", "MD5Sum"];

/// A release file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReleaseFile<'a> {
    stanza: Stanza<'a>,
}

/// What the archive says about one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    /// It is not in the archive.
    No,
    /// It is there; its bytes uncompressed, if the archive tells.
    Bytes(Option<u64>),
}

impl<'a> ReleaseFile<'a> {
    /// Takes the signed text out of an `InRelease`, or a `Release` as it is. `Err`: what is wrong.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let text = match bytes.strip_prefix(b"-----BEGIN PGP SIGNED MESSAGE-----") {
            None => bytes,
            Some(rest) => {
                let begin = memchr::memmem::find(rest, b"\n\n").ok_or("the signed text does not begin")?;
                let rest = rest.get(begin..).unwrap_or_default();
                let end = memchr::memmem::find(rest, b"\n-----BEGIN PGP SIGNATURE-----");
                rest.get(..end.ok_or("the signature does not begin")?)
                    .unwrap_or_default()
            }
        };
        let stanza = stanzas(text).next().ok_or("there is nothing in it")?;
        if stanza.fields().any(|field| field.is_err()) {
            return Err("a line is no field");
        }
        if CHECKSUMS.iter().all(|name| stanza.get(name).is_none()) {
            return Err("no checksums of lists in it");
        }
        Ok(Self { stanza })
    }

    /// As it goes into the facts.
    pub(super) fn facts(&self, file_time: Timestamp) -> Release {
        let date = |name: &str| archive_date::parse(&self.text(name));
        let flag = |name: &str| super::apt_conf::truth(&self.text(name)) == Some(true);
        let not_automatic = flag("NotAutomatic");
        Release {
            origin: self.text("Origin"),
            label: self.text("Label"),
            suite: self.text("Suite"),
            codename: self.text("Codename"),
            version: self.text("Version"),
            date: date("Date"),
            valid_until: date("Valid-Until"),
            file_time,
            not_automatic,
            but_automatic_upgrades: not_automatic && flag("ButAutomaticUpgrades"),
        }
    }

    /// Whether it gives an end of validity that cannot be understood.
    pub(super) fn has_unclear_end(&self) -> bool {
        let text = self.text("Valid-Until");
        !text.is_empty() && archive_date::parse(&text).is_none()
    }

    /// Whether packages for all architectures are only in a list of their own, which is then fetched too.
    pub(super) fn separates_all(&self) -> bool {
        let has = |name: &str, word: &str| {
            self.text_whole(name)
                .split_ascii_whitespace()
                .any(|found| found == word)
        };
        has("Architectures", "all") && !has("No-Support-for-Architecture-all", "Packages")
    }

    /// What it says about the list `path`, for instance `main/binary-amd64/Packages`.
    pub(super) fn announced(&self, path: &str) -> Announced {
        let Some(sums) = CHECKSUMS.iter().find_map(|name| self.stanza.get(name)) else {
            return Announced::No;
        };
        let mut compressed = false;
        for found in memchr::memmem::find_iter(sums, path) {
            let (before, after) = sums.split_at_checked(found).unwrap_or_default();
            let after = after.get(path.len()..).unwrap_or_default();
            let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            if !line.ends_with(b" ") && !line.ends_with(b"\t") {
                continue;
            }
            match after.first() {
                None | Some(b'\n' | b'\r') => {
                    let size = std::str::from_utf8(line)
                        .ok()
                        .and_then(|line| line.split_ascii_whitespace().nth(1));
                    return Announced::Bytes(size.and_then(|size| size.parse().ok()));
                }
                Some(b'.') => compressed = true,
                Some(_) => {}
            }
        }
        if compressed {
            Announced::Bytes(None)
        } else {
            Announced::No
        }
    }

    fn text_whole(&self, name: &str) -> String {
        String::from_utf8_lossy(self.stanza.get(name).unwrap_or_default()).into_owned()
    }

    fn text(&self, name: &str) -> String {
        let text = self.text_whole(name);
        text.chars()
            .filter(|character| !character.is_control())
            .take(MAX_VALUE)
            .collect()
    }
}

/// Whether a source is a security archive, by its release file's label, suite and codename and the configured suite.
pub(super) fn is_security(release: Option<&Release>, suite: &str) -> bool {
    // Up to Debian 10 the suite of the security archive was called `buster/updates`.
    let ends = |name: &str| name.ends_with("-security") || name.ends_with("/updates");
    match release {
        Some(release) => {
            release.label == "Debian-Security"
                || [&release.suite, &release.codename]
                    .into_iter()
                    .any(|name| name.ends_with("-security"))
        }
        None => ends(suite),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The head of `InRelease` of Debian's security archive, with two of its lists and its signature cut.
    const SECURITY: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\n\
        Suite: oldstable-security\nVersion: 12\nCodename: bookworm-security\nDate: Sun, 22 Nov 2026 19:58:56 UTC\n\
        Valid-Until: Sun, 29 Nov 2026 19:58:56 UTC\nAcquire-By-Hash: yes\nArchitectures: amd64 arm64\n\
        Components: updates/main updates/contrib\nDescription: Debian 12 - Security Updates\nSHA256:\n \
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 contrib/binary-amd64/Packages\n \
        f61f27bd17de546264aa58f40f3aafaac7021e0ef69c17f6b1b4cd7664a037ec  2526003 main/binary-amd64/Packages\n \
        f61f27bd17de546264aa58f40f3aafaac7021e0ef69c17f6b1b4cd7664a037ed       20 non-free/binary-amd64/Packages.xz\n\
        -----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn security() {
        let release = ReleaseFile::parse(SECURITY.as_bytes()).unwrap();
        let time = Timestamp::from_unix(0).unwrap();
        let facts = release.facts(time);
        assert_eq!(facts.label, "Debian-Security");
        assert_eq!(facts.date, Some("2026-11-22T19:58:56Z".parse().unwrap()));
        assert_eq!(facts.valid_until, Some("2026-11-29T19:58:56Z".parse().unwrap()));
        assert!(!facts.not_automatic && !release.has_unclear_end() && !release.separates_all());
        assert_eq!(
            release.announced("main/binary-amd64/Packages"),
            Announced::Bytes(Some(2_526_003))
        );
        assert_eq!(
            release.announced("contrib/binary-amd64/Packages"),
            Announced::Bytes(Some(0))
        );
        assert_eq!(
            release.announced("non-free/binary-amd64/Packages"),
            Announced::Bytes(None)
        );
        assert_eq!(release.announced("main/binary-i386/Packages"), Announced::No);
        assert_eq!(release.announced("binary-amd64/Packages"), Announced::No);
        assert!(is_security(Some(&facts), "bookworm-security"));
    }

    #[test]
    fn plain_release_files_and_flags() {
        let text = b"Suite: experimental\nNotAutomatic: yes\nButAutomaticUpgrades: yes\nArchitectures: all amd64\n\
                     Valid-Until: soon\nMD5Sum:\n 0 1 Packages\n";
        let release = ReleaseFile::parse(text).unwrap();
        let facts = release.facts(Timestamp::from_unix(0).unwrap());
        assert!(facts.not_automatic && facts.but_automatic_upgrades && facts.date.is_none());
        assert!(release.has_unclear_end() && release.separates_all());
        assert_eq!(release.announced("Packages"), Announced::Bytes(Some(1)));
    }

    #[test]
    fn what_is_no_release_file() {
        for (text, why) in [
            (&b""[..], "there is nothing in it"),
            (b"<html>\n", "a line is no field"),
            (b"Suite: x\n", "no checksums of lists in it"),
            (
                b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: x",
                "the signed text does not begin",
            ),
            (
                b"-----BEGIN PGP SIGNED MESSAGE-----\n\nSuite: x\n",
                "the signature does not begin",
            ),
        ] {
            assert_eq!(ReleaseFile::parse(text).unwrap_err(), why);
        }
    }

    #[test]
    fn security_archives() {
        assert!(is_security(None, "jammy-security"));
        assert!(is_security(None, "buster/updates"));
        assert!(!is_security(None, "jammy-updates"));
        assert!(!is_security(None, "./"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), near in "(SHA256:|\n| 0 1 a|Suite: x|-----BEGIN PGP S)*") {
            for bytes in [&bytes[..], near.as_bytes()] {
                if let Ok(release) = ReleaseFile::parse(bytes) {
                    release.announced("a");
                    release.facts(Timestamp::from_unix(0).unwrap());
                }
            }
        }
    }
}
