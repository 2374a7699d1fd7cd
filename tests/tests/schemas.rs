//! The schemas of facts that rules are checked against (`controls/schemas`) are those of the probes' types.
//! `UPDATE=1 cargo test -p affiant-tests --test schemas` writes them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::json;

#[test]
fn schemas_of_facts_are_up_to_date() -> Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../controls/schemas");
    let update = env::var_os("UPDATE").is_some();
    let mut expected = BTreeSet::new();
    for (spec, schemas) in probes::registry::schemas() {
        for (document, facts) in schemas {
            // Names can be withheld from a pack: no rule may depend on them, so they have no schema here.
            if document.contains('.') {
                continue;
            }
            let path = folder.join(format!("{document}.json"));
            let schema = json!({"document": document, "version": spec.version, "facts": facts});
            let text = format!("{}\n", serde_json::to_string_pretty(&schema)?);
            if update {
                fs::write(&path, &text).with_context(|| path.display().to_string())?;
            }
            let found = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            ensure!(
                found == text,
                "{} differs from the probe's types: raise the probe's version if facts changed their meaning, and run \
                 UPDATE=1 cargo test -p affiant-tests --test schemas",
                path.display()
            );
            expected.insert(format!("{document}.json"));
        }
    }
    // Schemas of earlier versions stay, as `<document>-v<version>.json`: facts of that time must remain judgeable.
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            expected.contains(&name) || name.contains("-v"),
            "controls/schemas/{name} belongs to no probe"
        );
    }
    Ok(())
}
