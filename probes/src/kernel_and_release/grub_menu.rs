//! What GRUB starts next where its menu is written into `grub.cfg`, as grub-mkconfig(8) does: the default, and the kernel of
//! that entry.
//!
//! Source: the GRUB manual (*Simple configuration handling*, *The GRUB environment block*), `00_header` of grub-mkconfig.

use evidence::facts::Outcome;

use super::facts::NextBoot;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Its configuration, the environment block, and a file that is read if it is there.
const PLACES: [(&str, &str, &str); 2] = [
    ("/boot/grub/grub.cfg", "/boot/grub/grubenv", "/boot/grub/custom.cfg"),
    ("/boot/grub2/grub.cfg", "/boot/grub2/grubenv", "/boot/grub2/custom.cfg"),
];
/// More entries than a menu has.
const MAX_ENTRIES: usize = 1_000;
const MAX_DEPTH: usize = 16;

/// An entry, or a menu below another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    title: String,
    id: String,
    /// The kernel's file; empty for a menu.
    kernel: String,
    below: Vec<Entry>,
}

/// Reads the menu; `absent` if there is none.
pub(super) fn read(reading: &Reading<'_>) -> Result<Known<NextBoot>, Unread> {
    for (path, environment, own) in PLACES {
        // Passwords may be in it, as hashes.
        let Some(bytes) = reading.private(path, path)? else {
            continue;
        };
        if reading.stat(own)?.is_some() {
            let detail = format!("{own} can change the menu and its default");
            return Ok(Known::not(Outcome::Unsupported, detail));
        }
        let environment = reading.text(environment)?.unwrap_or_default();
        return Ok(choose(&String::from_utf8_lossy(&bytes), &environment)
            .unwrap_or_else(|why| Known::not(Outcome::Unsupported, format!("{path}: {why}"))));
    }
    Ok(Known::absent(
        "there are neither entries in /boot/loader/entries nor a menu of GRUB",
    ))
}

fn choose(text: &str, environment: &str) -> Result<Known<NextBoot>, &'static str> {
    let variable = |name: &str| {
        let mut lines = environment.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(str::trim).filter(|value| !value.is_empty())
    };
    let menu = menu(text)?;
    let mut written = "0";
    for line in text.lines() {
        // Written for one boot alone, or for every one.
        if let Some(value) = line.trim().strip_prefix("set default=")
            && !value.contains("next_entry")
        {
            written = value.trim_matches(['"', '\'']);
        }
    }
    let once = text.contains("next_entry").then(|| variable("next_entry")).flatten();
    let default = match once {
        Some(once) => once,
        None if written == "${saved_entry}" => variable("saved_entry").unwrap_or("0"),
        None if written.contains('$') => return Err("the default depends on a variable that is not known here"),
        None => written,
    };
    let Some(entry) = find(&menu, default).or_else(|| menu.first()) else {
        return Err("there is no entry in it");
    };
    if !entry.below.is_empty() || entry.kernel.is_empty() {
        return Err("its default starts no kernel of Linux");
    }
    let file = entry.kernel.rsplit('/').next().unwrap_or_default();
    let release = ["vmlinuz-", "vmlinux-", "kernel-", "Image-"]
        .iter()
        .find_map(|prefix| file.strip_prefix(prefix));
    Ok(Known::Observed(NextBoot {
        entry: if entry.id.is_empty() {
            entry.title.clone()
        } else {
            entry.id.clone()
        },
        release: release.unwrap_or_default().to_owned(),
        chosen: default != "0",
    }))
}

/// `TITLE`, `ID` or a number, and with `>` an entry of a menu below.
fn find<'m>(menu: &'m [Entry], default: &str) -> Option<&'m Entry> {
    let (first, rest) = default
        .split_once('>')
        .map_or((default, None), |(first, rest)| (first, Some(rest)));
    let named = |entry: &&Entry| entry.title == first || (!entry.id.is_empty() && entry.id == first);
    let entry = match first.parse::<usize>() {
        Ok(number) => menu.get(number),
        Err(_) => menu.iter().find(named),
    }?;
    match rest {
        Some(rest) => find(&entry.below, rest),
        None => Some(entry),
    }
}

/// The entries: `menuentry` and `submenu` with their blocks, which grub-mkconfig begins and ends on lines of their own.
fn menu(text: &str) -> Result<Vec<Entry>, &'static str> {
    /// What a block that is open belongs to.
    enum Open {
        Entry(Entry),
        Other,
    }
    let mut top = vec![];
    let mut open: Vec<Open> = vec![];
    let mut count = 0;
    for line in text.lines().map(str::trim) {
        if line.ends_with('{') && !line.starts_with('#') {
            if open.len() >= MAX_DEPTH || count >= MAX_ENTRIES {
                return Err("a menu of more entries or deeper than one is");
            }
            count += 1;
            open.push(entry(line).map_or(Open::Other, Open::Entry));
        } else if line == "}" {
            if let Some(Open::Entry(done)) = open.pop() {
                let above = open.iter_mut().rev().find_map(|open| match open {
                    Open::Entry(entry) => Some(&mut entry.below),
                    Open::Other => None,
                });
                above.unwrap_or(&mut top).push(done);
            }
        } else if let Some(Open::Entry(entry)) = open.last_mut() {
            let mut words = line.split_ascii_whitespace();
            if matches!(words.next(), Some("linux" | "linux16" | "linuxefi")) && entry.kernel.is_empty() {
                words.next().unwrap_or_default().clone_into(&mut entry.kernel);
            }
        }
    }
    Ok(top)
}

fn entry(line: &str) -> Option<Entry> {
    let words = line
        .strip_prefix("menuentry")
        .or_else(|| line.strip_prefix("submenu"))?;
    let words = words.starts_with([' ', '\t']).then(|| quoted(words))?;
    let at = words
        .iter()
        .position(|word| matches!(word.as_str(), "$menuentry_id_option" | "--id"));
    Some(Entry {
        title: words.first()?.clone(),
        id: at.and_then(|at| words.get(at + 1)).cloned().unwrap_or_default(),
        ..Entry::default()
    })
}

/// Words, with quotes taken off; a quote in single quotes is written `'\''`.
fn quoted(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = None::<String>;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    /// What grub-mkconfig of Debian 12 writes for two kernels, less what sets up devices and graphics.
    const DEBIAN: &str = "if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n\
        if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n   save_env next_entry\n\
        \x20  set boot_once=true\nelse\n   set default=\"0\"\nfi\nfunction savedefault {\n  if [ -z \"${boot_once}\" ]; then\n\
        \x20   saved_entry=\"${chosen}\"\n    save_env saved_entry\n  fi\n}\n\
        menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1-2' {\n\tload_video\n\
        \tlinux\t/boot/vmlinuz-6.1.0-40-amd64 root=UUID=1-2 ro quiet\n\tinitrd\t/boot/initrd.img-6.1.0-40-amd64\n}\n\
        submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1-2' {\n\
        \tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-40-amd64' --class os $menuentry_id_option 'gnulinux-6.1.0-40-amd64-advanced-1-2' {\n\
        \t\tlinux\t/boot/vmlinuz-6.1.0-40-amd64 root=UUID=1-2 ro quiet\n\t}\n\
        \tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-28-amd64' $menuentry_id_option 'gnulinux-6.1.0-28-amd64-advanced-1-2' {\n\
        \t\tlinux\t/boot/vmlinuz-6.1.0-28-amd64 root=UUID=1-2 ro quiet\n\t}\n}\n\
        menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {\n\tfwsetup\n}\n";

    fn next(text: &str, environment: &str) -> (String, bool) {
        match choose(text, environment) {
            Ok(Known::Observed(next)) => (next.release, next.chosen),
            Ok(Known::Not(why)) => (why.detail, false),
            Err(why) => (why.to_owned(), false),
        }
    }

    #[test]
    fn the_default_and_others() {
        let newest = ("6.1.0-40-amd64".to_owned(), false);
        assert_eq!(next(DEBIAN, ""), newest);
        let default = |default: &str| DEBIAN.replace("set default=\"0\"", &format!("set default=\"{default}\""));
        let old = ("6.1.0-28-amd64".to_owned(), true);
        assert_eq!(next(&default("1>1"), ""), old);
        assert_eq!(
            next(
                &default("gnulinux-advanced-1-2>gnulinux-6.1.0-28-amd64-advanced-1-2"),
                ""
            ),
            old
        );
        let title = "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-28-amd64";
        assert_eq!(next(&default(title), ""), old);
        let saved = default("${saved_entry}");
        assert_eq!(next(&saved, "# GRUB Environment Block\nsaved_entry=1>1\n####"), old);
        assert_eq!(next(&saved, ""), newest);
        // For one boot alone, by grub-reboot(8).
        assert_eq!(next(DEBIAN, "next_entry=1>1\n"), old);
        assert_eq!(next(DEBIAN, "next_entry=\nsaved_entry=1>1\n"), newest);
        // A default that there is not is the first.
        assert_eq!(next(&default("gone"), "").0, newest.0);
        assert!(next(&default("2"), "").0.contains("starts no kernel"));
        assert!(next(&default("1"), "").0.contains("starts no kernel"));
        assert!(next(&default("${x}"), "").0.contains("variable"));
        assert!(next("", "").0.contains("no entry"));
    }

    /// What grub-mkconfig 2.06 of Debian 12 wrote in a folder with two kernels.
    #[test]
    fn as_grub_mkconfig_writes_it() {
        const WRITTEN: &str = include_str!("../../fixtures/kernel-and-release/debian-12/grub.cfg");
        assert_eq!(next(WRITTEN, ""), ("6.1.0-40-amd64".to_owned(), false));
        for default in [
            "1>2",
            "gnulinux-advanced-/dev/vda>gnulinux-6.1.0-28-amd64-advanced-/dev/vda",
        ] {
            let environment = format!("# GRUB Environment Block\nnext_entry={default}\n####");
            assert_eq!(
                next(WRITTEN, &environment),
                ("6.1.0-28-amd64".to_owned(), true),
                "{default}"
            );
        }
    }

    #[test]
    fn what_is_not_there_or_not_readable() {
        let outcome = |host: &Captured| read(&testing(host)).map(|known| known.why().map(|why| why.outcome));
        let host = Captured::default().file("/boot/grub/grub.cfg", DEBIAN);
        assert_eq!(outcome(&host), Ok(None));
        assert_eq!(
            outcome(&host.clone().file("/boot/grub/custom.cfg", "")),
            Ok(Some(Outcome::Unsupported))
        );
        assert_eq!(outcome(&Captured::default()), Ok(Some(Outcome::Absent)));
        assert!(outcome(&host.denied("/boot/grub/grub.cfg")).is_err());
    }

    #[test]
    fn words_of_an_entry() {
        let entry = entry("menuentry 'It'\\''s \"x\"' --id it {").unwrap();
        assert_eq!((entry.title.as_str(), entry.id.as_str()), ("It's \"x\"", "it"));
        assert_eq!(super::entry("menuentryx {"), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "(menuentry|submenu|linux|set default=|[ '\"{}>$a0\n\\\\]){0,80}", environment in "\\PC{0,40}") {
            let _ = choose(&text, &environment);
        }
    }
}
