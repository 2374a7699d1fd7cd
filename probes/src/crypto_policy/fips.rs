//! FIPS mode: the kernel's, now and after the next boot.

use evidence::facts::Outcome;

use super::facts::{BootFile, BootLines, Fips};
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread, globs};

const ENABLED: &str = "/proc/sys/crypto/fips_enabled";
const CMDLINE: &str = "/proc/cmdline";
/// More boot entries than a machine keeps kernels.
const MAX_ENTRIES: usize = 100;

/// How command lines stand in a file.
#[derive(Clone, Copy)]
enum Form {
    /// `linux /vmlinuz… root=… fips=1` (grub.cfg).
    Grub,
    /// `options root=… fips=1` (Boot Loader Specification).
    Entry,
    /// `GRUB_CMDLINE_LINUX="… fips=1"`: one command line of several settings.
    Defaults,
    /// `kernelopts=…` (grubenv); without it the file gives none.
    Environment,
    /// The whole file.
    Whole,
}

const FILES: [(&str, Form); 8] = [
    ("/boot/grub/grub.cfg", Form::Grub),
    ("/boot/grub2/grub.cfg", Form::Grub),
    ("/boot/efi/EFI/*/grub.cfg", Form::Grub),
    ("/boot/loader/entries/*.conf", Form::Entry),
    ("/boot/efi/loader/entries/*.conf", Form::Entry),
    ("/boot/grub2/grubenv", Form::Environment),
    ("/etc/default/grub", Form::Defaults),
    ("/etc/kernel/cmdline", Form::Whole),
];

pub(super) fn read(reading: &Reading<'_>) -> Fips {
    Fips {
        kernel: match reading.attribute(ENABLED) {
            Ok(Some(value)) => match value.trim() {
                "0" => Known::Observed(false),
                "1" => Known::Observed(true),
                _ => not(Outcome::Malformed, &format!("{ENABLED}: neither 0 nor 1")),
            },
            Ok(None) => not(Outcome::Absent, &format!("{ENABLED} is not there")),
            Err(unread) => Known::unread(&unread),
        },
        booted_with: match reading.volatile(CMDLINE) {
            Ok(Some(line)) => Known::Observed(asks(&line)),
            Ok(None) => not(Outcome::Absent, &format!("{CMDLINE} is not there")),
            Err(unread) => Known::unread(&unread),
        },
        boot_files: boot_files(reading),
        initramfs: match initramfs(reading) {
            Ok(value) => Known::Observed(value),
            Err(unread) => Known::unread(&unread),
        },
    }
}

fn not<T>(outcome: Outcome, detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome,
        detail: detail.to_owned(),
    })
}

/// Whether a command line asks for FIPS mode: the kernel takes the last `fips=`, and no blank around the sign.
fn asks(line: &str) -> bool {
    let words = line.split_ascii_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let last = words.filter_map(|word| word.strip_prefix("fips=")).next_back();
    last.is_some_and(|value| value.parse::<i64>().is_ok_and(|value| value != 0))
}

fn boot_files(reading: &Reading<'_>) -> Vec<BootFile> {
    let mut files = vec![];
    for (pattern, form) in FILES {
        let paths = match globs::files(reading, pattern, MAX_ENTRIES) {
            Ok(paths) => paths,
            Err(unread) => {
                files.push(BootFile {
                    path: pattern.to_owned(),
                    lines: Known::unread(&unread),
                });
                continue;
            }
        };
        for path in paths {
            let lines = match reading.file(&path) {
                Ok(Some(bytes)) => lines(&String::from_utf8_lossy(&bytes), form).map(Known::Observed),
                Ok(None) => None,
                Err(unread) => Some(Known::unread(&unread)),
            };
            files.extend(lines.map(|lines| BootFile { path, lines }));
        }
    }
    files.order_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Counts the command lines; `None` if the file gives none.
fn lines(text: &str, form: Form) -> Option<BootLines> {
    let first = |line: &str, words: &[&str]| {
        let word = line.split_ascii_whitespace().next().unwrap_or_default();
        words.contains(&word)
    };
    let mut found: Vec<String> = vec![];
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        match form {
            Form::Grub if first(line, &["linux", "linux16", "linuxefi"]) => found.push(line.to_owned()),
            Form::Entry if first(line, &["options"]) => found.push(line.to_owned()),
            Form::Environment => found.extend(line.strip_prefix("kernelopts=").map(str::to_owned)),
            Form::Whole => found.push(line.to_owned()),
            Form::Defaults => {
                let setting = ["GRUB_CMDLINE_LINUX=", "GRUB_CMDLINE_LINUX_DEFAULT="];
                found.extend(
                    setting
                        .iter()
                        .find_map(|name| line.strip_prefix(name))
                        .map(str::to_owned),
                );
            }
            Form::Grub | Form::Entry => {}
        }
    }
    if matches!(form, Form::Defaults | Form::Whole) {
        found = vec![found.join(" ")];
    }
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (!found.is_empty()).then(|| BootLines {
        total: count(found.len()),
        with_fips: count(found.iter().filter(|line| asks(line)).count()),
    })
}

/// dracut is told by `add_dracutmodules+=" fips "` (fips-mode-setup(8)), or was by `/etc/system-fips`.
fn initramfs(reading: &Reading<'_>) -> Result<bool, Unread> {
    if reading.stat("/etc/system-fips")?.is_some() {
        return Ok(true);
    }
    for path in globs::files(reading, "/etc/dracut.conf.d/*.conf", MAX_ENTRIES)? {
        let text = reading.file(&path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let adds = |line: &str| {
            let value = line.trim().strip_prefix("add_dracutmodules")?;
            let words = value.split([' ', '"', '\'', '=', '+']);
            words.into_iter().any(|word| word == "fips").then_some(())
        };
        if text.lines().any(|line| adds(line).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_that_ask_for_it() {
        assert!(asks("root=/dev/sda1 fips=1 quiet") && asks("\"fips=1\"") && asks("fips=0 fips=1"));
        assert!(!asks("root=x") && !asks("fips=1 fips=0") && !asks("xfips=1") && !asks("fips") && !asks("fips=on"));
    }
}
