//! containerd's settings (containerd-config.toml(5)), and those of its plugin for Kubernetes (`docs/cri/config.md` there).

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::facts::Containerd;
use crate::formats::{included, toml};
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::command::CommandLine;

const FILE: &str = "/etc/containerd/config.toml";
const MAX_FILES: usize = 100;
/// The CRI plugin has had these names, by version of the form; the last is for images alone.
const CRI: [&str; 4] = [
    "/plugins/cri",
    "/plugins/io.containerd.grpc.v1.cri",
    "/plugins/io.containerd.cri.v1.runtime",
    "/plugins/io.containerd.cri.v1.images",
];

pub(super) fn read(units: &LazyUnits<'_, '_>) -> Result<Containerd, Unread> {
    let flags = match units.get() {
        Ok(Some(all)) => CommandLine::of_unit(units.reading, all, "containerd.service")?.unwrap_or_default(),
        Ok(None) => CommandLine::default(),
        Err(unread) => return Err(unread.clone()),
    };
    let main = flags.values("config", Some('c')).pop().unwrap_or(FILE).to_owned();
    let mut layers = Vec::new();
    add(units.reading, &main, &mut layers)?;
    let mut merged = Map::new();
    for (_, value) in &layers {
        merge(&mut merged, value);
    }
    Ok(facts(&layers, &Value::Object(merged)))
}

/// The file, then those that it imports, then what those import.
fn add(reading: &Reading<'_>, main: &str, layers: &mut Vec<(String, Value)>) -> Result<(), Unread> {
    let mut waiting = VecDeque::from([main.to_owned()]);
    while let Some(path) = waiting.pop_front() {
        if layers.iter().any(|(known, _)| *known == path) {
            continue;
        }
        if layers.len() >= MAX_FILES {
            return Err(Unread::Failed {
                place: main.to_owned(),
                reason: format!("more than {MAX_FILES} files"),
            });
        }
        let Some(value) = toml::read(reading, &path)? else {
            continue;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let imports = value
            .get("imports")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for import in imports.iter().filter_map(Value::as_str) {
            waiting.extend(included::files(reading, &included::below(folder, import))?);
        }
        layers.push((path, value));
    }
    Ok(())
}

/// As containerd merges (`cmd/containerd/server/config`, *mergeConfig*): what is empty overrides nothing, lists add up, and
/// the table of a plugin replaces the one before it.
fn merge(into: &mut Map<String, Value>, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        match (into.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if name == "plugins" => {
                old.extend(new.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            (Some(Value::Object(old)), Value::Object(_)) => merge(old, value),
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new.iter().cloned()),
            (Some(_), Value::Bool(false) | Value::Null) => {}
            (Some(_), Value::String(text)) if text.is_empty() => {}
            (Some(_), Value::Number(number)) if number.as_i64() == Some(0) => {}
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

fn facts(layers: &[(String, Value)], merged: &Value) -> Containerd {
    let last = |pointer: &str| merged.pointer(pointer);
    let text = |pointer: &str| last(pointer).and_then(Value::as_str).map(str::to_owned);
    let number = |pointer: &str| last(pointer).and_then(Value::as_i64);
    let cri = |name: &str| CRI.iter().find_map(|plugin| last(&format!("{plugin}/{name}")));
    let cri_text = |name: &str| cri(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let cri_boolean = |name: &str| cri(name).and_then(Value::as_bool).unwrap_or(false);
    let address = text("/grpc/tcp_address").filter(|address| !address.is_empty());
    let mut insecure = BTreeSet::new();
    for plugin in CRI {
        let configs = last(&format!("{plugin}/registry/configs")).and_then(Value::as_object);
        for (registry, config) in configs.into_iter().flatten() {
            if config.pointer("/tls/insecure_skip_verify") == Some(&Value::Bool(true)) {
                insecure.insert(registry.clone());
            }
        }
    }
    let disabled = last("/disabled_plugins")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let disabled: BTreeSet<String> = disabled.filter_map(Value::as_str).map(str::to_owned).collect();
    Containerd {
        files: layers.iter().map(|(path, _)| path.clone()).collect(),
        version: layers
            .first()
            .map(|(_, value)| value.get("version").and_then(Value::as_i64).unwrap_or(1)),
        tcp_tls: address.is_some() && text("/grpc/tcp_tls_cert").is_some_and(|file| !file.is_empty()),
        tcp_address: address,
        socket_gid: number("/grpc/gid").unwrap_or(0),
        disabled_plugins: disabled.into_iter().collect(),
        selinux: cri_boolean("enable_selinux"),
        apparmor_disabled: cri_boolean("disable_apparmor"),
        unset_seccomp_profile: cri_text("unset_seccomp_profile").unwrap_or_default().to_owned(),
        insecure_registries: insecure.into_iter().collect(),
        registry_config_path: CRI
            .iter()
            .find_map(|plugin| text(&format!("{plugin}/registry/config_path")))
            .filter(|path| !path.is_empty()),
    }
}
