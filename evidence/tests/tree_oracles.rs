//! The tree, its proofs and its tiles against `ct-merkle` and `tlog_tiles`, which we did not write.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use evidence::Digest;
use evidence::tile::{self, BundleError, Resource, Tile, TileReader};
use evidence::tree::{self, Frontier, HashReader, ProofError};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::{Hash, record_hash, stored_hash_index};

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// Complete subtrees by level and index, as a log would keep them.
#[derive(Default)]
struct Kept {
    frontier: Frontier,
    hashes: BTreeMap<(u8, u64), Digest>,
}

impl Kept {
    fn of(size: u64) -> Self {
        let mut kept = Self::default();
        for number in 0..size {
            let leaf = tree::leaf_hash(&entry(number));
            let hashes = &mut kept.hashes;
            kept.frontier.push_noting(leaf, |level, index, hash| {
                assert_eq!(hashes.insert((level, index), hash), None);
            });
        }
        kept
    }

    fn root(&self, size: u64) -> Digest {
        tree::root(self, size).unwrap()
    }
}

impl HashReader for Kept {
    type Error = String;
    fn hash(&self, level: u8, index: u64) -> Result<Digest, String> {
        self.hashes
            .get(&(level, index))
            .copied()
            .ok_or_else(|| format!("no subtree {level}/{index}"))
    }
}

impl tlog_tiles::HashReader for Kept {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| {
            let (level, place) = tlog_tiles::split_stored_hash_index(*index);
            assert_eq!(stored_hash_index(level, place), *index);
            Hash(*self.hashes[&(level, place)].as_bytes())
        };
        Ok(indexes.iter().map(hash).collect())
    }
}

fn theirs(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|number| tree.push(entry(number)));
    tree
}

fn bytes(proof: &[Digest]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn hashes(proof: &[Digest]) -> Vec<Hash> {
    proof.iter().map(|hash| Hash(*hash.as_bytes())).collect()
}

#[test]
fn every_proof_of_every_tree_up_to_70_entries() {
    let kept = Kept::of(70);
    for size in 1..=70 {
        let root = kept.root(size);
        let their_tree = theirs(size);
        let their_root = their_tree.root();
        assert_eq!(root.as_bytes(), &their_root.as_bytes()[..]);
        assert_eq!(tlog_tiles::tree_hash(size, &kept).unwrap().0, *root.as_bytes());
        for index in 0..size {
            let proof = tree::inclusion_proof(&kept, index, size).unwrap();
            let leaf = tree::leaf_hash(&entry(index));
            assert_eq!(tree::root_from_inclusion(leaf, index, size, &proof), Ok(root));
            assert_eq!(
                bytes(&proof),
                their_tree.prove_inclusion(usize::try_from(index).unwrap()).as_bytes()
            );
            tlog_tiles::check_record(
                &hashes(&proof),
                size,
                Hash(*root.as_bytes()),
                index,
                record_hash(&entry(index)),
            )
            .unwrap();
        }
        for old in 1..=size {
            let old_root = kept.root(old);
            let proof = tree::consistency_proof(&kept, old, size).unwrap();
            assert_eq!(tree::verify_consistency(old, old_root, size, root, &proof), Ok(()));
            assert_eq!(
                bytes(&proof),
                their_tree
                    .prove_consistency(usize::try_from(size - old).unwrap())
                    .as_bytes()
            );
            if old < size {
                let (new_root, old_root) = (Hash(*root.as_bytes()), Hash(*old_root.as_bytes()));
                tlog_tiles::check_tree(&hashes(&proof), size, new_root, old, old_root).unwrap();
            }
        }
    }
}

#[test]
fn any_wrong_hash_too_many_and_too_few_are_noticed() {
    let kept = Kept::of(40);
    let other = tree::leaf_hash(b"other");
    for size in 2..=40 {
        let root = kept.root(size);
        for index in 0..size {
            let leaf = tree::leaf_hash(&entry(index));
            let proof = tree::inclusion_proof(&kept, index, size).unwrap();
            for position in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[position] = other;
                assert_ne!(tree::root_from_inclusion(leaf, index, size, &wrong), Ok(root));
            }
            let longer = [proof.as_slice(), &[other]].concat();
            assert!(matches!(
                tree::root_from_inclusion(leaf, index, size, &longer),
                Err(ProofError::Length { .. })
            ));
            let shorter = &proof[..proof.len() - 1];
            assert!(matches!(
                tree::root_from_inclusion(leaf, index, size, shorter),
                Err(ProofError::Length { .. })
            ));
            assert_ne!(tree::root_from_inclusion(other, index, size, &proof), Ok(root));
        }
        for old in 1..size {
            let old_root = kept.root(old);
            let proof = tree::consistency_proof(&kept, old, size).unwrap();
            for position in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[position] = other;
                assert!(tree::verify_consistency(old, old_root, size, root, &wrong).is_err());
            }
            assert!(tree::verify_consistency(old, other, size, root, &proof).is_err());
            assert!(tree::verify_consistency(old, old_root, size, other, &proof).is_err());
            for found in [proof.len() + 1, proof.len() - 1] {
                let mut wrong = proof.clone();
                wrong.resize(found, other);
                assert_eq!(
                    tree::verify_consistency(old, old_root, size, root, &wrong),
                    Err(ProofError::Length { found })
                );
            }
            assert_eq!(
                tree::verify_consistency(size, root, old, old_root, &[]),
                Err(ProofError::Shrunk { old: size, new: old })
            );
        }
    }
    assert_eq!(
        tree::verify_consistency(0, tree::empty_root(), 5, kept.root(5), &[]),
        Ok(())
    );
    assert!(tree::verify_consistency(0, other, 5, kept.root(5), &[]).is_err());
    assert_eq!(
        tree::root_from_inclusion(other, 5, 5, &[]),
        Err(ProofError::OutsideTree { index: 5, size: 5 })
    );
}

/// Tiles of a growing log, as a store keeps them: the newest form of each.
fn grown(steps: &[u64]) -> (u64, BTreeMap<(u8, u64), Vec<u8>>) {
    let (mut size, mut kept) = (0, BTreeMap::new());
    for step in steps {
        let leaves: Vec<_> = (size..size + step)
            .map(|number| tree::leaf_hash(&entry(number)))
            .collect();
        let fetch = |tile: Tile| {
            kept.get(&(tile.level, tile.index))
                .cloned()
                .ok_or(format!("asked for {tile:?}"))
        };
        let changed = tile::grow(size, &leaves, fetch).unwrap();
        let expected: Vec<_> = tile::tiles_between(size, size + step)
            .map(|tile| (tile.level, tile.index))
            .collect();
        assert_eq!(changed.keys().copied().collect::<Vec<_>>(), expected);
        kept.extend(changed);
        size += step;
    }
    (size, kept)
}

#[test]
fn tiles_grow_to_what_the_oracle_says_at_the_edges() {
    for steps in [
        vec![255],
        vec![256],
        vec![257],
        vec![1; 300],
        vec![200, 56, 1, 255, 256, 512],
        vec![65_535, 1, 1],
        vec![65_537],
    ] {
        let (size, tiles) = grown(&steps);
        let fetch = |tile: Tile| Ok::<_, Infallible>(tiles[&(tile.level, tile.index)].clone());
        let reader = TileReader::new(size, fetch);
        let kept = Kept::of(size);
        assert_eq!(tree::root(&reader, size).unwrap(), kept.root(size));
        assert_eq!(
            tile::tiles(size)
                .map(|tile| (tile.level, tile.index))
                .collect::<Vec<_>>(),
            tiles.keys().copied().collect::<Vec<_>>()
        );
        for tile in tile::tiles(size) {
            let oracle = tlog_tiles::Tile::new(8, tile.level, tile.index, u32::from(tile.width), false);
            assert_eq!(
                oracle.read_data(&kept).unwrap(),
                tiles[&(tile.level, tile.index)],
                "{tile:?}"
            );
            let path = Resource::Hashes(tile).to_string();
            assert_eq!(oracle.path().replacen("tile/8/", "tile/", 1), path);
            assert_eq!(path.parse(), Ok(Resource::Hashes(tile)));
        }
        for index in [0, size / 2, size - 1] {
            assert_eq!(
                tree::inclusion_proof(&reader, index, size).unwrap(),
                tree::inclusion_proof(&kept, index, size).unwrap()
            );
            assert_eq!(
                tree::consistency_proof(&reader, index, size).unwrap(),
                tree::consistency_proof(&kept, index, size).unwrap()
            );
        }
    }
}

#[test]
fn tiles_of_the_example_in_the_specification() {
    let tiles: Vec<_> = tile::tiles(70_000).collect();
    let count = |level, full| {
        tiles
            .iter()
            .filter(|tile| tile.level == level && tile.is_full() == full)
            .count()
    };
    assert_eq!(
        (count(0, true), count(0, false), count(1, true), count(1, false)),
        (273, 1, 1, 1)
    );
    assert_eq!(
        tiles.last(),
        Some(&Tile {
            level: 2,
            index: 0,
            width: 1
        })
    );
    assert_eq!(
        Resource::Entries {
            index: 1_234_067,
            width: 256
        }
        .to_string(),
        "tile/entries/x001/x234/067"
    );
}

#[test]
fn a_short_tile_and_a_hash_outside_the_tree_are_errors() {
    let (size, tiles) = grown(&[300]);
    let short = TileReader::new(size, |tile: Tile| {
        Ok::<_, Infallible>(tiles[&(tile.level, tile.index)][..32].to_vec())
    });
    assert!(matches!(tree::root(&short, size), Err(tile::TileError::Length { .. })));
    let reader = TileReader::new(size, |tile: Tile| {
        Ok::<_, Infallible>(tiles[&(tile.level, tile.index)].clone())
    });
    assert!(matches!(reader.hash(0, 300), Err(tile::TileError::OutsideTree { .. })));
    assert!(matches!(reader.hash(9, 0), Err(tile::TileError::OutsideTree { .. })));
    assert!(reader.hash(200, u64::MAX).is_err());
    // 2^57 * 2^7 leaves would wrap to leaf 0.
    assert!(matches!(
        reader.hash(7, 1 << 57),
        Err(tile::TileError::OutsideTree { .. })
    ));
    for length in [tiles[&(0, 0)].len() + 32, 300 * 32 + 1] {
        let long = TileReader::new(size, |_| Ok::<_, Infallible>(vec![0; length]));
        assert!(matches!(long.hash(0, 0), Err(tile::TileError::Length { .. })));
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "tile/0/000",
        "tile/63/x001/x234/067.p/255",
        "tile/entries/x018/x446/x744/x073/x709/x551/615",
    ] {
        assert_eq!(path.parse::<Resource>().unwrap().to_string(), path);
    }
    for path in [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/000/",
        "tile//000",
        "tile/00/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/256/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/+7",
        "tile/0/000.p/7/8",
        "tile/0/000.p/",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/data/000",
        "tile/0",
        "/tile/0/000",
        "checkpoint/",
        "",
    ] {
        assert!(path.parse::<Resource>().is_err(), "{path}");
    }
    assert_eq!(tile::tile_at(256, 0, 1), None);
    assert_eq!(tile::tile_at(0, 0, 0), None);
    assert_eq!(tile::tile_at(u64::MAX, 0, u64::MAX), None);
}

#[test]
fn a_bundle_has_256_entries_at_most() {
    let full = vec![b""; 256];
    let bytes = tile::encode_bundle(&full).unwrap();
    assert_eq!(tile::decode_bundle(&bytes).unwrap(), full);
    assert_eq!(tile::decode_bundle(&[0; 257 * 2]), Err(BundleError::TooMany));
    assert_eq!(tile::encode_bundle(vec![b""; 257]), Err(BundleError::TooMany));
    let longest = vec![7; 65_535];
    let bytes = tile::encode_bundle([&longest]).unwrap();
    assert_eq!(tile::decode_bundle(&bytes).unwrap(), [longest.as_slice()]);
    assert_eq!(
        tile::encode_bundle([vec![7; 65_536]]),
        Err(BundleError::TooLong {
            position: 0,
            length: 65_536
        })
    );
    assert_eq!(
        tile::decode_bundle(&[0, 0, 0, 2, 1]),
        Err(BundleError::Truncated { position: 1 })
    );
}

#[test]
fn a_frontier_is_taken_up_again_where_it_was_left() {
    let kept = Kept::of(70);
    for size in 0..70 {
        let mut whole = Frontier::new();
        (0..size).for_each(|number| whole.push(tree::leaf_hash(&entry(number))));
        let mut resumed = Frontier::from_peaks(size, whole.peaks().to_vec()).unwrap();
        assert_eq!(resumed.root(), kept.root(size));
        resumed.push(tree::leaf_hash(&entry(size)));
        assert_eq!((resumed.size(), resumed.root()), (size + 1, kept.root(size + 1)));
        assert_eq!(Frontier::from_peaks(size + 1, vec![tree::empty_root(); 64]), None);
    }
    let largest = vec![tree::empty_root(); 63];
    assert!(Frontier::from_peaks(tree::MAX_SIZE, largest).is_some());
    assert_eq!(Frontier::from_peaks(tree::MAX_SIZE + 1, vec![tree::empty_root()]), None);
}

proptest! {
    #[test]
    fn larger_trees_agree(size in 71_u64..3000, place in any::<prop::sample::Index>(), before in any::<prop::sample::Index>()) {
        let kept = Kept::of(size);
        let (index, old) = (place.index(usize::try_from(size).unwrap()), before.index(usize::try_from(size).unwrap()) + 1);
        let their_tree = theirs(size);
        let their_root: RootHash<Sha256> = their_tree.root();
        let root = kept.root(size);
        prop_assert_eq!(&root.as_bytes()[..], &their_root.as_bytes()[..]);
        let proof = tree::inclusion_proof(&kept, index as u64, size).unwrap();
        let inclusion = their_tree.prove_inclusion(index);
        prop_assert_eq!(bytes(&proof), inclusion.as_bytes());
        let proof = tree::consistency_proof(&kept, old as u64, size).unwrap();
        let consistency = their_tree.prove_consistency(usize::try_from(size).unwrap() - old);
        prop_assert_eq!(bytes(&proof), consistency.as_bytes());
        prop_assert_eq!(tree::verify_consistency(old as u64, kept.root(old as u64), size, root, &proof), Ok(()));
    }

    #[test]
    fn proofs_of_any_shape_never_panic(index in any::<u64>(), size in any::<u64>(), old in any::<u64>(), length in 0_usize..140) {
        let proof = vec![tree::empty_root(); length];
        let _ = tree::root_from_inclusion(tree::empty_root(), index, size, &proof);
        let _ = tree::verify_consistency(old, tree::empty_root(), size, tree::empty_root(), &proof);
        let _ = tree::verify_consistency(old, tree::empty_root(), size, tree::leaf_hash(b""), &proof);
    }

    #[test]
    fn readers_over_sizes_of_any_shape_never_panic(size in any::<u64>(), level in any::<u8>(), index in any::<u64>(), length in 0_usize..9000) {
        let reader = TileReader::new(size, |_| Ok::<_, Infallible>(vec![0; length]));
        let _ = reader.hash(level, index);
        let _ = tree::root(&reader, size);
        let _ = tree::inclusion_proof(&reader, index, size);
        let _ = tree::consistency_proof(&reader, index, size);
        let _ = tile::tile_at(size, level, index);
    }

    #[test]
    fn paths_have_one_spelling(path in "(tile/)?([0-9]{1,2}|entries|checkpoint)(/x?[0-9]{2,3}){0,4}(\\.p/[0-9]{1,3})?|\\PC{0,20}") {
        if let Ok(resource) = path.parse::<Resource>() {
            prop_assert_eq!(resource.to_string(), path);
        }
    }

    #[test]
    fn bundles_read_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20), any in prop::collection::vec(any::<u8>(), 0..100)) {
        let bundle = tile::encode_bundle(&entries).unwrap();
        prop_assert_eq!(tile::decode_bundle(&bundle).unwrap(), entries);
        if let Ok(entries) = tile::decode_bundle(&any) {
            prop_assert_eq!(tile::encode_bundle(entries).unwrap(), any);
        }
    }
}
