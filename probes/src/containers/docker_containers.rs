//! Docker's containers, by the two files that the daemon keeps of each (`container.Container` and `container.HostConfig` in
//! its source).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::container::{
    CapabilitySet, Confinement, Container, ContainerList, ContainerSettings, ContainerUser, HostMount, PublishedPort,
    Reach, Restart, is_id, short, text,
};
use super::facts::{Docker, Remap};
use super::json::Json;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// More are counted, not told.
pub(super) const MAX_CONTAINERS: usize = 500;
const SNAP_ROOT: &str = "/var/snap/docker/common/var-lib-docker";
/// More mounts, ports and devices of a container are malformed.
const MAX_ITEMS: usize = 10_000;

/// `snap`: whether Docker's snap is there, whose daemon has a folder of its own and remaps no users.
pub(super) fn read(reading: &Reading<'_>, docker: &Docker, snap: bool) -> Result<ContainerList, Unread> {
    let mut found = vec![];
    let mut roots = roots(reading, docker)?;
    if snap {
        roots.push(SNAP_ROOT.to_owned());
    }
    for root in roots {
        let folder = format!("{root}/containers");
        for entry in reading.list(&folder)?.unwrap_or_default() {
            if entry.kind == Kind::Folder && is_id(&entry.name) {
                found.push((entry.name, root.clone()));
            }
        }
    }
    found.order();
    let more = found.len().saturating_sub(MAX_CONTAINERS) as u64;
    found.truncate(MAX_CONTAINERS);
    let containers = found.into_iter().filter_map(|(id, root)| {
        let one = OneContainer {
            remapped: docker.userns_remap != Remap::None && root != SNAP_ROOT,
            reading,
            root,
        };
        let settings = match one.read(&id) {
            // A folder that is being made or removed.
            Ok(None) => return None,
            Ok(Some(settings)) => Known::Observed(settings),
            Err(unread) => Known::unread(&unread),
        };
        Some(Container {
            id: short(&id),
            settings,
        })
    });
    Ok(ContainerList {
        containers: containers.collect(),
        more,
    })
}

/// Below the root there is a folder `UID.GID` for each remapping of users, which holds what else lies in the root itself.
fn roots(reading: &Reading<'_>, docker: &Docker) -> Result<Vec<String>, Unread> {
    let root = docker.data_root.trim_end_matches('/');
    if docker.userns_remap == Remap::None {
        return Ok(vec![root.to_owned()]);
    }
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let folders = reading.list(root)?.unwrap_or_default().into_iter();
    let remapped = folders.filter(|entry| {
        let ids = entry.name.split_once('.');
        entry.kind == Kind::Folder && ids.is_some_and(|(uid, gid)| is_number(uid) && is_number(gid))
    });
    Ok(remapped.map(|entry| format!("{root}/{}", entry.name)).collect())
}

struct OneContainer<'r, 'h> {
    reading: &'r Reading<'h>,
    root: String,
    remapped: bool,
}

impl OneContainer<'_, '_> {
    fn read(&self, id: &str) -> Result<Option<ContainerSettings>, Unread> {
        let file = |name: &str| {
            let path = format!("{}/containers/{id}/{name}", self.root);
            Json::read(self.reading, &path, &format!("{}/containers/*/{name}", self.root))
        };
        let (Some(config), Some(host)) = (file("config.v2.json")?, file("hostconfig.json")?) else {
            return Ok(None);
        };
        let privileged = host.written("/Privileged")?;
        let options = host.texts("/SecurityOpt")?;
        let capabilities = capabilities(&host, privileged)?;
        let mut host_namespaces = BTreeSet::new();
        let mut joined_namespaces = BTreeSet::new();
        for (kind, pointer) in [
            ("cgroup", "/CgroupnsMode"),
            ("ipc", "/IpcMode"),
            ("network", "/NetworkMode"),
            ("pid", "/PidMode"),
            ("user", "/UsernsMode"),
            ("uts", "/UTSMode"),
        ] {
            let mode = host.text(pointer)?;
            if mode == "host" || kind == "user" && !self.remapped {
                host_namespaces.insert(kind.to_owned());
            } else if let Some(other) = mode.strip_prefix("container:") {
                joined_namespaces.insert(format!("{kind}:{}", short(other)));
            }
        }
        let running = config.written("/State/Running")?;
        Ok(Some(ContainerSettings {
            name: text(config.text("/Name")?.trim_start_matches('/')),
            image: text(config.text("/Config/Image")?),
            image_id: text(config.text("/Image")?),
            running: Known::Observed(running),
            user: user(config.text("/Config/User")?),
            privileged,
            capabilities: capabilities.told(),
            added_capabilities: capabilities.told_added(),
            no_new_privileges: config.boolean("/NoNewPrivileges")?,
            seccomp: confinement(&options, "seccomp", config.text("/SeccompProfile")?, privileged),
            apparmor: confinement(&options, "apparmor", config.text("/AppArmorProfile")?, privileged),
            label_disabled: options
                .iter()
                .any(|option| matches!(*option, "label=disable" | "label:disable")),
            // An empty list is asked for (`systempaths=unconfined`), none is the daemon's own.
            masked_paths: !privileged && (host.at("/MaskedPaths").is_none() || !host.list("/MaskedPaths")?.is_empty()),
            host_namespaces: host_namespaces.into_iter().collect(),
            joined_namespaces: joined_namespaces.into_iter().collect(),
            read_only: host.boolean("/ReadonlyRootfs")?,
            memory_limited: host.number("/Memory")? > 0,
            pids_limited: host.number("/PidsLimit")? > 0,
            restart: Known::Observed(Restart {
                policy: match host.text("/RestartPolicy/Name")? {
                    "" => "no".to_owned(),
                    policy => text(policy),
                },
                at_most: u64::try_from(host.number("/RestartPolicy/MaximumRetryCount")?).unwrap_or(0),
            }),
            ports: Known::Observed(ports(&config, &host, running)?),
            mounts: Known::read(self.mounts(&config)),
            devices: devices(&host)?,
            device_rules: sorted(host.texts("/DeviceCgroupRules")?.into_iter().map(text)),
        }))
    }

    fn mounts(&self, config: &Json) -> Result<Vec<HostMount>, Unread> {
        let mut mounts = BTreeSet::new();
        let points = config.object("/MountPoints")?;
        if points.is_some_and(|points| points.len() > MAX_ITEMS) {
            return Err(config.wrong("/MountPoints", "too long"));
        }
        for point in points.into_iter().flatten().map(|(_, point)| point) {
            let of = |name: &str| point.get(name).and_then(Value::as_str).unwrap_or_default();
            let writable = point.get("RW").and_then(Value::as_bool);
            let writable = writable.ok_or_else(|| config.wrong("/MountPoints/*/RW", "neither true nor false"))?;
            let source = match of("Type") {
                "volume" if matches!(of("Driver"), "" | "local") => self.behind(of("Name"))?,
                "volume" => None,
                _ => Some(of("Source").to_owned()),
            };
            mounts.extend(source.and_then(|source| HostMount::of(&source, writable, of("Propagation"))));
        }
        Ok(mounts.into_iter().collect())
    }

    /// The folder of the host that a volume of the driver `local` stands for, if it was made with `o=bind`.
    fn behind(&self, volume: &str) -> Result<Option<String>, Unread> {
        if volume.is_empty() || volume.contains('/') || volume == ".." {
            return Ok(None);
        }
        let path = format!("{}/volumes/{volume}/opts.json", self.root);
        let shown = format!("{}/volumes/*/opts.json", self.root);
        let Some(options) = Json::read(self.reading, &path, &shown)? else {
            return Ok(None);
        };
        let binds = options
            .text("/MountOpts")?
            .split(',')
            .any(|option| matches!(option, "bind" | "rbind"));
        binds
            .then(|| options.text("/MountDevice").map(str::to_owned))
            .transpose()
    }
}

/// As the daemon does (`oci/caps/utils.go`, *TweakCapabilities*).
fn capabilities(host: &Json, privileged: bool) -> Result<CapabilitySet, Unread> {
    let named = |pointer: &str| -> Result<(bool, BTreeSet<String>), Unread> {
        let names: Vec<_> = host.texts(pointer)?.into_iter().map(CapabilitySet::name).collect();
        Ok((names.contains(&None), names.into_iter().flatten().collect()))
    };
    let (add_all, add) = named("/CapAdd")?;
    let (drop_all, drop) = named("/CapDrop")?;
    let less = |set: CapabilitySet| CapabilitySet(set.0.difference(&drop).cloned().collect());
    if privileged {
        return Ok(CapabilitySet::every());
    }
    Ok(if add_all {
        less(CapabilitySet::every())
    } else if drop_all {
        CapabilitySet(add)
    } else {
        let mut set = less(CapabilitySet::docker_default());
        set.0.extend(add);
        set
    })
}

/// `kept` is what the daemon made of the options; before the first start it is empty.
fn confinement(options: &[&str], kind: &str, kept: &str, privileged: bool) -> Confinement {
    let by_option = options
        .iter()
        .rev()
        .find_map(|option| option.strip_prefix(kind)?.strip_prefix(['=', ':']));
    match by_option.unwrap_or(kept) {
        "unconfined" => Confinement::Unconfined,
        "" if privileged => Confinement::Unconfined,
        "" | "builtin" | "docker-default" => Confinement::Default,
        _ => Confinement::Own,
    }
}

fn user(written: &str) -> ContainerUser {
    let name = written.split(':').next().unwrap_or_default();
    if matches!(name, "" | "root") || name.parse::<u32>() == Ok(0) {
        ContainerUser::Root
    } else {
        ContainerUser::Other
    }
}

/// Of a container that runs the ports as they are, else those that were asked for. With the host's network there are none.
fn ports(config: &Json, host: &Json, running: bool) -> Result<Vec<PublishedPort>, Unread> {
    let network = host.text("/NetworkMode")?;
    if matches!(network, "host" | "none") || network.starts_with("container:") {
        return Ok(vec![]);
    }
    let mut ports = vec![];
    let asked = host.object("/PortBindings")?;
    let given = config.object("/NetworkSettings/Ports")?.filter(|_| running);
    add_ports(given.or(asked), &mut ports)
        .ok_or_else(|| host.wrong("/PortBindings", "not in the form that Docker writes"))?;
    if given.is_none() && host.boolean("/PublishAllPorts")? {
        ports.push(PublishedPort {
            container_port: None,
            protocol: "tcp".to_owned(),
            host_port: None,
            address: String::new(),
            reach: Reach::All,
        });
    }
    ports.order();
    ports.dedup();
    Ok(ports)
}

fn add_ports(map: Option<&Map<String, Value>>, ports: &mut Vec<PublishedPort>) -> Option<()> {
    for (port, bindings) in map.into_iter().flatten() {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let number: u16 = number.parse().ok()?;
        // A port that the image names and that nothing forwards has null.
        let bindings = match bindings {
            Value::Null => continue,
            other => other.as_array()?,
        };
        for binding in bindings {
            let of = |name: &str| binding.get(name).and_then(Value::as_str).unwrap_or_default();
            if ports.len() >= MAX_ITEMS {
                return None;
            }
            ports.push(PublishedPort {
                container_port: Some(number),
                protocol: text(protocol),
                // A range stands for the one that is free.
                host_port: of("HostPort").parse().ok().filter(|port| *port != 0),
                address: text(of("HostIp")),
                reach: Reach::of(of("HostIp")),
            });
        }
    }
    Some(())
}

fn devices(host: &Json) -> Result<Vec<String>, Unread> {
    let mut devices = BTreeSet::new();
    for device in host.list("/Devices")? {
        let path = device.get("PathOnHost").and_then(Value::as_str);
        devices.insert(text(
            path.ok_or_else(|| host.wrong("/Devices/*/PathOnHost", "no string"))?,
        ));
    }
    // Devices that a driver chooses, such as GPUs.
    for request in host.list("/DeviceRequests")? {
        let driver = request.get("Driver").and_then(Value::as_str).unwrap_or_default();
        devices.insert(format!("driver:{}", text(driver)));
    }
    Ok(devices.into_iter().collect())
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    items.collect::<BTreeSet<_>>().into_iter().collect()
}
