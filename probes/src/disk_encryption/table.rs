//! The kernel's tables of mapped devices, as dmsetup(8) prints them: what a mapping does, whatever its UUID says.
//! Keys are printed as zeros, and only their length is looked at.

use std::collections::BTreeMap;

use super::facts::Cipher;
use super::luks::is_null;

/// dm-crypt devices with as many segments do not exist; it bounds what is kept.
const MAX_LINES: usize = 200_000;

/// One segment of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// `crypt`.
    Crypt(Cipher),
    /// `error` or `zero`: holds no data.
    Empty,
    /// `linear`, onto the device with these numbers: hands the data down as it is.
    Linear(u32, u32),
    /// Any other target, by its name.
    Other(String),
}

impl Segment {
    /// Whether data passes through this segment as it is.
    pub fn is_clear(&self) -> bool {
        match self {
            Self::Crypt(cipher) => is_null(&cipher.cipher),
            Self::Empty => false,
            Self::Linear(..) | Self::Other(_) => true,
        }
    }
}

/// The output of `dmsetup table` by name of the mapping: `name: 0 32768 crypt aes-xts-plain64 … 0 8:2 32768`. `None` if
/// a line has another form.
pub fn parse(text: &str) -> Option<BTreeMap<String, Vec<Segment>>> {
    let mut tables: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
    if text.trim() == "No devices found" {
        return Some(tables);
    }
    for (number, line) in text.lines().filter(|line| !line.is_empty()).enumerate() {
        if number == MAX_LINES {
            return None;
        }
        // A mapping without a table has nothing after the colon. Names can hold a colon, tables cannot be mistaken.
        let (name, table) = line.rsplit_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
        let segments = tables.entry(name.to_owned()).or_default();
        if !table.is_empty() {
            segments.push(segment(table)?);
        }
    }
    Some(tables)
}

fn segment(table: &str) -> Option<Segment> {
    let mut fields = table.split_ascii_whitespace();
    let (start, length) = (fields.next()?, fields.next()?);
    let _ = (start.parse::<u64>().ok()?, length.parse::<u64>().ok()?);
    match fields.next()? {
        "crypt" => {}
        "error" | "zero" => return Some(Segment::Empty),
        "linear" => {
            let (major, minor) = fields.next()?.split_once(':')?;
            return Some(Segment::Linear(major.parse().ok()?, minor.parse().ok()?));
        }
        other => return Some(Segment::Other(other.to_owned())),
    }
    // `Documentation/admin-guide/device-mapper/dm-crypt.rst`: cipher, key, IV offset, device, offset, options.
    let (cipher, key) = (fields.next()?, fields.next()?);
    let key_bytes = match key.strip_prefix(':') {
        Some(reference) => reference.split(':').next()?.parse().ok()?,
        None if key == "-" => 0,
        None => u32::try_from(key.len() / 2).ok()?,
    };
    let integrity = fields.skip(4).find_map(|option| option.strip_prefix("integrity:"));
    let integrity = integrity
        .and_then(|integrity| integrity.split_once(':'))
        .map_or("", |(_, kind)| kind);
    Some(Segment::Crypt(Cipher {
        cipher: cipher.to_owned(),
        key_bits: key_bytes.checked_mul(8)?,
        integrity: integrity.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher(cipher: &str, key_bits: u32, integrity: &str) -> Segment {
        Segment::Crypt(Cipher {
            cipher: cipher.into(),
            key_bits,
            integrity: integrity.into(),
        })
    }

    #[test]
    fn tables() {
        let text = "vg0-home: 0 131072 linear 253:0 2048\n\
                    root: 0 491520 crypt aes-xts-plain64 :64:logon:cryptsetup:6e0ad7f5-d0 0 254:17 32768 1 allow_discards\n\
                    swap: 0 65536 crypt aes-cbc-essiv:sha256 0000000000000000000000000000000000000000000000000000000000000000 0 254:18 0\n\
                    half: 0 100 crypt aes-xts-plain64 00 0 254:1 0\nhalf: 100 100 linear 254:1 100\n\
                    auth: 0 8 crypt capi:authenc(hmac(sha256),xts(aes))-random :96:logon:x 0 253:9 0 1 integrity:48:hmac(sha256)\n\
                    gone: 0 8 error \n\
                    pool: 0 8 thin-pool 253:1 253:2 128 0\n\
                    empty: \n";
        let tables = parse(text).unwrap();
        assert_eq!(tables["vg0-home"], [Segment::Linear(253, 0)]);
        assert_eq!(tables["root"], [cipher("aes-xts-plain64", 512, "")]);
        assert_eq!(tables["swap"], [cipher("aes-cbc-essiv:sha256", 256, "")]);
        assert_eq!(tables["half"][1], Segment::Linear(254, 1));
        assert_eq!(
            tables["auth"],
            [cipher(
                "capi:authenc(hmac(sha256),xts(aes))-random",
                768,
                "hmac(sha256)"
            )]
        );
        assert_eq!(tables["pool"], [Segment::Other("thin-pool".into())]);
        assert_eq!(tables["gone"], [Segment::Empty]);
        assert_eq!(tables["empty"], []);
        assert!(parse("No devices found\n").unwrap().is_empty());
        assert_eq!(parse("what is this\n"), None);
    }

    #[test]
    fn the_null_cipher_is_clear() {
        let tables =
            parse("a: 0 8 crypt cipher_null-ecb - 0 8:1 0\nb: 0 8 crypt aes-xts-plain64 00 0 8:1 0\n").unwrap();
        assert!(tables["a"][0].is_clear());
        assert!(!tables["b"][0].is_clear());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(.{0,20}: [0-9 ]{0,5} (crypt|linear)? .{0,30}\n){0,5}.*") {
            parse(&text);
        }
    }
}
