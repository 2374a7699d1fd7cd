//! Packs: what goes to an auditor.
//!
//! A pack accounts for every entry of the log from the first that the period needs to the end of the tree that it shows,
//! brings what those entries name, and judges it by the rules in force. `docs/format.md` has the layout; `affiant-verify`
//! is the other half.
//!
//! The log is in the order of arrival, a pack in the order of hosts. Two passes turn one into the other in bounded memory:
//! [`survey`] reads each statement once and finds out where the period begins in the log, [`spool`] sorts the lines by
//! host through a temporary file.

mod archive;
mod people;
mod spool;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use controls::assessment::{Assessor, parse_scope};
use controls::{RuleSet, catalogue};
use evidence::checkpoint::Checkpoint;
use evidence::facts::FactsDocument;
use evidence::manifest::Manifest;
use evidence::note::Note;
use evidence::proof::Receipt;
use evidence::statement::HostId;
use evidence::tile::{self, Resource};
use evidence::{Digest, Timestamp, pack};
use thiserror::Error;

use crate::acts::{PackDraft, PackIssued};
use crate::log::Tiles;
use crate::store::{Head, Store, StoreError};
use archive::Archive;
use survey::Survey;

/// What a pack is asked to show.
#[derive(Debug, Clone)]
pub struct Request {
    /// Begin of the period, included.
    pub from: Timestamp,
    /// End of the period, excluded.
    pub to: Timestamp,
    /// The catalogue's id.
    pub catalogue: String,
}

/// Why there is no pack.
#[derive(Debug, Error)]
pub enum PackError {
    /// The period ends before it begins.
    #[error("the period {from} to {to} is empty: --from must be before --to")]
    Period {
        /// Begin.
        from: Timestamp,
        /// End.
        to: Timestamp,
    },
    /// No such catalogue.
    #[error("there is no catalogue {id:?}; known: {known}")]
    Catalogue {
        /// What was asked for.
        id: String,
        /// What there is.
        known: String,
    },
    /// The log has no entry, or no rules are in force.
    #[error("there is nothing to pack: the log is empty")]
    Empty,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something in the store is not as it must be; `affiant-collector fsck` says more.
    #[error("{what}; affiant-collector fsck says more")]
    Damaged {
        /// What.
        what: String,
    },
    /// The rules in force do not load any more.
    #[error("the rules in force do not load: {0}")]
    Rules(String),
    /// The file cannot be written.
    #[error("{path}: {source}")]
    Write {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The archive cannot be written.
    #[error("the archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A page or a result cannot be written.
    #[error("{0}")]
    Render(String),
    /// The pack statement was not taken.
    #[error("the pack statement: {0}")]
    Issue(String),
}

impl PackError {
    fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}

/// Told how far the writing is: what is being done, how much of it is done, and of how much.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64, u64);

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// Hosts that were enrolled.
    pub hosts: u64,
    /// Statements of hosts.
    pub statements: u64,
    /// Facts documents.
    pub facts: u64,
    /// Findings.
    pub findings: u64,
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive.
    pub sha256: Digest,
}

/// Writes a pack to `output`, which is there only once it is whole. `issue` makes the pack statement an entry of the log.
pub fn write(
    store: &dyn Store,
    tiles: &Tiles,
    request: &Request,
    output: &Path,
    progress: Progress<'_>,
    issue: impl FnOnce(PackDraft) -> Result<PackIssued, PackError>,
) -> Result<Written, PackError> {
    if request.from >= request.to {
        return Err(PackError::Period {
            from: request.from,
            to: request.to,
        });
    }
    let catalogue = catalogue::find(&request.catalogue).ok_or_else(|| PackError::Catalogue {
        id: request.catalogue.clone(),
        known: catalogue::all()
            .iter()
            .map(|catalogue| catalogue.id.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let Head { size, checkpoint } = store.head()?.ok_or(PackError::Empty)?;
    let root = root_of(&checkpoint)?;
    let survey = Survey::make(store, size, request, progress)?;
    let rules = RulesInForce::read(store, &survey)?;

    let mut archive = Archive::create(output)?;
    archive.file(pack::CHECKPOINT, checkpoint.as_bytes())?;
    write_tiles(&mut archive, tiles, &survey, size)?;
    write_keys(&mut archive, &survey)?;
    for (name, bytes) in &rules.files {
        archive.file(name, bytes)?;
    }
    let statements = spool::write_statements(&mut archive, store, &survey, size, progress)?;
    let manifests = write_manifests(&mut archive, store, &survey)?;
    let mut assessor = Assessor::new(&rules.set, (request.from, request.to));
    let facts = write_facts(&mut archive, store, &manifests, &mut assessor, progress)?;

    progress("judging", 0, 1);
    let witnesses = survey.witnesses(&manifests, request).map_err(PackError::damaged)?;
    let assessment = assessor.finish(catalogue, &witnesses, rules.scope.as_ref());
    for (name, bytes) in assessment
        .files()
        .map_err(|error| PackError::Render(error.to_string()))?
    {
        archive.file(name, &bytes)?;
    }
    let page = people::page(request, catalogue, &rules.set, &assessment, &survey, size, &root);
    archive.file(pack::INDEX, page?.as_bytes())?;
    archive.file(pack::README, people::readme(request, &survey, size)?.as_bytes())?;

    let sums = archive.sums()?;
    let issued = issue(PackDraft {
        sums,
        from: request.from,
        to: request.to,
        catalogue: request.catalogue.clone(),
        last_entry: survey.last_own,
        tree_size: size,
        root,
    })?;
    archive.seal(issued.entry.as_bytes(), &receipt(&issued)?)?;
    progress("judging", 1, 1);
    let (bytes, sha256) = archive.finish()?;
    let hosts = witnesses.len() as u64;
    Ok(Written {
        hosts,
        statements,
        facts,
        findings: assessment.findings.len() as u64,
        bytes,
        sha256,
    })
}

/// The receipt, with the consistency proof from the tree shown in its extra data.
fn receipt(issued: &PackIssued) -> Result<String, PackError> {
    let receipt = Receipt::parse(&issued.receipt).map_err(|error| PackError::Issue(error.to_string()))?;
    let lines: String = issued
        .consistency
        .iter()
        .flat_map(|hash| [hash.as_str(), "\n"])
        .collect();
    Ok(Receipt {
        extra: Some(lines.into_bytes()),
        ..receipt
    }
    .to_string())
}

fn root_of(checkpoint: &str) -> Result<Digest, PackError> {
    let note = Note::from_bytes(checkpoint.as_bytes()).map_err(PackError::damaged)?;
    let head: Checkpoint = note.text.parse().map_err(PackError::damaged)?;
    Ok(head.root)
}

/// The tiles of the entries in the pack, and all above them.
fn write_tiles(archive: &mut Archive, tiles: &Tiles, survey: &Survey, size: u64) -> Result<(), PackError> {
    let own: BTreeSet<u64> = survey.own.iter().map(|index| index / tile::WIDTH).collect();
    for tile in tile::tiles(size) {
        let needed = tile.level > 0 || !tile.is_full() || (tile.index + 1) * tile::WIDTH > survey.begin;
        if needed || own.contains(&tile.index) {
            let bytes = tiles.tile(tile)?;
            let bytes =
                bytes.ok_or_else(|| PackError::damaged(format!("the tile {} is missing", Resource::Hashes(tile))))?;
            archive.file(&format!("{}{}", pack::LOG, Resource::Hashes(tile)), &bytes)?;
        }
    }
    Ok(())
}

fn write_keys(archive: &mut Archive, survey: &Survey) -> Result<(), PackError> {
    let keys: BTreeMap<_, _> = survey.keys.iter().map(|key| (key.id(), key)).collect();
    keys.into_iter()
        .try_for_each(|(keyid, key)| archive.file(&pack::key(&keyid), key.to_pem().as_bytes()))
}

type Manifests = BTreeMap<Digest, Arc<Manifest>>;

fn write_manifests(archive: &mut Archive, store: &dyn Store, survey: &Survey) -> Result<Manifests, PackError> {
    let mut manifests = Manifests::new();
    for digest in survey.manifests() {
        let bytes = store
            .manifest(&digest)?
            .ok_or_else(|| PackError::damaged(format!("the manifest {digest} is missing")))?;
        archive.file(&pack::manifest(&digest), &bytes)?;
        manifests.insert(
            digest,
            Arc::new(Manifest::from_bytes(&bytes).map_err(PackError::damaged)?),
        );
    }
    Ok(manifests)
}

fn write_facts(
    archive: &mut Archive,
    store: &dyn Store,
    manifests: &Manifests,
    assessor: &mut Assessor<'_>,
    progress: Progress<'_>,
) -> Result<u64, PackError> {
    let digests: BTreeSet<Digest> = manifests
        .values()
        .flat_map(|manifest| manifest.documents().values())
        .copied()
        .collect();
    let total = digests.len() as u64;
    for (done, digest) in digests.into_iter().enumerate() {
        let facts = store
            .facts(&digest)?
            .ok_or_else(|| PackError::damaged(format!("the facts {digest} are missing")))?;
        let document = FactsDocument::from_bytes(&facts.bytes).map_err(PackError::damaged)?;
        assessor.take(digest, &document);
        archive.file(&pack::facts(&digest), &facts.bytes)?;
        progress("facts", done as u64 + 1, total);
    }
    Ok(total)
}

/// The rule set that the log has in force, out of the files that the store keeps.
struct RulesInForce {
    files: BTreeMap<String, Vec<u8>>,
    set: RuleSet,
    scope: Option<BTreeSet<String>>,
}

impl RulesInForce {
    fn read(store: &dyn Store, survey: &Survey) -> Result<Self, PackError> {
        let mut files = BTreeMap::new();
        for subject in &survey.rules {
            let missing = || PackError::damaged(format!("the file {} is missing", subject.name));
            files.insert(subject.name.clone(), store.file(&subject.digest)?.ok_or_else(missing)?);
        }
        let set = RuleSet::from_files(&files).map_err(|error| PackError::Rules(error.to_string()))?;
        let scope = files
            .get(pack::SCOPE)
            .map(|bytes| parse_scope(&String::from_utf8_lossy(bytes)));
        Ok(Self { files, set, scope })
    }
}

/// How a host is named in a pack: by its id.
fn file_of(host: &HostId) -> String {
    pack::statements(host.as_str())
}
