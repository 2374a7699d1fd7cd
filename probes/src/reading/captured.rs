//! A host made of captured files, for tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::host::{
    Attributes, Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk,
    Walked,
};

use crate::order::Order as _;

/// What a question is answered with.
type Read<T> = Result<Option<T>, Unread>;

/// Files, links, programs and refusals by path. Folders exist where something lies in them.
#[derive(Default, Clone)]
pub(crate) struct Captured {
    nodes: BTreeMap<String, Node>,
    stats: BTreeMap<String, Stat>,
    outputs: BTreeMap<String, Result<Option<Output>, Unread>>,
    inventory: Option<Inventory>,
    attributes: BTreeMap<(String, String), Read<Vec<u8>>>,
    found: Option<Result<(Vec<Found>, Walked), Unread>>,
    listeners: Option<Result<Vec<Listener>, Unread>>,
    peers: BTreeMap<SocketAddr, Result<Option<TlsPeer>, Unread>>,
    old_tls: BTreeMap<SocketAddr, Result<Option<OldTls>, Unread>>,
}

#[derive(Clone)]
enum Node {
    File(Vec<u8>),
    Folder,
    Link(String),
    Refused(Unread),
}

/// A file, folder or node of that mode and owner, empty and of no time.
pub(crate) fn stat(kind: Kind, mode: u32, uid: u32, gid: u32) -> Stat {
    Stat {
        kind,
        mode,
        uid,
        gid,
        size: 0,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 0,
        attributes: Attributes::default(),
    }
}

impl Captured {
    pub(crate) fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.nodes.insert(path.to_owned(), Node::File(bytes.as_ref().to_vec()));
        self
    }

    pub(crate) fn folder(mut self, path: &str) -> Self {
        self.nodes.insert(path.to_owned(), Node::Folder);
        self
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.nodes.insert(path.to_owned(), Node::Link(target.to_owned()));
        self
    }

    /// The targets through which systemd starts a machine (bootup(7)).
    pub(crate) fn boots(self) -> Self {
        let target = |name: &str| format!("/usr/lib/systemd/system/{name}.target");
        self.link(&target("default"), "multi-user.target")
            .file(&target("multi-user"), "[Unit]\nRequires=basic.target\n")
            .file(
                &target("basic"),
                "[Unit]\nRequires=sysinit.target\nWants=sockets.target timers.target paths.target\n",
            )
            .file(&target("sysinit"), "[Unit]\nWants=local-fs.target swap.target\n")
            .file(&target("sockets"), "[Unit]\n")
            .file(&target("timers"), "[Unit]\n")
            .file(&target("local-fs"), "[Unit]\n")
    }

    pub(crate) fn denied(self, path: &str) -> Self {
        self.refused(path, Unread::Denied { place: path.to_owned() })
    }

    pub(crate) fn refused(mut self, path: &str, unread: Unread) -> Self {
        self.nodes.insert(path.to_owned(), Node::Refused(unread));
        self
    }

    pub(crate) fn stat_of(mut self, path: &str, stat: Stat) -> Self {
        self.stats.insert(path.to_owned(), stat);
        self
    }

    /// When a file was written.
    pub(crate) fn mtime(self, path: &str, mtime: i64) -> Self {
        let stat = self.stat(path, true).ok().flatten();
        let stat = stat.expect("the file is there before its time is given");
        self.stat_of(path, Stat { mtime, ..stat })
    }

    pub(crate) fn output(mut self, command: &str, status: i32, stdout: &str, stderr: &str) -> Self {
        let output = Output {
            status,
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        self.outputs.insert(command.to_owned(), Ok(Some(output)));
        self
    }

    pub(crate) fn inventory_of(mut self, inventory: Inventory) -> Self {
        self.inventory = Some(inventory);
        self
    }

    pub(crate) fn extended_of(mut self, path: &str, name: &str, value: Result<Option<Vec<u8>>, Unread>) -> Self {
        self.attributes.insert((path.to_owned(), name.to_owned()), value);
        self
    }

    pub(crate) fn walk_of(mut self, walk: Result<(Vec<Found>, Walked), Unread>) -> Self {
        self.found = Some(walk);
        self
    }

    pub(crate) fn listeners_of(mut self, listeners: Result<Vec<Listener>, Unread>) -> Self {
        self.listeners = Some(listeners);
        self
    }

    pub(crate) fn peer_of(mut self, address: SocketAddr, peer: Result<Option<TlsPeer>, Unread>) -> Self {
        self.peers.insert(address, peer);
        self
    }

    pub(crate) fn old_tls_of(mut self, address: SocketAddr, answer: Result<Option<OldTls>, Unread>) -> Self {
        self.old_tls.insert(address, answer);
        self
    }

    /// The path with the links in all its components resolved; `None` if something on the way is not there.
    fn resolve(&self, path: &str, follow_last: bool, depth: u8) -> Result<Option<String>, Unread> {
        if depth == 0 {
            return Err(Unread::Failed {
                place: path.to_owned(),
                reason: "too many levels of symbolic links".into(),
            });
        }
        let parts: Vec<_> = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        let mut at: Vec<String> = vec![];
        for (index, part) in parts.iter().enumerate() {
            if *part == ".." {
                at.pop();
                continue;
            }
            at.push((*part).to_owned());
            let here = format!("/{}", at.join("/"));
            let last = index + 1 == parts.len();
            match self.nodes.get(&here) {
                Some(Node::Refused(unread)) => return Err(unread.clone()),
                Some(Node::Link(target)) if !last || follow_last => {
                    at.pop();
                    let base = if target.starts_with('/') {
                        String::new()
                    } else {
                        format!("/{}", at.join("/"))
                    };
                    let rest = parts[index + 1..].join("/");
                    return self.resolve(&format!("{base}/{target}/{rest}"), follow_last, depth - 1);
                }
                _ => {}
            }
        }
        let here = format!("/{}", at.join("/"));
        Ok(self.kind(&here).map(|_| here))
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        match self.nodes.get(path) {
            Some(Node::File(_) | Node::Refused(_)) => Some(Kind::File),
            Some(Node::Folder) => Some(Kind::Folder),
            Some(Node::Link(_)) => Some(Kind::Link),
            None => {
                let inside = if path == "/" {
                    path.to_owned()
                } else {
                    format!("{path}/")
                };
                let first = self.nodes.range(inside.clone()..).next();
                first
                    .is_some_and(|(name, _)| name.starts_with(&inside))
                    .then_some(Kind::Folder)
            }
        }
    }
}

impl Host for Captured {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let Some(at) = self.resolve(path, true, 40)? else {
            return Ok(None);
        };
        match self.nodes.get(&at) {
            Some(Node::File(bytes)) if bytes.len() as u64 > limit => Err(Unread::TooLarge {
                place: path.into(),
                limit,
            }),
            Some(Node::File(bytes)) => Ok(Some(bytes.clone())),
            _ => Err(Unread::Failed {
                place: path.into(),
                reason: "is a directory".into(),
            }),
        }
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let bytes = self.read(path, u64::MAX)?;
        Ok(bytes.map(|bytes| {
            bytes
                .into_iter()
                .skip(usize::try_from(offset).unwrap())
                .take(length)
                .collect()
        }))
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let Some(at) = self.resolve(path, true, 40)? else {
            return Ok(None);
        };
        let prefix = if at == "/" { at } else { format!("{at}/") };
        let mut names: Vec<String> = self
            .nodes
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect();
        names.order();
        names.dedup();
        let entry = |name: String| Entry {
            kind: self.kind(&format!("{prefix}{name}")).unwrap_or(Kind::File),
            name,
        };
        Ok(Some(names.into_iter().map(entry).collect()))
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        let Some(at) = self.resolve(path, follow, 40)? else {
            return Ok(self.stats.get(path).copied());
        };
        let size = if let Some(Node::File(bytes)) = self.nodes.get(&at) {
            bytes.len() as u64
        } else {
            0
        };
        let kind = self.kind(&at).unwrap_or(Kind::File);
        let mode = if kind == Kind::Folder { 0o755 } else { 0o644 };
        let plain = Stat {
            kind,
            mode,
            uid: 0,
            gid: 0,
            size,
            mtime: 0,
            ctime: 0,
            device: (0, 0),
            inode: 0,
            attributes: Attributes::default(),
        };
        Ok(Some(self.stats.get(&at).copied().unwrap_or(plain)))
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        let Some(at) = self.resolve(path, false, 40)? else {
            return Ok(None);
        };
        match self.nodes.get(&at) {
            Some(Node::Link(target)) => Ok(Some(target.clone())),
            _ => Err(Unread::Failed {
                place: path.into(),
                reason: "invalid argument".into(),
            }),
        }
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        self.outputs.get(&command.to_string()).cloned().unwrap_or(Ok(None))
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.inventory.clone().ok_or_else(|| not_captured("inventory"))
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        let key = (path.to_owned(), name.to_owned());
        self.attributes.get(&key).cloned().unwrap_or(Ok(None))
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        let (entries, walked) = self.found.clone().ok_or_else(|| not_captured(walk.start))??;
        entries.into_iter().for_each(found);
        Ok(Some(walked))
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.listeners
            .clone()
            .ok_or_else(|| not_captured("netlink:sock_diag"))?
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        self.peers.get(&address).cloned().unwrap_or(Ok(None))
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        self.old_tls.get(&address).cloned().unwrap_or(Ok(None))
    }
}

fn not_captured(place: &str) -> Unread {
    Unread::Skipped {
        place: place.to_owned(),
        reason: "not captured".into(),
    }
}
