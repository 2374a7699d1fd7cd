//! The kernel's integrity measurement architecture.

use evidence::facts::Outcome;

use super::facts::Ima;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::Reading;

const SECURITYFS: &str = "/sys/kernel/security";

pub(super) fn read(reading: &Reading<'_>) -> Ima {
    Ima {
        // Empty: nothing is mounted there. The folder itself is sysfs's.
        available: match reading.list(SECURITYFS) {
            Ok(Some(entries)) if !entries.is_empty() => Known::Observed(
                entries
                    .iter()
                    .any(|entry| matches!(entry.name.as_str(), "ima" | "integrity")),
            ),
            Ok(_) => Known::not(Outcome::Absent, format!("{SECURITYFS} is not mounted")),
            Err(unread) => Known::unread(&unread),
        },
        parameters: match reading.volatile("/proc/cmdline") {
            Ok(Some(line)) => {
                let words = line.split_ascii_whitespace();
                let own = words.filter(|word| word.starts_with("ima") || word.starts_with("evm"));
                let mut own: Vec<String> = own.map(str::to_owned).collect();
                own.order();
                Known::Observed(own)
            }
            Ok(None) => Known::not(Outcome::Absent, "/proc/cmdline is not there"),
            Err(unread) => Known::unread(&unread),
        },
        policy_file: match reading.stat("/etc/ima/ima-policy") {
            Ok(stat) => Known::Observed(stat.is_some()),
            Err(unread) => Known::unread(&unread),
        },
    }
}
