//! The settings of CRI-O: `crio.conf`, then the files beside it by name (crio.conf(5), crio.conf.d(5)).

use serde_json::Value;

use super::facts::Crio;
use super::without_user;
use crate::formats::{included, toml};
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

pub(super) fn read(reading: &Reading<'_>) -> Result<Crio, Unread> {
    let mut layers = vec![];
    let mut files = vec!["/etc/crio/crio.conf".to_owned()];
    files.extend(included::files(reading, "/etc/crio/crio.conf.d/*")?);
    for file in files {
        if let Some(value) = toml::read(reading, &file)? {
            layers.push((file, value));
        }
    }
    let last = |name: &str| {
        let pointer = format!("/crio/{name}");
        layers.iter().rev().find_map(|(_, value)| value.pointer(&pointer))
    };
    let text = |name: &str| last(name).and_then(Value::as_str).map(str::to_owned);
    let boolean = |name: &str| last(name).and_then(Value::as_bool).unwrap_or(false);
    let list = |name: &str| {
        let items = last(name).and_then(Value::as_array)?;
        let mut items: Vec<_> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        items.order();
        Some(items)
    };
    Ok(Crio {
        listen: text("api/listen").unwrap_or_else(|| "/var/run/crio/crio.sock".to_owned()),
        stream_address: text("api/stream_address").unwrap_or_else(|| "127.0.0.1".to_owned()),
        stream_tls: boolean("api/stream_enable_tls"),
        selinux: boolean("runtime/selinux"),
        seccomp_profile: text("runtime/seccomp_profile").unwrap_or_default(),
        apparmor_profile: text("runtime/apparmor_profile").unwrap_or_else(|| "crio-default".to_owned()),
        default_capabilities: list("runtime/default_capabilities"),
        insecure_registries: list("image/insecure_registries")
            .unwrap_or_default()
            .iter()
            .map(|registry| without_user(registry))
            .collect(),
        files: layers.into_iter().map(|(file, _)| file).collect(),
    })
}
