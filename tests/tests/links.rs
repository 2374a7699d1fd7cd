//! The repository as text: links lead somewhere, nothing of the machine it was written on is in it, files are short.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};

/// A file with more lines is to be split.
const MAX_LINES: usize = 700;

fn repository() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?)
}

/// Every file of the repository that is text, with its path from the top.
fn texts() -> Result<Vec<(PathBuf, String)>> {
    let top = repository()?;
    let (mut folders, mut texts) = (vec![top.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type()?;
            // A folder in a clone, a file with the way to one in a worktree.
            if name == ".git" {
                continue;
            }
            if kind.is_dir() {
                let generated = ["node_modules", "__pycache__", "corpus", "artifacts"]
                    .iter()
                    .any(|other| name == *other)
                    || name.to_string_lossy().starts_with("target");
                if !generated {
                    folders.push(path);
                }
            } else if kind.is_file()
                && let Ok(text) = String::from_utf8(fs::read(&path)?)
            {
                texts.push((path.strip_prefix(&top)?.to_owned(), text));
            }
        }
    }
    texts.sort();
    ensure!(texts.len() > 100, "only {} files found", texts.len());
    Ok(texts)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

fn must_be_empty(wrong: &[String], what: &str) -> Result<()> {
    ensure!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
    Ok(())
}

/// The lines outside fenced code, with inline code taken out.
fn prose(markdown: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    markdown.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        let text = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        (!fenced && !line.starts_with("    ")).then_some((index + 1, text))
    })
}

/// Where the links of a line lead.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Anchors as GitHub makes them of headings.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in markdown.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let letters = heading.trim().to_lowercase().replace(' ', "-");
        let base: String = letters
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        let mut anchor = base.clone();
        for again in 1.. {
            if anchors.insert(anchor.clone()) {
                break;
            }
            anchor = format!("{base}-{again}");
        }
    }
    anchors
}

/// `path` without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(tidied.pop()),
            Component::CurDir => {}
            other => tidied.push(other),
        }
    }
    tidied
}

#[test]
fn links_between_pages_lead_somewhere() -> Result<()> {
    let top = repository()?;
    let mut wrong = Vec::new();
    for (path, text) in texts()?.iter().filter(|(path, _)| has_extension(path, &["md"])) {
        for (line, prose) in prose(text) {
            for target in targets(&prose) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() {
                    path.clone()
                } else {
                    tidy(&path.parent().context("a folder")?.join(file))
                };
                let place = format!("{}:{line}: {target}", path.display());
                if !top.join(&file).exists() {
                    wrong.push(place);
                } else if !anchor.is_empty() && !anchors(&fs::read_to_string(top.join(&file))?).contains(anchor) {
                    wrong.push(format!("{place} (no such heading)"));
                }
            }
        }
    }
    must_be_empty(&wrong, "links that lead nowhere")
}

/// Names that tell where it was written: folders of that machine, and the mirrors that it has its packages from.
fn telling_names() -> Vec<String> {
    let mut names = vec![["/wo", "rk/"].concat(), ["../sha", "red"].concat()];
    let mut lists = vec![PathBuf::from("/etc/apt/sources.list")];
    let folder = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten();
    lists.extend(folder.filter_map(|entry| Some(entry.ok()?.path())));
    for list in lists {
        let text = fs::read_to_string(list).unwrap_or_default();
        let hosts = text
            .split("://")
            .skip(1)
            .filter_map(|rest| rest.split(['/', ' ', '\n', ':']).next());
        names.extend(
            hosts
                .filter(|host| !host.ends_with(".debian.org") && host.contains('.'))
                .map(str::to_owned),
        );
    }
    names
}

#[test]
fn nothing_of_the_machine_it_was_written_on() -> Result<()> {
    let names = telling_names();
    let mut wrong = Vec::new();
    for (path, text) in texts()? {
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = names.iter().find(|name| line.contains(*name)) {
                wrong.push(format!("{}:{}: {name}", path.display(), index + 1));
            }
        }
    }
    must_be_empty(&wrong, "names of one machine")
}

#[test]
fn nothing_is_left_to_do() -> Result<()> {
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["unimple", "mented!("].concat(),
    ];
    let mut wrong = Vec::new();
    let code = [
        "rs", "html", "sh", "yaml", "yml", "toml", "css", "js", "mjs", "py", "service",
    ];
    for (path, text) in texts()?.iter().filter(|(path, _)| has_extension(path, &code)) {
        for (index, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    must_be_empty(&wrong, "left to do")
}

#[test]
fn files_are_short() -> Result<()> {
    let mut wrong = Vec::new();
    let code = ["rs", "html", "sh", "css", "js", "mjs", "py"];
    for (path, text) in texts()?.iter().filter(|(path, _)| has_extension(path, &code)) {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
    }
    must_be_empty(&wrong, &format!("files of more than {MAX_LINES} lines"))
}
