//! A host in one run of bytes, in a form that survives mutation: entries begin with the byte 0x01 and a letter, have a name
//! up to the end of the line, and then content up to the next entry.
//!
//! `F` a file, `L` a link (content: its target), `D` a folder that may be empty, `P` a program by its command line
//! (content: what it prints), `X` a path that is denied. Folders exist where something lies in them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use probes::reading::{
    Attributes, Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A regular file.
    File(Vec<u8>),
    /// A symbolic link and its target.
    Link(String),
    /// A folder.
    Folder,
    /// Nobody may read it.
    Denied,
}

/// The host.
#[derive(Debug, Clone, Default)]
pub struct BytesHost {
    paths: BTreeMap<String, Content>,
    programs: BTreeMap<String, Vec<u8>>,
}

impl BytesHost {
    /// Reads the form above; bytes before the first entry are nothing.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut host = Self::default();
        for entry in bytes.split(|byte| *byte == 1).skip(1) {
            let Some((letter, rest)) = entry.split_first() else { continue };
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let name = String::from_utf8_lossy(&rest[..end]).into_owned();
            let content = rest.get(end + 1..).unwrap_or_default();
            match letter {
                b'P' => drop(host.programs.insert(name, content.to_vec())),
                b'F' => host.put(&name, Content::File(content.to_vec())),
                b'L' => host.put(&name, Content::Link(String::from_utf8_lossy(content).into_owned())),
                b'D' => host.put(&name, Content::Folder),
                b'X' => host.put(&name, Content::Denied),
                _ => {}
            }
        }
        host
    }

    fn put(&mut self, path: &str, content: Content) {
        if path.starts_with('/') {
            self.paths.insert(path.trim_end_matches('/').to_owned(), content);
        }
    }

    /// Follows links in every component, the last one if `follow`.
    fn resolve(&self, path: &str, follow: bool) -> Result<Option<String>, Unread> {
        let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let (mut at, mut hops) = (Vec::<String>::new(), 0);
        while let Some(part) = left.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop();
                    continue;
                }
                _ => at.push(part),
            }
            let here = format!("/{}", at.join("/"));
            match self.paths.get(&here) {
                Some(Content::Denied) => return Err(Unread::Denied { place: path.to_owned() }),
                Some(Content::Link(target)) if follow || !left.is_empty() => {
                    hops += 1;
                    if hops > 40 {
                        return Err(failed(path, "too many levels of symbolic links"));
                    }
                    at.pop();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    left.extend(target.split('/').rev().map(str::to_owned));
                }
                _ => {}
            }
        }
        let here = format!("/{}", at.join("/"));
        Ok(self.kind(&here).map(|_| here))
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        match self.paths.get(path) {
            Some(Content::File(_) | Content::Denied) => Some(Kind::File),
            Some(Content::Link(_)) => Some(Kind::Link),
            Some(Content::Folder) => Some(Kind::Folder),
            None => {
                let inside = format!("{}/", path.trim_end_matches('/'));
                let next = self.paths.range(inside.clone()..).next();
                next.is_some_and(|(name, _)| name.starts_with(&inside)).then_some(Kind::Folder)
            }
        }
    }
}

fn failed(place: &str, reason: &str) -> Unread {
    Unread::Failed {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

fn skipped<T>(place: &str) -> Result<T, Unread> {
    Err(Unread::Skipped {
        place: place.to_owned(),
        reason: "not in the bytes".to_owned(),
    })
}

impl Host for BytesHost {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let Some(at) = self.resolve(path, true)? else { return Ok(None) };
        match self.paths.get(&at) {
            Some(Content::File(bytes)) if bytes.len() as u64 > limit => Err(Unread::TooLarge {
                place: path.to_owned(),
                limit,
            }),
            Some(Content::File(bytes)) => Ok(Some(bytes.clone())),
            _ => Err(failed(path, "is a directory")),
        }
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let bytes = self.read(path, u64::MAX)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(bytes.map(|bytes| bytes.into_iter().skip(from).take(length).collect()))
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let Some(at) = self.resolve(path, true)? else { return Ok(None) };
        let inside = format!("{}/", at.trim_end_matches('/'));
        let mut names: Vec<String> = self
            .paths
            .range(inside.clone()..)
            .map_while(|(name, _)| name.strip_prefix(&inside))
            .filter_map(|rest| rest.split('/').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        names.dedup();
        let entry = |name: String| Entry {
            kind: self.kind(&format!("{inside}{name}")).unwrap_or(Kind::File),
            name,
        };
        Ok(Some(names.into_iter().map(entry).collect()))
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        let Some(at) = self.resolve(path, follow)? else { return Ok(None) };
        let kind = self.kind(&at).unwrap_or(Kind::File);
        let size = match self.paths.get(&at) {
            Some(Content::File(bytes)) => bytes.len() as u64,
            _ => 0,
        };
        Ok(Some(Stat {
            kind,
            mode: if kind == Kind::Folder { 0o755 } else { 0o644 },
            uid: 0,
            gid: 0,
            size,
            mtime: 1_700_000_000,
            ctime: 1_700_000_000,
            device: (0, 0),
            inode: size,
            attributes: Attributes::default(),
        }))
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        let Some(at) = self.resolve(path, false)? else { return Ok(None) };
        match self.paths.get(&at) {
            Some(Content::Link(target)) => Ok(Some(target.clone())),
            _ => Err(failed(path, "invalid argument")),
        }
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let printed = self.programs.get(&command.to_string());
        Ok(printed.map(|stdout| Output {
            status: 0,
            stdout: stdout.clone(),
            stderr: Vec::new(),
        }))
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        Ok(Inventory::default())
    }

    fn extended(&self, path: &str, _name: &str) -> Result<Option<Vec<u8>>, Unread> {
        // The file's own bytes stand for the value, so that the fuzzer reaches what reads it.
        self.read(path, 64 * 1024)
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        for (path, content) in &self.paths {
            let Some(stat) = self.stat(path, false)? else { continue };
            let capability = match content {
                Content::File(bytes) if walk.capabilities => Some(bytes.clone()),
                _ => None,
            };
            found(Found {
                path: path.clone(),
                stat,
                capability,
            });
        }
        Ok(Some(Walked::default()))
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        skipped("netlink:sock_diag")
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        skipped(&address.to_string())
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        skipped(&address.to_string())
    }
}
