//! Where a shell of root looks for programs, and its umask: login.defs(5), pam_env(7), bash(1), and the files of root's home.

use std::collections::BTreeMap;

use super::facts::{FolderAccess, RootShell, SearchFolder};
use super::shell::{self, Script};
use crate::accounts::login_defs::{self, LoginDefs};
use crate::accounts::records::masked;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Settings of login(1) and su(1) for root, which begin with `PATH=` or not.
const SETTINGS: [&str; 2] = ["ENV_ROOTPATH", "ENV_SUPATH"];
const ENVIRONMENT: &str = "/etc/environment";
/// Files in root's home: of bash, of sh, and of zsh.
const HOME_FILES: [&str; 9] = [
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".bashrc",
    ".bash_aliases",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
];
/// Files in all, with those that others read as parts of themselves.
const MAX_FILES: usize = 500;
const MAX_FOLDERS: usize = 100;
const MAX_LINES: usize = 100;

/// `scripts` are those of all shells.
pub(super) fn read(reading: &Reading<'_>, scripts: &[Script]) -> Result<RootShell, Unread> {
    let mut search = Search {
        home: home(reading)?,
        folders: BTreeMap::new(),
        complete: true,
    };
    let mut files = vec![];
    if let Some(defs) = LoginDefs::read(reading)? {
        for setting in SETTINGS {
            if let Some(value) = defs.values.get(setting) {
                let value = value.strip_prefix("PATH=").unwrap_or(value);
                search.assigned(
                    value,
                    &format!(
                        "{}:{setting}",
                        defs.files.first().map_or(login_defs::FILE, String::as_str)
                    ),
                );
            }
        }
        files.extend(defs.files);
    }
    let own = HOME_FILES.map(|name| format!("{}/{name}", search.home.trim_end_matches('/')));
    let mut waiting = vec![ENVIRONMENT.to_owned()];
    waiting.extend(scripts.iter().map(|script| script.path.clone()).chain(own.clone()));
    let mut umask = vec![];
    let mut at = 0;
    while let Some(path) = waiting.get(at).cloned() {
        at += 1;
        let is_own = own.contains(&path);
        let shown = masked(&path);
        let read;
        let text = if let Some(script) = scripts.iter().find(|script| script.path == path) {
            &script.text
        } else {
            let bytes = if path.starts_with("/etc/") {
                reading.file(&path)?
            } else {
                reading.private(&path, &shown)?
            };
            let Some(bytes) = bytes else { continue };
            read = String::from_utf8_lossy(&bytes).into_owned();
            &read
        };
        shell::commands_of(text, &mut |words, line, conditional| {
            search.command(words, &format!("{shown}:{line}"));
            if let [dot, file, ..] = words
                && matches!(dot.as_str(), "." | "source")
            {
                search.sourced(file, &path, &mut waiting);
            }
            if is_own && umask.len() < MAX_LINES {
                umask.extend(shell::umask(words, &shown, line, conditional));
            }
        });
        files.push(shown);
    }
    let complete = search.complete && search.folders.len() <= MAX_FOLDERS;
    let folders = search.folders.into_iter().take(MAX_FOLDERS);
    let mut search_path: Vec<_> = folders
        .map(|(folder, place)| search_folder(reading, &folder, place))
        .collect();
    // Folders of several homes look the same once they are written `*`.
    search_path.dedup_by(|one, other| one.folder == other.folder && one.access == other.access);
    Ok(RootShell {
        files,
        search_path,
        search_path_complete: complete,
        umask,
    })
}

/// Root's home by `/etc/passwd`.
fn home(reading: &Reading<'_>) -> Result<String, Unread> {
    let passwd = reading.volatile_bytes("/etc/passwd")?.unwrap_or_default();
    let passwd = String::from_utf8_lossy(&passwd);
    let mut entries = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let root = entries.find_map(|fields| match fields[..] {
        [_, _, "0", _, _, home, ..] if home.starts_with('/') => Some(home.to_owned()),
        _ => None,
    });
    Ok(root.unwrap_or_else(|| "/root".to_owned()))
}

/// Folders by name, each with the first place that names it.
struct Search {
    home: String,
    folders: BTreeMap<String, String>,
    complete: bool,
}

impl Search {
    fn command(&mut self, words: &[String], place: &str) {
        // A function of /etc/profile in the RPM family.
        if let [function, folder, ..] = words
            && function == "pathmunge"
        {
            return self.folder(folder, place);
        }
        // What a command prints may hold blanks, and then the words are no assignments.
        let worked_out = |word: &String| word.starts_with("PATH=") && word.contains(['`', '(']);
        if words.iter().any(worked_out) {
            self.complete = false;
            return;
        }
        for word in shell::assignments(words) {
            // What is added to a path begins with the colon between them.
            let added = word
                .strip_prefix("PATH+=")
                .map(|value| value.strip_prefix(':').unwrap_or(value));
            if let Some(value) = word.strip_prefix("PATH=").or(added) {
                self.assigned(value, place);
            }
        }
    }

    /// A file that another reads as a part of itself.
    fn sourced(&mut self, file: &str, by: &str, waiting: &mut Vec<String>) {
        let file = self.with_home(file);
        match () {
            () if waiting.contains(&file) => {}
            () if file.starts_with('/') && !file.contains(['$', '`', '*']) && waiting.len() < MAX_FILES => {
                waiting.push(file);
            }
            // The loop over /etc/profile.d, whose files are read anyway.
            () if by.starts_with("/etc/") && file.starts_with('$') => {}
            () => self.complete = false,
        }
    }

    fn with_home(&self, path: &str) -> String {
        let rest = ["~", "$HOME", "${HOME}"]
            .iter()
            .find_map(|home| path.strip_prefix(home));
        match rest {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                format!("{}{rest}", self.home.trim_end_matches('/'))
            }
            _ => path.to_owned(),
        }
    }

    fn assigned(&mut self, value: &str, place: &str) {
        // What stands only if there is a path already.
        let value = [
            "${PATH:+:${PATH}}",
            "${PATH:+:$PATH}",
            "${PATH:+${PATH}:}",
            "${PATH:+$PATH:}",
        ]
        .iter()
        .fold(value.to_owned(), |value, already| value.replace(already, ""));
        for part in value.split(':') {
            match part {
                "$PATH" | "${PATH}" => {}
                part => self.folder(part, place),
            }
        }
    }

    fn folder(&mut self, part: &str, place: &str) {
        let folder = self.with_home(part);
        if folder.contains(['$', '`', '~', '*']) {
            self.complete = false;
            return;
        }
        self.folders.entry(folder).or_insert_with(|| place.to_owned());
    }
}

fn search_folder(reading: &Reading<'_>, folder: &str, place: String) -> SearchFolder {
    let relative = !folder.starts_with('/');
    let stat = if relative {
        Ok(None)
    } else {
        reading.private_stat(folder, &masked(folder))
    };
    let access = stat.map(|stat| {
        stat.map(|stat| FolderAccess {
            uid: stat.uid,
            gid: stat.gid,
            mode: format!("{:04o}", stat.mode),
            writable_by_others: stat.mode & 0o022 != 0,
        })
    });
    SearchFolder {
        folder: masked(folder),
        relative,
        place,
        access: Known::of(access, "the folder"),
    }
}

#[cfg(test)]
mod tests {
    use evidence::facts::Outcome;
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::{Kind, captured, testing};

    fn root(host: &Captured) -> RootShell {
        let reading = testing(host);
        read(&reading, &shell::scripts(&reading).unwrap()).unwrap()
    }

    fn folders(shell: &RootShell) -> Vec<&str> {
        shell.search_path.iter().map(|one| one.folder.as_str()).collect()
    }

    #[test]
    fn every_place_that_sets_the_path() {
        let host = Captured::default()
            .file("/etc/passwd", "toor:x:0:0::/srv/root:/bin/sh\n")
            .file("/etc/login.defs", "ENV_SUPATH\tPATH=/usr/sbin:/usr/bin\n")
            .file("/etc/environment", "PATH=\"/snap/bin:/usr/bin\"\n")
            .file("/etc/profile", "if true; then\n  PATH='/usr/local/sbin'\nelse\n  PATH=\"/usr/games\"\nfi\nexport PATH\npathmunge /opt/a after\n")
            .file("/srv/root/.profile", "PATH=\"$HOME/bin:${PATH:+:${PATH}}\"; export PATH=$PATH:/home/anna/bin\numask 077\n")
            .file("/srv/root/.bashrc", "PATH=x PATH=y make\necho PATH=/no\nPATH+=:/opt/b\n# PATH=/never\n")
            .stat_of("/home/anna/bin", captured::stat(Kind::Folder, 0o775, 1000, 1000));
        let shell = root(&host);
        let expected = [
            "",
            "/home/*",
            "/opt/a",
            "/opt/b",
            "/snap/bin",
            "/srv/root/bin",
            "/usr/bin",
            "/usr/games",
            "/usr/local/sbin",
            "/usr/sbin",
        ];
        assert_eq!(folders(&shell), expected);
        assert!(shell.search_path_complete);
        let [empty, home, ..] = &shell.search_path[..] else {
            panic!()
        };
        assert!(empty.relative && empty.place == "/srv/root/.profile:1", "{empty:?}");
        let access = home.access.value().unwrap();
        assert_eq!(
            (access.uid, access.mode.as_str(), access.writable_by_others),
            (1000, "0775", true)
        );
        assert_eq!(shell.umask[0].mask.as_deref(), Some("0077"));
        assert_eq!(shell.files.len(), 5);
        let host = host
            .file(
                "/srv/root/.bashrc",
                "[ -r x ] && . \"$HOME/env\"\n. ~/.profile\n. /none\n",
            )
            .file("/srv/root/env", "PATH=/opt/c:$PATH\nsource /srv/root/env\n")
            .file("/etc/profile", "for i in /etc/profile.d/*.sh; do . $i; done\n");
        let shell = root(&host);
        assert!(
            folders(&shell).contains(&"/opt/c") && shell.search_path_complete,
            "{shell:?}"
        );
    }

    #[test]
    fn what_shows_only_when_it_runs_is_said() {
        for line in [
            ". $OTHER/env",
            "source env",
            "PATH=$(getconf PATH):/x",
            "PATH=`a b`",
            "export PATH=$OTHER/bin:/x",
            "PATH=~anna/bin",
        ] {
            let shell = root(&Captured::default().file("/root/.profile", line));
            assert!(!shell.search_path_complete, "{line}");
        }
        let shell = root(&Captured::default().file("/root/.profile", "PATH='/a b':.\n"));
        assert_eq!((folders(&shell), shell.search_path_complete), (vec![".", "/a b"], true));
        let denied = Captured::default().denied("/root/.bashrc");
        assert_eq!(read(&testing(&denied), &[]).unwrap_err().outcome(), Outcome::Denied);
    }

    proptest! {
        #[test]
        fn any_script_is_read_without_panic(words in proptest::collection::vec("(PATH=|PATH\\+=|export|:|\\$|\\{|\\}|~|/a|`|;|\n|'|\"|pathmunge)", 0..40)) {
            root(&Captured::default().file("/root/.profile", words.join(" ")).file("/etc/environment", words.concat()));
        }
    }
}
