//! The structure of the zip file (APPNOTE 6.3), checked before anything is unpacked.

use std::collections::BTreeMap;

use zip::{CompressionMethod, ZipArchive};

use super::{Role, Source};
use crate::failure::Failure;

/// Files in a pack at most: ten years of ten thousand hosts, and an end to counting.
const MAX_FILES: usize = 4_000_000;
/// What an archive may unpack to for each of its bytes; deflate itself cannot do more than 1032.
const MAX_RATIO: u64 = 200;
/// Below this the ratio does not matter.
const SMALL: u64 = 64 << 20;

type Checked = (ZipArchive<Box<dyn Source>>, BTreeMap<String, Role>);

pub(super) fn check(source: Box<dyn Source>, length: u64) -> Result<Checked, Failure> {
    let wrong = |what: String| Failure::wrong(what, "the archive");
    let mut zip = ZipArchive::new(source).map_err(|error| wrong(format!("not a zip archive: {error}")))?;
    if zip.len() > MAX_FILES {
        return Err(wrong(format!("has {} files, at most {MAX_FILES} are read", zip.len())));
    }
    if zip.offset() != 0 {
        return Err(wrong("has data before its first file".to_owned()));
    }
    if !zip.comment().is_empty() {
        return Err(wrong("has a comment".to_owned()));
    }
    zip.validate_header_consistency()
        .map_err(|error| wrong(error.to_string()))?;

    let mut roles = BTreeMap::new();
    let mut spans = Vec::with_capacity(zip.len());
    let mut unpacked: u64 = 0;
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index).map_err(|error| wrong(error.to_string()))?;
        let name = std::str::from_utf8(file.name_raw())
            .map_err(|_| wrong(format!("file {index} has a name that is not UTF-8")))?;
        let role = Role::of(name).ok_or_else(|| Failure::wrong("a pack has no such file", format!("{name:?}")))?;
        let name = name.to_owned();
        if file.encrypted() {
            return Err(Failure::wrong("the file is encrypted", name));
        }
        if !file.is_file() || file.is_symlink() {
            return Err(Failure::wrong("not a plain file", name));
        }
        if !matches!(
            file.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            return Err(Failure::wrong(
                format!("packed by {}, stored or deflated expected", file.compression()),
                name,
            ));
        }
        if file.size() > role.max_bytes() {
            let limit = role.max_bytes();
            return Err(Failure::wrong(
                format!("announces {} bytes, such a file may have {limit}", file.size()),
                name,
            ));
        }
        unpacked = unpacked.saturating_add(file.size());
        let data = file
            .data_start()
            .ok_or_else(|| Failure::wrong("its data cannot be found", &name))?;
        spans.push((file.header_start(), data.saturating_add(file.compressed_size())));
        drop(file);
        roles.insert(name, role);
    }
    if unpacked > SMALL && unpacked / length.max(1) > MAX_RATIO {
        return Err(wrong(format!(
            "{length} bytes announce {unpacked}: more than {MAX_RATIO} times as much"
        )));
    }
    // Bytes that belong to no file could be anything; a pack has none.
    spans.sort_unstable();
    let mut end = 0;
    for (begin, next) in spans {
        if begin != end {
            return Err(wrong(format!(
                "has {} bytes that belong to no file, at {end}",
                begin.abs_diff(end)
            )));
        }
        end = next;
    }
    if end != zip.central_directory_start() {
        return Err(wrong(format!("has bytes that belong to no file, at {end}")));
    }
    Ok((zip, roles))
}
