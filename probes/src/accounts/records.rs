//! Lines of fields with colons between them, as `/etc/passwd` and its relatives have them.

use std::fmt::Write;

/// More lines than a file of accounts has that somebody keeps; a facts document could not hold the accounts of
/// larger ones.
pub(crate) const MAX_LINES: usize = 10_000;
/// Longer than any line that glibc reads by default (`NSS_BUFLEN_PASSWD` is 1,024), with room for groups of thousands
/// of members.
const MAX_LINE: usize = 256 * 1024;

/// A line with its number, cut at its colons.
pub(crate) struct Record<'b> {
    pub(crate) line: u32,
    pub(crate) fields: Vec<&'b [u8]>,
}

/// A file has more than [`MAX_LINES`] lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_LINES} lines")]
pub(crate) struct TooManyLines;

/// A line that is no entry, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// Number of the line, from 1.
    pub(crate) line: u32,
    /// What is wrong with it.
    pub(crate) reason: &'static str,
}

/// Entries, and lines that are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entries<T> {
    /// The entries in the order of the file.
    pub(crate) entries: Vec<T>,
    /// Lines that could not be understood.
    pub(crate) bad: Vec<BadLine>,
}

/// Reads every line by `entry`. Empty lines and comments are skipped as glibc does (nss_files).
pub(crate) fn read<'b, T>(
    bytes: &'b [u8],
    entry: impl Fn(&Record<'b>) -> Result<T, &'static str>,
) -> Result<Entries<T>, TooManyLines> {
    let mut read = Entries {
        entries: vec![],
        bad: vec![],
    };
    for (number, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = text.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        if number as usize > MAX_LINES {
            return Err(TooManyLines);
        }
        let result = if text.len() > MAX_LINE {
            Err("the line is too long")
        } else if matches!(text.first(), Some(b'+' | b'-')) {
            Err("an entry for NIS (compat mode)")
        } else {
            let fields = text.split(|byte| *byte == b':').collect();
            entry(&Record { line: number, fields })
        };
        match result {
            Ok(entry) => read.entries.push(entry),
            Err(reason) => read.bad.push(BadLine { line: number, reason }),
        }
    }
    Ok(read)
}

/// Decimal digits alone: glibc takes blanks and signs too, so that an entry with those is worth a look.
pub(crate) fn number(field: &[u8]) -> Option<u32> {
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Folders whose entries are named after people.
const PERSONAL: [&str; 3] = ["/home/", "/export/home/", "/Users/"];

/// A path as the facts show it: what may name a person is written `*`.
pub(crate) fn masked(path: &str) -> String {
    let personal = PERSONAL.iter().find(|folder| path.starts_with(**folder));
    personal.map_or_else(|| path.to_owned(), |folder| format!("{folder}*"))
}

/// As text; bytes that are not UTF-8 are written `\xNN`.
pub(crate) fn printable(field: &[u8]) -> String {
    let mut text = String::with_capacity(field.len());
    for chunk in field.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
