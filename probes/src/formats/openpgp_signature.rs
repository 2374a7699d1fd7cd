//! Which key made an OpenPGP signature: RFC 9580, signature packets of version 3, 4 and 6. Nothing is verified.

/// The id of the key, 16 hexadecimal digits in lower case; `None` if `bytes` is no signature that names one.
pub fn key_id(bytes: &[u8]) -> Option<String> {
    let body = packet(bytes)?;
    match body.split_first()? {
        // Length of what is signed (5), type, time of four bytes, key id.
        (3, rest) => hexadecimal(rest.get(6..14)?),
        (version @ (4 | 6), rest) => {
            let wide = *version == 6;
            let (signed, rest) = area(rest.get(3..)?, wide)?;
            let (unsigned, _) = area(rest, wide)?;
            issuer(signed).or_else(|| issuer(unsigned))
        }
        _ => None,
    }
}

/// The body of a signature packet in either form of header.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first()?;
    if head & 0xc0 == 0xc0 {
        let (length, rest) = length(rest)?;
        return rest.get(..length).filter(|_| head & 0x3f == 2);
    }
    let is_signature = head & 0x80 != 0 && (head >> 2) & 0xf == 2;
    let (length, rest) = match head & 3 {
        0 => (usize::from(*rest.first()?), rest.get(1..)?),
        1 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        2 => (u32::from_be_bytes(*rest.first_chunk()?) as usize, rest.get(4..)?),
        _ => (rest.len(), rest),
    };
    rest.get(..length).filter(|_| is_signature)
}

/// A length in the newer form, as packets and subpackets have it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match *first {
        short @ 0..192 => Some((usize::from(short), rest)),
        255 => Some((u32::from_be_bytes(*rest.first_chunk()?) as usize, rest.get(4..)?)),
        // Partial lengths are for data, not for signatures.
        224..=254 => None,
        first => {
            let length = (usize::from(first) - 192) * 256 + usize::from(*rest.first()?) + 192;
            Some((length, rest.get(1..)?))
        }
    }
}

/// An area of subpackets and what follows it.
fn area(bytes: &[u8], wide: bool) -> Option<(&[u8], &[u8])> {
    if wide {
        bytes
            .get(4..)?
            .split_at_checked(u32::from_be_bytes(*bytes.first_chunk()?) as usize)
    } else {
        bytes
            .get(2..)?
            .split_at_checked(usize::from(u16::from_be_bytes(*bytes.first_chunk()?)))
    }
}

/// The issuer that an area of subpackets names.
fn issuer(mut area: &[u8]) -> Option<String> {
    let mut found = None;
    while !area.is_empty() {
        let (length, rest) = length(area)?;
        let (subpacket, rest) = rest.split_at_checked(length)?;
        area = rest;
        match subpacket.split_first() {
            Some((&16 | &0x90, id)) => found = found.or_else(|| hexadecimal(id.get(..8)?)),
            // Issuer fingerprint: the id is its end, from version 6 on its beginning.
            Some((&33 | &0xa1, [4, fingerprint @ ..])) => return hexadecimal(fingerprint.get(12..20)?),
            Some((&33 | &0xa1, [_, fingerprint @ ..])) => return hexadecimal(fingerprint.get(..8)?),
            _ => {}
        }
    }
    found
}

fn hexadecimal(bytes: &[u8]) -> Option<String> {
    (bytes.len() == 8).then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions() {
        let id = [0x11, 2, 3, 4, 5, 6, 7, 0xff];
        let text = "11020304050607ff";
        let with = |head: &[u8], body: &[u8]| {
            let mut bytes = head.to_vec();
            bytes.push(u8::try_from(body.len()).unwrap());
            bytes.extend_from_slice(body);
            bytes
        };
        let three = [&[3, 5, 0, 0, 0, 0, 0][..], &id, &[1, 8, 0, 0]].concat();
        assert_eq!(key_id(&with(&[0x88], &three)).as_deref(), Some(text));
        let four = [&[4, 0, 1, 8, 0, 6, 5, 2, 0, 0, 0, 0, 0, 10, 9, 16][..], &id, &[0, 0]].concat();
        assert_eq!(key_id(&with(&[0x88], &four)).as_deref(), Some(text));
        assert_eq!(key_id(&with(&[0xc2], &four)).as_deref(), Some(text));
        let long = [&[0x89, 0, u8::try_from(four.len()).unwrap()][..], &four].concat();
        assert_eq!(key_id(&long).as_deref(), Some(text));
        let fingerprint = [&[4, 0, 1, 8, 0, 23, 22, 33, 4][..], &[9; 12], &id, &[0, 0]].concat();
        assert_eq!(key_id(&with(&[0x88], &fingerprint)).as_deref(), Some(text));
        let six = [&[6, 0, 27, 8, 0, 0, 0, 35, 34, 33, 6][..], &id, &[9; 24], &[0; 4]].concat();
        assert_eq!(key_id(&with(&[0xc2], &six)).as_deref(), Some(text));
        // A public key packet, a version that there is not, no issuer, cut off.
        assert_eq!(key_id(&with(&[0x98], &four)), None);
        assert_eq!(key_id(&with(&[0x88], &[5; 30])), None);
        assert_eq!(key_id(&with(&[0x88], &[4, 0, 1, 8, 0, 0, 0, 0])), None);
        for end in 0..four.len() {
            key_id(&with(&[0x88], &four)[..end]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80), version in 2_u8..7) {
            key_id(&bytes);
            key_id(&[&[0xc2, 70, version][..], &bytes].concat());
        }
    }
}
