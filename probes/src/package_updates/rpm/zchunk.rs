//! Lists in the form of zchunk: a header that tells of pieces, then the pieces, each of which is packed by itself with zstd and a
//! dictionary that all have in common.
//!
//! Source: `zchunk_format.txt` of zchunk 1.2; `ext/solv_zchunk.c` of libsolv, by which dnf reads it. Checksums are not looked at:
//! dnf has done so when it fetched the list.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, Dictionary, FrameDecoder};

const MAGIC: &[u8] = b"\0ZCK1";
/// Longest header. That of Fedora's list, a piece for each source package, has 0.6 MB.
const MAX_HEADER: usize = 32 * 1024 * 1024;
/// Longest piece, packed or not. Most have some kilobytes.
const MAX_PIECE: usize = 16 * 1024 * 1024;
/// A number of 28 bits and more is none that fits.
const MAX_DIGITS: u32 = 4;

const PLAIN: usize = 0;
const ZSTD: usize = 2;
/// The flag for pieces of several streams, and the stream that counts.
const STREAMS: usize = 1;
const STREAM: usize = 1;

/// A list as it is unpacked.
pub(super) struct Zchunk<R> {
    source: R,
    packed: usize,
    has_streams: bool,
    checksum: usize,
    /// What the header has of pieces to come, and how many these are.
    index: Vec<u8>,
    at: usize,
    left: usize,
    decoder: FrameDecoder,
    /// The dictionary's number, if there is one.
    dictionary: Option<u32>,
    chunk: Vec<u8>,
    piece: Vec<u8>,
    used: usize,
}

/// A piece, as the header tells of it.
struct Piece {
    stream: usize,
    packed: usize,
    unpacked: usize,
}

impl<R: Read> Zchunk<R> {
    /// Reads the header and the dictionary.
    pub(super) fn open(mut source: R) -> io::Result<Self> {
        let mut lead = vec![0; MAGIC.len()];
        source.read_exact(&mut lead)?;
        if lead != MAGIC {
            return Err(malformed("no zchunk file"));
        }
        let checksum = checksum(number(&mut || byte(&mut source))?)?;
        let length = number(&mut || byte(&mut source))?;
        if length > MAX_HEADER {
            return Err(malformed("its header is longer than is read"));
        }
        let mut header = vec![];
        take(&mut source, checksum + length, &mut header)?;
        // The checksums of header and content.
        let mut at = 2 * checksum;
        let mut next = || number(&mut || from(&header, &mut at));
        let flags = next()?;
        let packed = next()?;
        if flags & !STREAMS != 0 || !matches!(packed, PLAIN | ZSTD) {
            return Err(malformed("a kind of zchunk file that is not known"));
        }
        let _length_of_index = next()?;
        let checksum = self::checksum(next()?)?;
        let left = next()?;
        let mut file = Self {
            source,
            packed,
            has_streams: flags & STREAMS != 0,
            checksum,
            index: header,
            at,
            left,
            decoder: FrameDecoder::new(),
            dictionary: None,
            chunk: vec![],
            piece: vec![],
            used: 0,
        };
        file.read_dictionary()?;
        Ok(file)
    }

    /// The first piece is the dictionary; it is empty where there is none.
    fn read_dictionary(&mut self) -> io::Result<()> {
        let Some(piece) = self.next_piece()? else {
            return Ok(());
        };
        self.unpack(&piece)?;
        if !self.piece.is_empty() && self.packed == ZSTD {
            let dictionary = Dictionary::decode_dict(&self.piece).map_err(|error| malformed(&error.to_string()))?;
            self.dictionary = Some(dictionary.id);
            self.decoder
                .add_dict(dictionary)
                .map_err(|error| malformed(&error.to_string()))?;
        }
        self.piece.clear();
        Ok(())
    }

    /// The next piece in the header; `None` after the last one.
    fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let mut at = self.at;
        let next = |at: &mut usize| number(&mut || from(&self.index, at));
        let stream = if self.has_streams { next(&mut at)? } else { STREAM };
        at += self.checksum;
        let (packed, unpacked) = (next(&mut at)?, next(&mut at)?);
        self.at = at;
        if packed > MAX_PIECE || unpacked > MAX_PIECE {
            return Err(malformed("a piece is longer than is read"));
        }
        Ok(Some(Piece {
            stream,
            packed,
            unpacked,
        }))
    }

    /// Reads a piece and unpacks it.
    fn unpack(&mut self, piece: &Piece) -> io::Result<()> {
        self.chunk.clear();
        self.piece.clear();
        self.used = 0;
        take(&mut self.source, piece.packed, &mut self.chunk)?;
        if self.packed == PLAIN || self.chunk.is_empty() {
            std::mem::swap(&mut self.piece, &mut self.chunk);
        } else {
            self.decode(piece.unpacked)
                .map_err(|error| malformed(&error.to_string()))?;
        }
        if self.piece.len() == piece.unpacked {
            Ok(())
        } else {
            Err(malformed("a piece has another length than the header tells"))
        }
    }

    /// Unpacks until the piece has more than `length` bytes.
    fn decode(&mut self, length: usize) -> Result<(), ruzstd::decoding::errors::FrameDecoderError> {
        let mut rest = self.chunk.as_slice();
        self.decoder.reset(&mut rest)?;
        // A frame names its dictionary, unless whoever packed it wished to save the few bytes.
        let is_named = self.chunk.get(4).is_some_and(|descriptor| descriptor & 3 != 0);
        if let Some(dictionary) = self.dictionary.filter(|_| !is_named) {
            self.decoder.force_dict(dictionary)?;
        }
        while !self.decoder.is_finished() && self.piece.len() <= length {
            let some = BlockDecodingStrategy::UptoBytes(256 * 1024);
            self.decoder.decode_blocks(&mut rest, some)?;
            if let Some(bytes) = self.decoder.collect() {
                self.piece.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Zchunk<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.piece.len() {
            let Some(piece) = self.next_piece()? else {
                return Ok(0);
            };
            self.unpack(&piece)?;
            if piece.stream != STREAM {
                self.used = self.piece.len();
            }
        }
        let got = self.piece.get(self.used..).unwrap_or_default().read(buffer)?;
        self.used += got;
        Ok(got)
    }
}

/// Length of the checksums of a kind.
fn checksum(kind: usize) -> io::Result<usize> {
    match kind {
        0 => Ok(20),
        1 => Ok(32),
        2 => Ok(64),
        3 => Ok(16),
        _ => Err(malformed("a kind of checksum that is not known")),
    }
}

/// A number: seven bits in each byte, the lowest first, and the last byte has the eighth.
fn number(next: &mut dyn FnMut() -> io::Result<u8>) -> io::Result<usize> {
    let mut number = 0;
    for digit in 0..MAX_DIGITS {
        let byte = next()?;
        number |= usize::from(byte & 0x7f) << (7 * digit);
        if byte & 0x80 != 0 {
            return Ok(number);
        }
    }
    Err(malformed("a number in its header is too large"))
}

fn byte(source: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    source.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn from(bytes: &[u8], at: &mut usize) -> io::Result<u8> {
    let byte = bytes.get(*at).ok_or_else(|| malformed("its header is cut off"))?;
    *at += 1;
    Ok(*byte)
}

/// Reads so many bytes; room is made only for what is there.
fn take(source: &mut impl Read, length: usize, into: &mut Vec<u8>) -> io::Result<()> {
    if source.take(length as u64).read_to_end(into)? < length {
        return Err(malformed("it ends before its last piece does"));
    }
    Ok(())
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
