//! A log of 300 entries: more than one tile, and a second level.

use evidence::Digest;
use evidence::proof::{Receipt, hashes_to_text};
use evidence::tile::{Resource, Tile, encode_bundle, grow, tiles};
use evidence::tree::{self, leaf_hash};
use serde_json::{Value, json};

use crate::ed25519::Dalek;
use crate::small_log::signed;
use crate::{Subtrees, binary, keys};

const SIZE: u64 = 300;

/// `log-300.json`. The full tile and the full bundle by their digests only: they follow from the entries.
pub(crate) fn vectors() -> Value {
    let entries: Vec<_> = (0..SIZE).map(|index| format!("entry {index}")).collect();
    let subtrees = Subtrees::of(&entries);
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
    let bytes = grow(0, &leaves, |_| Err::<Vec<u8>, _>("nothing is there yet")).unwrap();
    let checkpoint = signed(SIZE, tree::root(&subtrees, SIZE).unwrap());
    let tile = |tile: Tile| {
        let bytes = &bytes[&(tile.level, tile.index)];
        let mut vector = if tile.is_full() {
            json!({"length": bytes.len(), "sha256": Digest::of(bytes)})
        } else {
            binary(bytes)
        };
        vector["path"] = Resource::Hashes(tile).to_string().into();
        vector
    };
    let bundle = |(index, entries): (usize, &[String])| {
        let bytes = encode_bundle(entries).unwrap();
        let path = Resource::Entries {
            index: index as u64,
            width: u16::try_from(entries.len()).unwrap(),
        };
        json!({"path": path.to_string(), "length": bytes.len(), "sha256": Digest::of(&bytes)})
    };
    let receipt = |index: u64| {
        let receipt = Receipt {
            extra: None,
            index,
            proof: tree::inclusion_proof(&subtrees, index, SIZE).unwrap(),
            checkpoint: checkpoint.note().to_owned(),
        };
        let entry = entries[usize::try_from(index).unwrap()].as_bytes();
        receipt.verify(entry, &keys::log_verifier(), &Dalek).unwrap();
        receipt.to_string()
    };
    let consistency = |old: u64| {
        let (old_root, proof) = (
            tree::root(&subtrees, old).unwrap(),
            tree::consistency_proof(&subtrees, old, SIZE).unwrap(),
        );
        tree::verify_consistency(old, old_root, SIZE, checkpoint.checkpoint().root, &proof).unwrap();
        json!({"old": old, "old_root": old_root, "new": SIZE, "proof": hashes_to_text(&proof)})
    };
    let hashes = |level, index, width| Resource::Hashes(Tile { level, index, width }).to_string();
    json!({
        "entries": "entry <index>: the text \"entry 0\" to \"entry 299\", without line end; no envelopes, to keep this small",
        "size": SIZE,
        "root": checkpoint.checkpoint().root,
        "checkpoint": checkpoint.note(),
        "receipts": Vec::from([0, 1, 255, 256, 299].map(receipt)),
        "consistency": Vec::from([1, 7, 255, 256, 257, 299].map(consistency)),
        "tiles": tiles(SIZE).map(tile).collect::<Vec<_>>(),
        "bundles": entries.chunks(256).enumerate().map(bundle).collect::<Vec<_>>(),
        "paths": [
            {"path": hashes(0, 1_234_067, 256), "level": 0, "index": 1_234_067, "width": 256},
            {"path": hashes(2, 0, 1), "level": 2, "index": 0, "width": 1},
            {"path": Resource::Entries { index: 1000, width: 255 }.to_string(), "entries": true, "index": 1000, "width": 255},
        ],
    })
}
