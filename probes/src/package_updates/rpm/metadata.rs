//! Metadata of a repository, as dnf and zypper keep it: `repomd.xml`, the list of packages, the advisories.
//!
//! Source: createrepo_c(8), the RELAX NG schemas of createrepo, `updateinfo.xml` as bodhi and pulp write it.
//!
//! How the lists in a cache are packed: RHEL 8 to 10 and their kin gzip; Fedora zchunk, with zstd (since 41) and gzip or xz
//! (before) beside it for who cannot; EPEL 8 and 9 xz, EPEL 10 zstd; openSUSE gzip, Tumbleweed zstd. bzip2 was that of EPEL 7 and
//! is not read.
//!
//! A list can have
//! 300 MB of which a host needs a few hundred entries, so it is unpacked as a stream, cut into entries, and an entry is
//! parsed only if its package is installed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use lzma_rust2::XzReader;
use memchr::memmem::Finder;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::super::facts::ListState;
use super::super::lists::{Chunks, ListError};
use super::zchunk::Zchunk;
use crate::order::Order as _;
use crate::reading::Reading;

/// Longest entry. An advisory of a whole desktop has 2 MB.
const MAX_ENTRY: usize = 16 * 1024 * 1024;
/// Most bytes that a list may have unpacked: five times Fedora's.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const WINDOW: usize = 256 * 1024;
/// Most memory that xz may take, KiB: its highest level needs 65 MiB, the usual one 9 MiB.
const XZ_KIB: u32 = 68 * 1024;
/// Packages and references of an advisory that are looked at.
const MAX_PARTS: usize = 20_000;
const MAX_TEXT: usize = 1_000;

/// What `repomd.xml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Contents {
    /// `revision`, for most the time at which the repository was made.
    pub(super) revision: String,
    /// Kind of data, path in the repository.
    pub(super) data: Vec<(String, String)>,
}

/// A package that a repository offers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) architecture: String,
    /// `[epoch:]version-release`.
    pub(super) version: String,
}

/// An advisory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Advisory {
    pub(super) id: String,
    /// `security`, `bugfix`, `enhancement`, `newpackage`.
    pub(super) kind: String,
    pub(super) severity: String,
    /// As it is written.
    pub(super) issued: String,
    pub(super) cves: Vec<String>,
    /// Those whose name is wanted.
    pub(super) packages: Vec<Offered>,
}

/// Reads `repomd.xml`.
pub(super) fn contents(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::default();
    let mut kind = String::new();
    let mut inside: Vec<String> = vec![];
    walk(text, |event| {
        match event {
            Part::Begin(element) => {
                match element.name().as_ref() {
                    "data" => kind = attribute(element, "type").unwrap_or_default(),
                    "location" if contents.data.len() < 1_000 => {
                        if let Some(path) = attribute(element, "href") {
                            contents.data.push((kind.clone(), path));
                        }
                    }
                    _ => {}
                }
                inside.push(element.name().as_ref().to_owned());
            }
            Part::End => {
                inside.pop();
            }
            Part::Text(text) => {
                if inside.last().is_some_and(|name| name == "revision") {
                    contents.revision = text;
                }
            }
        }
        inside.len() < 50
    })?;
    if contents.data.is_empty() {
        return Err("it lists nothing".to_owned());
    }
    Ok(contents)
}

/// Reads a list of packages: those whose name `wanted` has.
pub(super) fn packages(
    reading: &Reading<'_>,
    path: &str,
    wanted: &HashMap<&str, Vec<usize>>,
) -> Result<Vec<Offered>, ListError> {
    let mut offered = vec![];
    let (name_begin, name_end) = (Finder::new(b"<name>"), Finder::new(b"</name>"));
    entries(reading, path, "package", &mut |entry| {
        let name = name_begin.find(entry).and_then(|at| entry.get(at + 6..));
        let name = name.and_then(|rest| rest.get(..name_end.find(rest)?));
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        if wanted.contains_key(name.ok_or("a package has no name")?) {
            offered.push(package(entry)?);
        }
        Ok(())
    })?;
    Ok(offered)
}

/// Reads advisories: those that speak of a package whose name `wanted` has. Packages of streams of modules, of which none
/// `is_active` by name, stream and context, are left out.
pub(super) fn advisories(
    reading: &Reading<'_>,
    path: &str,
    wanted: &HashMap<&str, Vec<usize>>,
    is_active: &dyn Fn([&str; 3]) -> bool,
) -> Result<Vec<Advisory>, ListError> {
    let mut advisories = vec![];
    let name = Finder::new(b" name=\"");
    entries(reading, path, "update", &mut |entry| {
        let named = name.find_iter(entry).any(|at| {
            let rest = entry.get(at + 7..).unwrap_or_default();
            let end = memchr::memchr(b'"', rest).unwrap_or(0);
            let name = rest.get(..end).and_then(|name| std::str::from_utf8(name).ok());
            name.is_some_and(|name| wanted.contains_key(name))
        });
        if named {
            let mut advisory = advisory(entry, is_active)?;
            advisory
                .packages
                .retain(|package| wanted.contains_key(package.name.as_str()));
            advisories.push(advisory);
        }
        Ok(())
    })?;
    Ok(advisories)
}

fn utf8(entry: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(entry).map_err(|_| "an entry is not UTF-8".to_owned())
}

fn package(entry: &[u8]) -> Result<Offered, String> {
    let (mut name, mut architecture, mut version) = (None, None, None);
    let mut inside: Vec<String> = vec![];
    walk(utf8(entry)?, |part| {
        match part {
            Part::Begin(element) => {
                if inside.len() == 1 && element.name().as_ref() == "version" {
                    version = evr(element, "ver", "rel");
                }
                inside.push(element.name().as_ref().to_owned());
            }
            Part::End => {
                inside.pop();
            }
            Part::Text(text) => match inside.as_slice() {
                [_, element] if element == "name" => name = Some(text),
                [_, element] if element == "arch" => architecture = Some(text),
                _ => {}
            },
        }
        // What is needed comes first, and the rest is long.
        inside.len() < 50 && (name.is_none() || architecture.is_none() || version.is_none())
    })?;
    match (name, architecture, version) {
        (Some(name), Some(architecture), Some(version)) => Ok(Offered {
            name,
            architecture,
            version,
        }),
        _ => Err("a package has no name, architecture or version".to_owned()),
    }
}

fn advisory(entry: &[u8], is_active: &dyn Fn([&str; 3]) -> bool) -> Result<Advisory, String> {
    let mut advisory = Advisory::default();
    // Where the packages of a collection begin, and whether it applies; `None`: it is of no module.
    let (mut begin, mut applies) = (0, None);
    let mut inside: Vec<String> = vec![];
    walk(utf8(entry)?, |part| {
        match part {
            Part::Begin(element) => {
                match element.name().as_ref() {
                    "update" => advisory.kind = attribute(element, "type").unwrap_or_default(),
                    "collection" => (begin, applies) = (advisory.packages.len(), None),
                    "module" => {
                        let name = attribute(element, "name").unwrap_or_default();
                        let stream = attribute(element, "stream").unwrap_or_default();
                        let context = attribute(element, "context").unwrap_or_default();
                        applies = Some(applies == Some(true) || is_active([&name, &stream, &context]));
                    }
                    "issued" => advisory.issued = attribute(element, "date").unwrap_or_default(),
                    "reference"
                        if attribute(element, "type").as_deref() == Some("cve") && advisory.cves.len() < MAX_PARTS =>
                    {
                        advisory.cves.extend(attribute(element, "id"));
                    }
                    "package" if advisory.packages.len() < MAX_PARTS => {
                        let version = evr(element, "version", "release");
                        if let (Some(name), Some(architecture), Some(version)) =
                            (attribute(element, "name"), attribute(element, "arch"), version)
                        {
                            advisory.packages.push(Offered {
                                name,
                                architecture,
                                version,
                            });
                        }
                    }
                    _ => {}
                }
                inside.push(element.name().as_ref().to_owned());
            }
            Part::End => {
                if inside.pop().is_some_and(|name| name == "collection") && applies == Some(false) {
                    advisory.packages.truncate(begin);
                }
            }
            Part::Text(text) => match inside.as_slice() {
                [_, element] if element == "id" => advisory.id = text,
                [_, element] if element == "severity" => advisory.severity = text,
                _ => {}
            },
        }
        inside.len() < 50
    })?;
    if advisory.id.is_empty() {
        return Err("an advisory has no id".to_owned());
    }
    advisory.cves.order();
    advisory.cves.dedup();
    Ok(advisory)
}

fn evr(element: &BytesStart<'_>, version: &str, release: &str) -> Option<String> {
    let version = attribute(element, version)?;
    let release = attribute(element, release)?;
    let epoch = attribute(element, "epoch").filter(|epoch| !epoch.is_empty() && epoch != "0");
    Some(match epoch {
        Some(epoch) => format!("{epoch}:{version}-{release}"),
        None => format!("{version}-{release}"),
    })
}

enum Part<'a> {
    Begin(&'a BytesStart<'a>),
    End,
    Text(String),
}

/// Goes through the parts of a text in XML until `part` returns `false`.
fn walk(text: &str, mut part: impl FnMut(Part<'_>) -> bool) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    // A text comes in pieces, divided by what stands for a character.
    let mut written = String::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match &event {
            Event::Text(piece) => {
                written.push_str(piece);
                continue;
            }
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &**name);
                written.push_str(&unescape(&reference).unwrap_or_else(|_| (&reference).into()));
                continue;
            }
            _ => {}
        }
        let whole = std::mem::take(&mut written);
        let goes_on = (whole.trim().is_empty() || part(Part::Text(bounded(whole.trim()))))
            && match event {
                Event::Start(element) => part(Part::Begin(&element)),
                Event::Empty(element) => part(Part::Begin(&element)) && part(Part::End),
                Event::End(_) => part(Part::End),
                Event::Eof => false,
                _ => true,
            };
        if !goes_on {
            return Ok(());
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut attributes = attributes.with_checks(false).flatten();
    let found = attributes.find(|attribute| attribute.key.as_ref() == name)?;
    Some(bounded(&unescape(&found.value).unwrap_or_else(|_| found.value.clone())))
}

fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// Calls `document` with each document of a packed list in YAML, without the lines between them.
pub(super) fn documents(
    reading: &Reading<'_>,
    path: &str,
    document: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<(), ListError> {
    unpacked(reading, path, &mut |stream| {
        let mut lines = BufReader::with_capacity(WINDOW, stream);
        let mut text: Vec<u8> = vec![];
        let mut total = 0;
        loop {
            let begin = text.len();
            let room = (MAX_ENTRY - begin) as u64;
            let got = (&mut lines).take(room).read_until(b'\n', &mut text);
            let got = got.map_err(|error| error.to_string())? as u64;
            total += got;
            if got == room || total > MAX_BYTES {
                return Err(format!(
                    "a document is longer than {MAX_ENTRY} bytes, or all are than {MAX_BYTES}"
                ));
            }
            let line = text.get(begin..).unwrap_or_default().trim_ascii_end();
            if got == 0 || matches!(line, b"---" | b"...") {
                document(utf8(text.get(..begin).unwrap_or_default())?)?;
                text.clear();
            }
            if got == 0 {
                return Ok(());
            }
        }
    })
}

/// Calls `entry` with each element `<name …>…</name>` of a packed list.
fn entries(
    reading: &Reading<'_>,
    path: &str,
    name: &str,
    entry: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), ListError> {
    unpacked(reading, path, &mut |stream| cut(stream, name, entry))
}

/// Gives a packed list to `take` as it is unpacked.
fn unpacked(
    reading: &Reading<'_>,
    path: &str,
    take: &mut dyn FnMut(&mut dyn Read) -> Result<(), String>,
) -> Result<(), ListError> {
    let mut chunks = Chunks::new(reading, path);
    let malformed = |why: &str| ListError {
        state: ListState::Malformed,
        detail: format!("{path}: {why}"),
    };
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let taken = match ending {
        "xml" | "yaml" => take(&mut chunks),
        "gz" => take(&mut flate2::bufread::MultiGzDecoder::new(&mut chunks)),
        "zst" => match ruzstd::decoding::StreamingDecoder::new(&mut chunks) {
            Ok(mut decoder) => take(&mut decoder),
            Err(error) => Err(error.to_string()),
        },
        "zck" => match Zchunk::open(&mut chunks) {
            Ok(mut decoder) => take(&mut decoder),
            Err(error) => Err(error.to_string()),
        },
        "xz" => take(&mut XzReader::new_mem_limit(&mut chunks, true, XZ_KIB)),
        _ => {
            return Err(ListError {
                state: ListState::Unsupported,
                detail: format!("{path}: this probe cannot unpack it"),
            });
        }
    };
    if let Some(unread) = chunks.failure() {
        return Err(ListError::unread(&unread));
    }
    taken.map_err(|why| malformed(&why))
}

fn cut(stream: &mut dyn Read, name: &str, entry: &mut dyn FnMut(&[u8]) -> Result<(), String>) -> Result<(), String> {
    let begin = format!("<{name}");
    let end = format!("</{name}>");
    let (begin, end) = (Finder::new(&begin), Finder::new(&end));
    let mut buffer: Vec<u8> = Vec::with_capacity(2 * WINDOW);
    let mut window = vec![0; WINDOW];
    let mut total = 0_u64;
    // Where the search for the end of the entry at the beginning of the buffer goes on.
    let mut open = false;
    let mut searched = 0;
    loop {
        let got = stream.read(&mut window).map_err(|error| error.to_string())?;
        total += got as u64;
        if total > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes unpacked"));
        }
        buffer.extend_from_slice(window.get(..got).unwrap_or_default());
        let mut at = 0;
        loop {
            let rest = buffer.get(at..).unwrap_or_default();
            if open {
                let from = searched.min(rest.len());
                let Some(found) = rest.get(from..).and_then(|rest| end.find(rest)) else {
                    searched = rest.len().saturating_sub(name.len() + 3);
                    break;
                };
                let length = from + found + name.len() + 3;
                entry(rest.get(..length).unwrap_or_default())?;
                at += length;
                (open, searched) = (false, 0);
                continue;
            }
            let Some(found) = begin.find(rest) else {
                at += rest.len().saturating_sub(name.len() + 1);
                break;
            };
            // The name may go on: `<packager>`, `<updates>`.
            match rest.get(found + name.len() + 1) {
                None => {
                    at += found;
                    break;
                }
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'>') => {
                    at += found;
                    open = true;
                }
                Some(_) => at += found + 1,
            }
        }
        buffer.drain(..at);
        if buffer.len() > MAX_ENTRY {
            return Err(format!("an entry is longer than {MAX_ENTRY} bytes"));
        }
        if got == 0 {
            return if open {
                Err("it ends within an entry".to_owned())
            } else {
                Ok(())
            };
        }
    }
}

#[cfg(test)]
mod tests;
