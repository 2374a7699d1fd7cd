//! What a probe asked of a machine and what it was answered, so that it can be told later whether all of that is so still.

use std::cell::RefCell;
use std::fmt::Debug;
use std::net::SocketAddr;

use evidence::{Digest, Timestamp};
use probes::reading::{
    Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};
use rustix::fs::{FileType, Statx, StatxTimestamp};
use serde::{Deserialize, Serialize};

use super::host::kind_of;
use super::{Machine, MachineHost};
use crate::clock;

/// Files from this size on are not read again to find out whether they changed.
const LARGE: u64 = 64 * 1024;
/// A file that was written so short a time before it was read can be written again without getting another time: clocks
/// of filesystems tick in milliseconds, those of some in seconds.
const SETTLED: i64 = 3;

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    question: Question,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Read { path: String, limit: u64 },
    ReadAt { path: String, offset: u64, length: usize },
    List { path: String },
    Stat { path: String, follow: bool },
    Link { path: String },
    Extended { path: String, name: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// SHA-256 of the answer, errors included.
    Digest(Digest),
    /// The large file that was read.
    File(Mark),
}

/// Which file, and when it was changed last: inode(7). No program can choose `changed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    device: (u32, u32),
    inode: u64,
    size: u64,
    modified: (i64, u32),
    changed: (i64, u32),
}

/// A machine as a probe may see it, behind a notebook.
pub struct Noted<'m> {
    host: &'m MachineHost,
    now: Timestamp,
    answered: RefCell<Option<Vec<Answered>>>,
}

impl<'m> Noted<'m> {
    /// Nothing is noted yet.
    pub fn new(host: &'m MachineHost) -> Self {
        let answered = RefCell::new(Some(Vec::new()));
        let now = clock::now();
        Self { host, now, answered }
    }

    /// All questions, in their order. `None`: one of them cannot be put again to the same effect.
    pub fn into_answered(self) -> Option<Vec<Answered>> {
        self.answered.into_inner()
    }

    fn note(&self, question: Question, answer: Option<Answer>) {
        let mut answered = self.answered.borrow_mut();
        match (answered.as_mut(), answer) {
            (Some(answered), Some(answer)) => answered.push(Answered { question, answer }),
            _ => *answered = None,
        }
    }

    fn unrepeatable(&self) -> &'m MachineHost {
        *self.answered.borrow_mut() = None;
        self.host
    }
}

impl Answered {
    /// The same, if `host` answers the same; a file that was read is known by its mark as soon as that can be believed.
    pub fn again(self, host: &MachineHost) -> Option<Self> {
        let now = match (&self.question, &self.answer) {
            (Question::Read { path, .. } | Question::ReadAt { path, .. }, Answer::File(_)) => {
                host.machine().mark(path).map(Answer::File)
            }
            (Question::Read { path, limit }, _) => {
                let read = marked(host, path, clock::now(), || host.read(path, *limit));
                return self.known_by(read);
            }
            (Question::ReadAt { path, offset, length }, _) => {
                let read = marked(host, path, clock::now(), || host.read_at(path, *offset, *length));
                return self.known_by(read);
            }
            (Question::List { path }, _) => of(&host.list(path)),
            (Question::Stat { path, follow }, _) => of(&host.stat(path, *follow)),
            (Question::Link { path }, _) => of(&host.read_link(path)),
            (Question::Extended { path, name }, _) => of_bytes(&host.extended(path, name)),
        };
        (now.as_ref() == Some(&self.answer)).then_some(self)
    }

    fn known_by(self, (read, mark): (Bytes, Option<Mark>)) -> Option<Self> {
        let same = of_bytes(&read).as_ref() == Some(&self.answer);
        same.then(|| Self {
            answer: mark.map_or(self.answer, Answer::File),
            ..self
        })
    }
}

type Bytes = Result<Option<Vec<u8>>, Unread>;

/// What is read of a file, and its mark if it is a large one that did not change meanwhile and cannot without getting
/// another mark.
fn marked(host: &MachineHost, path: &str, now: Timestamp, read: impl FnOnce() -> Bytes) -> (Bytes, Option<Mark>) {
    let before = host.machine().mark(path);
    let read = read();
    let is_it = |mark: &Mark| {
        let found = matches!(read, Ok(Some(_)));
        found && mark.is_settled(now) && host.machine().mark(path) == Some(*mark)
    };
    let mark = before.filter(is_it);
    (read, mark)
}

impl Host for Noted<'_> {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let (read, mark) = marked(self.host, path, self.now, || self.host.read(path, limit));
        let answer = mark.map(Answer::File).or_else(|| of_bytes(&read));
        let path = path.to_owned();
        self.note(Question::Read { path, limit }, answer);
        read
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let (read, mark) = marked(self.host, path, self.now, || self.host.read_at(path, offset, length));
        let answer = mark.map(Answer::File).or_else(|| of_bytes(&read));
        let path = path.to_owned();
        self.note(Question::ReadAt { path, offset, length }, answer);
        read
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let list = self.host.list(path);
        self.note(Question::List { path: path.to_owned() }, of(&list));
        list
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        let stat = self.host.stat(path, follow);
        let path = path.to_owned();
        self.note(Question::Stat { path, follow }, of(&stat));
        stat
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        let link = self.host.read_link(path);
        self.note(Question::Link { path: path.to_owned() }, of(&link));
        link
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        let value = self.host.extended(path, name);
        let (path, name) = (path.to_owned(), name.to_owned());
        self.note(Question::Extended { path, name }, of_bytes(&value));
        value
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        self.unrepeatable().run(command)
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.unrepeatable().inventory()
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        self.unrepeatable().walk(walk, found)
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.unrepeatable().listeners()
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        self.unrepeatable().tls_handshake(address)
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        self.unrepeatable().tls_before_1_2(address)
    }
}

impl Machine {
    /// The file at `path`, if it is a large one with a time of its own (those of procfs have none).
    fn mark(&self, path: &str) -> Option<Mark> {
        let stat = self.status(path, true).ok()??;
        let is_file = kind_of(FileType::from_raw_mode(stat.stx_mode.into())) == Kind::File;
        (is_file && stat.stx_size >= LARGE).then(|| Mark::of(&stat))
    }
}

impl Mark {
    const fn of(stat: &Statx) -> Self {
        const fn time(time: StatxTimestamp) -> (i64, u32) {
            (time.tv_sec, time.tv_nsec)
        }
        Self {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            size: stat.stx_size,
            modified: time(stat.stx_mtime),
            changed: time(stat.stx_ctime),
        }
    }

    fn is_settled(&self, now: Timestamp) -> bool {
        self.modified.0.max(self.changed.0) <= now.unix().saturating_sub(SETTLED)
    }
}

fn of<T: Debug>(answer: &Result<Option<T>, Unread>) -> Option<Answer> {
    digest(answer, |found| Digest::of(format!("{found:?}").as_bytes()))
}

fn of_bytes(answer: &Result<Option<Vec<u8>>, Unread>) -> Option<Answer> {
    digest(answer, |bytes| Digest::of(bytes))
}

/// `None` where time or budget did not last: the answer would be another with more of it.
fn digest<T>(answer: &Result<Option<T>, Unread>, of: impl Fn(&T) -> Digest) -> Option<Answer> {
    let digest = match answer {
        Ok(Some(found)) => of(found),
        Ok(None) => Digest::of(b"none"),
        Err(Unread::Timeout { .. } | Unread::Skipped { .. }) => return None,
        Err(unread) => Digest::of_parts(&[b"unread", unread.to_string().as_bytes()]),
    };
    Some(Answer::Digest(digest))
}
