//! Records of the zip format as they must be: this writes the bytes that a pack has around the content of its files.
//!
//! A pack's archive has one spelling, so nothing is read leniently: from the few values that differ between archives
//! every header is written again and compared with what is there.

/// Sizes and offsets from here on are in 64-bit fields.
const LARGE: u64 = u32::MAX as u64;
/// As many files need the 64-bit end record.
const MANY: u64 = u16::MAX as u64;
/// A regular file with mode 0644, in the upper half of the external attributes.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// Unix, in the upper half of "version made by".
const UNIX: u16 = 3 << 8;
/// 1980-01-01, the format's first day: packs have no dates.
const DATE: u16 = 0x21;

/// Bytes of the end of central directory record; a comment would follow.
pub(super) const END: u64 = 22;
/// Bytes of the 64-bit end record and its locator, which stand before it.
pub(super) const END_64: u64 = 56 + 20;
/// Bytes of a central header without the name and the extra field.
pub(super) const CENTRAL: u64 = 46;
/// Bytes of the extra field with both sizes in 64 bits.
pub(super) const LARGE_SIZES: u64 = 20;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

impl Method {
    pub(super) const fn of(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Stored),
            8 => Some(Self::Deflated),
            _ => None,
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
        }
    }
}

/// What differs between the headers of two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) method: Method,
    pub(super) crc32: u32,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// Where the local header begins.
    pub(super) begin: u64,
    /// Whether the sizes are in 64-bit fields.
    pub(super) large: bool,
}

/// A number in a field of 32 bits, or the mark that it is in a field of 64.
fn short(number: u64, elsewhere: bool) -> u32 {
    u32::try_from(number).ok().filter(|_| !elsewhere).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn u16(mut self, number: u16) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
    fn u32(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
    fn u64(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

impl Header {
    /// The version of the format that is needed to unpack the file.
    const fn version(&self) -> u16 {
        match self.method {
            _ if self.large => 45,
            Method::Stored => 10,
            Method::Deflated => 20,
        }
    }

    /// What both headers have in common: from the needed version to the length of the name.
    fn shared(&self, record: Record, name: &[u8]) -> Record {
        // A name has at most some hundred bytes: it has a role.
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        record
            .u16(self.version())
            .u16(0)
            .u16(self.method.number())
            .u16(0)
            .u16(DATE)
            .u32(self.crc32)
            .u32(short(self.packed, self.large))
            .u32(short(self.unpacked, self.large))
            .u16(length)
    }

    fn extra(&self, with_offset: bool) -> Vec<u8> {
        let mut fields = Vec::new();
        if self.large {
            fields.extend([self.unpacked, self.packed]);
        }
        if with_offset && self.begin >= LARGE {
            fields.push(self.begin);
        }
        if fields.is_empty() {
            return Vec::new();
        }
        let length = u16::try_from(fields.len() * 8).unwrap_or(u16::MAX);
        let record = Record::default().u16(1).u16(length);
        fields.into_iter().fold(record, Record::u64).0
    }

    /// The header before the file's content.
    pub(super) fn local(&self, name: &[u8]) -> Vec<u8> {
        let extra = self.extra(false);
        let length = u16::try_from(extra.len()).unwrap_or(u16::MAX);
        let record = self.shared(Record::default().bytes(b"PK\x03\x04"), name);
        record.u16(length).bytes(name).bytes(&extra).0
    }

    /// The header in the central directory.
    pub(super) fn central(&self, name: &[u8]) -> Vec<u8> {
        let extra = self.extra(true);
        let length = u16::try_from(extra.len()).unwrap_or(u16::MAX);
        let record = Record::default().bytes(b"PK\x01\x02").u16(UNIX | self.version());
        let record = self.shared(record, name).u16(length).u16(0).u16(0).u16(0);
        let record = record.u32(ATTRIBUTES).u32(short(self.begin, self.begin >= LARGE));
        record.bytes(name).bytes(&extra).0
    }
}

/// Where the central directory is, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) files: u64,
    pub(super) begin: u64,
    pub(super) length: u64,
}

impl Directory {
    /// Everything after the central directory. `version` is the highest that a file needs.
    pub(super) fn end(&self, version: u16) -> Vec<u8> {
        let Self { files, begin, length } = *self;
        let large = files > MANY || begin > LARGE || length > LARGE;
        let mut record = Record::default();
        if large {
            let fields = record
                .bytes(b"PK\x06\x06")
                .u64(44)
                .u16(version)
                .u16(version)
                .u32(0)
                .u32(0);
            let fields = fields.u64(files).u64(files).u64(length).u64(begin);
            record = fields.bytes(b"PK\x06\x07").u32(0).u64(begin + length).u32(1);
        }
        let count = u16::try_from(files).unwrap_or(u16::MAX);
        let record = record.bytes(b"PK\x05\x06").u16(0).u16(0).u16(count).u16(count);
        record.u32(short(length, large)).u32(short(begin, false)).u16(0).0
    }

    /// The highest version that these files need.
    pub(super) fn version<'a>(headers: impl IntoIterator<Item = &'a Header>) -> u16 {
        headers.into_iter().map(Header::version).max().unwrap_or(10).max(10)
    }
}
