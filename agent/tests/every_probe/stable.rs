//! The same host gives the same bytes.

use affiant_agent::machine::{Deadline, Machine};
use probes::{Cadence, registry};

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

/// What one probe has read for the others of its round is what each would have read.
#[test]
fn what_probes_share_is_in_every_document_as_if_it_were_not_shared() {
    let round = Machine::own();
    for probe in registry::all() {
        if probe.spec.cadence == Cadence::Daily {
            continue;
        }
        let documents = |machine: &Machine| bytes(&probe.collect(&machine.host(probe.spec, Deadline::within(600_000))));
        let text = |documents: Vec<Vec<u8>>| String::from_utf8(documents.concat()).unwrap();
        assert_eq!(
            text(documents(&round)),
            text(documents(&round.anew())),
            "{}",
            probe.spec.id
        );
    }
}
