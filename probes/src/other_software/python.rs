//! Distributions of Python packages: a folder `NAME-VERSION.dist-info` each, with what its maker and its installer wrote.

use super::facts::{PythonDistribution, SoftwareList};
use super::{listed, text, wrong};
use crate::reading::{Reading, Unread};

pub(super) const WHERE: &str = "/usr/local/lib/python3*";
const LIBRARIES: [&str; 2] = ["/usr/local/lib", "/usr/local/lib64"];
const PACKAGES: [&str; 2] = ["dist-packages", "site-packages"];
/// Name and version stand near the beginning of the metadata, before the description.
const HEAD: usize = 16 * 1024;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SoftwareList<PythonDistribution>>, Unread> {
    let mut found = vec![];
    let mut any = false;
    for library in LIBRARIES {
        for python in reading.list(library)?.unwrap_or_default() {
            if !python.name.starts_with("python3") {
                continue;
            }
            for packages in PACKAGES {
                let folder = format!("{library}/{}/{packages}", python.name);
                let Some(entries) = reading.list(&folder)? else {
                    continue;
                };
                any = true;
                for entry in entries {
                    found.extend(distribution(reading, &folder, &entry.name)?);
                }
            }
        }
    }
    Ok(any.then(|| listed(found)))
}

fn distribution(reading: &Reading<'_>, folder: &str, name: &str) -> Result<Option<PythonDistribution>, Unread> {
    let at = format!("{folder}/{name}");
    // The form before: a folder or a file.
    let candidates = if name.ends_with(".dist-info") {
        vec![format!("{at}/METADATA")]
    } else if name.ends_with(".egg-info") {
        vec![format!("{at}/PKG-INFO"), at.clone()]
    } else {
        return Ok(None);
    };
    let kind = if name.ends_with(".dist-info") {
        "*.dist-info"
    } else {
        "*.egg-info"
    };
    let shown = format!("{folder}/{kind}");
    for metadata in candidates {
        if reading.private_stat(&metadata, &shown)?.is_none() {
            continue;
        }
        let Some(head) = reading.private_head(&metadata, &shown, HEAD)? else {
            continue;
        };
        let head = String::from_utf8_lossy(&head);
        let of = |name: &str| {
            // An empty line ends the headers.
            let mut lines = head.lines().take_while(|line| !line.trim().is_empty());
            lines.find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)))
        };
        let (Some((_, project)), Some((_, version))) = (of("Name"), of("Version")) else {
            return Err(wrong(reading, &shown, "one without Name or Version"));
        };
        let installer = reading
            .private_head(&format!("{at}/INSTALLER"), &shown, 100)?
            .unwrap_or_default();
        return Ok(Some(PythonDistribution {
            name: text(project),
            version: text(version),
            folder: folder.to_owned(),
            installer: text(String::from_utf8_lossy(&installer).lines().next().unwrap_or_default()),
            direct: reading
                .private_stat(&format!("{at}/direct_url.json"), &shown)?
                .is_some(),
        }));
    }
    // What pip is removing, or a folder that somebody left: it is none to pip.
    Ok(None)
}
