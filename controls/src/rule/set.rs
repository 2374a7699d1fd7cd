//! All rules that are in force together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use evidence::{Digest, pack};
use thiserror::Error;

use super::load::{RuleError, load};
use super::{CaseResult, Rule};
use crate::baseline::{Baseline, BaselineError};
use crate::data;
use crate::schema::Schemas;

/// Rules in one set; far beyond any need, and a bound on what a hostile pack can make a verifier do.
const MAX_RULES: usize = 2_000;

/// All rules that are in force together, by id, with the parameters of one baseline.
#[derive(Debug)]
pub struct RuleSet {
    rules: BTreeMap<String, Arc<Rule>>,
    schemas: Arc<Schemas>,
}

/// Rules that do not load as a set: every file that is wrong is named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RuleSetError {
    /// What is wrong, file by file.
    pub problems: Vec<FileProblem>,
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileProblem {
    /// The rule does not load.
    #[error("{file}.yaml: {error}")]
    Rule {
        /// The file's name without `.yaml`.
        file: String,
        /// What is wrong.
        error: RuleError,
    },
    /// Two files of the same name.
    #[error("{file}.yaml: there is a rule of this id already")]
    Twice {
        /// The file's name without `.yaml`.
        file: String,
    },
    /// More rules than a set may have.
    #[error("there are more than {MAX_RULES} rules")]
    TooMany,
    /// The baseline names a rule that there is not.
    #[error(transparent)]
    Baseline(BaselineError),
}

/// The id of the rule in a file, by the name that the file has in a log or a pack; `None` if it has another name.
pub fn rule_of(name: &str) -> Option<&str> {
    let id = name.strip_prefix("rules/")?.strip_suffix(".yaml")?;
    (name != pack::BASELINE).then_some(id)
}

impl RuleSet {
    /// The built-in rules with their defaults.
    pub fn builtin() -> Result<Self, RuleSetError> {
        Self::load(Self::builtin_files(), &Baseline::default())
    }

    /// The files of the built-in rules: `(name without .yaml, bytes)`, sorted.
    pub fn builtin_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
        data::RULES.iter().copied()
    }

    /// Loads the rule files and the baseline among files that have the names of a log or a pack: `rules/<id>.yaml`,
    /// `rules/baseline.yaml`. Files of other names are not for it. Either all load or none does.
    pub fn from_files<N, B>(files: impl IntoIterator<Item = (N, B)>) -> Result<Self, RuleSetError>
    where
        N: AsRef<str>,
        B: AsRef<[u8]>,
    {
        let (mut rules, mut baseline) = (Vec::new(), Baseline::default());
        for (name, bytes) in files {
            let name = name.as_ref();
            if name == pack::BASELINE {
                baseline = Baseline::from_yaml(bytes.as_ref()).map_err(|error| RuleSetError {
                    problems: vec![FileProblem::Baseline(error)],
                })?;
            } else if let Some(id) = rule_of(name) {
                rules.push((id.to_owned(), bytes));
            }
        }
        Self::load(rules, &baseline)
    }

    /// Loads rule files, given as `(name without .yaml, bytes)`. Either all load or none does.
    pub fn load<N, B>(files: impl IntoIterator<Item = (N, B)>, baseline: &Baseline) -> Result<Self, RuleSetError>
    where
        N: AsRef<str>,
        B: AsRef<[u8]>,
    {
        Self::load_with(files, baseline, Schemas::builtin())
    }

    /// The same with other schemas of facts.
    pub fn load_with<N, B>(
        files: impl IntoIterator<Item = (N, B)>,
        baseline: &Baseline,
        schemas: Arc<Schemas>,
    ) -> Result<Self, RuleSetError>
    where
        N: AsRef<str>,
        B: AsRef<[u8]>,
    {
        let (mut rules, mut problems) = (BTreeMap::new(), Vec::new());
        for (name, bytes) in files {
            let name = name.as_ref();
            if rules.len() == MAX_RULES {
                problems.push(FileProblem::TooMany);
                break;
            }
            match load(name, bytes.as_ref(), &schemas, baseline.of(name)) {
                Ok(rule) => {
                    if rules.insert(name.to_owned(), Arc::new(rule)).is_some() {
                        problems.push(FileProblem::Twice { file: name.to_owned() });
                    }
                }
                Err(error) => problems.push(FileProblem::Rule {
                    file: name.to_owned(),
                    error,
                }),
            }
        }
        for rule in baseline.rules() {
            if problems.is_empty() && !rules.contains_key(rule) {
                let rule = rule.to_owned();
                problems.push(FileProblem::Baseline(BaselineError::NoSuchRule { rule }));
            }
        }
        if problems.is_empty() {
            Ok(Self { rules, schemas })
        } else {
            Err(RuleSetError { problems })
        }
    }

    /// The rules, sorted by id.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Arc<Rule>> {
        self.rules.values()
    }

    /// A rule by id.
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.get(id)
    }

    /// The schemas that the rules were checked against.
    pub fn schemas(&self) -> &Arc<Schemas> {
        &self.schemas
    }

    /// The files as `sha256sum -c` reads them, sorted by name: `<64 hex>  <id>.yaml`.
    pub fn manifest(&self) -> String {
        self.rules.values().fold(String::new(), |mut manifest, rule| {
            let _ = writeln!(manifest, "{}  {}.yaml", rule.digest(), rule.id());
            manifest
        })
    }

    /// Names the set: the digest of its manifest.
    pub fn digest(&self) -> Digest {
        Digest::of(self.manifest().as_bytes())
    }

    /// Runs the cases in the rule files, by the defaults of each file.
    pub fn test_cases(&self) -> Vec<CaseResult> {
        self.rules
            .values()
            .flat_map(|rule| rule.test_cases(&self.schemas))
            .collect()
    }
}
