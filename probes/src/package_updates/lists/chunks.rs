//! A file of the host as a stream.

use std::io::{self, Read};

use crate::reading::{Reading, Unread};

/// Bytes that are read at a time.
const CHUNK: usize = 256 * 1024;

/// Reads a file piece by piece, so that it is never held whole.
pub(in super::super) struct Chunks<'r, 'h> {
    reading: &'r Reading<'h>,
    path: &'r str,
    offset: u64,
    chunk: Vec<u8>,
    used: usize,
    ended: bool,
    failure: Option<Unread>,
}

impl<'r, 'h> Chunks<'r, 'h> {
    /// Nothing is read yet.
    pub(in super::super) fn new(reading: &'r Reading<'h>, path: &'r str) -> Self {
        Self {
            reading,
            path,
            offset: 0,
            chunk: vec![],
            used: 0,
            ended: false,
            failure: None,
        }
    }

    /// Why reading ended early, if it did.
    pub(in super::super) fn failure(self) -> Option<Unread> {
        self.failure
    }

    fn next_chunk(&mut self) -> Result<Vec<u8>, Unread> {
        let chunk = self.reading.bytes_at(self.path, self.offset, CHUNK)?;
        chunk.ok_or_else(|| Unread::Failed {
            place: self.path.to_owned(),
            reason: "it was removed while it was read".to_owned(),
        })
    }
}

impl Read for Chunks<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.chunk.len() && !self.ended {
            match self.next_chunk() {
                Ok(chunk) => {
                    self.offset += chunk.len() as u64;
                    // Only an empty piece is surely the end.
                    self.ended = chunk.is_empty();
                    (self.chunk, self.used) = (chunk, 0);
                }
                Err(unread) => {
                    let error = io::Error::other(unread.to_string());
                    (self.failure, self.ended) = (Some(unread), true);
                    return Err(error);
                }
            }
        }
        let rest = self.chunk.get(self.used..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.used += length;
        Ok(length)
    }
}
