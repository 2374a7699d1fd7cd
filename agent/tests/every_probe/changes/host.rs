//! A host as a folder: the files that most Debian hosts have, and some software that has a configuration of its own.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use affiant_agent::machine::{Deadline, Machine};
use probes::registry;

use crate::bytes;

/// The documents' bytes, by id.
pub(super) type Documents = BTreeMap<String, Vec<u8>>;

/// What is captured elsewhere in the project.
pub(super) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../probes/fixtures/");

/// The time of every file, unless a change says another: 2026-11-02.
const WRITTEN: u64 = 1_793_577_600;

/// Files whose content is captured elsewhere.
const CAPTURED: [(&str, &str); 8] = [
    ("etc/os-release", "kernel-and-release/debian-12/os-release"),
    ("etc/rsyslog.conf", "logging/debian12-rsyslog.conf"),
    ("etc/logrotate.conf", "logging/debian12-logrotate.conf"),
    ("etc/chrony/chrony.conf", "time-sync/debian12-chrony.conf"),
    ("etc/audit/auditd.conf", "audit/debian12-auditd.conf"),
    (
        "etc/apt/apt.conf.d/50unattended-upgrades",
        "automatic-updates/debian12-50unattended-upgrades",
    ),
    ("etc/ssl/certs/server.pem", "tls-certificates/server.pem"),
    ("var/lib/dpkg/status", "packages/status"),
];

/// The record of root's last login (lastlog(8)): a time of four bytes, then a line and a host, which are empty.
const fn record(time: [u8; 4]) -> [u8; 292] {
    let [a, b, c, d] = time;
    let mut record = [0; 292];
    (record[0], record[1], record[2], record[3]) = (a, b, c, d);
    record
}

const fn text(record: &[u8]) -> &str {
    match std::str::from_utf8(record) {
        Ok(text) => text,
        Err(_) => panic!("ASCII is UTF-8"),
    }
}

const FIRST: [u8; 292] = record([0, 0, 0, b'i']);
const LATER: [u8; 292] = record([0, 0, 0, b'j']);
/// What the host has.
const LOGIN: &str = text(&FIRST);
/// The same after a login some months later.
pub(super) const LATER_LOGIN: &str = text(&LATER);

const FILES: &[(&str, &str)] = &[
    ("etc/hostname", "web\n"),
    ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    ("etc/debian_version", "12.12\n"),
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/:/usr/sbin/nologin\nada:x:1000:1000:Ada:/home/ada:/bin/bash\n",
    ),
    (
        "etc/shadow",
        "root:!:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nada:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7:20000:0:99999:7:::\n",
    ),
    (
        "etc/group",
        "root:x:0:\ndaemon:x:1:\nsudo:x:27:\nshadow:x:42:\nada:x:1000:\n",
    ),
    ("etc/gshadow", "root:*::\ndaemon:*::\nsudo:*::\nshadow:*::\nada:!::\n"),
    (
        "etc/login.defs",
        "PASS_MAX_DAYS 99999\nUMASK 022\nENCRYPT_METHOD YESCRYPT\n",
    ),
    ("etc/shells", "/bin/sh\n/bin/bash\n"),
    (
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nsudoers: files\n",
    ),
    ("etc/ssh/sshd_config", "PasswordAuthentication no\n"),
    (
        "etc/sudoers",
        "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    ),
    ("etc/sudoers.d/README", "# nothing\n"),
    ("etc/profile", "umask 022\n"),
    ("etc/profile.d/none.sh", ""),
    ("etc/sysctl.d/none.conf", ""),
    ("etc/modprobe.d/none.conf", ""),
    ("etc/cron.d/none", ""),
    ("etc/security/access.conf", ""),
    ("etc/polkit-1/rules.d/none.rules", ""),
    ("etc/issue", "Debian GNU/Linux 12 \\n \\l\n"),
    ("etc/crontab", "17 * * * * root run-parts /etc/cron.hourly\n"),
    (
        "etc/pam.d/common-auth",
        "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    ),
    (
        "etc/pam.d/common-password",
        "password requisite pam_pwquality.so retry=3\npassword [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\n",
    ),
    ("etc/pam.d/login", "@include common-auth\n@include common-password\n"),
    (
        "etc/nftables.conf",
        "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n  }\n}\n",
    ),
    ("etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n"),
    ("etc/systemd/timesyncd.conf", "[Time]\nNTP=a.example\n"),
    ("etc/resolv.conf", "nameserver 192.0.2.1\n"),
    ("etc/hosts", "127.0.0.1 localhost\n"),
    ("etc/fstab", "UUID=0 / ext4 errors=remount-ro 0 1\n"),
    ("etc/crypttab", ""),
    (
        "etc/apt/sources.list",
        "deb http://archive.example/debian bookworm main\n",
    ),
    (
        "etc/apt/apt.conf.d/20auto-upgrades",
        "APT::Periodic::Unattended-Upgrade \"1\";\n",
    ),
    ("var/lib/apt/periodic/upgrade-stamp", ""),
    ("etc/audit/rules.d/audit.rules", "-w /etc/passwd -p wa\n"),
    ("etc/ssl/openssl.cnf", "openssl_conf = default\n[default]\n"),
    ("etc/krb5.conf", "[libdefaults]\ndefault_realm = A.EXAMPLE\n"),
    ("etc/docker/daemon.json", "{}\n"),
    ("usr/bin/dockerd", ""),
    (
        "etc/borgmatic/config.yaml",
        "repositories:\n  - path: ssh://a.example/./r\n",
    ),
    ("usr/bin/borgmatic", ""),
    (
        "etc/aide/aide.conf",
        "database_in=file:/var/lib/aide/aide.db\n/etc p+sha256\n",
    ),
    ("usr/bin/aide", ""),
    ("etc/puppetlabs/puppet/puppet.conf", "[agent]\nserver = a.example\n"),
    ("opt/puppetlabs/bin/puppet", ""),
    ("etc/clamav/freshclam.conf", "Checks 24\n"),
    ("usr/bin/freshclam", ""),
    ("usr/bin/passwd", ""),
    ("usr/sbin/sshd", ""),
    ("usr/bin/sudo", ""),
    ("usr/bin/doas", ""),
    ("usr/sbin/auditd", ""),
    ("usr/sbin/chronyd", ""),
    ("usr/lib/systemd/systemd-timesyncd", ""),
    ("usr/sbin/rsyslogd", ""),
    ("usr/lib/x86_64-linux-gnu/security/pam_pwquality.so", ""),
    ("usr/lib/x86_64-linux-gnu/security/pam_unix.so", ""),
    ("home/ada/.profile", ""),
    ("var/log/lastlog", LOGIN),
    (
        "usr/lib/systemd/system/multi-user.target",
        "[Unit]\nRequires=basic.target\n",
    ),
    (
        "usr/lib/systemd/system/basic.target",
        "[Unit]\nWants=sockets.target timers.target\n",
    ),
    ("usr/lib/systemd/system/sockets.target", "[Unit]\n"),
    ("usr/lib/systemd/system/timers.target", "[Unit]\n"),
    (
        "usr/lib/systemd/system/auditd.service",
        "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load\n",
    ),
    (
        "usr/lib/systemd/system/ssh.service",
        "[Service]\nExecStart=/usr/sbin/sshd -D\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "usr/lib/systemd/system/own.service",
        "[Service]\nExecStart=/opt/own\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "usr/lib/systemd/system/own.timer",
        "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
    ),
    (
        "usr/lib/systemd/system/own.socket",
        "[Socket]\nListenStream=0.0.0.0:7000\n[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "usr/lib/systemd/system/other.timer",
        "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
    ),
    (
        "usr/lib/systemd/system/other.socket",
        "[Socket]\nListenStream=/run/other\n[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "usr/lib/systemd/system/other.service",
        "[Service]\nExecStart=/opt/other\n",
    ),
    ("etc/systemd/system/ssh.service.d/none.conf", "[Service]\n"),
    ("boot/grub/grub.cfg", "linux /vmlinuz root=UUID=0 ro quiet\n"),
    ("etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"),
    ("proc/cmdline", "root=UUID=0 ro quiet\n"),
    ("proc/modules", "ext4 999424 1 - Live 0x0000000000000000\n"),
    ("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    (
        "proc/1/mountinfo",
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n",
    ),
    (
        "proc/self/mountinfo",
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n",
    ),
    ("proc/1/comm", "systemd\n"),
    (
        "proc/7/maps",
        "7f0000000000-7f0000001000 r-xp 00000000 08:01 7 /usr/lib/libx.so.1\n",
    ),
    ("proc/7/cgroup", "0::/system.slice/own.service\n"),
    ("proc/sys/kernel/hostname", "web\n"),
    ("proc/sys/kernel/osrelease", "6.1.0-40-amd64\n"),
    (
        "proc/sys/kernel/version",
        "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)\n",
    ),
    ("proc/sys/kernel/randomize_va_space", "2\n"),
    ("proc/sys/kernel/yama/ptrace_scope", "0\n"),
    ("proc/sys/net/ipv4/ip_forward", "0\n"),
    ("sys/kernel/security/lsm", "lockdown,capability,yama,apparmor\n"),
    ("sys/module/apparmor/parameters/enabled", "Y\n"),
    ("sys/kernel/security/apparmor/profiles", "/usr/sbin/chronyd (enforce)\n"),
    ("sys/class/dmi/id/bios_version", "1.0\n"),
    ("sys/class/dmi/id/board_vendor", "Maker\n"),
    ("sys/class/block/sda1/dev", "8:1\n"),
    ("sys/class/block/sda1/partition", "1\n"),
];

/// With links as Debian has them since its files were merged into `/usr`.
const LINKS: [(&str, &str); 8] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("etc/localtime", "../usr/share/zoneinfo/Etc/UTC"),
    ("usr/lib/systemd/system/default.target", "multi-user.target"),
    (
        "etc/systemd/system/multi-user.target.wants/ssh.service",
        "../../../../usr/lib/systemd/system/ssh.service",
    ),
    (
        "etc/systemd/system/timers.target.wants/other.timer",
        "../../../../usr/lib/systemd/system/other.timer",
    ),
    (
        "etc/systemd/system/sockets.target.wants/other.socket",
        "../../../../usr/lib/systemd/system/other.socket",
    ),
];

/// A host's folder.
pub(super) struct Host {
    folder: tempfile::TempDir,
}

impl Host {
    /// As it is before a change.
    pub(super) fn new() -> Self {
        let host = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        host.mode("", 0o755);
        for (path, target) in LINKS {
            host.link(path, target);
        }
        for (path, fixture) in CAPTURED {
            host.write(path, &fs::read(format!("{FIXTURES}{fixture}")).unwrap());
        }
        for (path, content) in FILES {
            host.write(path, content.as_bytes());
        }
        for path in ["etc/shadow", "etc/gshadow", "etc/sudoers"] {
            host.mode(path, 0o640);
        }
        host.mode("home/ada", 0o700);
        host.mode("usr/bin/passwd", 0o4755);
        // Whoever runs the tests owns the files: without an account everything would be somebody's who is unknown.
        let owner = fs::metadata(host.at("etc/passwd")).unwrap();
        if !matches!(owner.uid(), 0 | 1 | 1000) {
            host.append(
                "etc/passwd",
                &format!("owner:x:{}:{}::/:/usr/sbin/nologin\n", owner.uid(), owner.gid()),
            );
        }
        if !matches!(owner.gid(), 0 | 1 | 27 | 42 | 1000) {
            host.append("etc/group", &format!("owner:x:{}:\n", owner.gid()));
        }
        host
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn parents(&self, path: &str) {
        let parts: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
        for folder in parts.into_iter().rev().filter_map(Path::to_str) {
            if fs::create_dir(self.at(folder)).is_ok() {
                self.mode(folder, 0o755);
            }
        }
    }

    /// Writes a file; one that is there keeps its mode.
    pub(super) fn write(&self, path: &str, content: &[u8]) {
        self.parents(path);
        let is_new = !self.at(path).exists();
        fs::write(self.at(path), content).unwrap();
        if is_new {
            self.mode(path, 0o644);
        }
        self.time(path, WRITTEN);
    }

    pub(super) fn append(&self, path: &str, text: &str) {
        let mut content = fs::read(self.at(path)).unwrap();
        content.extend_from_slice(text.as_bytes());
        self.write(path, &content);
    }

    pub(super) fn replace(&self, path: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.at(path)).unwrap();
        assert!(before.contains(from), "{path}: no {from}");
        self.write(path, before.replace(from, to).as_bytes());
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.at(path)).unwrap();
    }

    pub(super) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        self.parents(path);
        let _ = fs::remove_file(self.at(path));
        symlink(target, self.at(path)).unwrap();
    }

    pub(super) fn time(&self, path: &str, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(self.at(path)).unwrap().set_modified(time).unwrap();
    }

    /// What all probes say of it.
    pub(super) fn documents(&self) -> Documents {
        let machine = Machine::below(self.folder.path()).unwrap();
        let documents = registry::all().into_iter().flat_map(|probe| {
            let host = machine.host(probe.spec, Deadline::within(600_000));
            probe.documents().into_iter().zip(bytes(&probe.collect(&host)))
        });
        documents.collect()
    }
}
