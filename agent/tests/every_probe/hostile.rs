//! Whatever stands in a file, the probe ends with a document that can be written. Each file that a probe read is replaced,
//! one at a time, by bytes made from its own in the ways below; what a fuzzer found is kept in `fixtures/`.

use crate::tampered::{LONGEST, Question, Tampered};
use crate::{bytes, each};

/// A way to spoil bytes, with its name.
type Spoil = (&'static str, fn(&[u8]) -> Vec<u8>);

const WAYS: [Spoil; 11] = [
    ("empty", |_| Vec::new()),
    ("cut in the middle", |bytes| bytes[..bytes.len() / 2].to_vec()),
    ("without its last byte", |bytes| {
        bytes[..bytes.len().saturating_sub(1)].to_vec()
    }),
    ("twice", |bytes| [bytes, bytes].concat()),
    ("no UTF-8", |bytes| {
        let at = bytes.len() / 3;
        [&bytes[..at], b"\xff\xfe\x80", &bytes[at..]].concat()
    }),
    ("noughts", |bytes| vec![0; bytes.len().clamp(64, 4096)]),
    ("noise", |bytes| noise(bytes.len().clamp(64, 16 * 1024))),
    ("one bit", |bytes| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 4;
        }
        bytes
    }),
    ("one long line", |bytes| {
        let mut line: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\n').collect();
        line.extend(vec![b'a'; 100_000]);
        line
    }),
    ("many lines", |bytes| {
        let line = bytes.split(|byte| *byte == b'\n').find(|line| line.len() > 2);
        let line = [line.unwrap_or(b"x"), b"\n"].concat();
        line.repeat(LONGEST.div_ceil(line.len()))
    }),
    ("huge numbers", |bytes| {
        let mut out = Vec::new();
        let mut digits = false;
        for byte in bytes {
            match (byte.is_ascii_digit(), digits) {
                (true, true) => {}
                (true, false) => out.extend_from_slice(b"99999999999999999999999999"),
                (false, _) => out.push(*byte),
            }
            digits = byte.is_ascii_digit();
        }
        out
    }),
];

/// Files of one probe that are spoilt, evenly spread over all that it reads: many are of one form.
const FILES: usize = 8;

fn some(asked: impl IntoIterator<Item = Question>) -> Vec<String> {
    let name = |question| match question {
        Question::File(name) | Question::Program(name) => Some(name),
        Question::Folder(_) => None,
    };
    let all: Vec<String> = asked.into_iter().filter_map(name).collect();
    let step = all.len().div_ceil(FILES).max(1);
    all.into_iter().step_by(step).collect()
}

/// Bytes that look like nothing, the same each time (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn whatever_stands_in_a_file_there_is_a_document() {
    for (probe, machine) in each() {
        let whole = Tampered::not(&machine);
        probe.collect(&whole);
        for spoilt in some(whole.asked()) {
            for (way, spoil) in WAYS {
                let place = spoilt.clone();
                let host = Tampered::bytes(
                    &machine,
                    move |path, bytes| if path == place { spoil(&bytes) } else { bytes },
                );
                let documents = probe.collect(&host);
                assert_eq!(
                    documents.len(),
                    probe.documents().len(),
                    "{}: {spoilt}: {way}",
                    probe.spec.id
                );
                bytes(&documents);
            }
        }
    }
}
