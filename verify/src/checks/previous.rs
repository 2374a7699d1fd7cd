//! An older pack of the same log: what it showed must still be there.

use evidence::checkpoint::SignedCheckpoint;
use evidence::note::VerifierKey;
use evidence::pack;

use super::Context;
use super::log::Log;
use crate::archive::Archive;
use crate::failure::Failure;
use crate::signatures::Dalek;

/// Checks that the log in this pack extends the log in `older`.
pub(super) fn check(context: &mut Context, log: &Log, key: &VerifierKey, older: &mut Archive) -> Result<(), Failure> {
    let place = format!("{} of the previous pack", pack::CHECKPOINT);
    let (note, _) = older.bytes(pack::CHECKPOINT)?;
    let note = String::from_utf8(note).map_err(|_| Failure::wrong("not UTF-8", &place))?;
    let signed = SignedCheckpoint::verify(&note, key, &Dalek).map_err(|error| Failure::wrong(error, &place))?;
    let head = signed.checkpoint();
    log.extends(head.size, head.root)
        .map_err(|what| Failure::wrong(format!("not a continuation of the previous pack: {what}"), &place))?;
    context
        .report
        .passed("the log extends the log of the previous pack", head.size);
    Ok(())
}
