//! The archive that is being written.
//!
//! Deterministic: the same files give the same bytes. No dates, no owners.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use evidence::{Digest, pack};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::PackError;

/// From this size on a file needs the 64-bit fields of the format.
const LARGE: u64 = u32::MAX as u64;

pub(super) struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    part: PathBuf,
    output: PathBuf,
    sums: BTreeMap<String, Digest>,
}

impl Archive {
    /// Begins an archive beside `output`; it takes that name in [`Self::finish`].
    pub(super) fn create(output: &Path) -> Result<Self, PackError> {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = output.with_file_name(name);
        let failed = |source| PackError::Write {
            path: part.display().to_string(),
            source,
        };
        // Read again at the end, for the archive's own digest.
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&part)
            .map_err(failed)?;
        let zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
        Ok(Self {
            zip,
            part,
            output: output.to_owned(),
            sums: BTreeMap::new(),
        })
    }

    fn failed(&self, source: io::Error) -> PackError {
        PackError::Write {
            path: self.part.display().to_string(),
            source,
        }
    }

    fn begin(&mut self, name: &str, large: bool) -> Result<(), PackError> {
        // Level 1: evidence is made of hashes and signatures, which no level makes small.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(1))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(large);
        Ok(self.zip.start_file(name, options)?)
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        self.unlisted(name, bytes)?;
        self.sums.insert(name.to_owned(), Digest::of(bytes));
        Ok(())
    }

    fn unlisted(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        self.begin(name, bytes.len() as u64 >= LARGE)?;
        self.zip.write_all(bytes).map_err(|source| self.failed(source))
    }

    /// Adds a file of `length` bytes in pieces.
    pub(super) fn stream(
        &mut self,
        name: &str,
        length: u64,
        pieces: impl IntoIterator<Item = Result<Vec<u8>, PackError>>,
    ) -> Result<(), PackError> {
        self.begin(name, length >= LARGE)?;
        let mut hasher = Sha256::new();
        for piece in pieces {
            let piece = piece?;
            hasher.update(&piece);
            self.zip.write_all(&piece).map_err(|source| self.failed(source))?;
        }
        self.sums
            .insert(name.to_owned(), Digest::from_bytes(hasher.finalize().into()));
        Ok(())
    }

    /// Adds `SHA256SUMS` over everything so far, and gives its digest.
    pub(super) fn sums(&mut self) -> Result<Digest, PackError> {
        let sums: Vec<u8> = self
            .sums
            .iter()
            .flat_map(|(name, digest)| format!("{digest}  {name}\n").into_bytes())
            .collect();
        self.unlisted(pack::SUMS, &sums)?;
        Ok(Digest::of(&sums))
    }

    /// Adds the pack statement and its receipt.
    pub(super) fn seal(&mut self, envelope: &[u8], receipt: &str) -> Result<(), PackError> {
        self.unlisted(pack::STATEMENT, envelope)?;
        self.unlisted(pack::RECEIPT, receipt.as_bytes())
    }

    /// Makes the archive durable and gives it its name. Its length and SHA-256.
    pub(super) fn finish(self) -> Result<(u64, Digest), PackError> {
        let Self { zip, part, output, .. } = self;
        let failed = |source: io::Error| PackError::Write {
            path: part.display().to_string(),
            source,
        };
        let mut file = zip.finish()?.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let (mut hasher, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
            length += count as u64;
        }
        let named = |source| PackError::Write {
            path: output.display().to_string(),
            source,
        };
        std::fs::rename(&part, &output).map_err(named)?;
        Ok((length, Digest::from_bytes(hasher.finalize().into())))
    }
}
