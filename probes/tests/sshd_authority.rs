//! The sshd probe against sshd itself: generated configurations with `Match` blocks, asked for with the connections
//! that the probe makes up.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command as Process;

use machine::{Machine, authority};
use probes::reading::{
    Command, Entry, Found, Host, Inventory, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};
use probes::registry;
use serde_json::Value;

/// This machine with other files in the place of some. sshd is told of another configuration by `-f`.
struct Changed {
    machine: Machine,
    files: BTreeMap<String, Vec<u8>>,
    config: String,
}

impl Changed {
    fn new(folder: &Path, config: &str) -> Self {
        let path = folder.join("sshd_config");
        fs::write(&path, config).unwrap();
        Self {
            machine: Machine::this(),
            files: BTreeMap::from([
                ("/etc/ssh/sshd_config".to_owned(), config.as_bytes().to_vec()),
                ("/etc/default/ssh".to_owned(), b"SSHD_OPTS=\n".to_vec()),
            ]),
            config: path.to_str().unwrap().to_owned(),
        }
    }

    fn facts(&self) -> Value {
        let probe = registry::all()
            .into_iter()
            .find(|probe| probe.spec.id == "sshd")
            .unwrap();
        let document = probe.collect(self).remove(0);
        document.facts.unwrap_or_else(|| panic!("{}", document.detail))
    }
}

impl Host for Changed {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        match self.files.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.machine.read(path, limit),
        }
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        self.machine.read_at(path, offset, length)
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        self.machine.list(path)
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        self.machine.stat(path, follow)
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        self.machine.read_link(path)
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let mut args = command.args.to_vec();
        args.extend(["-f", &self.config]);
        self.machine.run(&Command {
            args: &args,
            ..*command
        })
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.machine.inventory()
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.machine.extended(path, name)
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        self.machine.walk(walk, found)
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.machine.listeners()
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        self.machine.tls_handshake(address)
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        self.machine.tls_before_1_2(address)
    }
}

fn sshd(config: &str, connection: Option<&str>) -> Vec<(String, String)> {
    // Without this folder sshd prints nothing; the service makes it when it starts.
    fs::create_dir_all("/run/sshd").unwrap();
    let mut args = vec!["-T", "-f", config];
    args.extend(connection.iter().flat_map(|connection| ["-C", connection]));
    let output = authority("openssh-server", "/usr/sbin/sshd", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn value<'a>(lines: &'a [(String, String)], key: &str) -> &'a str {
    let found = lines.iter().find(|(keyword, _)| keyword == key);
    &found.unwrap_or_else(|| panic!("sshd prints no {key}")).1
}

/// A line in a block sets a value that no other line sets, so that what sshd says of a connection tells which blocks
/// it meets.
#[test]
fn each_block_is_met_by_the_connection_made_up_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let _ = sshd("/etc/ssh/sshd_config", None);
    let criteria = [
        "User root",
        "User r*,!root",
        "Group root",
        "User alice,b?b",
        "Address 10.0.0.0/8",
        "Address 10.1.0.0/16,!10.1.0.1",
        "Address 192.168.*",
        "Address 2001:db8::/32 User carol",
        "Host *.example.com",
        "LocalAddress 192.0.2.9 LocalPort 2222",
        "LocalPort 2200",
        "User dave Address 10.0.0.0/8",
        "User \"erin\" Host !a.example.org,*.example.org",
        "all",
    ];
    let mut seen = 0;
    // Every pair in both orders, so that one comes before the other once.
    for (one, first) in criteria.iter().enumerate() {
        for (other, second) in criteria.iter().enumerate().filter(|(other, _)| *other != one) {
            let config =
                format!("Match {first}\n  MaxSessions 101\nMatch {second}\n  MaxSessions 102\n  MaxAuthTries 3\n");
            let host = Changed::new(folder.path(), &config);
            let facts = host.facts();
            let blocks = facts["match_blocks"]["value"].as_array().unwrap();
            assert_eq!(blocks.len(), 2);
            let effective = |block: usize| &blocks[block]["effective"];
            assert_eq!(effective(0)["value"]["max_sessions"], 101, "{first}: {}", effective(0));
            // Either the second block shows itself, or the probe says that the first hides it.
            if effective(1)["outcome"] == "observed" {
                seen += 1;
                let hidden = *first == "all" || second.contains(first);
                let expected = if hidden { 101 } else { 102 };
                assert_eq!(effective(1)["value"]["max_sessions"], expected, "{first} / {second}");
                assert_eq!(effective(1)["value"]["max_auth_tries"], 3, "{first} / {second}");
            } else {
                let detail = effective(1)["detail"].as_str().unwrap();
                assert!(detail.contains("comes first"), "{first} / {second}: {detail}");
            }
            let _ = other;
        }
    }
    assert!(seen > 150, "only {seen} of 182 pairs could be told apart");
}

#[test]
fn every_setting_is_as_sshd_prints_it() {
    let folder = tempfile::tempdir().unwrap();
    let configs = [
        "",
        "PermitRootLogin yes\nPasswordAuthentication no\nMaxAuthTries 3\nLoginGraceTime 1m\nClientAliveInterval 5m\n",
        "PermitRootLogin forced-commands-only\nX11Forwarding=yes\nCiphers aes256-gcm@openssh.com\nMACs -hmac-sha1*\n",
        "AuthenticationMethods publickey,password publickey,keyboard-interactive\nPort 2222\nListenAddress ::1\n",
        "AllowUsers a b c@10.0.0.1\nDenyGroups x\nGatewayPorts clientspecified\nAllowTcpForwarding local\n",
        "Banner \"/etc/issue net\"\nUsePAM yes\nRekeyLimit 1G 1h\nPermitTunnel ethernet\nLogLevel VERBOSE\nUseDNS yes\n",
        "AuthorizedKeysFile none\nPermitUserEnvironment LANG,LC_*\nIgnoreRhosts shosts-only\nPermitEmptyPasswords yes\n",
    ];
    for config in configs {
        let host = Changed::new(folder.path(), config);
        let lines = sshd(&host.config, None);
        let facts = host.facts();
        assert_eq!(
            facts["effective"]["outcome"], "observed",
            "{config}: {}",
            facts["effective"]
        );
        let settings = &facts["effective"]["value"];
        let text = |key: &str| match &settings[key] {
            Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let same = [
            ("password_authentication", "passwordauthentication"),
            ("kbd_interactive_authentication", "kbdinteractiveauthentication"),
            ("permit_empty_passwords", "permitemptypasswords"),
            ("x11_forwarding", "x11forwarding"),
            ("allow_tcp_forwarding", "allowtcpforwarding"),
            ("gateway_ports", "gatewayports"),
            ("max_auth_tries", "maxauthtries"),
            ("login_grace_seconds", "logingracetime"),
            ("client_alive_interval_seconds", "clientaliveinterval"),
            ("rekey_limit", "rekeylimit"),
            ("log_level", "loglevel"),
            ("banner", "banner"),
            ("use_pam", "usepam"),
            ("use_dns", "usedns"),
            ("permit_user_environment", "permituserenvironment"),
            ("ignore_rhosts", "ignorerhosts"),
            ("permit_tunnel", "permittunnel"),
        ];
        for (field, key) in same {
            assert_eq!(text(field), value(&lines, key), "{config}: {field}");
        }
        let root = text("permit_root_login");
        let root = if root == "prohibit-password" {
            "without-password"
        } else {
            &root
        };
        assert_eq!(root, value(&lines, "permitrootlogin"));
        for (field, key, separator) in [
            ("ciphers", "ciphers", ","),
            ("macs", "macs", ","),
            ("authentication_methods", "authenticationmethods", " "),
        ] {
            let list: Vec<_> = settings[field]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry.as_str().unwrap())
                .collect();
            assert_eq!(list.join(separator), value(&lines, key), "{config}: {field}");
        }
        let users = lines.iter().filter(|(key, _)| key == "allowusers").count();
        assert_eq!(settings["allow_users"], users);
    }
}

#[test]
fn configurations_that_sshd_refuses_are_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let _ = sshd("/etc/ssh/sshd_config", None);
    for config in [
        "NoSuchOption yes\n",
        "PermitRootLogin perhaps\n",
        "Match Exec true\n PermitTTY no\n",
    ] {
        let facts = Changed::new(folder.path(), config).facts();
        assert_eq!(facts["effective"]["outcome"], "failed", "{config}");
        let blocks = facts["match_blocks"]["value"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["effective"]["outcome"] != "observed"));
    }
}

/// A daemon of our own: what was changed since it last read its configuration, on start and on SIGHUP.
#[test]
fn a_running_sshd_is_compared_with_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let _ = sshd("/etc/ssh/sshd_config", None);
    let (config, pid_file, drop_ins) = (at("own_config"), at("sshd.pid"), at("own.d"));
    fs::create_dir(&drop_ins).unwrap();
    let text = format!(
        "Include {drop_ins}/*.conf\nPidFile {pid_file}\nListenAddress 127.0.0.1\nPort {}\nUsePAM no\n",
        20_000 + std::process::id() % 10_000
    );
    fs::write(&config, text).unwrap();
    let mut host = Changed::new(folder.path(), "");
    host.files.insert(
        "/etc/default/ssh".into(),
        format!("SSHD_OPTS=-f {config}\n").into_bytes(),
    );
    host.config.clone_from(&config);
    let changed = |host: &Changed| {
        let running = &host.facts()["running"];
        assert_eq!(running["outcome"], "observed", "{running}");
        running["value"]["changed_since"].clone()
    };
    // Times of files are compared to the second.
    let next_second = || std::thread::sleep(std::time::Duration::from_millis(1_100));
    let written = || {
        for _ in 0..100 {
            if fs::read(&pid_file).is_ok_and(|pid| pid.ends_with(b"\n")) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("sshd wrote no {pid_file}");
    };
    assert_eq!(host.facts()["running"]["outcome"], "absent");
    next_second();
    let mut daemon = Process::new("/usr/sbin/sshd")
        .args(["-D", "-f", &config])
        .spawn()
        .unwrap();
    written();
    assert_eq!(changed(&host), serde_json::json!([]));
    // On Debian the unit's command is `sshd -D $SSHD_OPTS`.
    assert_eq!(host.facts()["running"]["value"]["same_command"]["value"], true);
    next_second();
    fs::write(format!("{drop_ins}/a.conf"), "PermitRootLogin no\n").unwrap();
    assert_eq!(
        changed(&host),
        serde_json::json!([drop_ins, format!("{drop_ins}/a.conf")])
    );
    // An old time of the content hides nothing.
    let drop_in = fs::File::options()
        .write(true)
        .open(format!("{drop_ins}/a.conf"))
        .unwrap();
    drop_in.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(
        changed(&host),
        serde_json::json!([drop_ins, format!("{drop_ins}/a.conf")])
    );
    next_second();
    fs::remove_file(&pid_file).unwrap();
    authority("procps", "/bin/kill", &["-HUP", &daemon.id().to_string()], b"");
    written();
    assert_eq!(changed(&host), serde_json::json!([]));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(host.facts()["running"]["outcome"], "absent");
}

/// Without privilege sshd does not load its host keys; with `CAP_DAC_READ_SEARCH` alone it does.
#[test]
fn the_privilege_is_what_the_specification_says() {
    let _ = sshd("/etc/ssh/sshd_config", None);
    let run = |capabilities: &[&str]| {
        let args = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
        Process::new("setpriv")
            .args(args)
            .args(capabilities)
            .args(["/usr/sbin/sshd", "-T"])
            .output()
            .unwrap()
    };
    assert!(!run(&[]).status.success());
    let search = run(&["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]);
    assert!(search.status.success(), "{}", String::from_utf8_lossy(&search.stderr));
}

#[test]
fn this_machine() {
    let _ = sshd("/etc/ssh/sshd_config", None);
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "sshd")
        .unwrap();
    let facts = probe.collect(&Machine::this()).remove(0).facts.unwrap();
    let keys = facts["host_keys"]["value"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let path = format!("{}.pub", key["path"].as_str().unwrap());
        let output = authority("openssh-client", "/usr/bin/ssh-keygen", &["-l", "-f", &path], b"");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words = text.split(' ');
        assert_eq!(words.next().unwrap(), key["public"]["value"]["bits"].to_string());
        assert_eq!(
            words.next().unwrap(),
            key["public"]["value"]["fingerprint"].as_str().unwrap()
        );
    }
}
