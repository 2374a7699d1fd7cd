//! Known answers for the log, none of which this crate computed: from the specifications, from logs in service, and
//! from implementations of others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod ed25519;

use std::collections::BTreeMap;

use ed25519::{Dalek, Key};
use evidence::Digest;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::key::Signer as _;
use evidence::note::{Note, VerifierKey};
use evidence::proof::Receipt;
use evidence::tree::{self, Frontier, HashReader, leaf_hash, node_hash};

/// Complete subtrees by level and index.
struct Subtrees(BTreeMap<(u8, u64), Digest>);

impl Subtrees {
    fn of<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Self {
        let (mut frontier, mut subtrees) = (Frontier::new(), BTreeMap::new());
        for entry in entries {
            frontier.push_noting(leaf_hash(entry.as_ref()), |level, index, hash| {
                subtrees.insert((level, index), hash);
            });
        }
        Self(subtrees)
    }
}

impl HashReader for Subtrees {
    type Error = (u8, u64);
    fn hash(&self, level: u8, index: u64) -> Result<Digest, (u8, u64)> {
        self.0.get(&(level, index)).copied().ok_or((level, index))
    }
}

/// The test tree of Certificate Transparency's reference implementation, and its root at each size.
#[test]
fn roots_of_the_reference_tree() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root().to_string(), roots[0]);
    for (entry, root) in entries.into_iter().zip(&roots[1..]) {
        frontier.push(leaf_hash(entry));
        assert_eq!(frontier.root().to_string(), *root);
    }
}

/// The tree of seven entries drawn in RFC 6962 section 2.1.3, with its letters.
#[test]
#[allow(clippy::many_single_char_names, reason = "the letters of the figure")]
fn proofs_of_the_tree_in_rfc_6962() {
    let entries: Vec<_> = (0..7).map(|number| format!("d{number}")).collect();
    let subtrees = Subtrees::of(&entries);
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
    let [a, b, c, d, e, f, j] = leaves[..] else {
        unreachable!()
    };
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    assert_eq!(tree::root(&subtrees, 7), Ok(node_hash(&k, &l)));
    for (index, path) in [
        (0, vec![b, h, l]),
        (3, vec![c, g, l]),
        (4, vec![f, j, k]),
        (6, vec![i, k]),
    ] {
        assert_eq!(tree::inclusion_proof(&subtrees, index, 7), Ok(path));
    }
    for (old, proof) in [(3, vec![c, d, g, l]), (4, vec![l]), (6, vec![i, j, k])] {
        assert_eq!(tree::consistency_proof(&subtrees, old, 7), Ok(proof));
    }
}

/// The example in the documentation of Go's `golang.org/x/mod/sumdb/note`.
#[test]
fn the_note_of_the_go_package() {
    let key: VerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        .parse()
        .unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\
                \n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let read = Note::from_bytes(note.as_bytes()).unwrap();
    read.verify(&key, &Dalek).unwrap();
    assert_eq!(read.to_string(), note);
    assert!(read.text.ends_with("problem is.\n"));
}

/// Tree heads that the Go checksum database signed in 2023 and 2026, under the key that is built into the go command.
#[test]
fn tree_heads_of_the_go_checksum_database() {
    let key: VerifierKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
        .parse()
        .unwrap();
    for (size, root, signature) in [
        (
            19_238_995,
            "rYNqIZewerbOSOnMYPyCJKxl86UaEBZ1mrEpfiAQhcs=",
            "Az3grut2xBvodM8V9oOPG46SgC7w8BqMN9z5tsbaN9nTEEIPNjhvYZJ4aQOzCy8qW2LEaJBANgKjGlfW42nf3DmtVwc=",
        ),
        (
            49_189_689,
            "ftjbAOzaupaIvaPo/G+Dk63nxOZ2s1OPOKIaPtXs7S4=",
            "Az3grlKZssqRoMNPpZfKt0TphbbcF+pzXqElURJKRNFKfaUAgqeI5k2AORH0QAhg/ebRwyIqD/OqP4oLtLnNumvOBAM=",
        ),
    ] {
        let text = format!("go.sum database tree\n{size}\n{root}\n");
        let note = format!("{text}\n\u{2014} sum.golang.org {signature}\n");
        let read = Note::from_bytes(note.as_bytes()).unwrap();
        read.verify(&key, &Dalek).unwrap();
        let head: Checkpoint = read.text.parse().unwrap();
        assert_eq!((head.origin.as_str(), head.size), ("go.sum database tree", size));
        assert_eq!(head.to_string(), text);
        // Its origin is not the name of its key, which we ask of a log.
        assert!(SignedCheckpoint::verify(&note, &key, &Dalek).is_err());
        let other = note.replacen(&size.to_string(), &(size + 1).to_string(), 1);
        let other = Note::from_bytes(other.as_bytes()).unwrap();
        assert!(other.verify(&key, &Dalek).is_err());
    }
}

/// Made with the Python package `proofbundle` 6.3.1: entries `entry 0` to `entry 6`, private key of 32 bytes 05.
#[test]
fn a_receipt_made_by_another_implementation() {
    const RECEIPT: &str = "c2sp.org/tlog-proof@v1\n\
        index 4\n\
        n/U3thiiV++CkIxFkVrLrrbZ3qA11tk5ZPyIwZ6YyLM=\n\
        vhV4G2KKKEFMHIoRuG24Qi+hBBIV/g18RJbSPNoeQUI=\n\
        l5nzB1F+9RfCIF35tndivzR1ayAJn7ffzOdrzr0nOy4=\n\
        \n\
        example.org/log\n\
        7\n\
        mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=\n\
        \n\
        \u{2014} example.org/log +/F58VvRmwMFfMEu6Wjl6Q2i6rdHomcZM7xHIpW3pzZGOMbLFELI1YC5LPr/7dK+gOu73xYl5rH2YotyfacYRbY4wQU=\n";
    let key: VerifierKey = "example.org/log+fbf179f1+AW56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx"
        .parse()
        .unwrap();
    let receipt = Receipt::parse(RECEIPT).unwrap();
    let verified = receipt.verify(b"entry 4", &key, &Dalek).unwrap();
    assert_eq!(verified.checkpoint().size, 7);
    assert!(receipt.verify(b"entry 5", &key, &Dalek).is_err());

    // The same log written by us is the same, byte for byte.
    let subtrees = Subtrees::of((0..7).map(|number| format!("entry {number}")));
    let signer = Key::from_seed([5; 32]);
    assert_eq!(signer.public_key(), key.key());
    let head = Checkpoint {
        origin: key.name().to_owned(),
        size: 7,
        root: tree::root(&subtrees, 7).unwrap(),
    };
    let ours = Receipt {
        extra: None,
        index: 4,
        proof: tree::inclusion_proof(&subtrees, 4, 7).unwrap(),
        checkpoint: SignedCheckpoint::sign(head, &signer).unwrap().note().to_owned(),
    };
    assert_eq!(ours.to_string(), RECEIPT);
    let consistency: Vec<_> = tree::consistency_proof(&subtrees, 3, 7)
        .unwrap()
        .iter()
        .map(Digest::to_string)
        .collect();
    assert_eq!(
        consistency,
        [
            "57c79f4f31ae029c5d4bd30b073c27c94df93438b2b4697e1e1eef5bc0394a41",
            "61ca1139f6815841d5baf2d0d2d9bd9dfee97c898dd6f7ba0c0aa941ee6c01eb",
            "5a47662fd8a317d96049a3f9f47c55dc67ca66051baa3683dbb19b2fe09a07b0",
            "94afb8a2ca051c05458ea39dcd19b1bd68e7e33529f10b439d2a615a51f636e2",
        ]
    );
}
