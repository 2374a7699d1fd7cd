//! The rules of a service with those of included files in place, as libpam puts them together (`pam_handlers.c`).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::arguments;
use super::control;
use super::facts::{Problem, ProblemKind, Rule, RuleType};
use super::line::{self, Line};
use crate::reading::{Reading, Unread};

/// Where the file of a service is looked for; the last two where the vendor chose so.
pub(super) const FOLDERS: [&str; 4] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d", "/usr/share/pam.d"];
/// `PAM_SUBSTACK_MAX_LEVEL` of libpam.
const MAX_SUBSTACKS: u32 = 16;
/// Includes within includes; libpam has no limit and dies of files that include each other.
const MAX_INCLUDES: u32 = 32;
/// More rules than a stack has that somebody wrote.
const MAX_RULES: usize = 1_000;
/// Likewise files that are put in place, over files that include each other many times.
const MAX_FILES: u32 = 500;

/// A file, once read: its path and lines. `None`: it is not there.
type ReadFile = Result<Option<Rc<(String, Vec<Line>)>>, Unread>;

/// Reads files of rules, each once.
pub(super) struct Files<'r, 'h> {
    reading: &'r Reading<'h>,
    files: RefCell<BTreeMap<String, ReadFile>>,
}

/// A rule with its arguments as they are: some must not be shown.
#[derive(Debug, Clone)]
pub(super) struct RawRule {
    pub(super) rule: Rule,
    pub(super) arguments: Vec<String>,
    /// With folder and `.so`, as written.
    pub(super) module_path: String,
}

/// What a service comes to.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) rules: Vec<RawRule>,
    pub(super) problems: BTreeSet<Problem>,
    /// Types that have something here, if only a substack without rules or a line that libpam lets fail.
    pub(super) types: BTreeSet<RuleType>,
}

impl<'r, 'h> Files<'r, 'h> {
    pub(super) fn new(reading: &'r Reading<'h>) -> Self {
        Self {
            reading,
            files: RefCell::default(),
        }
    }

    /// The file of a service or, with a leading `/`, that file.
    pub(super) fn file(&self, name: &str) -> ReadFile {
        if let Some(known) = self.files.borrow().get(name) {
            return known.clone();
        }
        let read = self.read(name);
        self.files.borrow_mut().insert(name.to_owned(), read.clone());
        read
    }

    fn read(&self, name: &str) -> ReadFile {
        let paths: Vec<String> = if name.starts_with('/') {
            vec![name.to_owned()]
        } else {
            FOLDERS.iter().map(|folder| format!("{folder}/{name}")).collect()
        };
        for path in paths {
            if let Some(bytes) = self.reading.file(&path)? {
                let lines = line::lines(&bytes);
                return Ok(Some(Rc::new((path, lines))));
            }
        }
        Ok(None)
    }
}

/// Puts the rules of a service together. `lines` are its own, of the file `path`.
pub(super) fn expand(files: &Files<'_, '_>, path: &str, lines: &[Line]) -> Result<Expanded, Unread> {
    let mut expansion = Expansion {
        files,
        expanded: Expanded::default(),
        included: 0,
    };
    expansion.lines(path, lines, None, 0, 0)?;
    Ok(expansion.expanded)
}

struct Expansion<'f, 'r, 'h> {
    files: &'f Files<'r, 'h>,
    expanded: Expanded,
    included: u32,
}

impl Expansion<'_, '_, '_> {
    /// With `only` the rules of other types are passed over, as `TYPE include FILE` asks.
    fn lines(
        &mut self,
        path: &str,
        lines: &[Line],
        only: Option<RuleType>,
        depth: u32,
        includes: u32,
    ) -> Result<(), Unread> {
        for line in lines {
            if self.expanded.rules.len() >= MAX_RULES || self.included >= MAX_FILES {
                self.problem(path, line, ProblemKind::TooMany);
                return Ok(());
            }
            self.line(path, line, only, depth, includes)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        path: &str,
        line: &Line,
        only: Option<RuleType>,
        depth: u32,
        includes: u32,
    ) -> Result<(), Unread> {
        let mut words = line.words.iter();
        let Some(first) = words.next() else { return Ok(()) };
        if first.eq_ignore_ascii_case("@include") {
            let Some(name) = words.next() else {
                self.problem(path, line, ProblemKind::Incomplete);
                return Ok(());
            };
            return self.include(path, line, name, only, depth, includes);
        }
        let (skipped_if_missing, kind) = match first.strip_prefix('-') {
            Some(kind) => (true, kind),
            None => (false, first.as_str()),
        };
        let Some(kind) = rule_type(kind) else {
            self.problem(path, line, ProblemKind::Type);
            // libpam makes a rule of it that fails: of the type that is asked for, else of type `auth`.
            self.expanded.types.insert(only.unwrap_or(RuleType::Auth));
            return Ok(());
        };
        if only.is_some_and(|only| only != kind) {
            return Ok(());
        }
        let Some(word) = words.next() else {
            self.problem(path, line, ProblemKind::Incomplete);
            self.expanded.types.insert(kind);
            return Ok(());
        };
        let (include, substack) = (
            word.eq_ignore_ascii_case("include"),
            word.eq_ignore_ascii_case("substack"),
        );
        let Some(module) = words.next() else {
            self.problem(path, line, ProblemKind::Incomplete);
            self.expanded.types.insert(kind);
            return Ok(());
        };
        if !include {
            self.expanded.types.insert(kind);
        }
        if include || substack {
            return self.include(path, line, module, Some(kind), depth + u32::from(substack), includes);
        }
        let control = control::normalised(word).unwrap_or_else(|| {
            self.problem(path, line, ProblemKind::Control);
            control::UNKNOWN.to_owned()
        });
        // Brackets keep the blanks of an argument together, and are no part of it.
        let arguments: Vec<String> = words.map(|word| unbracketed(word).to_owned()).collect();
        let name = module.rsplit('/').next().unwrap_or(module);
        let name = name.strip_suffix(".so").unwrap_or(name);
        self.expanded.rules.push(RawRule {
            rule: Rule {
                kind,
                control,
                module: name.to_owned(),
                arguments: arguments::shown(name, &arguments),
                depth,
                skipped_if_missing,
                path: path.to_owned(),
                line: line.number,
            },
            arguments,
            module_path: module.clone(),
        });
        Ok(())
    }

    fn include(
        &mut self,
        path: &str,
        line: &Line,
        name: &str,
        only: Option<RuleType>,
        depth: u32,
        includes: u32,
    ) -> Result<(), Unread> {
        if depth >= MAX_SUBSTACKS || includes >= MAX_INCLUDES {
            self.problem(path, line, ProblemKind::TooDeep);
            return Ok(());
        }
        self.included += 1;
        let Some(file) = self.files.file(name)? else {
            self.problem(path, line, ProblemKind::MissingInclude);
            self.expanded.types.extend(only);
            return Ok(());
        };
        self.lines(&file.0, &file.1, only, depth, includes + 1)
    }

    fn problem(&mut self, path: &str, line: &Line, kind: ProblemKind) {
        self.expanded.problems.insert(Problem {
            path: path.to_owned(),
            line: line.number,
            kind,
        });
    }
}

fn rule_type(word: &str) -> Option<RuleType> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    match () {
        () if is("auth") => Some(RuleType::Auth),
        () if is("account") => Some(RuleType::Account),
        () if is("password") => Some(RuleType::Password),
        () if is("session") => Some(RuleType::Session),
        () => None,
    }
}

fn unbracketed(word: &str) -> &str {
    let inner = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(word)
}
