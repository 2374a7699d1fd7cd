//! What holds for every probe there is, over the machine that the tests run on: what is unreadable is said, whatever stands
//! in a file the probe comes to an end with a document, and the same host gives the same bytes.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests, and what they share")]

#[cfg(test)]
mod changes;
mod denied;
mod hostile;
mod stable;
mod tampered;

use affiant_agent::machine::{Deadline, Machine, MachineHost};
use evidence::facts::FactsDocument;
use probes::registry::{self, Registered};

/// The probes, each with the machine as it may see it.
fn each() -> impl Iterator<Item = (Registered, MachineHost)> {
    let host = |probe: &Registered| Machine::own().host(probe.spec, Deadline::within(600_000));
    registry::all().into_iter().map(move |probe| {
        let host = host(&probe);
        (probe, host)
    })
}

/// The documents' bytes. Every document can be written: numbers are in range, and it is not too large.
fn bytes(documents: &[FactsDocument]) -> Vec<Vec<u8>> {
    let written = documents.iter().map(|document| match document.to_bytes() {
        Ok(bytes) => bytes,
        Err(error) => panic!("{}: {error}", document.probe.as_str()),
    });
    written.collect()
}
