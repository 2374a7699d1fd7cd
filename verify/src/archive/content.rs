//! The content of one file: unpacked, hashed, and held against what its header says.

use std::io::{self, BufRead, BufReader, Read, SeekFrom, Take};

use evidence::Digest;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use sha2::{Digest as _, Sha256};

use super::Source;
use super::fields::{Header, Method};

type Packed<'a> = BufReader<Take<&'a mut dyn Source>>;

/// A stream of a file's bytes. It ends with an error where there are more than the header announces.
pub(super) struct Content<'a> {
    packed: Packed<'a>,
    /// `None` for what is stored.
    inflate: Option<Inflate>,
    header: &'a Header,
    sha256: Sha256,
    crc32: Crc,
}

/// A deflate stream (RFC 1951).
struct Inflate {
    state: Decompress,
    ended: bool,
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<'a> Content<'a> {
    pub(super) fn open(source: &'a mut dyn Source, header: &'a Header, begin: u64) -> io::Result<Self> {
        source.seek(SeekFrom::Start(begin))?;
        let inflate = (header.method == Method::Deflated).then(|| Inflate {
            state: Decompress::new(false),
            ended: false,
        });
        Ok(Self {
            packed: BufReader::with_capacity(64 * 1024, source.take(header.packed)),
            inflate,
            header,
            sha256: Sha256::new(),
            crc32: Crc::new(),
        })
    }

    /// Once everything was read: that it is all that the header announces and nothing else. Its SHA-256.
    pub(super) fn finish(mut self) -> io::Result<Digest> {
        if self.length() != self.header.unpacked {
            return Err(wrong("is shorter than its header announces"));
        }
        if self.inflate.as_ref().is_some_and(|inflate| !inflate.ended) || !self.packed.fill_buf()?.is_empty() {
            return Err(wrong("its packed form does not end where it must"));
        }
        if self.crc32.sum() != self.header.crc32 {
            return Err(wrong("its CRC-32 is not the one in its header"));
        }
        Ok(Digest::from_bytes(self.sha256.finalize().into()))
    }

    fn length(&self) -> u64 {
        match &self.inflate {
            Some(inflate) => inflate.state.total_out(),
            None => self.header.packed - self.packed.get_ref().limit() - self.packed.buffer().len() as u64,
        }
    }
}

impl Inflate {
    fn read(&mut self, packed: &mut Packed<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let input = packed.fill_buf()?;
            let (taken, given) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(input, buffer, FlushDecompress::None);
            let status = status.map_err(|_| wrong("its packed form is not a deflate stream"))?;
            let taken = usize::try_from(self.state.total_in() - taken).unwrap_or_default();
            let given = usize::try_from(self.state.total_out() - given).unwrap_or_default();
            packed.consume(taken);
            self.ended = matches!(status, Status::StreamEnd);
            if given > 0 {
                return Ok(given);
            }
            if taken == 0 && !self.ended {
                return Err(wrong("its packed form ends in the middle"));
            }
        }
        Ok(0)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.inflate {
            Some(inflate) => inflate.read(&mut self.packed, buffer)?,
            None => self.packed.read(buffer)?,
        };
        if self.length() > self.header.unpacked {
            return Err(wrong("unpacks to more than its header announces"));
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        self.sha256.update(bytes);
        self.crc32.update(bytes);
        Ok(count)
    }
}
