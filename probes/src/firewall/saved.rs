//! Rules in files, and the services that load them at boot.

use super::facts::{BaseChain, HookName, Loader, Manager, SavedRules};
use super::ruleset::Family;
use super::{iptables, nft_file};
use crate::formats::systemd::Units;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Services and what they are.
const SERVICES: [(&str, Manager); 8] = [
    ("nftables.service", Manager::Nftables),
    ("ufw.service", Manager::Ufw),
    ("firewalld.service", Manager::Firewalld),
    ("netfilter-persistent.service", Manager::NetfilterPersistent),
    ("iptables.service", Manager::IptablesService),
    ("ip6tables.service", Manager::IptablesService),
    ("shorewall.service", Manager::Shorewall),
    ("ferm.service", Manager::Ferm),
];
/// Files for nft(8): Debian's and SUSE's, Red Hat's.
const NFT_FILES: [&str; 2] = ["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"];
/// Files for iptables-restore(8).
const IPTABLES_FILES: [(&str, &str, Manager); 4] = [
    ("/etc/iptables/rules.v4", "ip", Manager::NetfilterPersistent),
    ("/etc/iptables/rules.v6", "ip6", Manager::NetfilterPersistent),
    ("/etc/sysconfig/ip6tables", "ip6", Manager::IptablesService),
    ("/etc/sysconfig/iptables", "ip", Manager::IptablesService),
];
/// Files that others include.
const MAX_INCLUDED: usize = 100;

/// What loads rules at boot.
pub(super) fn loaders(reading: &Reading<'_>) -> Known<Vec<Loader>> {
    let units = match Units::read(reading) {
        Ok(Some(units)) => units,
        Ok(None) => return Known::absent("this host has no systemd"),
        Err(unread) => return Known::unread(&unread),
    };
    let mut loaders: Vec<_> = SERVICES
        .into_iter()
        .filter_map(|(unit, manager)| {
            Some(Loader {
                manager,
                unit: units.state(unit)?,
            })
        })
        .collect();
    loaders.order_by(|one, other| one.unit.unit.cmp(&other.unit.unit));
    Known::Observed(loaders)
}

/// The files that are there, sorted by path.
pub(super) fn files(reading: &Reading<'_>) -> Vec<SavedRules> {
    let mut saved = Vec::new();
    let named = match nft_files(reading) {
        Ok(named) => named,
        Err(unread) => {
            saved.extend(entry("nftables.service", Manager::Nftables, Err(unread)));
            None
        }
    };
    for path in named.unwrap_or_else(|| NFT_FILES.map(str::to_owned).into()) {
        let chains = nft(reading, &path);
        saved.extend(entry(
            &path,
            Manager::Nftables,
            chains.map(|found| found.map(|chains| (chains, None))),
        ));
    }
    for (path, family, manager) in IPTABLES_FILES {
        let hook = |text: String| {
            let ruleset = iptables::parse(&text, family).map_err(|reason| Unread::Malformed {
                place: path.to_owned(),
                reason,
            })?;
            let version = if family == "ip" { Family::V4 } else { Family::V6 };
            Ok((ruleset.base_chains(), Some(ruleset.hook(version, HookName::Input))))
        };
        let read = reading.text(path).and_then(|text| text.map(hook).transpose());
        saved.extend(entry(path, manager, read));
    }
    saved.order_by(|one, other| one.path.cmp(&other.path));
    saved
}

/// The files that `nftables.service` names (`nft -f FILE`); `None` if there is no such unit.
fn nft_files(reading: &Reading<'_>) -> Result<Option<Vec<String>>, Unread> {
    let Some(units) = Units::read(reading)? else {
        return Ok(None);
    };
    let Some(own) = units.assignments(reading, "nftables.service")? else {
        return Ok(None);
    };
    let mut files: Vec<String> = vec![];
    for one in own
        .iter()
        .filter(|one| one.section == "Service" && one.name == "ExecStart")
    {
        if one.value.is_empty() {
            files.clear();
        }
        let mut words = one
            .value
            .split_ascii_whitespace()
            .map(|word| word.trim_matches(['"', '\'']));
        while let Some(word) = words.next() {
            match word {
                "-f" | "--file" => files.extend(words.next().map(str::to_owned)),
                _ => files.extend(word.strip_prefix("--file=").map(str::to_owned)),
            }
        }
    }
    // One that runs a script names none: the usual ones may be what that loads.
    Ok((!files.is_empty()).then_some(files))
}

type Contents = (Vec<BaseChain>, Option<super::facts::Hook>);

fn entry(path: &str, manager: Manager, read: Result<Option<Contents>, Unread>) -> Option<SavedRules> {
    let (chains, input) = match read {
        Ok(None) => return None,
        Ok(Some((chains, input))) => (Known::Observed(chains), input),
        Err(unread) => (Known::unread(&unread), None),
    };
    Some(SavedRules {
        path: path.to_owned(),
        manager,
        chains,
        input,
    })
}

/// The base chains of a file and of those that it includes: by absolute path, or relative to /etc, with `*` in the last
/// component.
fn nft(reading: &Reading<'_>, path: &str) -> Result<Option<Vec<BaseChain>>, Unread> {
    let Some(text) = reading.text(path)? else {
        return Ok(None);
    };
    let (mut chains, mut waiting) = nft_file::parse(&text);
    let mut included = 0;
    waiting.reverse();
    while let Some(pattern) = waiting.pop() {
        for file in matching(reading, &pattern)? {
            included += 1;
            if included > MAX_INCLUDED {
                let reason = format!("more than {MAX_INCLUDED} included files");
                let place = path.to_owned();
                return Err(Unread::Failed { place, reason });
            }
            let text = reading.text(&file)?.unwrap_or_default();
            let (more, mut inner) = nft_file::parse(&text);
            chains.extend(more);
            inner.reverse();
            waiting.extend(inner);
        }
    }
    chains.order();
    Ok(Some(chains))
}

fn matching(reading: &Reading<'_>, pattern: &str) -> Result<Vec<String>, Unread> {
    let pattern = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        format!("/etc/{pattern}")
    };
    let Some((folder, name)) = pattern.rsplit_once('/') else {
        return Ok(vec![]);
    };
    let Some((before, after)) = name.split_once('*') else {
        return Ok(vec![pattern]);
    };
    let entries = reading.list(folder)?.unwrap_or_default().into_iter();
    let fits = |name: &str| {
        name.len() >= before.len() + after.len()
            && name.starts_with(before)
            && name.ends_with(after)
            && !name.starts_with('.')
    };
    Ok(entries
        .filter(|entry| entry.kind != Kind::Folder && fits(&entry.name))
        .map(|entry| format!("{folder}/{}", entry.name))
        .collect())
}
