//! Which change in a host changes which documents: those of the table and no others. The table is also a page,
//! `docs/agreement/changes.md`; `UPDATE=1 cargo test -p affiant-agent --test every_probe changes` writes it.

mod host;
mod table;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use host::{Documents, FIXTURES, Host};
use probes::registry;
use table::CHANGES;

/// What is done to a host.
enum How {
    /// A file gets lines more.
    Append(&'static str, &'static str),
    /// A file with this content, whether there was one before or not.
    Write(&'static str, &'static str),
    /// A file with the content of one that is captured in the project.
    Captured(&'static str, &'static str),
    /// In a file, one text is another.
    Replace(&'static str, &'static str, &'static str),
    /// A file less.
    Remove(&'static str),
    /// A file or folder has this mode.
    Mode(&'static str, u32),
    /// A link to this.
    Link(&'static str, &'static str),
    /// A file was written at this time.
    Time(&'static str, u64),
}

/// A change, and which documents it changes.
struct Change {
    what: &'static str,
    how: &'static [How],
    /// Their ids, sorted, with blanks between them.
    documents: &'static str,
}

impl How {
    fn apply(&self, host: &Host) {
        match *self {
            Self::Append(path, text) => host.append(path, text),
            Self::Write(path, text) => host.write(path, text.as_bytes()),
            Self::Captured(path, fixture) => host.write(path, &fs::read(format!("{FIXTURES}{fixture}")).unwrap()),
            Self::Replace(path, from, to) => host.replace(path, from, to),
            Self::Remove(path) => host.remove(path),
            Self::Mode(path, mode) => host.mode(path, mode),
            Self::Link(path, target) => host.link(path, target),
            Self::Time(path, seconds) => host.time(path, seconds),
        }
    }

    const fn path(&self) -> &'static str {
        match *self {
            Self::Append(path, _)
            | Self::Write(path, _)
            | Self::Captured(path, _)
            | Self::Replace(path, ..)
            | Self::Remove(path)
            | Self::Mode(path, _)
            | Self::Link(path, _)
            | Self::Time(path, _) => path,
        }
    }
}

/// The ids of the documents that are not the same.
fn differing<'d>(before: &'d Documents, after: &Documents) -> BTreeSet<&'d str> {
    assert!(before.keys().eq(after.keys()), "documents came or went");
    let differ = before.iter().filter(|(id, bytes)| after[*id] != **bytes);
    differ.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_change_of_the_host_changes_the_documents_that_tell_of_it_and_no_others() {
    let before = Host::new().documents();
    assert_eq!(
        differing(&before, &Host::new().documents()),
        BTreeSet::new(),
        "without a change"
    );
    let mut wrong = String::new();
    let mut changed = BTreeSet::new();
    for change in CHANGES {
        let host = Host::new();
        for how in change.how {
            how.apply(&host);
        }
        let after = host.documents();
        let found = differing(&before, &after);
        let wanted: BTreeSet<&str> = change.documents.split_ascii_whitespace().collect();
        if found != wanted {
            let list = |ids: Vec<&&str>| ids.into_iter().copied().collect::<Vec<_>>().join(" ");
            let found_list = list(found.iter().collect());
            let more = list(found.difference(&wanted).collect());
            let fewer = list(wanted.difference(&found).collect());
            let _ = writeln!(
                wrong,
                "{}\n  changed:     {found_list}\n  unexpected:  {more}\n  not changed: {fewer}",
                change.what
            );
        }
        changed.extend(found);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let never: Vec<&String> = before.keys().filter(|id| !changed.contains(id.as_str())).collect();
    assert!(never.is_empty(), "no change of the table changes {never:?}");
}

#[test]
fn ids_in_the_table_are_those_of_documents() {
    let all: BTreeSet<String> = registry::all()
        .iter()
        .flat_map(registry::Registered::documents)
        .collect();
    for change in CHANGES {
        let ids: Vec<&str> = change.documents.split_ascii_whitespace().collect();
        assert!(ids.is_sorted(), "{}", change.what);
        assert!(ids.iter().all(|id| all.contains(*id)), "{}: {ids:?}", change.what);
    }
}

const HEAD: &str = "# Which change in a host changes which documents

*Generated from the table in `agent/tests/every_probe/changes/`. The test makes each change in a host that is a folder and compares
the bytes of all documents with those from before: exactly these differ, and each document occurs.*

A document names its sources with the digests of their bytes, so that it may change with a file where no fact does. Files that
hold names or secrets have no digest: an account's real name, which no probe tells, changes nothing.

| change | where | documents that change |
| --- | --- | --- |
";

#[test]
fn the_page_is_the_table() {
    let mut page = HEAD.to_owned();
    for Change { what, how, documents } in CHANGES {
        let places: BTreeSet<String> = how.iter().map(|how| format!("`/{}`", how.path())).collect();
        let places = Vec::from_iter(places).join(", ");
        let ids: Vec<String> = documents.split_ascii_whitespace().map(|id| format!("`{id}`")).collect();
        let ids = if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        };
        let _ = writeln!(page, "| {what} | {places} | {ids} |");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/agreement/changes.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &page).unwrap();
    }
    let found = fs::read_to_string(path).unwrap();
    assert!(
        found == page,
        "docs/agreement/changes.md is not up to date: UPDATE=1 cargo test -p affiant-agent --test every_probe changes"
    );
}
