//! The Docker daemon's settings: flags of its unit, then `daemon.json`, then what is built in (dockerd(8)).

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::{Docker, Endpoint, Remap, Seccomp};
use super::without_user;
use crate::probe::Known;
use crate::reading::Unread;
use crate::software::LazyUnits;
use crate::software::command::CommandLine;

const UNIT: &str = "docker.service";
const FILE: &str = "/etc/docker/daemon.json";
const SOCKET: &str = "unix:///var/run/docker.sock";
const DATA_ROOT: &str = "/var/lib/docker";
/// Longer lists are not told.
const MAX_ITEMS: usize = 1_000;

pub(super) fn read(units: &LazyUnits<'_, '_>) -> Result<Docker, Unread> {
    let reading = units.reading;
    let flags = match units.get() {
        Ok(Some(all)) => CommandLine::of_unit(reading, all, UNIT)?.unwrap_or_default(),
        Ok(None) => CommandLine::default(),
        Err(unread) => return Err(unread.clone()),
    };
    let file = flags.value("config-file").unwrap_or(FILE).to_owned();
    let text = reading.text(&file)?;
    let json = match &text {
        Some(text) if !text.trim().is_empty() => {
            serde_json::from_str(text).map_err(|error| malformed(&file, &error.to_string()))?
        }
        _ => Value::Null,
    };
    let options = Options {
        flags,
        json,
        file: &file,
        twice: RefCell::default(),
    };
    let mut facts = options.facts()?;
    facts.config_file = text.map(|_| file.clone());
    let state = format!("{}/swarm/docker-state.json", facts.data_root);
    facts.swarm = match reading.stat(&state) {
        Ok(stat) => Known::Observed(stat.is_some()),
        Err(unread) => Known::unread(&unread),
    };
    Ok(facts)
}

fn malformed(file: &str, reason: &str) -> Unread {
    Unread::Malformed {
        place: file.to_owned(),
        reason: reason.to_owned(),
    }
}

struct Options<'a> {
    flags: CommandLine,
    json: Value,
    file: &'a str,
    twice: RefCell<BTreeSet<String>>,
}

impl Options<'_> {
    fn facts(&self) -> Result<Docker, Unread> {
        let mut hosts = self.list("host", "hosts", Some('H'))?;
        if hosts.is_empty() {
            hosts.push(SOCKET.to_owned());
        }
        let hosts: Vec<Endpoint> = sorted(hosts.iter().map(|host| endpoint(host)));
        let tls_verify = self.boolean("tlsverify", false)?;
        Ok(Docker {
            config_file: None,
            listens_on_network: hosts.iter().any(from_network),
            hosts,
            tls: self.boolean("tls", false)? || tls_verify,
            tls_verify,
            userns_remap: match self.text("userns-remap")?.as_deref() {
                None | Some("") => Remap::None,
                Some("default") => Remap::Default,
                Some(_) => Remap::Other,
            },
            inter_container: self.boolean("icc", true)?,
            live_restore: self.boolean("live-restore", false)?,
            no_new_privileges: self.boolean("no-new-privileges", false)?,
            iptables: self.boolean("iptables", true)?,
            userland_proxy: self.boolean("userland-proxy", true)?,
            selinux: self.boolean("selinux-enabled", false)?,
            seccomp: match self.text("seccomp-profile")?.as_deref() {
                None | Some("" | "builtin") => Seccomp::Builtin,
                Some("unconfined") => Seccomp::Unconfined,
                Some(_) => Seccomp::File,
            },
            log_driver: self.text("log-driver")?.unwrap_or_else(|| "json-file".to_owned()),
            log_max_size: self.log_option("max-size"),
            log_max_file: self.log_option("max-file"),
            authorization_plugins: sorted(self.list("authorization-plugin", "authorization-plugins", None)?),
            insecure_registries: self.registries("insecure-registry", "insecure-registries")?,
            registry_mirrors: self.registries("registry-mirror", "registry-mirrors")?,
            data_root: self
                .text("data-root")?
                .or(self.text("graph")?)
                .unwrap_or_else(|| DATA_ROOT.to_owned()),
            storage_driver: self.text("storage-driver")?,
            experimental: self.boolean("experimental", false)?,
            default_ulimits: self.flags.value("default-ulimit").is_some()
                || self
                    .json
                    .get("default-ulimits")
                    .is_some_and(|limits| limits != &Value::Null),
            swarm: Known::Observed(false),
            set_twice: self.twice.take().into_iter().collect(),
        })
    }

    /// The value of the file, if no flag hides it.
    fn file_value(&self, name: &str, by_flag: bool) -> Option<&Value> {
        let value = self.json.get(name).filter(|value| **value != Value::Null)?;
        if by_flag {
            self.twice.borrow_mut().insert(name.to_owned());
        }
        Some(value)
    }

    fn boolean(&self, name: &str, default: bool) -> Result<bool, Unread> {
        let flag = self.flags.boolean(name);
        match self.file_value(name, flag.is_some()) {
            _ if flag.is_some() => Ok(flag.unwrap_or(default)),
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(malformed(self.file, &format!("{name} is neither true nor false"))),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, Unread> {
        let flag = self.flags.value(name).map(str::to_owned);
        match self.file_value(name, flag.is_some()) {
            _ if flag.is_some() => Ok(flag),
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(_) => Err(malformed(self.file, &format!("{name} is no string"))),
        }
    }

    fn list(&self, flag: &str, name: &str, short: Option<char>) -> Result<Vec<String>, Unread> {
        let flags = self.flags.values(flag, short);
        let mut list: Vec<String> = flags.iter().map(|value| (*value).to_owned()).collect();
        match self.file_value(name, !list.is_empty()) {
            None => {}
            Some(Value::Array(items)) => {
                for item in items {
                    let wrong = || malformed(self.file, &format!("{name} holds something that is no string"));
                    list.push(item.as_str().ok_or_else(wrong)?.to_owned());
                }
            }
            Some(_) => return Err(malformed(self.file, &format!("{name} is no list"))),
        }
        list.truncate(MAX_ITEMS);
        Ok(list)
    }

    fn registries(&self, flag: &str, name: &str) -> Result<Vec<String>, Unread> {
        let list = self.list(flag, name, None)?;
        Ok(sorted(list.iter().map(|registry| without_user(registry))))
    }

    /// Of options of log drivers only the two that bound them: others may hold tokens.
    fn log_option(&self, name: &str) -> Option<String> {
        let flags = self.flags.values("log-opt", None).into_iter();
        let flag = flags
            .filter_map(|option| option.strip_prefix(name)?.strip_prefix('='))
            .next_back();
        let file = self.json.get("log-opts").and_then(|options| options.get(name));
        flag.or(file.and_then(Value::as_str)).map(str::to_owned)
    }
}

/// dockerd takes a host without a scheme for one of TCP.
fn endpoint(host: &str) -> Endpoint {
    let (kind, address) = host.split_once("://").unwrap_or(("tcp", host));
    Endpoint {
        kind: kind.to_owned(),
        address: address.to_owned(),
    }
}

/// Without a host in it dockerd listens on the loopback address.
fn from_network(endpoint: &Endpoint) -> bool {
    let host = endpoint
        .address
        .rsplit_once(':')
        .map_or(endpoint.address.as_str(), |(host, _)| host);
    let local = host.is_empty() || host == "localhost" || host == "[::1]" || host.starts_with("127.");
    endpoint.kind == "tcp" && !local
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let items: BTreeSet<T> = items.into_iter().collect();
    items.into_iter().collect()
}
