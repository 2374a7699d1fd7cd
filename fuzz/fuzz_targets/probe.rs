//! One probe (`AFFIANT_PROBE`) over a host made of the fuzzer's bytes.
#![no_main]

use std::sync::LazyLock;

use affiant_fuzz::BytesHost;
use libfuzzer_sys::fuzz_target;
use probes::registry::{self, Registered};

static PROBE: LazyLock<Registered> = LazyLock::new(|| {
    let id = std::env::var("AFFIANT_PROBE").expect("AFFIANT_PROBE names a probe");
    let probe = registry::all().into_iter().find(|probe| probe.spec.id == id);
    probe.expect("AFFIANT_PROBE is the id of a probe")
});

fuzz_target!(|bytes: &[u8]| {
    let documents = PROBE.collect(&BytesHost::parse(bytes));
    assert_eq!(documents.len(), PROBE.documents().len());
    for document in documents {
        document.to_bytes().expect("a document that can be written");
    }
});
