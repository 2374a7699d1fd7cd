//! What the boot loader starts next: entries of the Boot Loader Specification and GRUB's environment block.
//!
//! Source: the Boot Loader Specification of the UAPI group; GRUB's `blscfg` as Fedora and RHEL have it: entries are sorted by
//! version, newest first; `saved_entry` names one or its number.

use std::cmp::Ordering;

use evidence::facts::Outcome;

use super::facts::NextBoot;
use super::grub_menu;
use crate::formats::rpm_version;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};
use crate::sshd::patterns;

const ENTRIES: &str = "/boot/loader/entries";
const ENVIRONMENT: &str = "/boot/grub2/grubenv";
/// Vendor of systemd-boot's variables.
const LOADER: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const MAX_ENTRIES: usize = 200;

struct Entry {
    id: String,
    title: String,
    version: String,
}

/// Reads the entries and tells which is started.
pub(super) fn read(reading: &Reading<'_>) -> Known<NextBoot> {
    match find(reading) {
        Ok(known) => known,
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Known<NextBoot>, Unread> {
    let Some(names) = reading.list(ENTRIES)? else {
        return grub_menu::read(reading);
    };
    let names = names.iter().filter_map(|entry| entry.name.strip_suffix(".conf"));
    let mut entries = vec![];
    for id in names.take(MAX_ENTRIES) {
        if let Some(text) = reading.text(&format!("{ENTRIES}/{id}.conf"))? {
            entries.push(Entry {
                id: id.to_owned(),
                title: value(&text, "title"),
                version: value(&text, "version"),
            });
        }
    }
    entries.order_by(newest_first);
    let saved = match reading.text(ENVIRONMENT)? {
        Some(environment) => environment
            .lines()
            .find_map(|line| line.strip_prefix("saved_entry="))
            .map(|saved| saved.trim().to_owned()),
        None => systemd_boot(reading)?,
    };
    let saved = saved.as_deref().filter(|saved| !saved.is_empty());
    if saved.is_some_and(|saved| saved.starts_with('@')) {
        let detail = "the default is the entry that was started last, which only the firmware knows";
        return Ok(not_known(Outcome::Unsupported, detail.to_owned()));
    }
    let found = match saved {
        None => entries.first(),
        Some(saved) => {
            let named = entries.iter().find(|entry| is(entry, saved));
            // A number counts from the newest. A name that there is no longer means the first as well.
            named
                .or_else(|| entries.get(saved.parse::<usize>().ok()?))
                .or_else(|| entries.first())
        }
    };
    Ok(match found {
        None => not_known(Outcome::Absent, format!("{ENTRIES}: there is no entry in it")),
        Some(entry) => Known::Observed(NextBoot {
            entry: entry.id.clone(),
            release: entry.version.clone(),
            chosen: saved.is_some_and(|saved| is(entry, saved) || saved.parse::<usize>().is_ok()),
        }),
    })
}

/// Whether an entry is the one that a default names; systemd-boot takes patterns and `.conf` at the end.
fn is(entry: &Entry, default: &str) -> bool {
    let pattern = default.strip_suffix(".conf").unwrap_or(default);
    entry.title == default || entry.id == default || patterns::matches(&entry.id, pattern)
}

/// systemd-boot's default (systemd-boot(7), loader.conf(5)): that for one boot, that of the firmware's variable, that of
/// its file.
fn systemd_boot(reading: &Reading<'_>) -> Result<Option<String>, Unread> {
    for name in ["LoaderEntryOneShot", "LoaderEntryDefault"] {
        let path = format!("/sys/firmware/efi/efivars/{name}-{LOADER}");
        // Four bytes of attributes, then UTF-16 with a zero at its end.
        let bytes = reading.volatile_bytes(&path)?.unwrap_or_default();
        let units = bytes
            .get(4..)
            .unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [low, high] => Some(u16::from_le_bytes([*low, *high])),
                _ => None,
            });
        let text: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        if !text.is_empty() {
            return Ok(Some(String::from_utf16_lossy(&text)));
        }
    }
    let conf = reading.text("/boot/loader/loader.conf")?.unwrap_or_default();
    Ok(Some(value(&conf, "default")))
}

fn newest_first(a: &Entry, b: &Entry) -> Ordering {
    // Rescue entries come last, as their names make them do for GRUB.
    let rescue = |entry: &Entry| entry.id.contains("rescue");
    rescue(a)
        .cmp(&rescue(b))
        .then_with(|| rpm_version::part(&b.version, &a.version))
        .then_with(|| rpm_version::part(&b.id, &a.id))
        .then_with(|| b.id.cmp(&a.id))
}

/// The value of a key: the rest of its line.
fn value(text: &str, key: &str) -> String {
    let mut lines = text.lines().map(str::trim_start);
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix([' ', '\t']));
    value.unwrap_or_default().trim().to_owned()
}

fn not_known(outcome: Outcome, detail: String) -> Known<NextBoot> {
    Known::Not(NotKnown { outcome, detail })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn host() -> Captured {
        let entry =
            |version: &str| format!("title Fedora Linux ({version})\nversion {version}\nlinux /vmlinuz-{version}\n");
        Captured::default()
            .file(
                "/boot/loader/entries/0123-6.9.0-1.fc42.x86_64.conf",
                entry("6.9.0-1.fc42.x86_64"),
            )
            .file(
                "/boot/loader/entries/0123-6.14.0-63.fc42.x86_64.conf",
                entry("6.14.0-63.fc42.x86_64"),
            )
            .file(
                "/boot/loader/entries/0123-0-rescue.conf",
                "title rescue\nversion 0-rescue-0123\n",
            )
    }

    fn next(host: &Captured) -> (String, bool) {
        let known = read(&testing(host));
        let next = known.value().expect("it is known");
        (next.release.clone(), next.chosen)
    }

    #[test]
    fn the_newest_or_the_saved_one() {
        assert_eq!(next(&host()), ("6.14.0-63.fc42.x86_64".into(), false));
        for (saved, release, chosen) in [
            ("0123-6.9.0-1.fc42.x86_64", "6.9.0-1.fc42.x86_64", true),
            ("Fedora Linux (6.9.0-1.fc42.x86_64)", "6.9.0-1.fc42.x86_64", true),
            ("0", "6.14.0-63.fc42.x86_64", true),
            ("1", "6.9.0-1.fc42.x86_64", true),
            ("gone", "6.14.0-63.fc42.x86_64", false),
            ("", "6.14.0-63.fc42.x86_64", false),
        ] {
            let block = format!("# GRUB Environment Block\nsaved_entry={saved}\nboot_success=1\n#######");
            assert_eq!(
                next(&host().file(ENVIRONMENT, block)),
                (release.into(), chosen),
                "{saved}"
            );
        }
    }

    #[test]
    fn the_default_of_systemd_boot() {
        let conf = |default: &str| host().file("/boot/loader/loader.conf", format!("timeout 3\ndefault {default}\n"));
        let old = ("6.9.0-1.fc42.x86_64".to_owned(), true);
        assert_eq!(next(&conf("0123-6.9*")), old);
        assert_eq!(next(&conf("0123-6.9.0-1.fc42.x86_64.conf")), old);
        assert_eq!(next(&conf("gone")), ("6.14.0-63.fc42.x86_64".to_owned(), false));
        let variable = |name: &str, text: &str| {
            let units = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
            let bytes: Vec<u8> = [7, 0, 0, 0].into_iter().chain(units).collect();
            conf("0123-6.14*").file(&format!("/sys/firmware/efi/efivars/{name}-{LOADER}"), bytes)
        };
        assert_eq!(
            next(&variable("LoaderEntryDefault", "0123-6.9.0-1.fc42.x86_64.conf")),
            old
        );
        assert_eq!(next(&variable("LoaderEntryOneShot", "0123-6.9.0-1.fc42.x86_64")), old);
        assert!(matches!(read(&testing(&conf("@saved"))), Known::Not(why) if why.outcome == Outcome::Unsupported));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let outcome = |host: &Captured| match read(&testing(host)) {
            Known::Observed(next) => panic!("{next:?}"),
            Known::Not(why) => why.outcome,
        };
        assert_eq!(outcome(&Captured::default()), Outcome::Absent);
        assert_eq!(outcome(&Captured::default().folder(ENTRIES)), Outcome::Absent);
        assert_eq!(
            outcome(&host().denied("/boot/loader/entries/0123-0-rescue.conf")),
            Outcome::Denied
        );
        assert_eq!(outcome(&host().denied(ENVIRONMENT)), Outcome::Denied);
    }

    proptest! {
        #[test]
        fn any_text(text in "(version|title|\\PC| |\n){0,20}", saved in "\\PC{0,20}") {
            let host = host().file("/boot/loader/entries/a.conf", text).file(ENVIRONMENT, format!("saved_entry={saved}\n"));
            read(&testing(&host));
        }
    }
}
