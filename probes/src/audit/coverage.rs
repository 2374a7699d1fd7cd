//! Which of the things that audit baselines name are asked for by rules.

use std::collections::BTreeMap;

use super::facts::Coverage;
use super::rules::Rule;

struct Area {
    name: &'static str,
    calls: &'static [&'static str],
    paths: &'static [&'static str],
}

const AREAS: [Area; 14] = [
    Area {
        name: "time_change",
        calls: &["adjtimex", "clock_settime", "settimeofday"],
        paths: &["/etc/localtime"],
    },
    Area {
        name: "identity",
        calls: &[],
        paths: &[
            "/etc/group",
            "/etc/gshadow",
            "/etc/passwd",
            "/etc/security/opasswd",
            "/etc/shadow",
        ],
    },
    Area {
        name: "administrators",
        calls: &[],
        paths: &["/etc/sudoers", "/etc/sudoers.d"],
    },
    Area {
        name: "privileged_actions",
        calls: &["execve"],
        paths: &[],
    },
    Area {
        name: "network_configuration",
        calls: &["setdomainname", "sethostname"],
        paths: &["/etc/hosts", "/etc/issue", "/etc/issue.net"],
    },
    Area {
        name: "mandatory_access",
        calls: &[],
        paths: &["/etc/apparmor", "/etc/apparmor.d", "/etc/selinux"],
    },
    Area {
        name: "sessions",
        calls: &[],
        paths: &["/var/log/btmp", "/var/log/wtmp", "/var/run/utmp"],
    },
    Area {
        name: "logins",
        calls: &[],
        paths: &["/var/log/lastlog", "/var/run/faillock"],
    },
    Area {
        name: "permission_changes",
        calls: &[
            "chmod",
            "chown",
            "fchmod",
            "fchmodat",
            "fchown",
            "fchownat",
            "fremovexattr",
            "fsetxattr",
            "lchown",
            "lremovexattr",
            "lsetxattr",
            "removexattr",
            "setxattr",
        ],
        paths: &[],
    },
    Area {
        name: DENIED,
        calls: &["creat", "ftruncate", "open", "open_by_handle_at", "openat", "truncate"],
        paths: &[],
    },
    Area {
        name: "mounts",
        calls: &["mount", "umount2"],
        paths: &[],
    },
    Area {
        name: "deletions",
        calls: &["rename", "renameat", "rmdir", "unlink", "unlinkat"],
        paths: &[],
    },
    Area {
        name: "modules",
        calls: &["delete_module", "finit_module", "init_module"],
        paths: &[],
    },
    Area {
        name: "audit_configuration",
        calls: &[],
        paths: &["/etc/audit"],
    },
];
/// Counts only what failed for want of permission.
const DENIED: &str = "denied_access";
const WIDTHS: [&str; 2] = ["b64", "b32"];

pub(super) fn of(rules: &[Rule]) -> BTreeMap<String, Coverage> {
    AREAS
        .iter()
        .map(|area| (area.name.to_owned(), area.of(rules)))
        .collect()
}

impl Area {
    fn of(&self, rules: &[Rule]) -> Coverage {
        let mut coverage = Coverage::default();
        let mut add = |what: String, audited: bool| {
            if audited {
                coverage.audited.push(what);
            } else {
                coverage.not_audited.push(what);
            }
        };
        // Processes are made without what events are written into: neither system calls nor watches tell of them.
        let silent = rules
            .iter()
            .any(|rule| rule.action == "never" && rule.list == "task" && rule.fields.is_empty());
        for call in self.calls {
            for width in WIDTHS {
                let silences =
                    |rule: &Rule| rule.silences(width) && (rule.calls.is_empty() || rule.calls.contains(*call));
                let audited = first(rules, silences, |rule| asks(rule, call, width, self.name == DENIED));
                add(format!("{call} ({width})"), audited && !silent);
            }
        }
        for path in self.paths {
            let audited = first(rules, |rule| spares(rule, path), |rule| watches(rule, path));
            add((*path).to_owned(), audited && !silent);
        }
        coverage
    }
}

/// Whether, of the rules that decide, the first makes events.
fn first(rules: &[Rule], silences: impl Fn(&Rule) -> bool, asks: impl Fn(&Rule) -> bool) -> bool {
    rules
        .iter()
        .find_map(|rule| {
            if silences(rule) {
                Some(false)
            } else {
                asks(rule).then_some(true)
            }
        })
        .unwrap_or(false)
}

/// Whether a rule keeps events of changes to a file from being made whatever else is true.
fn spares(rule: &Rule, path: &str) -> bool {
    if rule.silences("b64") {
        return rule.calls.is_empty();
    }
    let of_files = |field: &String| {
        ["path=", "perm=", "arch=b64"]
            .iter()
            .any(|begin| field.starts_with(begin))
    };
    rule.action == "never"
        && rule.list == "exit"
        && rule.calls.is_empty()
        && rule.fields.iter().all(of_files)
        && rule.field("perm").is_none_or(|perm| perm.contains('w'))
        && rule.field("path").is_some_and(|spared| is_at_or_below(path, spared))
}

/// Whether a rule makes events of a system call. Conditions on users and programs may narrow it; one on a path does so far
/// that it is a watch.
fn asks(rule: &Rule, call: &str, width: &str, denied: bool) -> bool {
    let apart = rule.field("path").is_some() || rule.field("perm").is_some();
    let failures = ["exit=-EACCES", "exit=-EPERM", "success=0"];
    let failed = failures.iter().any(|field| rule.fields.contains(*field));
    rule.action == "always"
        && rule.list == "exit"
        && !apart
        && (!denied || failed)
        && (denied || !failed)
        && rule.field("arch").unwrap_or("b64") == width
        && (rule.calls.contains(call) || rule.calls.is_empty())
        // A rule without system calls is one of all, if it is not about something else.
        && (!rule.calls.is_empty() || rule.field("arch").is_some())
}

/// Whether a rule makes events of changes to a file, as a watch of it or of a folder above.
fn watches(rule: &Rule, path: &str) -> bool {
    rule.watch()
        .is_some_and(|(watched, perm)| perm.contains('w') && is_at_or_below(path, watched))
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    // /var/run is a link to /run.
    let plain = |path: &str| {
        path.strip_prefix("/var")
            .filter(|rest| rest.starts_with("/run/"))
            .unwrap_or(path)
            .to_owned()
    };
    plain(path)
        .strip_prefix(&plain(folder))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
