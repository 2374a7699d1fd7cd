//! `/etc/group`, group(5), and `/etc/gshadow`, gshadow(5).

use super::records::{self, Entries, TooManyLines, number, printable};

/// An entry of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Number of its line, from 1.
    pub(crate) line: u32,
    /// Group name.
    pub(crate) name: String,
    /// `x` if the password is in `/etc/gshadow`.
    pub(crate) password: Vec<u8>,
    /// Gid.
    pub(crate) gid: u32,
    /// Names of members.
    pub(crate) members: Vec<String>,
}

/// Reads `/etc/group`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entries<Entry>, TooManyLines> {
    records::read(bytes, |record| {
        let [name, password, gid, members] = record.fields.as_slice() else {
            return Err("not four fields");
        };
        if name.is_empty() {
            return Err("no group name");
        }
        Ok(Entry {
            line: record.line,
            name: printable(name),
            password: password.to_vec(),
            gid: number(gid).ok_or("the gid is not a number")?,
            members: list(members),
        })
    })
}

/// An entry of `/etc/gshadow`. Members are taken from `/etc/group`, as glibc does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShadowEntry {
    /// Group name.
    pub(crate) name: String,
    /// Password.
    pub(crate) password: Vec<u8>,
    /// Names of administrators.
    pub(crate) administrators: Vec<String>,
}

/// Reads `/etc/gshadow`.
pub(crate) fn parse_shadow(bytes: &[u8]) -> Result<Entries<ShadowEntry>, TooManyLines> {
    records::read(bytes, |record| {
        let [name, password, administrators, _] = record.fields.as_slice() else {
            return Err("not four fields");
        };
        if name.is_empty() {
            return Err("no group name");
        }
        Ok(ShadowEntry {
            name: printable(name),
            password: password.to_vec(),
            administrators: list(administrators),
        })
    })
}

fn list(field: &[u8]) -> Vec<String> {
    let names = field.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    names.filter(|name| !name.is_empty()).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries() {
        let read = parse(b"root:x:0:\nsudo:x:27:alice, bob,\nodd:x:9\nnan:x:a:\n").unwrap();
        assert_eq!(read.entries.len(), 2);
        assert_eq!(read.entries[1].members, ["alice", "bob"]);
        assert_eq!(read.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3, 4]);
        let read = parse_shadow(b"sudo:!:carol:alice\n").unwrap();
        assert_eq!(read.entries[0].administrators, ["carol"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = parse_shadow(&bytes);
        }
    }
}
