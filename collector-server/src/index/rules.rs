//! The rules in force, as the log has them.

use std::collections::BTreeSet;
use std::sync::Arc;

use controls::assessment::parse_scope;
use controls::rule::{RuleSet, rule_of};
use controls::timeline::DEFAULT_FRESHNESS;
use evidence::envelope::Unverified;
use evidence::pack;
use evidence::statement::{Predicate, RuleSetInForce};

use super::IndexError;
use crate::store::Store;

/// The kind of the entries that say which rules are in force.
const KIND: &str = "urn:affiant:rules:v1";
/// What judgements depend on beside rule, facts and time: this program.
pub(super) const EVALUATOR: &str = env!("CARGO_PKG_VERSION");

/// The rules in force.
#[derive(Debug)]
pub struct InForce {
    /// The entry that brought them; `None` in a log that has no such entry.
    pub entry: Option<(u64, RuleSetInForce)>,
    /// The rules.
    pub set: RuleSet,
    /// Names of the hosts that ought to report, if there is such a list.
    pub scope: Option<BTreeSet<String>>,
}

impl InForce {
    /// Seconds for which a statement speaks at most.
    pub fn freshness(&self) -> u64 {
        self.entry
            .as_ref()
            .map_or(DEFAULT_FRESHNESS, |(_, entry)| entry.freshness_seconds)
    }

    /// Index of the entry that brought them.
    pub fn index(&self) -> Option<u64> {
        self.entry.as_ref().map(|(index, _)| *index)
    }

    /// The rules that the newest such entry of the log brought.
    pub fn newest(store: &dyn Store) -> Result<Arc<Self>, IndexError> {
        Self::at(store, store.last_own(KIND)?)
    }

    /// The rules that the entry `index` brought; none without an entry.
    pub fn at(store: &dyn Store, index: Option<u64>) -> Result<Arc<Self>, IndexError> {
        let Some(index) = index else {
            let set = RuleSet::from_files(std::iter::empty::<(&str, &[u8])>());
            let set = set.map_err(|error| IndexError::damaged(format_args!("no rules at all: {error}")))?;
            return Ok(Arc::new(Self {
                entry: None,
                set,
                scope: None,
            }));
        };
        let wrong = |problem: String| IndexError::Rules { index, problem };
        let bytes = store
            .entry(index)?
            .ok_or_else(|| wrong("there is no such entry".to_owned()))?;
        let envelope = Unverified::from_bytes(&bytes).map_err(|source| IndexError::Entry { index, source })?;
        let statement = envelope.claimed().map_err(|error| wrong(error.to_string()))?;
        let Predicate::Rules(entry) = statement.predicate else {
            return Err(wrong("the entry is of another kind".to_owned()));
        };
        let (mut files, mut scope) = (Vec::new(), None);
        for subject in &statement.subject {
            if rule_of(&subject.name).is_none() && ![pack::BASELINE, pack::SCOPE].contains(&subject.name.as_str()) {
                continue;
            }
            let missing = || wrong(format!("the file {} ({}) is not stored", subject.name, subject.digest));
            let file = store.file(&subject.digest)?.ok_or_else(missing)?;
            if subject.name == pack::SCOPE {
                scope = Some(parse_scope(&String::from_utf8_lossy(&file)));
            } else {
                files.push((&subject.name, file));
            }
        }
        let set = RuleSet::from_files(files).map_err(|error| wrong(error.to_string()))?;
        Ok(Arc::new(Self {
            entry: Some((index, entry)),
            set,
            scope,
        }))
    }
}
