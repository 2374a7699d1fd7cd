//! Headers of RPM packages, as rpm keeps them in its database: tags with values.
//!
//! Source: `docs/manual/hregions.md` and `lib/header.c` of rpm. Numbers are big endian: count of entries, length of the
//! store, the entries (tag, type, offset, count), the store.

/// Entries that a header may have (rpm's own limit).
const MAX_ENTRIES: usize = 0xffff;
const ENTRY: usize = 16;

/// Tags that are read here.
pub mod tag {
    /// Signature of header and payload, OpenPGP, RSA.
    pub const SIGPGP: u32 = 259;
    /// Signature of header and payload, OpenPGP, DSA.
    pub const SIGGPG: u32 = 262;
    /// Signature of the header, OpenPGP, DSA or EdDSA.
    pub const DSAHEADER: u32 = 267;
    /// Signature of the header, OpenPGP, RSA.
    pub const RSAHEADER: u32 = 268;
    /// Signatures of the header, OpenPGP, base64 (rpm 6).
    pub const OPENPGP: u32 = 278;
    /// Name.
    pub const NAME: u32 = 1000;
    /// Version.
    pub const VERSION: u32 = 1001;
    /// Release.
    pub const RELEASE: u32 = 1002;
    /// Epoch.
    pub const EPOCH: u32 = 1003;
    /// When it was installed here, seconds since 1970.
    pub const INSTALLTIME: u32 = 1008;
    /// Who distributes it.
    pub const VENDOR: u32 = 1011;
    /// Architecture.
    pub const ARCH: u32 = 1022;
    /// The state of each file.
    pub const FILESTATES: u32 = 1029;
    /// The mode of each file, its kind included.
    pub const FILEMODES: u32 = 1030;
    /// The checksum of each file, hexadecimal; empty for what is not a regular file.
    pub const FILEDIGESTS: u32 = 1035;
    /// What kind each file is of for the package: bits.
    pub const FILEFLAGS: u32 = 1037;
    /// File name of the source package.
    pub const SOURCERPM: u32 = 1044;
    /// What is to be verified of each file: bits.
    pub const FILEVERIFYFLAGS: u32 = 1045;
    /// Names that it provides.
    pub const PROVIDENAME: u32 = 1047;
    /// Versions of what it provides.
    pub const PROVIDEVERSION: u32 = 1113;
    /// The position of each file's folder.
    pub const DIRINDEXES: u32 = 1116;
    /// Names of files, without their folders.
    pub const BASENAMES: u32 = 1117;
    /// Folders of files, each ending in `/`.
    pub const DIRNAMES: u32 = 1118;
    /// The kind of checksums of files; MD5 if it is not there.
    pub const FILEDIGESTALGO: u32 = 5011;
    /// Module, stream, version and context that it was built for.
    pub const MODULARITYLABEL: u32 = 5096;
}

/// Kinds of checksums: `pgpHashAlgo` of rpm, RFC 9580 section 9.5.
pub mod hash {
    /// What a header means that names none.
    pub const MD5: u32 = 1;
    /// SHA-256.
    pub const SHA_256: u32 = 8;
}

const CHAR: u32 = 1;
const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const BINARY: u32 = 7;
const STRINGS: u32 = 8;
const TRANSLATED: u32 = 9;

/// A header.
#[derive(Debug, Clone, Copy)]
pub struct Header<'b> {
    entries: &'b [[u8; ENTRY]],
    store: &'b [u8],
}

impl<'b> Header<'b> {
    /// The header that `blob` begins with.
    pub fn parse(blob: &'b [u8]) -> Result<Self, &'static str> {
        const CUT: &str = "its header is cut off";
        let (count, rest) = blob.split_first_chunk().ok_or(CUT)?;
        let (store, rest) = rest.split_first_chunk().ok_or(CUT)?;
        let count = u32::from_be_bytes(*count) as usize;
        let store = u32::from_be_bytes(*store) as usize;
        if count == 0 || count > MAX_ENTRIES {
            return Err("its header has no or too many entries");
        }
        let (index, rest) = rest.split_at_checked(count * ENTRY).ok_or(CUT)?;
        Ok(Self {
            entries: index.as_chunks().0,
            store: rest.get(..store).ok_or(CUT)?,
        })
    }

    /// Type, count and place of the values of a tag.
    fn find(&self, tag: u32) -> Option<(u32, usize, &'b [u8])> {
        let word = |entry: &[u8; ENTRY], at: usize| {
            let bytes = entry.get(at..).and_then(|bytes| bytes.first_chunk());
            bytes.copied().map_or(0, u32::from_be_bytes)
        };
        let entry = self.entries.iter().find(|entry| word(entry, 0) == tag)?;
        let values = self.store.get(word(entry, 8) as usize..)?;
        Some((word(entry, 4), word(entry, 12) as usize, values))
    }

    /// A text, the first if it is translated or there are several.
    pub fn text(&self, tag: u32) -> Option<&'b [u8]> {
        self.texts(tag)?.next()
    }

    /// The texts of a list.
    pub fn texts(&self, tag: u32) -> Option<impl Iterator<Item = &'b [u8]> + use<'b>> {
        let (kind, count, values) = self.find(tag)?;
        let count = match kind {
            STRING => 1,
            STRINGS | TRANSLATED => count,
            _ => return None,
        };
        let mut rest = values;
        // A list that promises more texts than there are ends where they do.
        Some((0..count).map_while(move |_| {
            let length = memchr::memchr(0, rest)?;
            let text = rest.get(..length)?;
            rest = rest.get(length + 1..)?;
            Some(text)
        }))
    }

    /// A number, the first if there are several.
    pub fn number(&self, tag: u32) -> Option<u32> {
        self.numbers(tag)?.next()
    }

    /// The numbers of a list.
    pub fn numbers(&self, tag: u32) -> Option<impl Iterator<Item = u32> + use<'b>> {
        let (kind, count, values) = self.find(tag)?;
        let numbers = values.as_chunks().0.iter().take(count);
        (kind == INT32).then(|| numbers.map(|number| u32::from_be_bytes(*number)))
    }

    /// The numbers of a list of small ones.
    pub fn short_numbers(&self, tag: u32) -> Option<impl Iterator<Item = u16> + use<'b>> {
        let (kind, count, values) = self.find(tag)?;
        let numbers = values.as_chunks().0.iter().take(count);
        (kind == INT16).then(|| numbers.map(|number| u16::from_be_bytes(*number)))
    }

    /// Bytes, or numbers of one byte each.
    pub fn bytes(&self, tag: u32) -> Option<&'b [u8]> {
        let (kind, count, values) = self.find(tag)?;
        values.get(..count).filter(|_| matches!(kind, BINARY | CHAR))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header of texts, lists of texts, numbers and bytes.
    #[derive(Default, Clone)]
    pub(crate) struct Made {
        index: Vec<u8>,
        store: Vec<u8>,
    }

    impl Made {
        fn entry(mut self, tag: u32, kind: u32, count: usize, value: &[u8]) -> Self {
            let words = [
                tag,
                kind,
                u32::try_from(self.store.len()).unwrap(),
                u32::try_from(count).unwrap(),
            ];
            self.index.extend(words.into_iter().flat_map(u32::to_be_bytes));
            self.store.extend_from_slice(value);
            self
        }

        pub(crate) fn text(self, tag: u32, text: &str) -> Self {
            self.entry(tag, STRING, 1, format!("{text}\0").as_bytes())
        }

        pub(crate) fn texts(self, tag: u32, texts: &[&str]) -> Self {
            let joined: String = texts.iter().map(|text| format!("{text}\0")).collect();
            self.entry(tag, STRINGS, texts.len(), joined.as_bytes())
        }

        pub(crate) fn number(self, tag: u32, number: u32) -> Self {
            self.entry(tag, INT32, 1, &number.to_be_bytes())
        }

        pub(crate) fn numbers(self, tag: u32, numbers: &[u32]) -> Self {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
            self.entry(tag, INT32, numbers.len(), &bytes)
        }

        pub(crate) fn short_numbers(self, tag: u32, numbers: &[u16]) -> Self {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
            self.entry(tag, INT16, numbers.len(), &bytes)
        }

        pub(crate) fn characters(self, tag: u32, bytes: &[u8]) -> Self {
            self.entry(tag, CHAR, bytes.len(), bytes)
        }

        pub(crate) fn bytes(self, tag: u32, bytes: &[u8]) -> Self {
            self.entry(tag, BINARY, bytes.len(), bytes)
        }

        pub(crate) fn blob(&self) -> Vec<u8> {
            let lengths = [self.index.len() / ENTRY, self.store.len()];
            let mut blob: Vec<u8> = lengths
                .into_iter()
                .flat_map(|length| u32::try_from(length).unwrap().to_be_bytes())
                .collect();
            blob.extend_from_slice(&self.index);
            blob.extend_from_slice(&self.store);
            blob
        }
    }

    #[test]
    fn values() {
        let made = Made::default()
            .text(tag::NAME, "bash")
            .texts(tag::PROVIDENAME, &["a", "", "b"])
            .number(tag::EPOCH, 7)
            .bytes(tag::RSAHEADER, &[1, 0, 2]);
        let blob = made.blob();
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.text(tag::NAME), Some(&b"bash"[..]));
        let list: Vec<_> = header.texts(tag::PROVIDENAME).unwrap().collect();
        assert_eq!(list, [&b"a"[..], b"", b"b"]);
        assert_eq!(header.number(tag::EPOCH), Some(7));
        assert_eq!(header.bytes(tag::RSAHEADER), Some(&[1, 0, 2][..]));
        // Of another type, or not there.
        assert_eq!(header.number(tag::NAME), None);
        assert_eq!(header.bytes(tag::EPOCH), None);
        assert!(header.texts(tag::EPOCH).is_none());
        assert_eq!(header.text(tag::VENDOR), None);
        for length in 0..blob.len() {
            assert!(Header::parse(&blob[..length]).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes(
            blob in prop::collection::vec(any::<u8>(), 0..200),
            entries in prop::collection::vec((0_u32..4, 0_u32..12, prop_oneof![0_u32..40, any::<u32>()], any::<u32>()), 1..6),
            store in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut made = Made { store, ..Made::default() };
            for (tag, kind, offset, count) in entries {
                made.index.extend([tag, kind, offset, count].into_iter().flat_map(u32::to_be_bytes));
            }
            for blob in [blob, made.blob()] {
                let Ok(header) = Header::parse(&blob) else { continue };
                for tag in 0..4 {
                    let (_, _, _) = (header.number(tag), header.bytes(tag), header.text(tag));
                    prop_assert!(header.numbers(tag).map_or(0, Iterator::count) * 4 <= blob.len());
                    prop_assert!(header.short_numbers(tag).map_or(0, Iterator::count) * 2 <= blob.len());
                    if let Some(texts) = header.texts(tag) {
                        prop_assert!(texts.count() <= blob.len());
                    }
                }
            }
        }
    }
}
