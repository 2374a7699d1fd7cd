//! The database of pacman: a folder for each package in `/var/lib/pacman/local`, with a file `desc`.
//!
//! Source: `lib/libalpm/be_local.c` of pacman. A line `%NAME%`, then values line by line, then a blank line.

use super::file_owners::Wanted;
use crate::probe::ProbeError;
use crate::reading::{Kind, Reading};

/// The folder.
pub const LOCAL: &str = "/var/lib/pacman/local";

const MAX_PACKAGES: usize = 50_000;
const MAX_UNPARSED: usize = 100;
const MAX_TEXT: usize = 300;

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version, `[epoch:]version-release`.
    pub version: String,
    /// Architecture, `any` for all.
    pub architecture: String,
    /// Name of what it was built from, if the database tells.
    pub source: Option<String>,
    /// When it was installed, seconds since 1970.
    pub installed_at: Option<i64>,
    /// Whether its signature was checked when it was installed (`%VALIDATION%`).
    pub signed: bool,
}

/// What the database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database {
    /// The packages, in order of their folders' names.
    pub packages: Vec<Package>,
    /// What could not be understood, `path: what is wrong`.
    pub unparsed: Vec<String>,
}

impl Database {
    /// Reads the database.
    pub fn read(reading: &Reading<'_>) -> Result<Self, ProbeError> {
        let entries = reading.list(LOCAL)?.ok_or_else(|| ProbeError::absent(LOCAL))?;
        let mut database = Self::default();
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Folder) {
            if database.unparsed.len() >= MAX_UNPARSED {
                break;
            }
            let path = format!("{LOCAL}/{}/desc", entry.name);
            let package = match reading.file(&path)? {
                _ if database.packages.len() >= MAX_PACKAGES => Err("more packages than can be looked at"),
                Some(bytes) => parse(&bytes),
                None => Err("not there, so its installation broke off"),
            };
            match package {
                Ok(package) => database.packages.push(package),
                Err(why) => database.unparsed.push(format!("{path}: {why}")),
            }
        }
        if database.packages.is_empty() && database.unparsed.is_empty() {
            database.unparsed.push(format!("{LOCAL}: there is no package in it"));
        }
        Ok(database)
    }
}

/// Looks for the packages of files: the lines below `%FILES%` in each package's file `files`, folders with a `/` at the end.
pub fn owners(reading: &Reading<'_>, wanted: &mut Wanted<'_>) -> Result<(), ProbeError> {
    let shown = format!("{LOCAL}/*/files");
    let entries = reading.list(LOCAL)?.ok_or_else(|| ProbeError::absent(LOCAL))?;
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Folder) {
        // One source for all: there are many, and they say nothing that the folder's names do not.
        let Some(bytes) = reading.private(&format!("{LOCAL}/{}/files", entry.name), &shown)? else {
            continue;
        };
        // name-version-release
        let name = entry.name.rsplitn(3, '-').nth(2).unwrap_or(&entry.name);
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if !lines.any(|line| line == b"%FILES%") {
            continue;
        }
        for line in lines.take_while(|line| !line.is_empty()) {
            let at = memchr::memrchr(b'/', line).map_or(0, |at| at + 1);
            let (folder, file) = line.split_at_checked(at).unwrap_or_default();
            if wanted.has_name(file) {
                wanted.take(name, folder, file, true);
            }
        }
    }
    Ok(())
}

/// The package in a file `desc`.
pub fn parse(bytes: &[u8]) -> Result<Package, &'static str> {
    let mut field: &[u8] = &[];
    let (mut name, mut version, mut architecture, mut source) = (None, None, None, None);
    let (mut installed_at, mut signed) = (None, false);
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.starts_with(b"%") && line.ends_with(b"%") {
            field = line;
            continue;
        }
        if line.is_empty() {
            continue;
        }
        match field {
            b"%NAME%" => name = word(line),
            b"%VERSION%" => version = word(line),
            b"%ARCH%" => architecture = word(line),
            b"%BASE%" => source = word(line),
            b"%INSTALLDATE%" => {
                let seconds = word(line).and_then(|text| text.parse().ok());
                installed_at = Some(seconds.ok_or("%INSTALLDATE% is no number")?);
            }
            b"%VALIDATION%" => signed |= line == b"pgp",
            b"" => return Err("a value without a name"),
            _ => {}
        }
    }
    Ok(Package {
        name: name.ok_or("no valid %NAME%")?,
        version: version.ok_or("no valid %VERSION%")?,
        architecture: architecture.ok_or("no valid %ARCH%")?,
        source,
        installed_at,
        signed,
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
    fn a_package() {
        let text = "%NAME%\nlinux\n\n%VERSION%\n6.9.1.arch1-1\n\n%BASE%\nlinux\n\n%DESC%\nThe kernel\n\n%ARCH%\nx86_64\n\n\
                    %INSTALLDATE%\n1716000000\n\n%VALIDATION%\npgp\n\n%DEPENDS%\na\nb\n\n";
        let package = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("linux", "6.9.1.arch1-1")
        );
        assert_eq!((package.installed_at, package.signed), (Some(1_716_000_000), true));
        let unsigned = parse(text.replace("pgp", "none").as_bytes()).unwrap();
        assert!(!unsigned.signed);
        for (from, to) in [
            ("%NAME%", "%X%"),
            ("1716000000", "soon"),
            ("%NAME%\n", ""),
            ("x86_64", "a b"),
        ] {
            assert!(parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), near in "(%(NAME|VERSION|ARCH|INSTALLDATE)%\n|[a-z0-9]{0,5}\n){0,12}") {
            let _ = parse(&bytes);
            let _ = parse(near.as_bytes());
        }
    }
}
