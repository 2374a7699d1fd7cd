//! An entry's place in the log: the way from it up to the signed root.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use evidence::Digest;
use evidence::tree::node_hash;

use crate::query::StatementDetail;
use crate::web::frame::{Frame, Section};
use crate::web::mark::Mark;
use crate::web::visit::{Shown, View, Visit, page};

/// Heights and widths of the picture, in its own units.
const STEP: i64 = 46;
const MIDDLE: i64 = 300;
const SIDE: i64 = 190;

/// One step of the way: the hash so far and its sibling give the next one.
struct Step {
    y: i64,
    /// Where the next hash is drawn.
    up: i64,
    /// The sibling: its place, and on which side it is hashed.
    sibling_x: i64,
    left: bool,
    sibling: String,
    /// What comes out.
    hash: String,
    short: String,
    sibling_short: String,
}

#[derive(Template)]
#[template(path = "web/place.html")]
struct PlacePage {
    frame: Frame,
    index: u64,
    tree_size: u64,
    root: String,
    leaf: String,
    leaf_short: String,
    leaf_y: i64,
    height: i64,
    middle: i64,
    steps: Vec<Step>,
    result: Mark,
    checkpoint: String,
    receipt: String,
}

fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

/// Whether each sibling of an inclusion proof stands left of the hash so far (RFC 9162, 2.1.3.2).
fn sides(index: u64, size: u64, length: usize) -> Vec<bool> {
    let (mut node, mut last) = (index, size.saturating_sub(1));
    let mut sides = Vec::with_capacity(length);
    for _ in 0..length {
        let left = node % 2 == 1 || node == last;
        sides.push(left);
        if left {
            // A last node without a right sibling climbs until it is a right child.
            while node != 0 && node.is_multiple_of(2) {
                node >>= 1;
                last >>= 1;
            }
        }
        node >>= 1;
        last >>= 1;
    }
    sides
}

impl PlacePage {
    fn of(view: &View, detail: &StatementDetail) -> Self {
        let count = i64::try_from(detail.proof.len()).unwrap_or(0);
        let leaf_y = count * STEP + 40;
        let mut hash = detail.leaf;
        let mut y = leaf_y;
        let mut steps = Vec::new();
        for (sibling, left) in detail
            .proof
            .iter()
            .zip(sides(detail.index, detail.tree_size, detail.proof.len()))
        {
            hash = if left {
                node_hash(sibling, &hash)
            } else {
                node_hash(&hash, sibling)
            };
            steps.push(Step {
                y,
                up: y - STEP,
                sibling_x: if left { MIDDLE - SIDE } else { MIDDLE + SIDE },
                left,
                sibling: sibling.to_string(),
                sibling_short: short(sibling),
                hash: hash.to_string(),
                short: short(&hash),
            });
            y -= STEP;
        }
        let result = if hash == detail.root {
            Mark {
                tone: "good",
                word: "leads to the signed root",
            }
        } else {
            Mark {
                tone: "bad",
                word: "does not lead to the signed root",
            }
        };
        Self {
            frame: view.frame(&format!("Place of entry {}", detail.index), Section::Log),
            index: detail.index,
            tree_size: detail.tree_size,
            root: detail.root.to_string(),
            leaf: detail.leaf.to_string(),
            leaf_short: short(&detail.leaf),
            leaf_y,
            height: leaf_y + 34,
            middle: MIDDLE,
            steps,
            result,
            checkpoint: detail.checkpoint.clone(),
            receipt: detail.receipt.clone(),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Path(index): Path<u64>) -> Shown {
    let detail = visit.ask(move |query| query.statement(index)).await?;
    page(&PlacePage::of(&visit.view, &detail))
}

/// The receipt, as a file.
pub(in crate::web) async fn receipt(visit: Visit, Path(index): Path<u64>) -> Shown {
    let detail = visit.ask(move |query| query.statement(index)).await?;
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"entry-{index}.tlog-proof\""),
        ),
    ];
    Ok((headers, detail.receipt).into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use evidence::tree::{HashReader, inclusion_proof, leaf_hash, root};

    use super::*;

    /// Complete subtrees by level and index.
    struct Hashes(HashMap<(u8, u64), Digest>);

    impl HashReader for Hashes {
        type Error = std::convert::Infallible;

        fn hash(&self, level: u8, index: u64) -> Result<Digest, Self::Error> {
            Ok(self.0[&(level, index)])
        }
    }

    #[test]
    fn the_way_leads_to_the_root_in_every_tree() {
        let leaves: Vec<_> = (0..40_u8).map(|byte| leaf_hash(&[byte])).collect();
        let mut hashes = HashMap::new();
        for (index, leaf) in leaves.iter().enumerate() {
            hashes.insert((0, index as u64), *leaf);
        }
        for level in 1..6_u8 {
            for index in 0..(40_u64 >> level) {
                let pair = (hashes[&(level - 1, index * 2)], hashes[&(level - 1, index * 2 + 1)]);
                hashes.insert((level, index), node_hash(&pair.0, &pair.1));
            }
        }
        let hashes = Hashes(hashes);
        for size in 1..=40 {
            let expected = root(&hashes, size).unwrap();
            for index in 0..size {
                let proof = inclusion_proof(&hashes, index, size).unwrap();
                let mut hash = leaves[usize::try_from(index).unwrap()];
                for (sibling, left) in proof.iter().zip(sides(index, size, proof.len())) {
                    hash = if left {
                        node_hash(sibling, &hash)
                    } else {
                        node_hash(&hash, sibling)
                    };
                }
                assert_eq!(hash, expected, "{index} of {size}");
            }
        }
    }
}
