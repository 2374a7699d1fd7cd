//! `/etc/passwd`, passwd(5).

use super::records::{self, Entries, TooManyLines, number, printable};

/// An entry, without the comment field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Number of its line, from 1.
    pub(crate) line: u32,
    /// User name.
    pub(crate) name: String,
    /// `x` if the password is in `/etc/shadow`.
    pub(crate) password: Vec<u8>,
    /// Uid.
    pub(crate) uid: u32,
    /// Primary group.
    pub(crate) gid: u32,
    /// Home folder.
    pub(crate) home: String,
    /// Shell; empty for `/bin/sh`.
    pub(crate) shell: String,
}

/// The shell of an account that names none (passwd(5)).
pub(crate) const DEFAULT_SHELL: &str = "/bin/sh";
/// Programs in the place of a shell that let nobody work.
const NO_SHELLS: [&str; 6] = ["false", "halt", "nologin", "shutdown", "sync", "true"];

impl Entry {
    /// Whether the shell lets somebody work.
    pub(crate) fn has_login_shell(&self) -> bool {
        let program = self.shell.rsplit('/').next().unwrap_or(&self.shell);
        !NO_SHELLS.contains(&program)
    }
}

/// Reads the file.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entries<Entry>, TooManyLines> {
    records::read(bytes, |record| {
        let [name, password, uid, gid, _, home, shell] = record.fields.as_slice() else {
            return Err("not seven fields");
        };
        if name.is_empty() {
            return Err("no user name");
        }
        Ok(Entry {
            line: record.line,
            name: printable(name),
            password: password.to_vec(),
            uid: number(uid).ok_or("the uid is not a number")?,
            gid: number(gid).ok_or("the gid is not a number")?,
            home: printable(home),
            shell: printable(shell),
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::records::{BadLine, MAX_LINES};
    use super::*;

    #[test]
    fn entries_and_lines_that_are_none() {
        let text = b"# accounts\nroot:x:0:0:root:/root:/bin/bash\n\n\
            jos\xe9:x:1000:1000:Jos\xe9,,,:/home/jose:/bin/sh\n\
            short:x:1:1::/\nnan:x:-1:1::/:/bin/sh\nblank:x: 0:0::/:/bin/sh\n+::::::\n:x:0:0::/:/bin/sh\n\
            huge:x:4294967296:0::/:/bin/sh\nlast:x:7:7::/:";
        let read = parse(text).unwrap();
        let seen: Vec<_> = read
            .entries
            .iter()
            .map(|entry| (entry.line, entry.name.as_str(), entry.uid))
            .collect();
        assert_eq!(seen, [(2, "root", 0), (4, "jos\\xe9", 1000), (11, "last", 7)]);
        let bad: Vec<_> = read.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [5, 6, 7, 8, 9, 10]);
        let reason = "an entry for NIS (compat mode)";
        assert!(read.bad.contains(&BadLine { line: 8, reason }));
    }

    #[test]
    fn the_number_of_lines_is_bounded() {
        let line = b"a:x:1:1::/:/bin/sh\n";
        assert!(parse(&line.repeat(MAX_LINES)).is_ok());
        assert_eq!(parse(&line.repeat(MAX_LINES + 1)), Err(TooManyLines));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_line_is_an_entry_or_bad(lines in proptest::collection::vec("[a-z:0-9+# ]{1,20}", 0..20)) {
            let read = parse(lines.join("\n").as_bytes()).unwrap();
            let kept = lines.iter().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
            prop_assert_eq!(read.entries.len() + read.bad.len(), kept.count());
        }
    }
}
