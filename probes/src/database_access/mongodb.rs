//! `MongoDB`: `mongod.conf`, and the options of its unit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Mongodb;
use super::file::{Files, value};
use crate::formats::yaml_outline;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::command::CommandLine;

const FILE: &str = "/etc/mongod.conf";
const UNIT: &str = "mongod.service";
const KEY_FILE: &str = "security.keyFile";
/// Settings that are told: none of them holds a secret.
const TOLD: [&str; 25] = [
    "auditLog.destination",
    "auditLog.format",
    "net.bindIp",
    "net.bindIpAll",
    "net.ipv6",
    "net.port",
    "net.ssl.allowConnectionsWithoutCertificates",
    "net.ssl.allowInvalidCertificates",
    "net.ssl.disabledProtocols",
    "net.ssl.mode",
    "net.tls.FIPSMode",
    "net.tls.allowConnectionsWithoutCertificates",
    "net.tls.allowInvalidCertificates",
    "net.tls.allowInvalidHostnames",
    "net.tls.disabledProtocols",
    "net.tls.mode",
    "net.unixDomainSocket.enabled",
    "net.unixDomainSocket.filePermissions",
    "replication.replSetName",
    "security.authorization",
    "security.clusterAuthMode",
    "security.enableEncryption",
    "security.javascriptEnabled",
    "security.transitionToAuth",
    "systemLog.destination",
];

pub(super) fn read(reading: &Reading<'_>, units: &LazyUnits<'_, '_>) -> Result<Option<Mongodb>, Unread> {
    let mut files = Files::new(reading);
    let Some(bytes) = files.bytes(FILE)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| files.malformed(FILE, "not UTF-8".to_owned()))?;
    let outline = yaml_outline::parse(&text).map_err(|error| files.malformed(FILE, error.to_string()))?;
    if !outline.is_object() && !outline.is_null() {
        return Err(files.malformed(FILE, "no mapping".to_owned()));
    }
    let mut flat = BTreeMap::new();
    flatten(&outline, "", &mut flat);
    let (mut settings, mut fetched) = (BTreeMap::new(), vec![]);
    for name in TOLD {
        match flat.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Object(_)) => fetched.push(name.to_owned()),
            Some(Value::String(text)) => {
                settings.insert(name.to_owned(), value(text));
            }
            Some(other) => {
                settings.insert(name.to_owned(), value(&other.to_string()));
            }
        }
    }
    let Some(file) = files.read.pop() else { return Ok(None) };
    Ok(Some(Mongodb {
        file,
        settings,
        key_file: flat.contains_key(KEY_FILE),
        fetched,
        options: Known::of(options(reading, units), UNIT),
    }))
}

/// Values by their names with dots; a mapping that is fetched from elsewhere is a value.
fn flatten<'v>(outline: &'v Value, above: &str, flat: &mut BTreeMap<String, &'v Value>) {
    match outline {
        Value::Object(entries) if !entries.keys().any(|key| key.starts_with("__")) => {
            for (key, inner) in entries {
                let name = if above.is_empty() {
                    key.clone()
                } else {
                    format!("{above}.{key}")
                };
                flatten(inner, &name, flat);
            }
        }
        other => {
            flat.insert(above.to_owned(), other);
        }
    }
}

/// The names of options on the unit's command line, sorted.
fn options(reading: &Reading<'_>, units: &LazyUnits<'_, '_>) -> Result<Option<Vec<String>>, Unread> {
    let units = units.get().as_ref().map_err(Clone::clone)?;
    let Some(units) = units else { return Ok(None) };
    let Some(line) = CommandLine::of_unit(reading, units, UNIT)? else {
        return Ok(None);
    };
    let long = line.words.iter().filter_map(|word| word.strip_prefix("--"));
    let mut names: Vec<String> = long
        .map(|word| value(word.split('=').next().unwrap_or_default()))
        .collect();
    names.order();
    names.dedup();
    Ok(Some(names))
}
