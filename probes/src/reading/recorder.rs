//! A host behind a notebook: what a probe reads is written down, and more than its budget is not read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use evidence::Digest;
use evidence::facts::{Origin, Outcome, Source};

use super::host::{
    Command, Entry, Found, Host, Inventory, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};
use crate::probe::Spec;

/// How a probe reads. Each reading, absent and denied ones included, becomes a source of the facts document.
pub struct Reading<'h> {
    host: &'h dyn Host,
    spec: &'h Spec,
    left: Cell<u64>,
    sources: RefCell<BTreeMap<Origin, (Outcome, Option<Digest>)>>,
}

impl<'h> Reading<'h> {
    pub(crate) fn new(host: &'h dyn Host, spec: &'h Spec) -> Self {
        Self {
            host,
            spec,
            left: Cell::new(spec.budget.bytes),
            sources: RefCell::default(),
        }
    }

    /// A file whose bytes are evidence: its digest is noted. Use [`Self::volatile`] for what changes by itself.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read(path, self.left.get()));
        let digest = read.as_ref().ok().and_then(Option::as_deref).map(Digest::of);
        self.note(Origin::Path(path.to_owned()), &read, digest);
        read
    }

    /// As [`Self::file`], as text.
    pub fn text(&self, path: &str) -> Result<Option<String>, Unread> {
        let text = self.file(path)?.map(|bytes| utf8(path, bytes)).transpose();
        self.note_error(path, text)
    }

    /// A file that changes while the host does not (most of procfs): noted without a digest.
    pub fn volatile(&self, path: &str) -> Result<Option<String>, Unread> {
        let text = self.volatile_bytes(path)?.map(|bytes| utf8(path, bytes)).transpose();
        self.note_error(path, text)
    }

    /// As [`Self::volatile`], for files in which others than root choose bytes, which need not be UTF-8.
    pub fn volatile_bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read(path, self.left.get()));
        self.note(Origin::Path(path.to_owned()), &read, None);
        read
    }

    /// A file whose path or digest would give away what must not leave the host, such as names of people and password
    /// hashes: noted as `shown` and without a digest, and an error names `shown` too. Of several files that are shown
    /// alike the worst outcome is kept.
    pub fn private(&self, path: &str, shown: &str) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read(path, self.left.get()));
        let read = read.map_err(|unread| unread.shown_as(shown));
        self.note_worst(Origin::Path(shown.to_owned()), &read);
        read
    }

    /// stat(2), links followed, of a path as with [`Self::private`]. Noted only if it failed.
    pub fn private_stat(&self, path: &str, shown: &str) -> Result<Option<Stat>, Unread> {
        let stat = self.host.stat(path, true).map_err(|unread| unread.shown_as(shown));
        self.note_error(shown, stat)
    }

    /// lstat(2) of a path as with [`Self::private`]. Noted only if it failed.
    pub fn private_stat_link(&self, path: &str, shown: &str) -> Result<Option<Stat>, Unread> {
        let stat = self.host.stat(path, false).map_err(|unread| unread.shown_as(shown));
        self.note_error(shown, stat)
    }

    /// The entries of a folder as with [`Self::private`].
    pub fn private_list(&self, path: &str, shown: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let list = self.host.list(path).map_err(|unread| unread.shown_as(shown));
        self.note_worst(Origin::Path(shown.to_owned()), &list);
        list
    }

    /// At most `length` bytes from the beginning of a file as with [`Self::private`].
    pub fn private_head(&self, path: &str, shown: &str, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read_at(path, 0, length));
        let read = read.map_err(|unread| unread.shown_as(shown));
        self.note_worst(Origin::Path(shown.to_owned()), &read);
        read
    }

    /// readlink(2) of a path as with [`Self::private`]. Noted only if it failed.
    pub fn private_link(&self, path: &str, shown: &str) -> Result<Option<String>, Unread> {
        let link = self.host.read_link(path).map_err(|unread| unread.shown_as(shown));
        self.note_error(shown, link)
    }

    /// A one-line attribute of sysfs or procfs without its line end. Noted only if it could not be read: there are
    /// many, and the folder that holds them says enough.
    pub fn attribute(&self, path: &str) -> Result<Option<String>, Unread> {
        let read = self.spend(path, self.host.read(path, self.left.get().min(64 * 1024)));
        if read.is_err() {
            self.note(Origin::Path(path.to_owned()), &read, None);
        }
        let text = read?.map(|bytes| utf8(path, bytes)).transpose();
        Ok(self
            .note_error(path, text)?
            .map(|text| text.trim_end_matches('\n').to_owned()))
    }

    /// A file of which there are many and which bears on what is told only by what it leads to. Noted only if it could not
    /// be read.
    pub fn one_of_many(&self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read(path, self.left.get()));
        self.note_error(path, read)
    }

    /// `length` bytes at `offset`, for headers on files and block devices; noted without a digest.
    pub fn bytes_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.spend(path, self.host.read_at(path, offset, length));
        self.note(Origin::Path(path.to_owned()), &read, None);
        read
    }

    /// The entries of a folder, sorted.
    pub fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let list = self.host.list(path);
        self.note(Origin::Path(path.to_owned()), &list, None);
        list
    }

    /// As [`Self::list`], for folders of which there are many. Noted only if it failed.
    pub fn entries(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let list = self.host.list(path);
        self.note_error(path, list)
    }

    /// stat(2), links followed. Noted only if it failed.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Unread> {
        let stat = self.host.stat(path, true);
        self.note_error(path, stat)
    }

    /// lstat(2). Noted only if it failed.
    pub fn stat_link(&self, path: &str) -> Result<Option<Stat>, Unread> {
        let stat = self.host.stat(path, false);
        self.note_error(path, stat)
    }

    /// readlink(2). Noted only if it failed.
    pub fn link(&self, path: &str) -> Result<Option<String>, Unread> {
        let link = self.host.read_link(path);
        self.note_error(path, link)
    }

    /// Whether the probe may run a program.
    pub fn declares(&self, program: &str) -> bool {
        self.spec.runs.contains(&program)
    }

    /// Runs a program that the probe declared; noted with a digest of nothing, since output may hold what changes.
    pub fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        self.private_run(command, &command.to_string())
    }

    /// As [`Self::run`], for arguments that may name a person: noted as `shown`.
    pub fn private_run(&self, command: &Command<'_>, shown: &str) -> Result<Option<Output>, Unread> {
        let place = shown.to_owned();
        let ran = if self.spec.runs.contains(&command.program) {
            self.host.run(command).map_err(|unread| unread.shown_as(shown))
        } else {
            Err(Unread::Skipped {
                place: place.clone(),
                reason: format!("{} does not declare it", self.spec.id),
            })
        };
        let ran = match ran {
            Ok(Some(output)) if output.stdout.len() as u64 > self.left.get() => Err(Unread::TooLarge {
                place: place.clone(),
                limit: self.left.get(),
            }),
            Ok(Some(output)) => {
                self.left.set(self.left.get() - output.stdout.len() as u64);
                Ok(Some(output))
            }
            other => other,
        };
        self.note_worst(Origin::Command(place), &ran);
        ran
    }

    /// Hardware and interfaces. Noted only if it failed.
    pub fn inventory(&self) -> Result<Inventory, Unread> {
        self.host.inventory()
    }

    /// The value of an extended attribute. Noted only if it failed.
    pub fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        let value = self.host.extended(path, name);
        self.note_error(path, value)
    }

    /// Walks one filesystem; noted as its beginning.
    pub fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        let walked = self.host.walk(walk, found);
        self.note(Origin::Path(walk.start.to_owned()), &walked, None);
        walked
    }

    /// Sockets that others can reach. Noted as the kernel's interface that tells of them.
    pub fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        let listeners = self.host.listeners();
        let outcome = listeners.as_ref().map_or_else(Unread::outcome, |_| Outcome::Observed);
        self.mark(Origin::Path("netlink:sock_diag".to_owned()), outcome);
        listeners
    }

    /// What a TLS server on this host presents. Noted as `tls://ADDRESS:PORT`.
    pub fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        let peer = self.host.tls_handshake(address);
        self.note(Origin::Path(format!("tls://{address}")), &peer, None);
        peer
    }

    /// What a TLS server on this host answers to an offer of TLS 1.1 at most. Noted as `tls://ADDRESS:PORT`.
    pub fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        let answer = self.host.tls_before_1_2(address);
        self.note_worst(Origin::Path(format!("tls://{address}")), &answer);
        answer
    }

    /// What `make` reads, once in a round for all probes that ask for `name`. Its sources are noted for each of them.
    pub(crate) fn shared<T: Send + Sync + 'static>(&self, name: &'static str, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        let Some(shelf) = self.host.shelf() else {
            return Arc::new(make(self));
        };
        let (value, sources) = shelf.get(name).unwrap_or_else(|| {
            let apart = Self::new(self.host, self.spec);
            apart.left.set(self.left.get());
            let value = Arc::new(make(&apart));
            self.left.set(apart.left.get());
            let sources = apart.sources.into_inner();
            shelf.put(name, Arc::clone(&value), sources.clone());
            (value, sources)
        });
        self.sources.borrow_mut().extend(sources);
        value
    }

    /// Notes that something was not read, for outcomes that the probe itself finds.
    pub fn mark(&self, origin: Origin, outcome: Outcome) {
        self.sources.borrow_mut().insert(origin, (outcome, None));
    }

    /// That a file which was read could not be understood; noted so.
    pub(crate) fn malformed(&self, place: String, reason: String) -> Unread {
        self.mark(Origin::Path(place.clone()), Outcome::Malformed);
        Unread::Malformed { place, reason }
    }

    pub(crate) fn into_sources(self) -> Vec<Source> {
        let sources = self.sources.into_inner().into_iter();
        sources
            .map(|(origin, (outcome, sha256))| Source {
                origin,
                outcome,
                sha256,
            })
            .collect()
    }

    fn spend(&self, place: &str, read: Result<Option<Vec<u8>>, Unread>) -> Result<Option<Vec<u8>>, Unread> {
        if let Ok(Some(bytes)) = &read {
            let Some(left) = self.left.get().checked_sub(bytes.len() as u64) else {
                let reason = format!("the probe's budget of {} bytes is spent", self.spec.budget.bytes);
                return Err(Unread::Skipped {
                    place: place.to_owned(),
                    reason,
                });
            };
            self.left.set(left);
        }
        read
    }

    fn note<T>(&self, origin: Origin, read: &Result<Option<T>, Unread>, digest: Option<Digest>) {
        let outcome = match read {
            Ok(Some(_)) => Outcome::Observed,
            Ok(None) => Outcome::Absent,
            Err(unread) => unread.outcome(),
        };
        self.sources.borrow_mut().insert(origin, (outcome, digest));
    }

    fn note_worst<T>(&self, origin: Origin, read: &Result<Option<T>, Unread>) {
        let kept = self.sources.borrow().get(&origin).map(|(outcome, _)| *outcome);
        if kept.is_none_or(|kept| matches!(kept, Outcome::Observed | Outcome::Absent)) {
            self.note(origin, read, None);
        }
    }

    fn note_error<T>(&self, path: &str, result: Result<T, Unread>) -> Result<T, Unread> {
        if let Err(unread) = &result {
            self.mark(Origin::Path(path.to_owned()), unread.outcome());
        }
        result
    }
}

fn utf8(place: &str, bytes: Vec<u8>) -> Result<String, Unread> {
    String::from_utf8(bytes).map_err(|error| Unread::Malformed {
        place: place.to_owned(),
        reason: format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()),
    })
}
