//! A pack as its files, to be altered and put together again.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use affiant_verify::archive::Archive;
use affiant_verify::report::Report;
use affiant_verify::{Failure, Options};
use evidence::{Digest, pack};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Not listed in `SHA256SUMS`.
const UNLISTED: [&str; 3] = [pack::SUMS, pack::STATEMENT, pack::RECEIPT];

#[derive(Clone)]
pub struct Pack(pub BTreeMap<String, Vec<u8>>);

pub fn open(bytes: Vec<u8>) -> Result<Archive, Failure> {
    let length = bytes.len() as u64;
    Archive::open(Box::new(Cursor::new(bytes)), length)
}

pub fn verify(bytes: Vec<u8>, options: Options) -> Result<Report, Failure> {
    let mut report = Report::default();
    affiant_verify::verify(&mut open(bytes)?, options, &mut report)?;
    Ok(report)
}

/// How the collector packs a file.
pub fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

impl Pack {
    pub fn read(bytes: &[u8]) -> Self {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut files = BTreeMap::new();
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            files.insert(file.name().unwrap().into_owned(), bytes);
        }
        Self(files)
    }

    /// The pack as it was issued.
    pub fn good() -> Self {
        Self::read(&super::story().pack)
    }

    pub fn to_zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.0 {
            zip.start_file(name.as_str(), options(CompressionMethod::Stored))
                .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    pub fn verify(&self, options: Options) -> Result<Report, Failure> {
        verify(self.to_zip(), options)
    }

    pub fn get(&self, name: &str) -> &[u8] {
        self.0.get(name).unwrap_or_else(|| panic!("no file {name}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name).to_vec()).unwrap()
    }

    /// Replaces text in a file; it must be there.
    pub fn replace(&mut self, name: &str, from: &str, to: &str) {
        let before = self.text(name);
        assert!(before.contains(from), "{name} has no {from:?}");
        self.0
            .insert(name.to_owned(), before.replacen(from, to, 1).into_bytes());
    }

    /// Changes the lines of a file.
    pub fn lines(&mut self, name: &str, change: impl FnOnce(&mut Vec<String>)) {
        let mut lines: Vec<String> = self.text(name).lines().map(str::to_owned).collect();
        change(&mut lines);
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        self.0.insert(name.to_owned(), text.into_bytes());
    }

    pub fn swap(&mut self, one: &str, other: &str) {
        let [first, second] = [one, other].map(|name| self.get(name).to_vec());
        self.0.insert(one.to_owned(), second);
        self.0.insert(other.to_owned(), first);
    }

    pub fn remove(&mut self, name: &str) {
        assert!(self.0.remove(name).is_some(), "no file {name}");
    }

    /// Names that begin so, sorted.
    pub fn names(&self, begin: &str) -> Vec<String> {
        let names = self.0.keys().filter(|name| name.starts_with(begin));
        names.cloned().collect()
    }

    /// The facts document of a probe.
    pub fn facts_of(&self, probe: &str) -> String {
        let said = format!("\"probe\":\"{probe}\"");
        let of_probe = |name: &String| self.text(name).contains(&said);
        self.names("facts/").into_iter().find(of_probe).expect("such facts")
    }

    /// `SHA256SUMS` again, over the files as they are now.
    pub fn sum(&mut self) -> Digest {
        let listed = self.0.iter().filter(|(name, _)| !UNLISTED.contains(&name.as_str()));
        let lines: Vec<String> = listed
            .map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes)))
            .collect();
        let sums = lines.concat();
        let digest = Digest::of(sums.as_bytes());
        self.0.insert(pack::SUMS.to_owned(), sums.into_bytes());
        digest
    }
}

/// The file of a host's statements.
pub fn statements(host: &evidence::statement::HostId) -> String {
    pack::statements(host.as_str())
}
