//! A machine between which and the probe something stands.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;

use affiant_agent::machine::MachineHost;
use probes::reading::{
    Command, Entry, Found, Host, Inventory, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};

/// What is asked of a host that has bytes or names for an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// The content of a file.
    File(String),
    /// The names in a folder.
    Folder(String),
    /// What a program prints.
    Program(String),
}

/// Longer files (lists of packages) are cut here: what comes after is more of the same, thousands of times over.
pub(crate) const LONGEST: usize = 64 * 1024;

type Files = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8>>;

/// A machine, some of whose answers are others.
pub(crate) struct Tampered<'h> {
    inner: &'h MachineHost,
    asked: RefCell<BTreeSet<Question>>,
    denied: Option<Question>,
    bytes: Files,
}

impl<'h> Tampered<'h> {
    /// As it is; what is asked is noted.
    pub(crate) fn not(inner: &'h MachineHost) -> Self {
        Self::bytes(inner, |_, bytes| bytes)
    }

    /// One source cannot be read.
    pub(crate) fn denied(inner: &'h MachineHost, question: Question) -> Self {
        Self {
            denied: Some(question),
            ..Self::not(inner)
        }
    }

    /// What files and programs hold is something else.
    pub(crate) fn bytes(inner: &'h MachineHost, bytes: impl Fn(&str, Vec<u8>) -> Vec<u8> + 'static) -> Self {
        Self {
            inner,
            asked: RefCell::default(),
            denied: None,
            bytes: Box::new(bytes),
        }
    }

    /// What was asked and answered with something.
    pub(crate) fn asked(&self) -> BTreeSet<Question> {
        self.asked.borrow().clone()
    }

    fn spoilt(&self, place: &str, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.truncate(LONGEST);
        let mut bytes = (self.bytes)(place, bytes);
        bytes.truncate(LONGEST);
        bytes
    }

    fn ask<T>(
        &self,
        question: Question,
        answer: impl FnOnce() -> Result<Option<T>, Unread>,
    ) -> Result<Option<T>, Unread> {
        if self.denied.as_ref() == Some(&question) {
            let (Question::File(place) | Question::Folder(place) | Question::Program(place)) = question;
            return Err(Unread::Denied { place });
        }
        let answer = answer();
        if matches!(answer, Ok(Some(_))) {
            self.asked.borrow_mut().insert(question);
        }
        answer
    }
}

impl Host for Tampered<'_> {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.ask(Question::File(path.to_owned()), || self.inner.read(path, limit))?;
        match read.map(|bytes| self.spoilt(path, bytes)) {
            Some(bytes) if bytes.len() as u64 > limit => Err(Unread::TooLarge {
                place: path.to_owned(),
                limit,
            }),
            other => Ok(other),
        }
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.ask(Question::File(path.to_owned()), || {
            self.inner.read_at(path, offset, length)
        })?;
        Ok(read.map(|bytes| {
            let mut bytes = self.spoilt(path, bytes);
            bytes.truncate(length);
            bytes
        }))
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        self.ask(Question::Folder(path.to_owned()), || self.inner.list(path))
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        self.inner.stat(path, follow)
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        self.inner.read_link(path)
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let place = command.to_string();
        let ran = self.ask(Question::Program(place.clone()), || self.inner.run(command))?;
        Ok(ran.map(|output| Output {
            stdout: self.spoilt(&place, output.stdout),
            ..output
        }))
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.inner.inventory()
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.inner.extended(path, name)
    }

    /// Not walked: it would be done anew for each of thousands of variants.
    fn walk(&self, _walk: &Walk<'_>, _found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        Ok(Some(Walked::default()))
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.inner.listeners()
    }

    /// Other tests' servers come and go.
    fn tls_handshake(&self, _address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        Ok(None)
    }

    fn tls_before_1_2(&self, _address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        Ok(None)
    }
}
