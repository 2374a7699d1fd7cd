//! The second pass: from the order of arrival to the order of hosts.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use evidence::pack;

use super::archive::Archive;
use super::survey::{COLLECTOR, Survey};
use super::{PackError, Progress, file_of};
use crate::store::Store;

/// Entries read at once: four bundles.
const BATCH: usize = 1024;
/// Memory for all lines that wait to be written, bytes.
const MEMORY: usize = 128 << 20;
/// A piece in the temporary file is at least this long, bytes, so that reading them back is not seeking.
const MIN_PIECE: usize = 16 << 10;

/// The lines of one author: pieces in the temporary file, then what is still in memory.
#[derive(Default)]
struct Lines {
    pieces: Vec<(u64, usize)>,
    waiting: Vec<u8>,
    length: u64,
}

/// Writes the files of statements; returns how many statements of hosts are in them.
pub(super) fn write_statements(
    archive: &mut Archive,
    store: &dyn Store,
    survey: &Survey,
    size: u64,
    progress: Progress<'_>,
) -> Result<u64, PackError> {
    let failed = |source| PackError::Write {
        path: "a temporary file".to_owned(),
        source,
    };
    let mut file = unnamed_file().map_err(failed)?;
    let mut collector = Lines::default();
    let mut hosts: Vec<Lines> = survey.hosts.iter().map(|_| Lines::default()).collect();
    let piece = (MEMORY / hosts.len().max(1)).max(MIN_PIECE);
    let mut end = 0;

    let early = survey.own.iter().copied().filter(|index| *index < survey.begin);
    for index in early {
        let bytes = store
            .entry(index)?
            .ok_or_else(|| PackError::damaged(format!("entry {index} is missing")))?;
        collector.push(index, &bytes);
    }
    let (mut at, mut statements) = (survey.begin, 0);
    while at < size {
        let limit = BATCH.min(usize::try_from(size - at).unwrap_or(BATCH));
        let entries = store.entries(at, limit)?;
        if entries.is_empty() {
            return Err(PackError::damaged(format!(
                "the log ends at entry {at}, its head says {size}"
            )));
        }
        for (index, bytes) in entries {
            at = index + 1;
            let author = usize::try_from(index)
                .ok()
                .and_then(|index| survey.authors.get(index))
                .copied();
            let Some(lines) = author
                .filter(|author| *author != COLLECTOR)
                .and_then(|author| hosts.get_mut(author as usize))
            else {
                collector.push(index, &bytes);
                continue;
            };
            statements += 1;
            lines.push(index, &bytes);
            if lines.waiting.len() >= piece {
                let packed = zstd::bulk::compress(&lines.waiting, 1).map_err(failed)?;
                file.write_all(&packed).map_err(failed)?;
                lines.pieces.push((end, packed.len()));
                end += packed.len() as u64;
                lines.waiting.clear();
            }
        }
        progress("statements sorted", at - survey.begin, size - survey.begin);
    }

    archive.stream(pack::COLLECTOR, collector.length, collector.read(&file, piece))?;
    let mut files: Vec<_> = survey
        .hosts
        .iter()
        .zip(hosts)
        .filter(|(_, lines)| lines.length > 0)
        .collect();
    files.sort_by_key(|(host, _)| *host);
    let total = files.len() as u64;
    for (done, (host, lines)) in files.into_iter().enumerate() {
        archive.stream(&file_of(host), lines.length, lines.read(&file, piece))?;
        progress("hosts", done as u64 + 1, total);
    }
    Ok(statements)
}

/// Not in any folder, so that it is gone when the process is, however that ends.
fn unnamed_file() -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("affiant-pack-{}", std::process::id()));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

impl Lines {
    /// The envelope is canonical JSON, and so is the line with it.
    fn push(&mut self, index: u64, envelope: &[u8]) {
        let before = self.waiting.len();
        self.waiting.extend_from_slice(b"{\"envelope\":");
        self.waiting.extend_from_slice(envelope);
        self.waiting
            .extend_from_slice(format!(",\"index\":{index}}}\n").as_bytes());
        self.length += (self.waiting.len() - before) as u64;
    }

    fn read(self, file: &File, piece: usize) -> impl Iterator<Item = Result<Vec<u8>, PackError>> {
        // A piece was written as soon as it had `piece` bytes, so the last line may reach beyond.
        let limit = piece + evidence::envelope::MAX_BYTES + 64;
        let pieces = self.pieces.into_iter().map(move |(offset, length)| {
            let failed = |source| PackError::Write {
                path: "a temporary file".to_owned(),
                source,
            };
            let mut packed = vec![0; length];
            file.read_exact_at(&mut packed, offset).map_err(failed)?;
            zstd::bulk::decompress(&packed, limit).map_err(failed)
        });
        pieces.chain(std::iter::once(Ok(self.waiting)))
    }
}
