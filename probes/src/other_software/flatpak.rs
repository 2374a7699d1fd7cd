//! Flatpak's installation for all users: `app/ID/ARCH/BRANCH/active`, a link named for the commit, and `deploy` in it.

use super::facts::{Flatpak, FlatpakRemote, FlatpakSoftware, SoftwareList};
use super::{listed, text, wrong};
use crate::formats::repo_file::Ini;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

pub(super) const FOLDER: &str = "/var/lib/flatpak";
const CONFIG: &str = "/var/lib/flatpak/repo/config";
/// More remotes are malformed.
const MAX_REMOTES: usize = 1_000;
/// Folders that are entered.
const MAX_FOLDERS: usize = 50_000;
const MAX_ORIGIN: usize = 256;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Flatpak>, Unread> {
    if reading.stat(FOLDER)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Flatpak {
        software: software(reading)?,
        remotes: Known::of(remotes(reading), CONFIG),
    }))
}

fn software(reading: &Reading<'_>) -> Result<SoftwareList<FlatpakSoftware>, Unread> {
    let mut found = vec![];
    let mut left = MAX_FOLDERS;
    let mut folders = |path: &str| -> Result<Vec<String>, Unread> {
        let entries = reading.entries(path)?.unwrap_or_default().into_iter();
        let folders: Vec<_> = entries.filter(|entry| entry.kind == Kind::Folder).collect();
        left = left.checked_sub(folders.len()).ok_or_else(|| Unread::Failed {
            place: FOLDER.to_owned(),
            reason: format!("more than {MAX_FOLDERS} folders"),
        })?;
        Ok(folders.into_iter().map(|entry| entry.name).collect())
    };
    for kind in ["app", "runtime"] {
        let top = format!("{FOLDER}/{kind}");
        // Noted as one source.
        reading.list(&top)?;
        for id in folders(&top)? {
            for architecture in folders(&format!("{top}/{id}"))? {
                for branch in folders(&format!("{top}/{id}/{architecture}"))? {
                    let folder = format!("{top}/{id}/{architecture}/{branch}");
                    // What is being installed has no link yet.
                    if reading.stat_link(&format!("{folder}/active"))?.is_none() {
                        continue;
                    }
                    let commit = reading.link(&format!("{folder}/active"))?.unwrap_or_default();
                    found.push(FlatpakSoftware {
                        origin: origin(reading, &format!("{folder}/active/deploy"))?,
                        id: text(&id),
                        kind: kind.to_owned(),
                        architecture: text(&architecture),
                        branch: text(&branch),
                        commit: commit.rsplit('/').next().unwrap_or_default().chars().take(12).collect(),
                    });
                }
            }
        }
    }
    Ok(listed(found))
}

/// `deploy` is a `GVariant` that begins with the remote's name (`FLATPAK_DEPLOY_DATA_GVARIANT_STRING` in its source).
fn origin(reading: &Reading<'_>, path: &str) -> Result<String, Unread> {
    let shown = format!("{FOLDER}/*/deploy");
    let head = reading.private_head(path, &shown, MAX_ORIGIN)?.unwrap_or_default();
    let name = head.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(name) {
        Ok(name) if name.len() < MAX_ORIGIN => Ok(text(name)),
        _ => Err(wrong(reading, &shown, "it does not begin with the name of a remote")),
    }
}

fn remotes(reading: &Reading<'_>) -> Result<Option<Vec<FlatpakRemote>>, Unread> {
    // URLs may hold credentials.
    let Some(bytes) = reading.private(CONFIG, CONFIG)? else {
        return Ok(None);
    };
    let ini = Ini::parse(&String::from_utf8_lossy(&bytes));
    if let Some(line) = ini.unparsed.first() {
        return Err(wrong(
            reading,
            CONFIG,
            format!("line {line} is neither a section nor a value"),
        ));
    }
    let mut remotes = vec![];
    for section in &ini.sections {
        let name = section
            .name
            .strip_prefix("remote ")
            .map(|name| name.trim().trim_matches('"'));
        let Some(name) = name else { continue };
        let of = |name: &str| {
            let values = section.entries.iter().rev();
            values
                .clone()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let is = |name: &str, default: bool| match of(name).map(str::trim) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err(wrong(reading, CONFIG, format!("{name} is neither true nor false"))),
        };
        remotes.push(FlatpakRemote {
            name: text(name),
            url: without_user(of("url").unwrap_or_default()),
            // As OSTree has it.
            gpg_verify: is("gpg-verify", true)?,
            gpg_verify_summary: is("gpg-verify-summary", false)?,
            disabled: is("xa.disable", false)?,
        });
        if remotes.len() > MAX_REMOTES {
            return Err(wrong(reading, CONFIG, format!("more than {MAX_REMOTES} remotes")));
        }
    }
    remotes.order();
    Ok(Some(remotes))
}

fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let user = host.rfind('@').map_or(0, |at| at + 1);
            text(&format!("{scheme}://{}", rest.get(user..).unwrap_or_default()))
        }
        None => text(url),
    }
}
