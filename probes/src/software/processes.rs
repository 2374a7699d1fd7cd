//! Processes, by procfs (proc(5)): which there are, and the units that they belong to.

use crate::reading::{Reading, Unread};

const PROC: &str = "/proc";
/// Parts of cgroups' names that are containers'.
const CONTAINERS: [&str; 9] = [
    "/docker",
    "docker-",
    "libpod-",
    "crio-",
    "cri-containerd",
    "kubepods",
    "/lxc",
    "machine.slice",
    "containerd-",
];

/// The numbers of all processes. `Ok(None)`: procfs is not mounted.
pub fn all(reading: &Reading<'_>) -> Result<Option<Vec<String>>, Unread> {
    let entries = reading.list(PROC)?.unwrap_or_default().into_iter();
    let numbers = entries.map(|entry| entry.name);
    let numbers: Vec<String> = numbers
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    Ok((!numbers.is_empty()).then_some(numbers))
}

/// A file of a process; sources tell of `/proc/PID` instead of its number. One that ended meanwhile has none.
pub fn file(reading: &Reading<'_>, process: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
    gone_is_none(reading.private(&format!("{PROC}/{process}/{name}"), &format!("{PROC}/PID/{name}")))
}

/// The program that a process runs; kernel threads run none.
pub fn program(reading: &Reading<'_>, process: &str) -> Result<Option<String>, Unread> {
    gone_is_none(reading.private_link(&format!("{PROC}/{process}/exe"), "/proc/PID/exe"))
}

/// ESRCH: the process ended while it was read.
fn gone_is_none<T>(read: Result<Option<T>, Unread>) -> Result<Option<T>, Unread> {
    match read {
        Err(Unread::Failed { reason, .. }) if reason.contains("No such process") => Ok(None),
        other => other,
    }
}

/// Whether a process whose cgroup file (cgroups(7)) says `group` is in a container.
pub fn in_container(group: &str) -> bool {
    CONTAINERS.iter().any(|part| group.contains(part))
}

/// The innermost unit of systemd's hierarchy; numbers of sessions change with each login.
pub fn unit(group: &str) -> String {
    let mut paths = group.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        (controllers.is_empty() || controllers == "name=systemd").then_some(path)
    });
    let path = paths.next().unwrap_or_default();
    let kinds = [".service", ".scope", ".socket", ".mount", ".swap"];
    let mut parts = path.split('/').rev();
    match parts.find(|part| kinds.iter().any(|kind| part.ends_with(kind))) {
        Some(part) if part.starts_with("session-") => "session-*.scope".to_owned(),
        Some(part) => part.to_owned(),
        None => String::new(),
    }
}
