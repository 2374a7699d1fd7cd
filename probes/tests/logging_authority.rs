//! Destinations of a real rsyslogd beside those that the probe reads, and what logrotate says that it would do.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use machine::{Machine, authority};
use serde_json::Value;

fn facts(root: &Path) -> Value {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "logging").unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn udp() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

fn tcp() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn got_udp(socket: &UdpSocket) -> bool {
    socket.recv(&mut [0; 1_000]).is_ok()
}

fn got_tcp(listener: &TcpListener) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            return stream.read(&mut [0; 1_000]).is_ok_and(|length| length > 0);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Starts it, and hands it a message once it listens.
fn rsyslogd(config: &Path, socket: &Path) -> Running {
    let child = Command::new("/usr/sbin/rsyslogd")
        .args(["-n", "-f", config.to_str().unwrap(), "-i"])
        .arg(config.with_file_name("pid"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("rsyslogd; install it: apt-get install rsyslog");
    let running = Running(child);
    let begin = Instant::now();
    let sender = UnixDatagram::unbound().unwrap();
    while sender
        .send_to(b"<134>Nov 26 13:00:00 test: hello x( there", socket)
        .is_err()
    {
        assert!(begin.elapsed() < Duration::from_secs(10), "rsyslogd does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    running
}

fn mode(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    Some(format!("{:04o}", metadata.permissions().mode() & 0o7777))
}

#[test]
fn with_which_modes_rsyslogd_makes_files() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("log.sock");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{}\")\n\
         module(load=\"builtin:omfile\" fileCreateMode=\"0604\")\n$Umask 0000\n*.* {}\n$FileCreateMode 0600\n*.* {}\n\
         *.* -{}\n$FileCreateMode 0666\n& {}\naction(type=\"omfile\" file=\"{}\")\n\
         action(type=\"omfile\" file=\"{}\" fileCreateMode=\"0640\")\n",
        socket.display(),
        file("a"),
        file("b"),
        file("c"),
        file("d"),
        file("e"),
        file("f"),
    );
    fs::create_dir(folder.path().join("etc")).unwrap();
    let path = folder.path().join("etc/rsyslog.conf");
    fs::write(&path, &config).unwrap();
    let running = rsyslogd(&path, &socket);
    let begin = Instant::now();
    while !folder.path().join("f").exists() {
        assert!(begin.elapsed() < Duration::from_secs(10), "rsyslogd writes nothing");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(running);
    // Without a root, so that paths are those of the machine.
    let text = format!("{}\n", config.replace(&folder.path().display().to_string(), ""));
    fs::write(&path, text).unwrap();
    let facts = facts(folder.path());
    let local = facts["rsyslog"]["value"]["local"].as_array().unwrap();
    assert_eq!(local.len(), 6, "{local:?}");
    for target in local {
        let made = mode(
            &folder
                .path()
                .join(target["path"].as_str().unwrap().trim_start_matches('/')),
        );
        assert_eq!(target["now"]["value"]["mode"].as_str(), made.as_deref(), "{target}");
        assert_eq!(
            target["create_mode"].as_str().or(Some("0644")),
            made.as_deref(),
            "{target}"
        );
    }
}

#[test]
fn with_which_modes_logrotate_makes_files() {
    let folder = tempfile::tempdir().unwrap();
    let config = "rotate 1\n/a { }\n/b {\n create\n}\ncreate 0604\n/c { }\n/d {\n create 600 root root\n}\n/e {\n nocreate\n}\n\
        /f {\n create root root\n}\n/g {\n create\n}\n";
    fs::create_dir(folder.path().join("etc")).unwrap();
    let conf = folder.path().join("etc/logrotate.conf");
    fs::write(&conf, config).unwrap();
    let facts = facts(folder.path());
    let root = folder.path().display();
    let own = folder.path().join("own.conf");
    fs::write(&own, config.replace("\n/", &format!("\n{root}/"))).unwrap();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        let path = folder.path().join(name);
        fs::write(&path, "x\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    }
    let state = folder.path().join("state");
    let args = ["-f", "-s", state.to_str().unwrap(), own.to_str().unwrap()];
    let output = authority("logrotate", "/usr/sbin/logrotate", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let logs = facts["rotation"]["value"]["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 7);
    for log in logs {
        let made = mode(
            &folder
                .path()
                .join(log["logs"][0].as_str().unwrap().trim_start_matches('/')),
        );
        assert_eq!(log["creates"], made.is_some(), "{log}");
        let told = log["create_mode"].as_str().map(|told| format!("{told:0>4}"));
        assert_eq!(told.or(made.is_some().then(|| "0620".to_owned())), made, "{log}");
    }
}

#[test]
fn where_rsyslogd_sends() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("log.sock");
    let (all, all_port) = udp();
    let (again, again_port) = tcp();
    let (local0, local0_port) = tcp();
    let (condition, condition_port) = tcp();
    let (comment, comment_port) = udp();
    let (object, object_port) = udp();
    let (other, other_port) = udp();
    let (property, property_port) = udp();
    let config = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\") # c )\n\
         input(type=\"imuxsock\" Socket=\"{}\")\n\
         $FileCreateMode 0600\n\
         *.* @127.0.0.1:{all_port}\n\
         & @@127.0.0.1:{again_port}\n\
         local0.* @@(o)127.0.0.1:{local0_port};RSYSLOG_SyslogProtocol23Format\n\
         if $msg contains 'x(' then {{\n  action(type=\"omfwd\" target=\"127.0.0.1\"\n    port=\"{condition_port}\" protocol=\"tcp\") # c\n}}\n\
         /* action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{comment_port}\") */\n\
         *.* action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{object_port}\" protocol=\"udp\")\n\
         local1.* @127.0.0.1:{other_port}\n\
         :msg, contains, \"x(\" @127.0.0.1:{property_port}\n\
         local0.* -{}\n",
        socket.display(),
        folder.path().join("out.log").display(),
    );
    fs::create_dir(folder.path().join("etc")).unwrap();
    let path = folder.path().join("etc/rsyslog.conf");
    fs::write(&path, config).unwrap();
    let _running = rsyslogd(&path, &socket);
    let mut received = BTreeSet::new();
    for (port, got) in [
        (again_port, got_tcp(&again)),
        (local0_port, got_tcp(&local0)),
        (condition_port, got_tcp(&condition)),
        (all_port, got_udp(&all)),
        (comment_port, got_udp(&comment)),
        (object_port, got_udp(&object)),
        (other_port, got_udp(&other)),
        (property_port, got_udp(&property)),
    ] {
        if got {
            received.insert(port.to_string());
        }
    }

    let facts = facts(folder.path());
    let rsyslog = &facts["rsyslog"]["value"];
    let targets = rsyslog["targets"].as_array().unwrap();
    // All but the one whose selector the message does not meet.
    let expected: BTreeSet<String> = targets
        .iter()
        .filter(|target| target["selector"] != "local1.*")
        .map(|target| target["port"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(received, expected, "{targets:?}");
    assert_eq!(targets.len(), 7);
    assert!(
        targets
            .iter()
            .all(|target| target["host"] == "127.0.0.1" && target["tls"] == false)
    );
    assert_eq!(rsyslog["local"][0]["selector"], "local0.*");
    let written = Path::new(rsyslog["local"][0]["path"].as_str().unwrap());
    assert_eq!(mode(written).as_deref(), rsyslog["file_create_mode"].as_str());
}

#[test]
fn what_logrotate_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).unwrap();
    let config = "# c\nweekly\nrotate 4\ncreate\n\n\
        /var/log/a.log {\n  daily\n  rotate 7\n  compress\n}\n\
        /var/log/b.log /var/log/b2.log\n{\n  monthly\n  rotate=12\n  postrotate\n    rotate 99\n    echo } x\n  endscript\n}\n\
        \"/var/log/c d.log\" {\n  size 1M\n  rotate 0\n}\n\
        /var/log/e/*.log {\n}\n\
        yearly\nrotate 2\n/var/log/f.log {\n\tmissingok\n\tmaxage 30\n}\n";
    let path = etc.join("logrotate.conf");
    fs::write(&path, config).unwrap();
    let output = authority(
        "logrotate",
        "/usr/sbin/logrotate",
        &[
            "-d",
            "-s",
            folder.path().join("state").to_str().unwrap(),
            path.to_str().unwrap(),
        ],
        b"",
    );
    let said = [output.stdout, output.stderr].concat();
    // As it is named in the file; the newline of a list of names stays in what it says.
    let said = String::from_utf8_lossy(&said)
        .replace("after 1 days", "daily")
        .replace("\n monthly", "  monthly");
    // `rotating pattern: NAMES  weekly (4 rotations)`, `NAMES  1048576 bytes (no old logs will be kept)`
    let expected: Vec<(String, String)> = said
        .lines()
        .filter_map(|line| line.strip_prefix("rotating pattern: "))
        .map(|line| line.rsplit_once("  ").map_or((line, ""), |(names, how)| (names, how)))
        .map(|(names, how)| (names.trim().replace('"', ""), how.trim().to_owned()))
        .collect();
    let facts = facts(folder.path());
    assert_eq!(facts["rotation"]["value"]["unparsed"], serde_json::json!([]));
    let quoted = &facts["rotation"]["value"]["logs"][2]["logs"];
    assert_eq!(*quoted, serde_json::json!(["/var/log/c d.log"]));
    let logs = facts["rotation"]["value"]["logs"].as_array().unwrap().iter();
    let found: Vec<(String, String)> = logs
        .map(|log| {
            let names: Vec<&str> = log["logs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            let often = match log["frequency"].as_str().unwrap() {
                "size" => "1048576 bytes",
                often => often,
            };
            let kept = match log["keep"].as_i64().unwrap() {
                0 => "(no old logs will be kept)".to_owned(),
                kept => format!("({kept} rotations)"),
            };
            (names.join(" "), format!("{often} {kept}"))
        })
        .collect();
    assert_eq!(found, expected, "{said}");
}
