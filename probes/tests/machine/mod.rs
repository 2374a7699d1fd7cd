//! A host for tests against programs on this machine: the machine itself, or a folder as if it were one (links are
//! then not confined to the folder, so let there be only relative ones).

#![cfg(test)]
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod rpm;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::Path;
use std::process;

use probes::reading::{
    Attributes, Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk,
    Walked,
};
use probes::registry;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

/// Reads below `root`; runs programs only if that is `/`.
pub(crate) struct Machine {
    root: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        Self { root: String::new() }
    }

    pub(crate) fn folder(root: &Path) -> Self {
        let root = root
            .to_str()
            .expect("a temporary folder has a name in UTF-8")
            .to_owned();
        Self { root }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }
}

/// The facts of the first document of a probe.
pub(crate) fn facts_of(probe: &str, machine: &Machine) -> Value {
    let probes = registry::all();
    let probe = probes.iter().find(|registered| registered.spec.id == probe).unwrap();
    let document = probe.collect(machine).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

/// Writes a file below `root`, with the folders above it.
pub(crate) fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Generated; `PROPTEST_RNG_SEED` gives the same again.
pub(crate) fn some<T: std::fmt::Debug>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::new(Config::default());
    let one = |_| strategy.new_tree(&mut runner).unwrap().current();
    (0..count).map(one).collect()
}

/// Runs a program that the test compares with; says which package has it if it is not there.
pub(crate) fn authority(package: &str, program: &str, args: &[&str], input: &[u8]) -> process::Output {
    use std::io::Write;
    let mut child = process::Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .stderr(process::Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it: apt-get install {package}"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // A program that does not read its input has closed it.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn absent_or<T>(path: &str, result: io::Result<T>) -> Result<Option<T>, Unread> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Unread::Denied { place: path.into() }),
        Err(error) => Err(Unread::Failed {
            place: path.into(),
            reason: error.to_string(),
        }),
    }
}

fn kind(file_type: fs::FileType) -> Kind {
    match () {
        () if file_type.is_dir() => Kind::Folder,
        () if file_type.is_symlink() => Kind::Link,
        () if file_type.is_block_device() => Kind::Block,
        () if file_type.is_char_device() => Kind::Character,
        () if file_type.is_fifo() => Kind::Fifo,
        () if file_type.is_socket() => Kind::Socket,
        () => Kind::File,
    }
}

impl Host for Machine {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let mut bytes = vec![];
        let read = File::open(self.at(path)).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
        if bytes.len() as u64 > limit {
            let place = path.into();
            return Err(Unread::TooLarge { place, limit });
        }
        Ok(absent_or(path, read)?.map(|_| bytes))
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let mut bytes = vec![0; length];
        let read = File::open(self.at(path)).and_then(|file| {
            let mut got = 0;
            while got < length {
                match file.read_at(&mut bytes[got..], offset + got as u64)? {
                    0 => break,
                    more => got += more,
                }
            }
            Ok(got)
        });
        Ok(absent_or(path, read)?.map(|got| {
            bytes.truncate(got);
            bytes
        }))
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let Some(entries) = absent_or(path, fs::read_dir(self.at(path)))? else {
            return Ok(None);
        };
        let mut list: Vec<Entry> = entries
            .map(|entry| {
                let entry = entry.expect("the folder can be read");
                Entry {
                    name: entry.file_name().to_string_lossy().into_owned(),
                    kind: kind(entry.file_type().expect("entries have a type")),
                }
            })
            .collect();
        list.sort();
        Ok(Some(list))
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        let read = if follow { fs::metadata } else { fs::symlink_metadata };
        let Some(meta) = absent_or(path, read(self.at(path).as_str()))? else {
            return Ok(None);
        };
        let rdev = meta.rdev();
        let major = ((rdev >> 8) & 0xfff) | ((rdev >> 32) & !0xfff);
        let minor = (rdev & 0xff) | ((rdev >> 12) & !0xff);
        Ok(Some(Stat {
            kind: kind(meta.file_type()),
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
            mtime: meta.mtime(),
            ctime: meta.ctime(),
            device: (
                u32::try_from(major).unwrap(),
                u32::try_from(minor & 0xffff_ffff).unwrap(),
            ),
            inode: meta.ino(),
            attributes: Attributes::default(),
        }))
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        let target = absent_or(path, fs::read_link(self.at(path)))?;
        Ok(target.map(|target| target.to_string_lossy().into_owned()))
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        if !self.root.is_empty() {
            let place = command.to_string();
            let reason = "the root is a folder".into();
            return Err(Unread::Skipped { place, reason });
        }
        let ran = process::Command::new(command.program)
            .args(command.args)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .stdin(process::Stdio::null())
            .output();
        Ok(absent_or(&command.to_string(), ran)?.map(|output| Output {
            status: output.status.code().unwrap_or(128),
            stdout: output.stdout,
            stderr: output.stderr,
        }))
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        Err(not_needed("inventory"))
    }

    fn extended(&self, path: &str, _name: &str) -> Result<Option<Vec<u8>>, Unread> {
        Err(not_needed(path))
    }

    fn walk(&self, walk: &Walk<'_>, _found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        Err(not_needed(walk.start))
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        Err(not_needed("netlink:sock_diag"))
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        Err(not_needed(&address.to_string()))
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        Err(not_needed(&address.to_string()))
    }
}

/// Tests of what the agent's own machine does are the agent's.
fn not_needed(place: &str) -> Unread {
    Unread::Skipped {
        place: place.to_owned(),
        reason: "no test needs it".into(),
    }
}
