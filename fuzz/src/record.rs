//! Records what each probe reads on this machine, as a seed: `record FOLDER` writes `FOLDER/<probe>/this-machine`.
//! `record --show FILE` prints such bytes readably.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::{env, fs};

use affiant_agent::machine::{Deadline, Machine, MachineHost};
use probes::reading::{
    Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};
use probes::registry;

/// Larger files teach the fuzzer nothing but slowness.
const LONGEST: usize = 24 * 1024;
/// A seed is no longer.
const SEED: usize = 192 * 1024;

struct Recorder {
    inner: MachineHost,
    entries: RefCell<BTreeMap<(char, String), Vec<u8>>>,
}

impl Recorder {
    fn note(&self, letter: char, name: &str, content: &[u8]) {
        let content = content.iter().copied().filter(|byte| *byte != 1).take(LONGEST).collect();
        self.entries.borrow_mut().insert((letter, name.to_owned()), content);
    }

    fn seed(&self) -> Vec<u8> {
        let mut seed = Vec::new();
        for ((letter, name), content) in self.entries.borrow().iter() {
            if seed.len() + content.len() > SEED {
                continue;
            }
            seed.push(1);
            seed.extend_from_slice(format!("{letter}{name}\n").as_bytes());
            seed.extend_from_slice(content);
        }
        seed
    }
}

impl Host for Recorder {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.inner.read(path, limit)?;
        if let Some(bytes) = &read {
            self.note('F', path, bytes);
        }
        Ok(read)
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let read = self.inner.read_at(path, offset, length)?;
        if let (Some(bytes), 0) = (&read, offset) {
            self.note('F', path, bytes);
        }
        Ok(read)
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        let list = self.inner.list(path)?;
        if list.is_some() {
            self.note('D', path, b"");
        }
        for entry in list.iter().flatten().take(200) {
            let path = format!("{}/{}", path.trim_end_matches('/'), entry.name);
            if entry.kind == Kind::Folder {
                self.note('D', &path, b"");
            }
        }
        Ok(list)
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        self.inner.stat(path, follow)
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        let target = self.inner.read_link(path)?;
        if let Some(target) = &target {
            self.note('L', path, target.as_bytes());
        }
        Ok(target)
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let ran = self.inner.run(command)?;
        if let Some(output) = &ran {
            self.note('P', &command.to_string(), &output.stdout);
        }
        Ok(ran)
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.inner.inventory()
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.inner.extended(path, name)
    }

    fn walk(&self, _walk: &Walk<'_>, _found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        Ok(Some(Walked::default()))
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.inner.listeners()
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        self.inner.tls_handshake(address)
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        self.inner.tls_before_1_2(address)
    }
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--show", file] => println!("{}", fs::read(file)?.escape_ascii().to_string().replace("\\n", "\n")),
        [folder] => {
            for probe in registry::all() {
                let recorder = Recorder {
                    inner: Machine::own().host(probe.spec, Deadline::within(60_000)),
                    entries: RefCell::default(),
                };
                probe.collect(&recorder);
                let folder = Path::new(folder).join(probe.spec.id);
                fs::create_dir_all(&folder)?;
                fs::write(folder.join("this-machine"), recorder.seed())?;
            }
        }
        _ => eprintln!("record FOLDER | record --show FILE"),
    }
    Ok(())
}
