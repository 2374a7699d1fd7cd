//! Files directly in a home by which others come in or see what they should not.
//!
//! Only known names are looked at: the owner of a home may have any number of others in it.

use super::facts::{HomeFile, HomeFileKind};
use crate::probe::Known;
use crate::reading::{Kind, Reading, Stat, Unread};

/// Sorted by name. Sources: hosts.equiv(5), `.k5login`(5), ftp(1) on `.netrc`, forward files of aliases(5), *Invocation* of
/// bash(1), zsh(1), ksh(1), tcsh(1).
const FILES: [(&str, HomeFileKind); 25] = [
    (".bash_history", HomeFileKind::History),
    (".bash_login", HomeFileKind::Start),
    (".bash_logout", HomeFileKind::Start),
    (".bash_profile", HomeFileKind::Start),
    (".bashrc", HomeFileKind::Start),
    (".cshrc", HomeFileKind::Start),
    (".forward", HomeFileKind::Forward),
    (".history", HomeFileKind::History),
    (".k5login", HomeFileKind::Trust),
    (".kshrc", HomeFileKind::Start),
    (".login", HomeFileKind::Start),
    (".logout", HomeFileKind::Start),
    (".my.cnf", HomeFileKind::Secret),
    (".netrc", HomeFileKind::Secret),
    (".pgpass", HomeFileKind::Secret),
    (".profile", HomeFileKind::Start),
    (".rhosts", HomeFileKind::Trust),
    (".sh_history", HomeFileKind::History),
    (".shosts", HomeFileKind::Trust),
    (".tcshrc", HomeFileKind::Start),
    (".zlogin", HomeFileKind::Start),
    (".zprofile", HomeFileKind::Start),
    (".zsh_history", HomeFileKind::History),
    (".zshenv", HomeFileKind::Start),
    (".zshrc", HomeFileKind::Start),
];

/// Those of the account `uid`, whose home is `home`.
pub(super) fn of(reading: &Reading<'_>, uid: u32, home: &str) -> Known<Vec<HomeFile>> {
    let mut found = vec![];
    for (name, why) in FILES {
        match look(reading, uid, home, name) {
            Ok(Some(stat)) => {
                let file = told(name, why, uid, &stat);
                if is_of_note(&file) {
                    found.push(file);
                }
            }
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(found)
}

fn look(reading: &Reading<'_>, uid: u32, home: &str, name: &str) -> Result<Option<Stat>, Unread> {
    let path = format!("{}/{name}", home.trim_end_matches('/'));
    reading.private_stat_link(&path, &format!("files in the home of uid {uid}"))
}

fn told(name: &str, why: HomeFileKind, uid: u32, stat: &Stat) -> HomeFile {
    let permits = |bits: u32| stat.kind != Kind::Link && stat.mode & bits != 0;
    HomeFile {
        name: name.to_owned(),
        why,
        regular: stat.kind == Kind::File,
        mode: format!("{:04o}", stat.mode),
        owned_by_account: stat.uid == uid || stat.uid == 0,
        writable_by_others: permits(0o022),
        readable_by_others: permits(0o044),
    }
}

fn is_of_note(file: &HomeFile) -> bool {
    let changeable = file.writable_by_others || !file.owned_by_account;
    match file.why {
        HomeFileKind::Trust | HomeFileKind::Secret | HomeFileKind::Forward => true,
        HomeFileKind::Start => changeable,
        HomeFileKind::History => changeable || !file.regular || file.readable_by_others,
    }
}
