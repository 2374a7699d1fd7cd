//! Gems, by their specifications: programs of Ruby, in whose second line stands in short what they are.

use super::facts::{Gem, SoftwareList};
use super::{listed, text, wrong};
use crate::reading::{Reading, Unread};

pub(super) const WHERE: &str = "/var/lib/gems, /usr/local/lib/ruby/gems, /usr/local/share/gems";
/// Debian's, with a folder for each version of Ruby, and those of a Ruby that was built here.
const BY_VERSION: [&str; 2] = ["/var/lib/gems", "/usr/local/lib/ruby/gems"];
/// Fedora's.
const PLAIN: &str = "/usr/local/share/gems";
const HEAD: usize = 4 * 1024;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SoftwareList<Gem>>, Unread> {
    let mut homes = vec![PLAIN.to_owned()];
    for folder in BY_VERSION {
        let versions = reading.list(folder)?.unwrap_or_default().into_iter();
        homes.extend(versions.map(|version| format!("{folder}/{}", version.name)));
    }
    let mut found = vec![];
    let mut any = false;
    for home in homes {
        let folder = format!("{home}/specifications");
        let Some(entries) = reading.list(&folder)? else {
            continue;
        };
        any = true;
        for entry in entries.iter().filter(|entry| entry.name.ends_with(".gemspec")) {
            let shown = format!("{folder}/*.gemspec");
            let head = reading.private_head(&format!("{folder}/{}", entry.name), &shown, HEAD)?;
            let Some(head) = head else { continue };
            let gem = gem(&String::from_utf8_lossy(&head), &home);
            found.push(gem.ok_or_else(|| wrong(reading, &shown, "one without its stub line"))?);
        }
    }
    Ok(any.then(|| listed(found)))
}

/// `# stub: NAME VERSION PLATFORM FOLDERS` (`rubygems/stub_specification.rb`).
fn gem(head: &str, folder: &str) -> Option<Gem> {
    let stub = head.lines().take(3).find_map(|line| line.strip_prefix("# stub: "))?;
    let mut words = stub.split(' ');
    let mut word = || words.next().map(text).filter(|word| !word.is_empty());
    Some(Gem {
        name: word()?,
        version: word()?,
        platform: word()?,
        folder: folder.to_owned(),
    })
}
