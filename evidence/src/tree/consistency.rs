//! That one tree extends another.

use super::{HashReader, ProofError, left_width, node_hash, range_hash};
use crate::digest::Digest;

/// The consistency proof (RFC 6962 section 2.1.2) between the trees of `old` and of `new` entries. Empty if `old` is 0,
/// equals `new` or exceeds it: there is nothing to show, or nothing that could.
pub fn consistency_proof<R: HashReader>(reader: &R, old: u64, new: u64) -> Result<Vec<Digest>, R::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut begin, mut end) = (0, new);
    // Whether the subtree at hand begins where the old tree does: the verifier then has its hash already.
    let mut known = true;
    while old != end {
        let middle = begin + left_width(end - begin);
        if old <= middle {
            proof.push(range_hash(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(range_hash(reader, begin, middle)?);
            begin = middle;
            known = false;
        }
    }
    if !known {
        proof.push(range_hash(reader, begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `new` entries with `new_root` extends the one of `old` entries with `old_root` (RFC 9162
/// section 2.1.4.2). Every tree extends the empty one.
pub fn verify_consistency(
    old: u64,
    old_root: Digest,
    new: u64,
    new_root: Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    let length = ProofError::Length { found: proof.len() };
    let same = |computed, expected| {
        if computed == expected {
            Ok(())
        } else {
            Err(ProofError::OtherRoot { computed, expected })
        }
    };
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 {
        same(super::empty_root(), old_root)?;
    }
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(length);
        }
        return if old == new { same(new_root, old_root) } else { Ok(()) };
    }
    let mut hashes = proof.iter();
    // A complete old tree is itself the first hash; it is not sent.
    let first = if old.is_power_of_two() {
        old_root
    } else {
        *hashes.next().ok_or(length)?
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (first, first);
    for hash in hashes {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(hash, &from_old);
            from_new = node_hash(hash, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    same(from_old, old_root)?;
    same(from_new, new_root)
}
