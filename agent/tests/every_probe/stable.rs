//! The same host gives the same bytes.

use crate::tampered::Tampered;
use crate::{bytes, each};

#[test]
fn an_unchanged_host_gives_the_same_documents() {
    let collect = || -> Vec<_> {
        let collected = each().map(|(probe, machine)| (probe.spec.id, bytes(&probe.collect(&Tampered::not(&machine)))));
        collected.collect()
    };
    let (first, second) = (collect(), collect());
    for ((probe, before), (_, after)) in first.iter().zip(&second) {
        let text = |documents: &[Vec<u8>]| String::from_utf8(documents.concat()).unwrap();
        assert_eq!(text(before), text(after), "{probe}");
    }
}
