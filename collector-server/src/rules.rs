//! The rules of this collector: the built-in ones, the organisation's own, and its parameters.

use std::path::{Path, PathBuf};

use controls::catalogue;
use controls::rule::{RuleSet, RuleSetError};
use thiserror::Error;

/// The file of the parameters, in the folder of the organisation's rules and in the log.
const BASELINE: &str = "baseline.yaml";
/// The bytes that stand for "no parameters set".
const NO_BASELINE: &[u8] = b"{}\n";
/// Longest file read.
const MAX_BYTES: u64 = 1024 * 1024;

/// A loaded rule set and the files that it is made of.
#[derive(Debug)]
pub struct Rules {
    set: RuleSet,
    files: Vec<(String, Vec<u8>)>,
}

/// Why rules do not load.
#[derive(Debug, Error)]
pub enum RulesError {
    /// The folder or a file in it cannot be read.
    #[error("reading {path} failed", path = path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file is too long.
    #[error("{path} is longer than {MAX_BYTES} bytes", path = .0.display())]
    TooLarge(PathBuf),
    /// The scope list is not text.
    #[error("{path} is not UTF-8: the names of the hosts in scope are expected, one per line", path = .0.display())]
    Scope(PathBuf),
    /// Rules that do not load.
    #[error(transparent)]
    Set(#[from] RuleSetError),
}

fn read(path: &Path) -> Result<Vec<u8>, RulesError> {
    let failed = |source| RulesError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
        return Err(RulesError::TooLarge(path.to_owned()));
    }
    std::fs::read(path).map_err(failed)
}

impl Rules {
    /// Loads the built-in rules and those in `folder`; a rule there with a built-in rule's name is an error.
    pub fn load(folder: Option<&Path>) -> Result<Self, RulesError> {
        let mut files: Vec<(String, Vec<u8>)> = RuleSet::builtin_files()
            .map(|(name, bytes)| (evidence::pack::rule(name), bytes.to_vec()))
            .collect();
        let mut parameters = NO_BASELINE.to_vec();
        if let Some(folder) = folder {
            let failed = |source| RulesError::Read {
                path: folder.to_owned(),
                source,
            };
            for entry in std::fs::read_dir(folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name == BASELINE {
                    parameters = read(&path)?;
                } else if let Some(name) = name.strip_suffix(".yaml") {
                    files.push((evidence::pack::rule(name), read(&path)?));
                }
            }
        }
        files.push((evidence::pack::BASELINE.to_owned(), parameters));
        // The order is that in which what is wrong is told.
        files.sort();
        let set = RuleSet::from_files(files.iter().map(|(name, bytes)| (name, bytes)))?;
        for catalogue in catalogue::all() {
            files.push((evidence::pack::catalogue(&catalogue.id), catalogue.bytes().to_vec()));
        }
        files.sort();
        Ok(Self { set, files })
    }

    /// Adds the list of the hosts that ought to report: coverage is counted against it, so it is in force as rules are.
    pub fn with_scope(mut self, list: Option<&Path>) -> Result<Self, RulesError> {
        if let Some(path) = list {
            let bytes = read(path)?;
            if std::str::from_utf8(&bytes).is_err() {
                return Err(RulesError::Scope(path.to_owned()));
            }
            self.files.push((evidence::pack::SCOPE.to_owned(), bytes));
            self.files.sort();
        }
        Ok(self)
    }

    /// The loaded rules.
    pub fn set(&self) -> &RuleSet {
        &self.set
    }

    /// Every file, by the name that it has in the log and in a pack, sorted.
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_rules_load_and_every_file_is_listed() {
        let rules = Rules::load(None).unwrap();
        assert!(
            rules
                .files()
                .iter()
                .any(|(name, bytes)| name == "rules/baseline.yaml" && bytes == b"{}\n")
        );
        assert!(
            rules
                .files()
                .iter()
                .any(|(name, _)| name == "catalogues/iso27001-2022.csv")
        );
        assert!(rules.files().is_sorted());
    }

    #[test]
    fn the_scope_list_is_in_force_as_the_rules_are() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("scope.txt");
        std::fs::write(&list, "web-1\n").unwrap();
        let rules = Rules::load(None).unwrap().with_scope(Some(&list)).unwrap();
        let named = |(name, bytes): &(String, Vec<u8>)| name == "scope.txt" && bytes == b"web-1\n";
        assert!(rules.files().iter().any(named) && rules.files().is_sorted());
        std::fs::write(&list, b"web-\xff\n").unwrap();
        let refused = Rules::load(None).unwrap().with_scope(Some(&list));
        assert!(matches!(refused, Err(RulesError::Scope(_))));
    }

    #[test]
    fn a_folder_that_is_not_there_and_bad_parameters_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Rules::load(Some(&folder.path().join("none"))),
            Err(RulesError::Read { .. })
        ));
        std::fs::write(folder.path().join(BASELINE), "- 1").unwrap();
        let refused = Rules::load(Some(folder.path())).unwrap_err();
        assert!(refused.to_string().contains("baseline.yaml"), "{refused}");
        // Bytes that are no text are refused, not replaced: the log keeps them as they are.
        std::fs::write(folder.path().join(BASELINE), b"a: {b: \"\xff\"}").unwrap();
        assert!(matches!(Rules::load(Some(folder.path())), Err(RulesError::Set(_))));
        std::fs::write(folder.path().join(BASELINE), "no-such-rule: {a: 1}").unwrap();
        assert!(matches!(Rules::load(Some(folder.path())), Err(RulesError::Set(_))));
    }
}
