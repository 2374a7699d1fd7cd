//! A file of the host as a stream.

use std::io::{self, BufRead, Read};

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

impl BufRead for Chunks<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
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
        Ok(self.chunk.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, length: usize) {
        self.used = self.chunk.len().min(self.used + length);
    }
}

impl Read for Chunks<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}
