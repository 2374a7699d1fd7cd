//! Kernel settings: what they are now (`/proc/sys`) and what sysctl.d(5) sets at boot.

use std::collections::{BTreeMap, BTreeSet};

use super::shell;
use crate::reading::{Kind, Reading, Unread};

/// By precedence.
const FOLDERS: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];
/// Read by procps and BusyBox after the folders; by systemd only if a folder links to it, as Debian's `99-sysctl.conf`.
const MAIN: &str = "/etc/sysctl.conf";
/// Where systemd's own program lies.
const SYSTEMD: [&str; 2] = ["/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"];
/// ufw(8) sets what stands in the file that its defaults name, when it starts.
const UFW: [&str; 2] = ["/etc/ufw/ufw.conf", "/etc/default/ufw"];
/// Files and assignments that are looked at.
const MAX_FILES: usize = 1_000;
const MAX_ASSIGNMENTS: usize = 100_000;

/// What is set at boot, in the order in which it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sysctl {
    assignments: Vec<Assignment>,
    /// Places of assignments to a key without `*` and the like.
    exact: BTreeMap<String, usize>,
    /// Whether patterns yield to plain keys, as systemd has it; with procps the last one wins.
    by_systemd: bool,
    /// What ufw sets, if it is switched on. Nothing says whether it starts before or after the others.
    ufw: Option<Box<Self>>,
    /// Lines that are no assignment, as `path:line`; what reads them at boot skips them. At most 100.
    pub unparsed: Vec<String>,
}

/// One `key = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Path below `/proc/sys`, with slashes; may be a glob(7) pattern.
    pub key: String,
    /// `None`: patterns do not apply to this key (`-key` without a value).
    pub value: Option<String>,
    /// The file that it stands in.
    pub file: String,
}

impl Sysctl {
    /// Reads the folders.
    pub fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let mut sysctl = Self::default();
        for program in SYSTEMD {
            sysctl.by_systemd |= reading.stat(program)?.is_some();
        }
        let mut files: BTreeMap<String, Option<String>> = BTreeMap::new();
        for folder in FOLDERS {
            for entry in reading.list(folder)?.unwrap_or_default() {
                if entry.name.strip_suffix(".conf").is_none() || files.contains_key(&entry.name) {
                    continue;
                }
                let path = format!("{folder}/{}", entry.name);
                let masked = entry.kind == Kind::Link && reading.link(&path)?.as_deref() == Some("/dev/null");
                if files.len() >= MAX_FILES {
                    let reason = format!("more than {MAX_FILES} files");
                    return Err(Unread::Failed { place: path, reason });
                }
                files.insert(entry.name, (!masked).then_some(path));
            }
        }
        let main = (!sysctl.by_systemd).then(|| MAIN.to_owned());
        for path in files.into_values().flatten().chain(main) {
            // A link to nothing is skipped by everybody.
            let Some(text) = reading.text(&path)? else { continue };
            sysctl.take(&path, &text);
            if sysctl.assignments.len() > MAX_ASSIGNMENTS {
                let reason = format!("more than {MAX_ASSIGNMENTS} assignments");
                return Err(Unread::Failed { place: path, reason });
            }
        }
        sysctl.index();
        sysctl.ufw = ufw(reading)?.map(Box::new);
        Ok(sysctl)
    }

    fn take(&mut self, path: &str, text: &str) {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
                None if line.starts_with('-') => (line, None),
                None => {
                    if self.unparsed.len() < 100 {
                        self.unparsed.push(format!("{path}:{}", index + 1));
                    }
                    continue;
                }
            };
            let key = key.strip_prefix('-').map_or(key, str::trim_start);
            self.assignments.push(Assignment {
                key: normal(key),
                value,
                file: path.to_owned(),
            });
        }
    }

    fn index(&mut self) {
        for (place, assignment) in self.assignments.iter().enumerate() {
            if !is_pattern(&assignment.key) {
                self.exact.insert(assignment.key.clone(), place);
            }
        }
    }

    /// What is set at boot for a key, in the form `net/ipv4/ip_forward`; an error if two set it differently and nothing says
    /// who comes last.
    pub fn configured(&self, key: &str) -> Result<Option<&Assignment>, String> {
        let own = self.of_files(key);
        let of_ufw = self.ufw.as_ref().and_then(|ufw| ufw.of_files(key));
        match (own, of_ufw) {
            (Some(own), Some(of_ufw)) if own.value != of_ufw.value => Err(format!(
                "{} and {} set it differently, and nothing says who comes last",
                own.file, of_ufw.file
            )),
            (own, of_ufw) => Ok(own.or(of_ufw)),
        }
    }

    fn of_files(&self, key: &str) -> Option<&Assignment> {
        let exact = self.exact.get(key).copied();
        let fits = |assignment: &Assignment| is_pattern(&assignment.key) && glob(&assignment.key, key);
        let pattern = || self.assignments.iter().rposition(fits);
        let place = if self.by_systemd {
            exact.or_else(pattern)
        } else {
            exact.max(pattern())
        };
        let found = self.assignments.get(place?)?;
        found.value.is_some().then_some(found)
    }

    /// All plain keys that are set.
    pub fn keys(&self) -> BTreeSet<&str> {
        self.exact.keys().map(String::as_str).collect()
    }
}

fn ufw(reading: &Reading<'_>) -> Result<Option<Sysctl>, Unread> {
    let [conf, defaults] = UFW;
    let conf = shell::assignments(&reading.text(conf)?.unwrap_or_default());
    if !shell::last(&conf, "ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("yes")) {
        return Ok(None);
    }
    let defaults = shell::assignments(&reading.text(defaults)?.unwrap_or_default());
    let Some(path) = shell::last(&defaults, "IPT_SYSCTL").filter(|path| path.starts_with('/')) else {
        return Ok(None);
    };
    let Some(text) = reading.text(path)? else {
        return Ok(None);
    };
    let mut sysctl = Sysctl::default();
    sysctl.take(path, &text);
    sysctl.assignments.truncate(MAX_ASSIGNMENTS);
    sysctl.index();
    Ok(Some(sysctl))
}

/// The value of a key now, in the form `net/ipv4/ip_forward`; `Ok(None)`: this kernel has no such key.
pub fn now(reading: &Reading<'_>, key: &str) -> Result<Option<String>, Unread> {
    let text = reading.attribute(&format!("/proc/sys/{key}"))?;
    Ok(text.map(|text| text.trim().to_owned()))
}

/// A key with slashes. What comes first decides which of `.` and `/` separates (sysctl.d(5)): `net.ipv4.conf.eth0/1.x` and
/// `net/ipv4/conf/eth0.1/x` are the same.
fn normal(key: &str) -> String {
    let key = key.strip_prefix("/proc/sys/").unwrap_or(key).trim_start_matches('/');
    match key.find(['.', '/']).and_then(|at| key.as_bytes().get(at)) {
        Some(b'.') => {
            let swap = |character| match character {
                '.' => '/',
                '/' => '.',
                other => other,
            };
            key.chars().map(swap).collect()
        }
        _ => key.to_owned(),
    }
}

fn is_pattern(key: &str) -> bool {
    key.contains(['*', '?', '['])
}

/// glob(7) on paths: `*` and `?` do not match a slash.
fn glob(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    let (patterns, parts): (Vec<_>, Vec<_>) = (pattern.collect(), path.collect());
    let fits = |(pattern, part): (&&str, &&str)| component(pattern.as_bytes(), part.as_bytes());
    patterns.len() == parts.len() && patterns.iter().zip(parts.iter()).all(fits)
}

/// One component. Time is bounded by the product of the lengths: a star that fails is only ever widened.
fn component(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(pos) {
        match one(pattern.get(at..).unwrap_or_default(), *byte) {
            Step::Star => {
                at += 1;
                star = Some((at, pos));
            }
            Step::Fits(length) => {
                at += length;
                pos += 1;
            }
            Step::Not => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (at, pos) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

enum Step {
    Star,
    Fits(usize),
    Not,
}

fn one(pattern: &[u8], byte: u8) -> Step {
    match pattern {
        [b'*', ..] => Step::Star,
        [b'?', ..] => Step::Fits(1),
        [b'[', rest @ ..] => {
            let (inverted, rest, skipped) = match rest {
                [b'!' | b'^', rest @ ..] => (true, rest, 2),
                _ => (false, rest, 1),
            };
            // A bracket that comes first is a member.
            let Some(end) = rest.iter().skip(1).position(|byte| *byte == b']').map(|end| end + 1) else {
                return if byte == b'[' { Step::Fits(1) } else { Step::Not };
            };
            let mut members = rest.get(..end).unwrap_or_default();
            let mut found = false;
            while let Some((first, after)) = members.split_first() {
                if let [b'-', last, after @ ..] = after {
                    found |= (*first..=*last).contains(&byte);
                    members = after;
                } else {
                    found |= *first == byte;
                    members = after;
                }
            }
            if found == inverted {
                Step::Not
            } else {
                Step::Fits(skipped + end + 1)
            }
        }
        [same, ..] if *same == byte => Step::Fits(1),
        _ => Step::Not,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn read(host: &Captured) -> Sysctl {
        Sysctl::read(&testing(host)).unwrap()
    }

    fn value(sysctl: &Sysctl, key: &str) -> Option<String> {
        sysctl.configured(key).unwrap().and_then(|one| one.value.clone())
    }

    fn systemd() -> Captured {
        Captured::default().file(SYSTEMD[0], "")
    }

    #[test]
    fn precedence_of_files_and_lines() {
        let host = systemd()
            .file(
                "/usr/lib/sysctl.d/10-a.conf",
                "kernel.sysrq = 1\nkernel.dmesg_restrict=0\n",
            )
            .file("/etc/sysctl.d/10-a.conf", "# c\n; c\nkernel.sysrq = 438\n")
            .file("/usr/lib/sysctl.d/50-b.conf", "kernel/kptr_restrict=1\nnonsense\n")
            .file("/etc/sysctl.d/60-c.conf", "-kernel.kptr_restrict =2\n")
            .link("/etc/sysctl.d/70-d.conf", "/dev/null")
            .file("/usr/lib/sysctl.d/70-d.conf", "kernel.kptr_restrict=0\n")
            .file("/etc/sysctl.conf", "kernel.sysrq=0\n");
        let sysctl = read(&host);
        assert_eq!(value(&sysctl, "kernel/sysrq").as_deref(), Some("438"));
        assert_eq!(value(&sysctl, "kernel/dmesg_restrict"), None);
        assert_eq!(value(&sysctl, "kernel/kptr_restrict").as_deref(), Some("2"));
        assert_eq!(sysctl.unparsed, ["/usr/lib/sysctl.d/50-b.conf:2"]);
        let linked = read(&host.clone().link("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf"));
        assert_eq!(value(&linked, "kernel/sysrq").as_deref(), Some("0"));
        // Without systemd the main file comes last.
        let procps = Captured::default()
            .file("/etc/sysctl.d/10-a.conf", "kernel.sysrq = 438\n")
            .file("/etc/sysctl.conf", "kernel.sysrq=0\n");
        assert_eq!(value(&read(&procps), "kernel/sysrq").as_deref(), Some("0"));
    }

    #[test]
    fn patterns_yield_to_plain_keys() {
        let text = "net.ipv4.conf.all.rp_filter=1\n-net.ipv4.conf.eth1.rp_filter\nnet.ipv4.conf.*.rp_filter=2\n";
        let sysctl = read(&systemd().file("/usr/lib/sysctl.d/50-default.conf", text));
        assert_eq!(value(&sysctl, "net/ipv4/conf/all/rp_filter").as_deref(), Some("1"));
        assert_eq!(value(&sysctl, "net/ipv4/conf/eth1/rp_filter"), None);
        assert_eq!(value(&sysctl, "net/ipv4/conf/eth0/rp_filter").as_deref(), Some("2"));
        assert_eq!(value(&sysctl, "net/ipv4/conf/a/b/rp_filter"), None);
    }

    #[test]
    fn ufw_sets_some_too() {
        let host = systemd()
            .file(
                "/etc/sysctl.d/a.conf",
                "net.ipv4.conf.all.log_martians=1\nnet.ipv4.tcp_syncookies=1\n",
            )
            .file("/etc/default/ufw", "# IPT_SYSCTL=/x\nIPT_SYSCTL=/etc/ufw/sysctl.conf\n")
            .file(
                "/etc/ufw/sysctl.conf",
                "net/ipv4/conf/all/log_martians=0\nnet/ipv4/tcp_syncookies=1\nnet/ipv4/ip_forward=1\n",
            );
        let off = read(&host.clone().file("/etc/ufw/ufw.conf", "ENABLED=no\n"));
        assert_eq!(value(&off, "net/ipv4/conf/all/log_martians").as_deref(), Some("1"));
        let on = read(&host.file("/etc/ufw/ufw.conf", "ENABLED=yes\n"));
        assert_eq!(value(&on, "net/ipv4/ip_forward").as_deref(), Some("1"));
        assert_eq!(value(&on, "net/ipv4/tcp_syncookies").as_deref(), Some("1"));
        assert!(
            on.configured("net/ipv4/conf/all/log_martians")
                .unwrap_err()
                .contains("/etc/ufw/sysctl.conf")
        );
    }

    #[test]
    fn keys_and_globs() {
        assert_eq!(
            normal("net.ipv4.conf.enp3s0/200.forwarding"),
            "net/ipv4/conf/enp3s0.200/forwarding"
        );
        assert_eq!(
            normal("net/ipv4/conf/enp3s0.200/forwarding"),
            "net/ipv4/conf/enp3s0.200/forwarding"
        );
        assert_eq!(normal("/proc/sys/kernel/sysrq"), "kernel/sysrq");
        for (pattern, path, expected) in [
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/e*0", "a/eth0", true),
            ("a/?th[0-2]", "a/eth1", true),
            ("a/eth[!0]", "a/eth0", false),
            ("a/[]x]", "a/]", true),
            ("a/[x", "a/[x", true),
            ("*****", "", true),
        ] {
            assert_eq!(glob(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn denied_is_an_error() {
        let denied = systemd().denied("/etc/sysctl.d");
        assert!(Sysctl::read(&testing(&denied)).is_err());
    }

    proptest! {
        #[test]
        fn any_pattern_ends(pattern in "[a*?\\[\\]!/-]{0,40}", path in "[a/\\[-]{0,40}") {
            glob(&pattern, &path);
        }

        #[test]
        fn any_text_ends(text in "[a-z./=*# \\n-]{0,200}") {
            let sysctl = read(&systemd().file("/etc/sysctl.d/a.conf", text));
            let _ = sysctl.configured("kernel/sysrq");
        }
    }
}
