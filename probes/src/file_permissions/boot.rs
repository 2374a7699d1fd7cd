//! Whether the boot loader asks for a password.

use super::facts::{Grub, GrubPassword, SystemdBoot};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Where GRUB's configuration lies; the first that is there counts. On EFI systems a file below `/boot/efi` leads here.
const GRUB: [&str; 3] = ["/boot/grub2", "/boot/grub", "/grub"];
const LOADERS: [&str; 3] = [
    "/boot/loader/loader.conf",
    "/efi/loader/loader.conf",
    "/boot/efi/loader/loader.conf",
];

/// GRUB's configuration. The files hold hashes, so that their digests stay here.
pub(super) fn grub(reading: &Reading<'_>) -> Known<Grub> {
    for folder in GRUB {
        match files(reading, folder) {
            Ok(None) => {}
            Ok(Some((path, text, user))) => return Known::Observed(of(&path, &text, &user)),
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::absent(format!("there is no grub.cfg in {}", GRUB.join(", ")))
}

/// The path of the configuration, its text with that of `custom.cfg` where it reads that, and `user.cfg`.
fn files(reading: &Reading<'_>, folder: &str) -> Result<Option<(String, String, String)>, Unread> {
    let read = |name: &str| {
        let path = format!("{folder}/{name}");
        let bytes = reading.private(&path, &path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let Some(mut text) = read("grub.cfg")? else {
        return Ok(None);
    };
    // `41_custom` of grub-mkconfig(8).
    if text.contains("/custom.cfg") {
        text += "\n";
        text += &read("custom.cfg")?.unwrap_or_default();
    }
    Ok(Some((
        format!("{folder}/grub.cfg"),
        text,
        read("user.cfg")?.unwrap_or_default(),
    )))
}

fn of(path: &str, text: &str, user: &str) -> Grub {
    let in_user = user.lines().any(|line| {
        let value = line.trim().strip_prefix("GRUB2_PASSWORD=");
        value.is_some_and(|value| !value.trim_matches(['"', '\'']).is_empty())
    });
    let mut grub = Grub {
        path: path.to_owned(),
        superusers: false,
        password: GrubPassword::None,
        entries: 0,
        unrestricted_entries: 0,
    };
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(word) = words.next() else { continue };
        let password = match word {
            "password_pbkdf2" => {
                // What grub2-setpassword(8) writes is set from the other file.
                let from_user = words.nth(1).is_some_and(|hash| hash.contains("GRUB2_PASSWORD"));
                match (from_user, in_user) {
                    (false, _) => GrubPassword::Hashed,
                    (true, true) => GrubPassword::HashedInUserCfg,
                    (true, false) => GrubPassword::None,
                }
            }
            "password" => GrubPassword::Clear,
            "set" => {
                let value = words.next().and_then(|word| word.strip_prefix("superusers="));
                let named = value.is_some_and(|value| !value.trim_matches(['"', '\'']).is_empty());
                grub.superusers |= named;
                continue;
            }
            "menuentry" | "submenu" => {
                grub.entries += 1;
                grub.unrestricted_entries += u32::from(words.any(|word| word == "--unrestricted"));
                continue;
            }
            _ => continue,
        };
        grub.password = grub.password.max(password);
    }
    // grub2-setpassword(8)'s `superusers` stands within a condition that there is a password.
    if text.contains("${GRUB2_PASSWORD}") && grub.password == GrubPassword::None {
        grub.superusers = false;
    }
    grub
}

/// systemd-boot's configuration, loader.conf(5).
pub(super) fn systemd_boot(reading: &Reading<'_>) -> Known<SystemdBoot> {
    for path in LOADERS {
        match reading.file(path) {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                let text = String::from_utf8_lossy(&bytes);
                let editor = text.lines().rev().find_map(|line| {
                    let mut words = line.split_ascii_whitespace();
                    (words.next() == Some("editor")).then(|| words.next().unwrap_or_default().to_ascii_lowercase())
                });
                let off = |value: &str| matches!(value, "0" | "no" | "n" | "false" | "f" | "off");
                return Known::Observed(SystemdBoot {
                    editor: !editor.as_deref().is_some_and(off),
                });
            }
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::absent(format!("none of {} is there", LOADERS.join(", ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETPASSWORD: &str = "if [ -f ${prefix}/user.cfg ]; then\n  source ${prefix}/user.cfg\n  if [ -n \"${GRUB2_PASSWORD}\" ]; then\n    \
        set superusers=\"root\"\n    export superusers\n    password_pbkdf2 root ${GRUB2_PASSWORD}\n  fi\nfi\n\
        menuentry 'Fedora' --class fedora --unrestricted {\n}\nmenuentry 'Rescue' {\n}\n";

    #[test]
    fn passwords() {
        let grub = of("/x", SETPASSWORD, "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.AB.CD\n");
        assert_eq!((grub.superusers, grub.password), (true, GrubPassword::HashedInUserCfg));
        assert_eq!((grub.entries, grub.unrestricted_entries), (2, 1));
        let grub = of("/x", SETPASSWORD, "");
        assert_eq!((grub.superusers, grub.password), (false, GrubPassword::None));
        let own = "set superusers=\"admin\"\npassword_pbkdf2 admin grub.pbkdf2.sha512.1.A.B\n";
        let grub = of("/x", own, "");
        assert_eq!((grub.superusers, grub.password), (true, GrubPassword::Hashed));
        let clear = of("/x", &format!("{own}password bob secret\n"), "");
        assert_eq!(clear.password, GrubPassword::Clear);
        let commented = of("/x", "#set superusers=\"x\"\n# password x y\nset superusers=\"\"\n", "");
        assert_eq!((commented.superusers, commented.password), (false, GrubPassword::None));
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,60}", near in "(set superusers=|password|menuentry|password_pbkdf2 x| |\n|\"|[a-z]){0,12}") {
            of("/x", &text, &near);
            of("/x", &near, &text);
        }
    }
}
