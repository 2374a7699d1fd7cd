//! Single bits flipped, as by a bad disk or a clumsy hand: in each file, and in the archive as it lies on the disk.

use std::collections::BTreeSet;

use affiant_verify::{Failure, Options};
use evidence::pack;
use proptest::prelude::*;

use super::pack::{self as altered, Pack, open};
use super::{story, trusting};

/// Files up to this size get a flip in every byte.
const SMALL: usize = 2048;

/// Of several files of one folder the smallest stands for all: they are read by the same code.
fn thoroughly(pack: &Pack) -> BTreeSet<String> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut folders = BTreeSet::new();
    let mut names: Vec<&String> = pack.0.keys().collect();
    names.sort_by_key(|name| pack.get(name).len());
    for name in names {
        let folder = name.split_once('/').map_or(name.as_str(), |(folder, _)| folder);
        let alone = folder == name || folder == "results" || folder == "log";
        if pack.get(name).len() <= SMALL && (alone || folders.insert(folder.to_owned())) {
            chosen.insert(name.clone());
        }
    }
    chosen
}

/// What is wrong is named: the file itself, or the file that it does not fit any more.
fn refuse(name: &str, at: usize, pack: &Pack) {
    match pack.verify(trusting()) {
        Err(Failure::NotVerified { what, place }) => assert!(!what.is_empty() && !place.is_empty(), "{name} byte {at}"),
        Err(other) => panic!("{name} byte {at}: {other}"),
        Ok(report) => panic!("{name} byte {at}: verified\n{report}"),
    }
}

#[test]
fn a_flipped_bit_in_any_file_is_noticed() {
    let good = Pack::good();
    let thoroughly = thoroughly(&good);
    assert!(
        [pack::STATEMENT, pack::RECEIPT, pack::CHECKPOINT]
            .iter()
            .all(|name| thoroughly.contains(*name))
    );
    for (name, bytes) in &good.0 {
        let ends = [0, bytes.len() / 2, bytes.len() - 1];
        let positions: BTreeSet<usize> = if thoroughly.contains(name) {
            (0..bytes.len()).collect()
        } else {
            ends.into_iter().collect()
        };
        let mut pack = good.clone();
        for at in positions {
            let bit = 1 << (at % 8);
            pack.0.get_mut(name).unwrap()[at] ^= bit;
            refuse(name, at, &pack);
            pack.0.get_mut(name).unwrap()[at] ^= bit;
        }
    }
}

/// The parts of an archive that are not content: `[begin, end)`.
fn headers(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut headers = vec![(usize::try_from(zip.central_directory_start()).unwrap(), bytes.len())];
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index).unwrap();
        let span = [file.header_start(), file.data_start().unwrap()].map(|at| usize::try_from(at).unwrap());
        headers.push((span[0], span[1]));
    }
    headers
}

/// There is no byte in any header that does not matter.
#[test]
fn a_flipped_bit_in_any_header_of_the_archive_is_noticed() {
    let mut bytes = story().pack.clone();
    for (begin, end) in headers(&bytes) {
        for at in begin..end {
            for bit in [1_u8, 0x10, 0x80] {
                bytes[at] ^= bit;
                // Methods and checksums that are plausible show when the file is unpacked.
                if let Ok(mut archive) = open(bytes.clone()) {
                    let names = archive.of_role(|_| true);
                    let unpacked = names.iter().try_for_each(|name| archive.bytes(name).map(drop));
                    assert!(unpacked.is_err(), "bit {bit:#x} of byte {at} does not matter");
                }
                bytes[at] ^= bit;
            }
        }
    }
}

/// Within packed content a flip is noticed, or it changes nothing of what is unpacked: a deflate stream has unused bits
/// in its last byte.
#[test]
fn flipped_bits_in_packed_content() {
    let good = Pack::good();
    let mut bytes = story().pack.clone();
    let mut without_effect = 0;
    for at in (0..bytes.len()).step_by(997) {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        match altered::verify(bytes.clone(), trusting()) {
            Err(Failure::NotVerified { .. }) => {}
            Err(other) => panic!("byte {at}: {other}"),
            Ok(_) => {
                without_effect += 1;
                assert!(Pack::read(&bytes).0 == good.0, "byte {at}");
            }
        }
        bytes[at] ^= bit;
    }
    assert!(without_effect < 5, "{without_effect} flips had no effect");
}

fn alterations() -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<u8>, bool)>> {
    let one = (
        any::<prop::sample::Index>(),
        prop::collection::vec(any::<u8>(), 0..40),
        any::<bool>(),
    );
    prop::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Bytes replaced and inserted anywhere: an answer, whatever it is, and never "verified" with other content.
    #[test]
    fn an_altered_archive_is_answered(alterations in alterations()) {
        let mut bytes = story().pack.clone();
        for (at, new, replace) in &alterations {
            let at = at.index(bytes.len());
            let end = if *replace { (at + new.len()).min(bytes.len()) } else { at };
            bytes.splice(at..end, new.iter().copied());
        }
        if altered::verify(bytes.clone(), Options::default()).is_ok() {
            prop_assert!(Pack::read(&bytes).0 == Pack::good().0);
        }
    }

    /// Files with other content, with sums that fit: the checks behind the archive see anything.
    #[test]
    fn altered_files_are_answered(which in any::<prop::sample::Index>(), alterations in alterations()) {
        let mut pack = Pack::good();
        let name = which.get(&pack.0.keys().cloned().collect::<Vec<_>>()).clone();
        let before = pack.get(&name).to_vec();
        let mut bytes = before.clone();
        for (at, new, replace) in &alterations {
            let at = at.index(bytes.len() + 1);
            let end = if *replace { (at + new.len()).min(bytes.len()) } else { at };
            bytes.splice(at..end, new.iter().copied());
        }
        pack.0.insert(name.clone(), bytes.clone());
        super::forged::Log::real().issue(&mut pack);
        // Written again by the issue, or for people to read.
        let free = [pack::SUMS, pack::STATEMENT, pack::RECEIPT, pack::README, pack::INDEX].contains(&name.as_str());
        if pack.verify(Options::default()).is_ok() {
            prop_assert!(free || bytes == before);
        }
    }
}
