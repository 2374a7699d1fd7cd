use proptest::prelude::*;

use super::*;

const LISTS: [&[u8]; 3] = [
    include_bytes!("../../../../fixtures/package-updates/zchunk/dictionary.xml.zck"),
    include_bytes!("../../../../fixtures/package-updates/zchunk/plain.xml.zck"),
    include_bytes!("../../../../fixtures/package-updates/zchunk/none.xml.zck"),
];

fn unpacked(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut unpacked = vec![];
    Zchunk::open(file)?.take(1 << 24).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// A number of the header.
fn written(number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = number;
    while rest > 0x7f {
        bytes.push(u8::try_from(rest & 0x7f).unwrap());
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap() | 0x80);
    bytes
}

/// A file with pieces of two streams, none of them compressed.
fn of_two_streams(flags: usize) -> Vec<u8> {
    let pieces: [(usize, &[u8]); 4] = [(0, b""), (1, b"one "), (2, b"other "), (1, b"two")];
    let mut header = [
        &[0; 20][..],
        &written(flags),
        &written(0),
        &written(9),
        &written(3),
        &written(4),
    ]
    .concat();
    for (stream, piece) in pieces {
        if flags & 1 != 0 {
            header.extend(written(stream));
        }
        header.extend([&[0; 16][..], &written(piece.len()), &written(piece.len())].concat());
    }
    let content: Vec<u8> = pieces.iter().flat_map(|(_, piece)| piece.to_vec()).collect();
    [MAGIC, &written(0), &written(header.len()), &[0; 20], &header, &content].concat()
}

#[test]
fn the_same_list_in_three_forms() {
    let list = unpacked(LISTS[2]).unwrap();
    let text = String::from_utf8(list.clone()).unwrap();
    assert!(text.starts_with("<metadata>\n<package type=\"rpm\"><name>p0</name>"));
    assert!(text.ends_with("</package>\n</metadata>\n"));
    assert_eq!(text.matches("</package>").count(), 50);
    assert_eq!(unpacked(LISTS[0]).unwrap(), list);
    assert_eq!(unpacked(LISTS[1]).unwrap(), list);
}

#[test]
fn streams() {
    assert_eq!(unpacked(&of_two_streams(1)).unwrap(), b"one two");
    assert_eq!(unpacked(&of_two_streams(0)).unwrap(), b"one other two");
    let error = unpacked(&of_two_streams(2)).unwrap_err();
    assert_eq!(error.to_string(), "a kind of zchunk file that is not known");
}

#[test]
fn what_is_wrong_is_said() {
    let why = |file: &[u8]| unpacked(file).unwrap_err().to_string();
    assert_eq!(why(b"\0ZCK2\x81"), "no zchunk file");
    assert_eq!(why(b"\0ZCK1\x84"), "a kind of checksum that is not known");
    assert_eq!(why(b"\0ZCK1\x81\0\0\0\0\x81"), "a number in its header is too large");
    assert_eq!(why(b"\0ZCK1\x81\0\0\0\x81"), "it ends before its last piece does");
    let long = [MAGIC, &written(1), &written(MAX_HEADER + 1)].concat();
    assert_eq!(why(&long), "its header is longer than is read");
    for list in LISTS {
        for length in (0..list.len()).step_by(7) {
            assert!(unpacked(&list[..length]).is_err(), "{length}");
        }
    }
    // A download that broke off leaves zeroes.
    let mut holes = LISTS[0].to_vec();
    let length = holes.len();
    holes[length - 700..].fill(0);
    assert!(unpacked(&holes).is_err());
}

proptest! {
    #[test]
    fn altered(list in 0_usize..3, changes in prop::collection::vec((0_usize..12_000, any::<u8>()), 0..8)) {
        let mut file = LISTS[list].to_vec();
        for (at, value) in changes {
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
        }
        let _ = unpacked(&file);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = unpacked(&bytes);
        let _ = unpacked(&[MAGIC, &[0x81], &bytes].concat());
    }
}
