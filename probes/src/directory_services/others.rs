//! The name service switch, Samba, FreeIPA and NIS.

use super::facts::{Ipa, NameService, Nis, Samba};
use super::{malformed, private_text, shown};
use crate::formats::ini::{self, Assignment, Dialect};
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

const NSSWITCH: &str = "/etc/nsswitch.conf";
const SMB: &str = "/etc/samba/smb.conf";
const IPA: &str = "/etc/ipa/default.conf";
const YP: &str = "/etc/yp.conf";
/// More databases than glibc has.
const MAX_DATABASES: usize = 100;

/// Databases and where they are looked up. What to do after a source (`[NOTFOUND=return]`) is left out.
pub(super) fn name_services(reading: &Reading<'_>) -> Result<Option<Vec<NameService>>, Unread> {
    let Some(text) = reading.text(NSSWITCH)? else {
        return Ok(None);
    };
    let mut services = vec![];
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((database, list)) = line.split_once(':') else {
            continue;
        };
        let mut within = false;
        let mut sources = vec![];
        for word in list.replace('[', " [ ").replace(']', " ] ").split_ascii_whitespace() {
            match word {
                "[" => within = true,
                "]" => within = false,
                _ if !within => sources.push(shown(word)),
                _ => {}
            }
        }
        services.push(NameService {
            database: shown(database.trim()),
            sources,
        });
    }
    if services.len() > MAX_DATABASES {
        return Err(malformed(NSSWITCH, format!("more than {MAX_DATABASES} databases")));
    }
    services.order();
    Ok(Some(services))
}

fn assignments(reading: &Reading<'_>, path: &str, dialect: Dialect) -> Result<Option<Vec<Assignment>>, Unread> {
    let Some(text) = private_text(reading, path)? else {
        return Ok(None);
    };
    ini::parse(&text, dialect)
        .map(Some)
        .map_err(|error| malformed(path, error.to_string()))
}

/// Samba's `[global]`; parameters before the first section belong to it too.
pub(super) fn samba(reading: &Reading<'_>) -> Result<Option<Samba>, Unread> {
    let Some(assignments) = assignments(reading, SMB, Dialect::Samba)? else {
        return Ok(None);
    };
    let value = |names: &[&str]| {
        let of =
            |one: &&Assignment| matches!(one.section.as_str(), "" | "global") && names.contains(&one.name.as_str());
        assignments.iter().rev().find(of).map(|one| shown(&one.value))
    };
    let lower = |names: &[&str]| value(names).map(|value| value.to_lowercase());
    Ok(Some(Samba {
        security: lower(&["security"]),
        realm: value(&["realm"]),
        workgroup: value(&["workgroup"]),
        client_signing: lower(&["clientsigning"]),
        server_signing: lower(&["serversigning"]),
        client_min_protocol: lower(&["clientminprotocol"]),
        ntlm_auth: lower(&["ntlmauth"]),
        includes: assignments
            .iter()
            .any(|one| one.name == "include" || one.name == "configfile"),
    }))
}

/// FreeIPA's client.
pub(super) fn ipa(reading: &Reading<'_>) -> Result<Option<Ipa>, Unread> {
    let Some(assignments) = assignments(reading, IPA, Dialect::Python)? else {
        return Ok(None);
    };
    let value = |name: &str| ini::last(&assignments, "global", name).map(shown);
    Ok(Some(Ipa {
        realm: value("realm"),
        domain: value("domain"),
    }))
}

/// `domain NAME server HOST`, `domain NAME broadcast`, `ypserver HOST`.
pub(super) fn nis(reading: &Reading<'_>) -> Result<Option<Nis>, Unread> {
    let Some(text) = reading.text(YP)? else {
        return Ok(None);
    };
    let mut nis = Nis {
        servers: 0,
        broadcast: false,
    };
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        match words.next() {
            Some("ypserver") => nis.servers = nis.servers.saturating_add(1),
            Some("broadcast") => nis.broadcast = true,
            Some("domain") => match words.nth(1) {
                Some("server") => nis.servers = nis.servers.saturating_add(1),
                Some("broadcast") => nis.broadcast = true,
                _ => {}
            },
            _ => {}
        }
    }
    Ok(Some(nis))
}
