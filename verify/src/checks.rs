//! The checks, in the order in which each rests on the one before.

mod chains;
mod content;
mod entries;
mod issue;
mod keyring;
mod log;
mod previous;
mod results;

use evidence::note::VerifierKey;
use evidence::{Digest, pack};

use crate::archive::{Archive, Sums};
use crate::failure::Failure;
use crate::report::{PackFacts, Report};
use crate::trust::Trust;

/// What the auditor brings.
#[derive(Default)]
pub struct Options {
    /// Keys known by another way than the pack.
    pub trust: Option<Trust>,
    /// An older pack of the same log.
    pub previous: Option<Archive>,
    /// Check each signature, however many there are.
    pub every_signature: bool,
}

/// Which signatures of hosts are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signatures {
    /// Each.
    Every,
    /// The newest of each unbroken chain, which vouches for the rest.
    Ends,
}

/// Up to so many entries each signature is checked without being asked for: a few seconds.
const EVERY_SIGNATURE: u64 = 100_000;

/// What every check works on.
struct Context<'a> {
    archive: &'a mut Archive,
    sums: &'a Sums,
    report: &'a mut Report,
}

impl Context<'_> {
    /// A whole file whose digest is the one in `SHA256SUMS`.
    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Failure> {
        self.summed(name).map(|(bytes, _)| bytes)
    }

    /// As [`Self::bytes`], with the digest.
    fn summed(&mut self, name: &str) -> Result<(Vec<u8>, Digest), Failure> {
        let (bytes, digest) = self.archive.bytes(name)?;
        self.sums.check(name, digest)?;
        Ok((bytes, digest))
    }

    /// As [`Self::bytes`], as text.
    fn text(&mut self, name: &str) -> Result<String, Failure> {
        String::from_utf8(self.bytes(name)?).map_err(|_| Failure::wrong("not UTF-8", name))
    }

    /// A file that is named by its digest.
    fn named(&mut self, name: &str, digest: Digest) -> Result<Vec<u8>, Failure> {
        let (bytes, found) = self.summed(name)?;
        if found == digest {
            Ok(bytes)
        } else {
            Err(Failure::wrong(format!("its SHA-256 is {found}"), name))
        }
    }
}

/// Verifies a pack, noting each passed check in `report`.
pub fn verify(archive: &mut Archive, mut options: Options, report: &mut Report) -> Result<(), Failure> {
    let (sums, sums_digest) = Sums::read(archive)?;
    let mut context = Context {
        archive,
        sums: &sums,
        report,
    };
    for name in context
        .archive
        .of_role(|role| matches!(role, crate::archive::Role::Text))
    {
        context.bytes(&name)?;
    }

    let log_key = log_key(&mut context, options.trust.as_ref())?;
    let log = log::Log::read(&mut context, &log_key)?;
    let mut seen = entries::Seen::new(log.head().size)?;
    let keyring = keyring::Keyring::read(&mut context, &log, &mut seen)?;
    check_trust(&mut context, &keyring, &log_key, options.trust.as_ref())?;
    let issue = issue::check(&mut context, &log, &log_key, &keyring, sums_digest)?;
    context.report.pack = Some(PackFacts {
        origin: log.head().origin.clone(),
        tree_size: log.head().size,
        root: log.head().root.to_string(),
        from: issue.from.to_string(),
        to: issue.to.to_string(),
        catalogue: issue.catalogue.clone(),
    });

    let manifests = content::Manifests::read(&mut context)?;
    let (rules, files) = keyring
        .rule_set
        .as_ref()
        .ok_or_else(|| Failure::wrong("no entry puts rules into force", pack::COLLECTOR))?;
    let every = options.every_signature || log.head().size <= EVERY_SIGNATURE;
    let reading = chains::Reading {
        signatures: if every { Signatures::Every } else { Signatures::Ends },
        freshness: rules.freshness_seconds,
        from: issue.from,
        to: issue.to,
    };
    let chains = chains::read(&mut context, &log, &keyring, &mut seen, &manifests, reading)?;
    check_complete(&mut context, &log, &seen, chains.first)?;
    let witnesses = keyring.roll.witnesses(chains.timelines, rules.freshness_seconds);
    results::check(&mut context, files, &issue, &witnesses, &manifests)?;
    if let Some(older) = &mut options.previous {
        previous::check(&mut context, &log, &log_key, older)?;
    }
    context.report.passed("files are as SHA256SUMS says", sums.count());
    context.report.warn(format!(
        "{} and {} are as the collector wrote them; what was checked is what results/ says",
        pack::INDEX,
        pack::README
    ));
    Ok(())
}

/// The key that the checkpoint must be signed with: the auditor's, or else the pack's own word.
fn log_key(context: &mut Context, trust: Option<&Trust>) -> Result<VerifierKey, Failure> {
    if let Some(trust) = trust {
        return Ok(trust.log.clone());
    }
    let wrong = |what: String| Failure::wrong(what, pack::COLLECTOR);
    let opening = keyring::claimed_opening(context.archive)?;
    VerifierKey::new(opening.origin, opening.log_key).map_err(|error| wrong(error.to_string()))
}

fn check_trust(
    context: &mut Context,
    keyring: &keyring::Keyring,
    log_key: &VerifierKey,
    trust: Option<&Trust>,
) -> Result<(), Failure> {
    let opening = &keyring.opening;
    if opening.log_key != *log_key.key() {
        return Err(Failure::wrong(
            "the log's opening announces another log key",
            pack::COLLECTOR,
        ));
    }
    match trust {
        Some(trust) if trust.collector != opening.statement_key => {
            let what = format!(
                "the collector has key id {}, you trust key id {}",
                opening.statement_key.id(),
                trust.collector.id()
            );
            Err(Failure::wrong(what, pack::COLLECTOR))
        }
        Some(_) => {
            context
                .report
                .passed("log and collector have the keys that you trust", 2);
            Ok(())
        }
        None => {
            context.report.warn(format!(
                "no --trust file was given: everything rests on keys that came in the pack itself. Whoever made the pack could \
                 have made them. Ask for trust.txt by another way and compare: log {} has key id {}, collector has key id {}",
                log_key.name(),
                log_key.key().id(),
                opening.statement_key.id()
            ));
            Ok(())
        }
    }
}

/// From the first statement of a host in the pack to the end of the tree, every entry is there: none was left out.
fn check_complete(
    context: &mut Context,
    log: &log::Log,
    seen: &entries::Seen,
    first: Option<u64>,
) -> Result<(), Failure> {
    let size = log.head().size;
    if let Some(missing) = seen.first_unseen(first.unwrap_or(size), size) {
        return Err(Failure::wrong(
            format!("log entry {missing} is missing from the pack"),
            "statements/",
        ));
    }
    context
        .report
        .passed("entries are where the log has them, and none is left out", seen.count());
    Ok(())
}
