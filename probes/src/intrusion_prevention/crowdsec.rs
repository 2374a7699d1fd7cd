//! `CrowdSec`: `config.yaml` with its local changes, what it reads, and what carries its decisions out.

use std::net::IpAddr;

use serde_json::Value;

use super::facts::Crowdsec;
use crate::formats::yaml_outline;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const CONFIG: &str = "/etc/crowdsec/config.yaml";
const ACQUIS: &str = "/etc/crowdsec/acquis.yaml";
const ACQUIS_FOLDER: &str = "/etc/crowdsec/acquis.d";
const SIMULATION: &str = "/etc/crowdsec/simulation.yaml";
const BOUNCERS: &str = "/etc/crowdsec/bouncers";
const ENDINGS: [&str; 2] = [".yaml", ".yml"];
const MAX_FILES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Crowdsec>, Unread> {
    let Some(config) = yaml(reading, CONFIG)? else {
        return Ok(None);
    };
    let local = yaml(reading, &format!("{CONFIG}.local"))?.unwrap_or(Value::Null);
    let server = |name: &str| {
        let place = format!("/api/server/{name}");
        local.pointer(&place).or_else(|| config.pointer(&place)).cloned()
    };
    let served = [&config, &local]
        .iter()
        .any(|value| value.pointer("/api/server").is_some_and(Value::is_object))
        && server("enable") != Some(Value::Bool(false));
    let uri = server("listen_uri").filter(|_| served);
    Ok(Some(Crowdsec {
        acquisitions: Known::read(acquisitions(reading)),
        simulation: Known::of(
            yaml(reading, SIMULATION)
                .map(|value| value.map(|value| value.get("simulation") == Some(&Value::Bool(true)))),
            SIMULATION,
        ),
        api_server: served,
        api_loopback: uri.as_ref().and_then(Value::as_str).and_then(is_loopback),
        bouncers: Known::read(bouncers(reading)),
    }))
}

/// The value of a file that can hold a database's password: its digest stays here.
fn yaml(reading: &Reading<'_>, path: &str) -> Result<Option<Value>, Unread> {
    let Some(bytes) = reading.private(path, path)? else {
        return Ok(None);
    };
    let malformed = |reason: String| reading.malformed(path.to_owned(), reason);
    let text = String::from_utf8(bytes).map_err(|_| malformed("not UTF-8".to_owned()))?;
    yaml_outline::parse(&text)
        .map(Some)
        .map_err(|error| malformed(error.to_string()))
}

fn is_loopback(uri: &str) -> Option<bool> {
    let host = uri.rsplit_once(':').map_or(uri, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    if host == "localhost" {
        return Some(true);
    }
    if host.is_empty() {
        return Some(false);
    }
    host.parse::<IpAddr>().ok().map(|address| address.is_loopback())
}

/// Documents in the files of sources: their markers are all that is understood of them.
fn acquisitions(reading: &Reading<'_>) -> Result<u64, Unread> {
    let mut files = vec![ACQUIS.to_owned()];
    files.extend(
        names(reading, ACQUIS_FOLDER)?
            .iter()
            .map(|name| format!("{ACQUIS_FOLDER}/{name}")),
    );
    let mut count = 0;
    for file in files {
        let text = String::from_utf8_lossy(&reading.file(&file)?.unwrap_or_default()).into_owned();
        let mut open = false;
        for line in text.lines() {
            let said = line.trim();
            if line.starts_with("---") {
                open = false;
            } else if !open && !said.is_empty() && !said.starts_with('#') {
                open = true;
                count += 1;
            }
        }
    }
    Ok(count)
}

fn bouncers(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut found: Vec<String> = names(reading, BOUNCERS)?
        .iter()
        .filter_map(|name| name.rsplit_once('.').map(|(stem, _)| stem.to_owned()))
        .collect();
    found.order();
    Ok(found)
}

fn names(reading: &Reading<'_>, folder: &str) -> Result<Vec<String>, Unread> {
    let entries = reading.list(folder)?.unwrap_or_default().into_iter();
    let files = entries.filter(|entry| {
        matches!(entry.kind, Kind::File | Kind::Link) && ENDINGS.iter().any(|ending| entry.name.ends_with(ending))
    });
    Ok(files.take(MAX_FILES).map(|entry| entry.name).collect())
}
