//! What a probe's module says of itself: sections below `# ` headings in its `//!` comments.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What each probe's module must say, in this order.
pub(crate) const HEADINGS: [&str; 5] = ["What", "Source", "Privilege", "Bears on", "Does not show"];

/// The file of the probe `id`.
pub(crate) fn file_name(id: &str) -> String {
    format!("{}.rs", id.replace('-', "_"))
}

/// The id of the probe in a file.
pub(crate) fn id(file: &Path) -> Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).context("a file name")?;
    Ok(stem.replace('_', "-"))
}

/// The sections, in order.
pub(crate) struct ModuleDocs(Vec<(String, String)>);

impl ModuleDocs {
    /// Reads the comments at the beginning of a file. The lines of a section become one.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
            let line = line.trim();
            if let Some(heading) = line.strip_prefix("# ") {
                sections.push((heading.to_owned(), String::new()));
            } else if let Some((_, section)) = sections.last_mut() {
                section.push_str(line);
                section.push(' ');
            }
        }
        Ok(Self(sections))
    }

    /// The headings, in order.
    pub(crate) fn headings(&self) -> Vec<&str> {
        self.0.iter().map(|(heading, _)| heading.as_str()).collect()
    }

    /// The text below a heading.
    pub(crate) fn section(&self, heading: &str) -> Result<&str> {
        let found = self.0.iter().find(|(found, _)| found == heading);
        Ok(found.with_context(|| format!("no heading \"# {heading}\""))?.1.trim())
    }
}
