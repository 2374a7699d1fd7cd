//! A log that is made up by somebody who holds the collector's keys: any entries, a tree over them that is right, signed
//! checkpoints, and packs issued from it.

use std::collections::BTreeMap;

use evidence::aws_lc::Ed25519Signer;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::envelope::{Unverified, seal};
use evidence::key::Signer as _;
use evidence::proof::{Receipt, hashes_to_text};
use evidence::statement::{HostId, PackIssue, Predicate, Statement, Subject};
use evidence::tile::{Resource, Tile, TileBytes, TileReader, grow, tiles};
use evidence::tree::{self, leaf_hash};
use evidence::{Digest, Timestamp, pack};

use super::pack::Pack;
use super::story;

pub struct Log(pub Vec<Vec<u8>>);

/// A statement, whoever signed it.
pub fn statement(entry: &[u8]) -> Statement {
    Unverified::from_bytes(entry).unwrap().claimed().unwrap()
}

/// The host whose observation this is.
pub fn observer(entry: &[u8]) -> Option<HostId> {
    match statement(entry).predicate {
        Predicate::Observation(observation) => Some(observation.host),
        _ => None,
    }
}

impl Log {
    /// As it was when the pack was issued.
    pub fn real() -> Self {
        let entries = &story().entries;
        Self(entries[..entries.len() - 1].to_vec())
    }

    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn tile_bytes(&self) -> TileBytes {
        let leaves: Vec<Digest> = self.0.iter().map(|entry| leaf_hash(entry)).collect();
        grow(0, &leaves, |_| Err::<Vec<u8>, _>(())).unwrap()
    }

    fn checkpoint(&self, tiles: &TileBytes) -> SignedCheckpoint {
        let head = Checkpoint {
            origin: story().trust.log.name().to_owned(),
            size: self.size(),
            root: self.root(tiles, self.size()),
        };
        SignedCheckpoint::sign(head, &story().keys[0]).unwrap()
    }

    fn reader<'a>(&self, tiles: &'a TileBytes) -> TileReader<impl Fn(Tile) -> Result<&'a [u8], String>> {
        TileReader::new(self.size(), |tile: Tile| {
            let bytes = tiles.get(&(tile.level, tile.index)).map(Vec::as_slice);
            bytes.ok_or_else(|| format!("{tile:?}"))
        })
    }

    fn root(&self, tiles: &TileBytes, size: u64) -> Digest {
        tree::root(&self.reader(tiles), size).unwrap()
    }

    /// Digest of the collector's last entry.
    fn last_own(&self) -> Digest {
        let own = self.0.iter().rev().find(|entry| observer(entry).is_none());
        Digest::of(own.expect("an opening"))
    }

    /// Index of the entry that `is` one.
    pub fn position(&self, is: impl Fn(&Statement) -> bool) -> usize {
        let found = self.0.iter().position(|entry| is(&statement(entry)));
        found.expect("such an entry")
    }

    /// Index of the `nth` statement of a host.
    pub fn nth_of(&self, host: &HostId, nth: usize) -> usize {
        let of_host = |(index, entry): (usize, &Vec<u8>)| (observer(entry).as_ref() == Some(host)).then_some(index);
        let found = self.0.iter().enumerate().filter_map(of_host).nth(nth);
        found.expect("such a statement")
    }

    /// Appends an entry that the collector signs.
    pub fn append_own(&mut self, make: impl FnOnce(Digest) -> Statement) {
        let sealed = seal(&make(self.last_own()), &story().keys[1]).unwrap();
        self.0.push(sealed.bytes().to_vec());
    }

    /// The pack shows this log, from the first entry that the real one shows.
    pub fn show(&self, pack: &mut Pack) {
        let begin = |(_, bytes): (&String, &Vec<u8>)| {
            let line = String::from_utf8(bytes.clone()).unwrap();
            let index = line
                .lines()
                .next()?
                .rsplit(':')
                .next()?
                .trim_end_matches('}')
                .parse()
                .ok()?;
            Some(index)
        };
        let hosts = pack
            .0
            .iter()
            .filter(|(name, _)| name.starts_with("statements/") && *name != pack::COLLECTOR);
        let begin: usize = hosts.filter_map(begin).min().expect("a statement");
        pack.0
            .retain(|name, _| !name.starts_with("statements/") && !name.starts_with("log/"));
        let tiles_now = self.tile_bytes();
        for tile in tiles(self.size()) {
            let bytes = tiles_now[&(tile.level, tile.index)].clone();
            pack.0.insert(format!("{}{}", pack::LOG, Resource::Hashes(tile)), bytes);
        }
        let note = self.checkpoint(&tiles_now).note().as_bytes().to_vec();
        pack.0.insert(pack::CHECKPOINT.to_owned(), note);
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (index, entry) in self.0.iter().enumerate() {
            let file = match observer(entry) {
                Some(_) if index < begin => continue,
                Some(host) => pack::statements(host.as_str()),
                None => pack::COLLECTOR.to_owned(),
            };
            let line = [
                b"{\"envelope\":",
                entry.as_slice(),
                format!(",\"index\":{index}}}\n").as_bytes(),
            ]
            .concat();
            files.entry(file).or_default().extend(line);
        }
        pack.0.extend(files);
    }

    /// The collector issues the pack: sums, statement, receipt.
    pub fn issue(&self, pack: &mut Pack) {
        self.issue_as(pack, &story().keys[1], |_| {});
    }

    /// As [`Self::issue`], with another key or another statement.
    pub fn issue_as(&self, pack: &mut Pack, signer: &Ed25519Signer, alter: impl FnOnce(&mut PackIssue)) {
        let sums = pack.sum();
        let shown = self.tile_bytes();
        let real = statement(story().entries.last().expect("the pack statement"));
        let Predicate::Pack(mut issue) = real.predicate else {
            panic!("not a pack statement")
        };
        issue.previous = self.last_own();
        issue.last_entry = self.last_own();
        issue.tree_size = self.size();
        issue.root = self.root(&shown, self.size());
        alter(&mut issue);
        let statement = Statement {
            subject: vec![Subject {
                name: pack::SUMS.to_owned(),
                digest: sums,
            }],
            predicate: Predicate::Pack(issue),
        };
        let sealed = seal(&statement, signer).unwrap();
        let mut later = Self(self.0.clone());
        later.0.push(sealed.bytes().to_vec());
        let tiles = later.tile_bytes();
        let reader = later.reader(&tiles);
        let consistency = tree::consistency_proof(&reader, self.size(), later.size()).unwrap();
        let lines: String = hashes_to_text(&consistency)
            .iter()
            .flat_map(|hash| [hash.as_str(), "\n"])
            .collect();
        let receipt = Receipt {
            extra: Some(lines.into_bytes()),
            index: self.size(),
            proof: tree::inclusion_proof(&reader, self.size(), later.size()).unwrap(),
            checkpoint: later.checkpoint(&tiles).note().to_owned(),
        };
        pack.0.insert(pack::STATEMENT.to_owned(), sealed.bytes().to_vec());
        pack.0
            .insert(pack::RECEIPT.to_owned(), receipt.to_string().into_bytes());
    }
}

/// The collector issues the pack as it is, about the real log.
pub fn issued(pack: &mut Pack) {
    Log::real().issue(pack);
}

/// A time after the story.
pub fn afterwards() -> Timestamp {
    affiant_tests::fleet::story::hour(16)
}

/// A key that nobody enrolled.
pub fn stranger() -> Ed25519Signer {
    let signer = Ed25519Signer::from_seed(&[99; 32]).unwrap();
    assert!(story().trust.collector != *signer.public_key());
    signer
}
