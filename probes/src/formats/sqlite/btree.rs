//! Trees of pages that hold a table, and chains of pages that hold long rows.

use super::record::{Record, varint};
use super::{Database, MAX_ROW, SqliteError, malformed};

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// Pages that the tree of a table may be deep. Twenty are enough for the largest database that SQLite can have.
const MAX_DEPTH: usize = 40;

/// Pages that were used. None may be used twice, so that no damaged or hostile file is read without end.
struct Used(Vec<u64>);

impl Used {
    /// Whether this is the first use of the page.
    fn first(&mut self, page: u32) -> bool {
        let Some(word) = self.0.get_mut((page / 64) as usize) else {
            return false;
        };
        let bit = 1 << (page % 64);
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}

impl Database<'_, '_> {
    /// Calls `row` with each row of the tree at `root` until it returns `false`.
    pub(super) fn walk(
        &mut self,
        root: u32,
        row: &mut dyn FnMut(Result<Record<'_>, String>) -> bool,
    ) -> Result<(), SqliteError> {
        let mut used = Used(vec![0; self.pages as usize / 64 + 1]);
        // Pages still to be read, the next one last, with their depth.
        let mut waiting = vec![(root, 0)];
        let (mut page, mut payload) = (vec![], vec![]);
        while let Some((number, depth)) = waiting.pop() {
            if depth > MAX_DEPTH || !used.first(number) {
                return Err(self.damaged(format!("page {number} is part of no tree")));
            }
            page.clear();
            self.page(number, &mut page)?;
            let header = if number == 1 { 100 } else { 0 };
            let cells = self.cells(number, header, &page)?;
            match page.get(header) {
                Some(&INTERIOR) => {
                    let last = page.get(header + 8..).and_then(|bytes| bytes.first_chunk());
                    let last = last.copied().map_or(0, u32::from_be_bytes);
                    let mut children = vec![];
                    for cell in cells {
                        let child = page.get(cell..).and_then(|bytes| bytes.first_chunk());
                        let child = child.ok_or_else(|| self.damaged(format!("a cell of page {number} is cut off")))?;
                        children.push((u32::from_be_bytes(*child), depth + 1));
                    }
                    children.push((last, depth + 1));
                    waiting.extend(children.into_iter().rev());
                }
                Some(&LEAF) => {
                    for cell in cells {
                        let goes_on = match self.leaf(&page, cell, &mut used, &mut payload)? {
                            Ok(id) => row(Record::parse(id, &payload).map_err(|what| format!("row {id}: {what}"))),
                            Err(what) => row(Err(what)),
                        };
                        if !goes_on {
                            return Ok(());
                        }
                    }
                }
                _ => return Err(self.damaged(format!("page {number} is no page of a table"))),
            }
        }
        Ok(())
    }

    /// Offsets of the cells in a page.
    fn cells(&self, number: u32, header: usize, page: &[u8]) -> Result<Vec<usize>, SqliteError> {
        let cut = || self.damaged(format!("page {number} has more cells than room"));
        let count = page.get(header + 3..).and_then(|bytes| bytes.first_chunk());
        let count = usize::from(u16::from_be_bytes(*count.ok_or_else(cut)?));
        let begin = header + if page.get(header) == Some(&INTERIOR) { 12 } else { 8 };
        let pointers = page.get(begin..begin + 2 * count).ok_or_else(cut)?;
        let pointers = pointers.as_chunks::<2>().0;
        Ok(pointers
            .iter()
            .map(|pointer| usize::from(u16::from_be_bytes(*pointer)))
            .collect())
    }

    /// Puts the payload of a leaf's cell into `payload` and returns its row id; the inner `Err` says why this row alone
    /// cannot be read.
    fn leaf(
        &mut self,
        page: &[u8],
        cell: usize,
        used: &mut Used,
        payload: &mut Vec<u8>,
    ) -> Result<Result<i64, String>, SqliteError> {
        payload.clear();
        let head = page.get(cell..).and_then(varint);
        let Some((length, Some((id, local)))) = head.map(|(length, rest)| (length, varint(rest))) else {
            return Ok(Err("a cell is cut off".to_owned()));
        };
        let id = id.cast_signed();
        if length > MAX_ROW {
            return Ok(Err(format!("row {id} has {length} bytes, more than {MAX_ROW}")));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let here = local_length(length, self.usable);
        let Some(bytes) = local.get(..here) else {
            return Ok(Err(format!("row {id} is cut off")));
        };
        payload.extend_from_slice(bytes);
        if here == length {
            return Ok(Ok(id));
        }
        let next = local.get(here..).and_then(|bytes| bytes.first_chunk());
        let mut next = next.copied().map_or(0, u32::from_be_bytes);
        while payload.len() < length {
            if !used.first(next) {
                return Ok(Err(format!(
                    "row {id} goes on in page {next}, which is none of its pages"
                )));
            }
            let begin = payload.len();
            self.page(next, payload)?;
            let link = payload.get(begin..).and_then(|bytes| bytes.first_chunk());
            next = link.copied().map_or(0, u32::from_be_bytes);
            payload.drain(begin..begin + 4);
        }
        payload.truncate(length);
        Ok(Ok(id))
    }

    fn damaged(&self, what: String) -> SqliteError {
        malformed(self.file.path(), what)
    }
}

/// How much of a payload lies in the leaf itself.
fn local_length(length: usize, usable: usize) -> usize {
    let most = usable - 35;
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let rest = least + (length - least) % (usable - 4);
    if rest <= most { rest } else { least }
}
