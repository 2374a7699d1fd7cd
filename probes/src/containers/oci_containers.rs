//! Containers of podman and CRI-O, by the folder that both keep (containers-storage.conf(5)) and the file with which each was
//! started last (OCI runtime specification, `config.md` and `config-linux.md`).

use std::collections::BTreeSet;

use evidence::facts::Outcome;
use serde_json::Value;

use super::container::{
    CapabilitySet, Confinement, Container, ContainerList, ContainerSettings, ContainerUser, HostMount, is_id, short,
    text,
};
use super::docker_containers::MAX_CONTAINERS;
use super::json::Json;
use crate::formats::toml;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// The administrator's file takes the place of the distribution's.
const CONFIGURATIONS: [&str; 2] = ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];
const GRAPH_ROOT: &str = "/var/lib/containers/storage";
const RUN_ROOT: &str = "/run/containers/storage";
const NAMESPACES: [&str; 6] = ["cgroup", "ipc", "network", "pid", "user", "uts"];

/// Where things are.
struct Storage {
    graph: String,
    run: String,
}

pub(super) fn read(reading: &Reading<'_>) -> Result<ContainerList, Unread> {
    let storage = storage(reading)?;
    let mut found = vec![];
    // One folder for each driver that was ever in use.
    for entry in reading.list(&storage.graph)?.unwrap_or_default() {
        if !entry.name.ends_with("-containers") {
            continue;
        }
        let folder = format!("{}/{}", storage.graph, entry.name);
        for file in ["containers.json", "volatile-containers.json"] {
            let path = format!("{folder}/{file}");
            let Some(json) = Json::read(reading, &path, &path)? else {
                continue;
            };
            for one in json.list("")? {
                let id = one.get("id").and_then(Value::as_str).filter(|id| is_id(id));
                let id = id.ok_or_else(|| json.wrong("/*/id", "no id"))?.to_owned();
                let name = one.pointer("/names/0").and_then(Value::as_str).unwrap_or_default();
                let metadata = one.get("metadata").and_then(Value::as_str).unwrap_or_default();
                found.push((id, entry.name.clone(), name.to_owned(), metadata.to_owned()));
            }
        }
    }
    found.order();
    let more = found.len().saturating_sub(MAX_CONTAINERS) as u64;
    found.truncate(MAX_CONTAINERS);
    let containers = found.into_iter().map(|(id, folder, name, metadata)| Container {
        settings: Known::of(
            settings(reading, &storage, &folder, &id, &name, &metadata),
            &format!("{}/{folder}/{}…/userdata/config.json", storage.graph, short(&id)),
        ),
        id: short(&id),
    });
    Ok(ContainerList {
        containers: containers.collect(),
        more,
    })
}

fn storage(reading: &Reading<'_>) -> Result<Storage, Unread> {
    let mut set = None;
    for file in CONFIGURATIONS {
        set = toml::read(reading, file)?;
        if set.is_some() {
            break;
        }
    }
    let of = |name: &str, default: &str| {
        let value = set.as_ref().and_then(|set| set.pointer(&format!("/storage/{name}")));
        let value = value.and_then(Value::as_str).filter(|path| path.starts_with('/'));
        value.unwrap_or(default).trim_end_matches('/').to_owned()
    };
    Ok(Storage {
        graph: of("graphroot", GRAPH_ROOT),
        run: of("runroot", RUN_ROOT),
    })
}

fn settings(
    reading: &Reading<'_>,
    storage: &Storage,
    folder: &str,
    id: &str,
    name: &str,
    metadata: &str,
) -> Result<Option<ContainerSettings>, Unread> {
    let path = format!("{}/{folder}/{id}/userdata/config.json", storage.graph);
    let shown = format!("{}/{folder}/*/userdata/config.json", storage.graph);
    let Some(config) = Json::read(reading, &path, &shown)? else {
        return Ok(None);
    };
    let uid = config.at("/process/user/uid").and_then(Value::as_u64);
    let uid = uid.ok_or_else(|| config.wrong("/process/user/uid", "no number"))?;
    if config.object("/linux")?.is_none() {
        return Err(config.wrong("/linux", "not there"));
    }
    let annotation = |name: &str| {
        let annotations = config.at("/annotations").and_then(Value::as_object);
        annotations
            .and_then(|all| all.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let bounding = config.texts("/process/capabilities/bounding")?;
    let capabilities = CapabilitySet(bounding.into_iter().filter_map(CapabilitySet::name).collect());
    // `ImageName` is CRI-O's.
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let image = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    let (host_namespaces, joined_namespaces) = namespaces(&config)?;
    let elsewhere = || "podman keeps it in its database";
    Ok(Some(ContainerSettings {
        name: text(name),
        image: text(image("image-name")),
        image_id: text(image("image-id")),
        running: Known::read(running(reading, storage, folder, id)),
        user: if uid == 0 {
            ContainerUser::Root
        } else {
            ContainerUser::Other
        },
        privileged: annotation("io.podman.annotations.privileged").eq_ignore_ascii_case("true")
            || annotation("io.kubernetes.cri-o.PrivilegedRuntime") == "true",
        capabilities: capabilities.told(),
        added_capabilities: capabilities.told_added(),
        no_new_privileges: config.boolean("/process/noNewPrivileges")?,
        seccomp: match config.object("/linux/seccomp")? {
            None => Confinement::Unconfined,
            Some(_) if annotation("io.podman.annotations.seccomp").is_empty() => Confinement::Default,
            Some(_) => Confinement::Own,
        },
        apparmor: match config.text("/process/apparmorProfile")? {
            "unconfined" => Confinement::Unconfined,
            "" if annotation("io.podman.annotations.apparmor") == "unconfined" => Confinement::Unconfined,
            "" => Confinement::Unset,
            profile if profile.starts_with("containers-default") || profile.starts_with("crio-default") => {
                Confinement::Default
            }
            _ => Confinement::Own,
        },
        label_disabled: annotation("io.podman.annotations.label")
            .split(',')
            .any(|label| label == "disable"),
        masked_paths: !config.list("/linux/maskedPaths")?.is_empty(),
        host_namespaces,
        joined_namespaces,
        read_only: config.boolean("/root/readonly")?,
        memory_limited: config.number("/linux/resources/memory/limit")? > 0,
        pids_limited: config.number("/linux/resources/pids/limit")? > 0,
        restart: Known::not(Outcome::Unsupported, elsewhere()),
        ports: Known::not(Outcome::Unsupported, elsewhere()),
        mounts: Known::Observed(mounts(&config, storage, id)?),
        devices: devices(&config)?,
        device_rules: device_rules(&config)?,
    }))
}

/// What is not among its own namespaces is the host's; one with a path is that of the process or file there.
fn namespaces(config: &Json) -> Result<(Vec<String>, Vec<String>), Unread> {
    let (mut own, mut joined) = (BTreeSet::new(), BTreeSet::new());
    for namespace in config.list("/linux/namespaces")? {
        let kind = namespace.get("type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| config.wrong("/linux/namespaces/*/type", "no string"))?;
        own.insert(kind);
        // The runtime makes namespaces of the network in `/run/netns` itself, for this container alone.
        let path = namespace.get("path").and_then(Value::as_str).unwrap_or_default();
        if path.starts_with("/proc/") {
            joined.insert(kind.chars().take(20).collect::<String>());
        }
    }
    let host = NAMESPACES.iter().filter(|kind| !own.contains(*kind));
    Ok((
        host.map(|kind| (*kind).to_owned()).collect(),
        joined.into_iter().collect(),
    ))
}

/// The process in its file may have gone, and another one may have its number: its cgroup names the container.
fn running(reading: &Reading<'_>, storage: &Storage, folder: &str, id: &str) -> Result<bool, Unread> {
    let path = format!("{}/{folder}/{id}/userdata/pidfile", storage.run);
    let shown = format!("{}/{folder}/*/userdata/pidfile", storage.run);
    let Some(pid) = reading.private(&path, &shown)? else {
        return Ok(false);
    };
    let pid: u32 = String::from_utf8_lossy(&pid)
        .trim()
        .parse()
        .map_err(|_| reading.malformed(shown, "no number of a process".to_owned()))?;
    let cgroup = reading.private(&format!("/proc/{pid}/cgroup"), "/proc/*/cgroup")?;
    Ok(cgroup.is_some_and(|cgroup| String::from_utf8_lossy(&cgroup).contains(id)))
}

fn mounts(config: &Json, storage: &Storage, id: &str) -> Result<Vec<HostMount>, Unread> {
    let mut mounts = BTreeSet::new();
    let volumes = format!("{}/volumes/", storage.graph);
    for mount in config.list("/mounts")? {
        let options = mount.get("options").and_then(Value::as_array);
        let options: Vec<&str> = options.into_iter().flatten().filter_map(Value::as_str).collect();
        let bind = mount.get("type").and_then(Value::as_str) == Some("bind")
            || options.iter().any(|option| matches!(*option, "bind" | "rbind"));
        let source = mount.get("source").and_then(Value::as_str).unwrap_or_default();
        // Names of hosts and the like, which the runtime makes for each container, and its own volumes.
        if !bind || source.contains(id) || source.starts_with(&volumes) {
            continue;
        }
        let propagation = options.iter().find(|option| option.ends_with("shared"));
        mounts.extend(HostMount::of(
            source,
            !options.contains(&"ro"),
            propagation.copied().unwrap_or_default(),
        ));
    }
    Ok(mounts.into_iter().collect())
}

fn devices(config: &Json) -> Result<Vec<String>, Unread> {
    let mut devices = BTreeSet::new();
    for device in config.list("/linux/devices")? {
        let path = device.get("path").and_then(Value::as_str);
        devices.insert(text(
            path.ok_or_else(|| config.wrong("/linux/devices/*/path", "no string"))?,
        ));
    }
    Ok(devices.into_iter().collect())
}

/// Rules that allow.
fn device_rules(config: &Json) -> Result<Vec<String>, Unread> {
    let mut rules = BTreeSet::new();
    for rule in config.list("/linux/resources/devices")? {
        let of = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or("a");
        let number = |name: &str| {
            let number = rule.get(name).and_then(Value::as_i64).filter(|number| *number >= 0);
            number.map_or_else(|| "*".to_owned(), |number| number.to_string())
        };
        if rule.get("allow").and_then(Value::as_bool) == Some(true) {
            let access = rule.get("access").and_then(Value::as_str).unwrap_or("rwm");
            rules.insert(text(&format!(
                "{} {}:{} {access}",
                of("type"),
                number("major"),
                number("minor")
            )));
        }
    }
    Ok(rules.into_iter().collect())
}
