//! `/var/log/lastlog`: an array of records with the uid as index. On a host with large uids it is sparse and its size
//! reaches terabytes, so that only the parts with records of accounts are read.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;

/// `struct lastlog`: a time of 4 bytes, a terminal of 32, a host of 256.
const RECORD: usize = 292;
/// Uids of one part: what is read at once.
const PART: u32 = 200;
const DAY: i64 = 24 * 60 * 60;

/// Records that lie side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    first: u32,
    last: u32,
    uids: Vec<u32>,
}

impl Part {
    /// Where it begins, bytes.
    pub fn offset(&self) -> u64 {
        u64::from(self.first) * RECORD as u64
    }

    /// How long it is, bytes.
    pub fn length(&self) -> usize {
        (self.last - self.first) as usize * RECORD + RECORD
    }
}

/// The parts in which the records of these uids lie.
pub fn parts(uids: impl Iterator<Item = u32>) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    for uid in uids.collect::<BTreeSet<u32>>() {
        match parts.last_mut() {
            Some(part) if uid - part.first < PART => {
                part.last = uid;
                part.uids.push(uid);
            }
            _ => parts.push(Part {
                first: uid,
                last: uid,
                uids: vec![uid],
            }),
        }
    }
    parts
}

/// Days of last logins.
#[derive(Debug, Default)]
pub struct Days(BTreeMap<u32, Timestamp>);

impl Days {
    /// Takes the records of a part. What lies beyond the end of the file was never written.
    pub fn add(&mut self, part: &Part, bytes: &[u8]) {
        for uid in &part.uids {
            let at = (uid - part.first) as usize * RECORD;
            let time = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>);
            // The host's own byte order. Without sign: good until 2106, and no login was before 1970.
            let seconds = time.map_or(0, |time| i64::from(u32::from_ne_bytes(*time)));
            if seconds > 0 {
                self.0.insert(*uid, Timestamp::EPOCH.plus(seconds - seconds % DAY));
            }
        }
    }

    /// The day of a uid; `None`: never.
    pub fn of(&self, uid: u32) -> Option<Timestamp> {
        self.0.get(&uid).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(times: &BTreeMap<u32, u32>) -> Vec<u8> {
        let mut file = vec![];
        for (uid, time) in times {
            let at = *uid as usize * RECORD;
            file.resize(at + RECORD, 0);
            file[at..at + 4].copy_from_slice(&time.to_ne_bytes());
        }
        file
    }

    #[test]
    fn parts_are_few_and_short() {
        let parts = parts([0, 1, 100, 199, 200, 1000, u32::MAX].into_iter());
        let bounds: Vec<_> = parts.iter().map(|part| (part.first, part.last)).collect();
        assert_eq!(bounds, [(0, 199), (200, 200), (1000, 1000), (u32::MAX, u32::MAX)]);
        assert_eq!(parts[3].offset(), 4_294_967_295 * 292);
    }

    proptest! {
        #[test]
        fn each_uid_gets_its_own_record(
            times in proptest::collection::btree_map(0..3_000_u32, 1..u32::MAX, 0..50),
            others in proptest::collection::vec(0..3_000_u32, 0..20),
        ) {
            let file = file(&times);
            let mut days = Days::default();
            for part in parts(times.keys().copied().chain(others.iter().copied())) {
                let from = usize::try_from(part.offset()).unwrap().min(file.len());
                let to = (from + part.length()).min(file.len());
                days.add(&part, &file[from..to]);
            }
            for uid in times.keys().chain(&others) {
                let day = times.get(uid).map(|time| i64::from(*time) / DAY * DAY);
                prop_assert_eq!(days.of(*uid).map(Timestamp::unix), day);
            }
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut days = Days::default();
            for part in parts([0, 1, 2].into_iter()) {
                days.add(&part, &bytes);
            }
        }
    }
}
