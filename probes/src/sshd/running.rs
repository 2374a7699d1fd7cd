//! The sshd that runs: whether it has read the configuration that is there now.
//!
//! sshd writes its `PidFile` once it has read its configuration and its sockets are open, and anew after SIGHUP, for which it
//! keeps its process (`sighup_restart` in OpenSSH's `sshd.c`): that file's time, not the start of the process, tells when it
//! last read.

use evidence::facts::Outcome;

use super::config::Config;
use super::facts::{Running, RunningAs};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// `PidFile` unless it is set.
pub(super) const PID_FILE: &str = "/run/sshd.pid";
/// What stands behind the command in the title of the process (OpenSSH 8.2 and later).
const LISTENER: &str = " [listener]";

/// Looks for the process that listens. `command`: the one that its unit has.
pub(super) fn read(
    reading: &Reading<'_>,
    pid_file: &str,
    config: &Config,
    command: Option<&[String]>,
) -> Known<Running> {
    match look(reading, pid_file, config, command) {
        Ok(running) => running,
        Err(unread) => Known::unread(&unread),
    }
}

/// For each connection sshd is started anew.
pub(super) fn each_connection() -> Known<Running> {
    Known::Observed(Running {
        started: RunningAs::EachConnection,
        changed_since: vec![],
        same_command: Known::Observed(true),
    })
}

fn look(
    reading: &Reading<'_>,
    pid_file: &str,
    config: &Config,
    command: Option<&[String]>,
) -> Result<Known<Running>, Unread> {
    // Its content changes with each start.
    let (Some(stat), Some(pid)) = (reading.stat(pid_file)?, reading.volatile(pid_file)?) else {
        return Ok(Known::absent(format!("{pid_file} is not there")));
    };
    let Ok(pid) = pid.trim().parse::<u32>() else {
        return Ok(Known::not(
            Outcome::Malformed,
            format!("{pid_file} holds no number of a process"),
        ));
    };
    let name = reading.private(&format!("/proc/{pid}/comm"), "/proc/PID/comm of sshd")?;
    if name.as_deref().map(<[u8]>::trim_ascii) != Some(b"sshd") {
        return Ok(Known::absent(format!("no sshd is the process that {pid_file} tells")));
    }
    let mut changed_since = vec![];
    for path in config.files.iter().chain(&config.folders) {
        let (own, target) = (reading.stat_link(path)?, reading.stat(path)?);
        let changed = own.into_iter().chain(target).any(|changed| changed.ctime > stat.mtime);
        if changed {
            changed_since.push(path.clone());
        }
    }
    changed_since.order();
    let title = reading.private(&format!("/proc/{pid}/cmdline"), "/proc/PID/cmdline of sshd")?;
    Ok(Known::Observed(Running {
        started: RunningAs::Daemon,
        changed_since,
        same_command: match command {
            Some(command) => same(&title.unwrap_or_default(), command),
            None => Known::absent("no unit of systemd tells how it is to be started"),
        },
    }))
}

/// Whether a process with this title was started by this command.
fn same(title: &[u8], command: &[String]) -> Known<bool> {
    let title = String::from_utf8_lossy(title);
    let command = command.join(" ");
    let own = match title.strip_prefix("sshd: ") {
        Some(title) => match title.split_once(LISTENER) {
            Some((own, _)) => own.to_owned(),
            // The title is cut where the room of the old command line ends.
            None => {
                return Known::not(
                    Outcome::Unsupported,
                    "the title of the process does not tell its command",
                );
            }
        },
        None => title.trim_end_matches('\0').replace('\0', " "),
    };
    Known::Observed(own == command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        let command = ["/usr/sbin/sshd", "-D", "-p", "22"].map(str::to_owned);
        let told = |title: &str| same(title.as_bytes(), &command).value().copied();
        let title = "sshd: /usr/sbin/sshd -D -p 22 [listener] 0 of 10-100 startups\0\0";
        assert_eq!(told(title), Some(true));
        assert_eq!(told(&title.replace("22", "23")), Some(false));
        assert_eq!(told("/usr/sbin/sshd\0-D\0-p\x0022\0"), Some(true));
        assert_eq!(told("/usr/sbin/sshd\0-D\0"), Some(false));
        assert_eq!(told("sshd: /usr/sbin/sshd -D -p"), None);
    }
}
