use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::Attributes;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<ContainersProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn docker() -> Captured {
    let socket = Stat {
        kind: Kind::Socket,
        mode: 0o660,
        uid: 0,
        gid: 998,
        size: 0,
        mtime: 0,
        device: (0, 0),
        inode: 1,
        attributes: Attributes::default(),
    };
    Captured::default()
        .file("/usr/bin/dockerd", "")
        .file("/usr/bin/containerd", "")
        .file(
            "/etc/docker/daemon.json",
            r#"{"icc":false,"hosts":["unix:///var/run/docker.sock","tcp://0.0.0.0:2375"],"userns-remap":"default","labels":["x=secret"]}"#,
        )
        .file(
            "/usr/lib/systemd/system/docker.service",
            "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --tlsverify -H tcp://127.0.0.1:2376 --label a=b\n",
        )
        .file("/run/docker.sock", "")
        .stat_of("/run/docker.sock", socket)
}

#[test]
fn docker_is_set_up() {
    let facts = facts(&docker());
    assert_eq!(facts["engines"][1]["name"], "docker");
    assert_eq!(facts["engines"][1]["units"]["value"][0]["unit"], "docker.service");
    let docker = &facts["docker"]["value"];
    assert_eq!(docker["daemon_json"]["value"]["icc"], "false");
    assert_eq!(docker["daemon_json"]["value"]["userns-remap"], "\"default\"");
    assert_eq!(
        docker["network_hosts"],
        json!(["tcp://0.0.0.0:2375", "tcp://127.0.0.1:2376"])
    );
    assert_eq!(docker["options"]["value"][3], "--tlsverify");
    assert_eq!(
        facts["sockets"]["value"],
        json!([{"path": "/run/docker.sock", "mode": "0660", "uid": 0, "gid": 998}])
    );
    assert_eq!(facts["kubelet"]["outcome"], "absent");
    assert!(!facts.to_string().contains("secret"));
}

#[test]
fn the_kubelets_settings_in_both_forms() {
    let yaml = "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: false # c\n  webhook:\n    cacheTTL: 0s\n    enabled: true\nauthorization:\n  mode: Webhook\nreadOnlyPort: 0\nclusterDNS:\n- 10.96.0.10\n";
    let host = Captured::default().file("/var/lib/kubelet/config.yaml", yaml);
    let expected = json!({
        "authentication.anonymous.enabled": "false",
        "authentication.webhook.enabled": "true",
        "authorization.mode": "Webhook",
        "readOnlyPort": "0",
    });
    assert_eq!(facts(&host)["kubelet"]["value"], expected);
    let json = r#"{"authentication":{"anonymous":{"enabled":false},"webhook":{"enabled":true}},"authorization":{"mode":"Webhook"},"readOnlyPort":0}"#;
    let host = Captured::default().file("/etc/kubernetes/kubelet/kubelet-config.json", json);
    assert_eq!(facts(&host)["kubelet"]["value"], expected);
}

#[test]
fn denied_malformed_and_none() {
    let odd = facts(&docker().file("/etc/docker/daemon.json", "{"));
    assert_eq!(odd["docker"]["value"]["daemon_json"]["outcome"], "malformed");
    let denied = facts(&docker().denied("/etc/docker/daemon.json").denied("/run/docker.sock"));
    assert_eq!(denied["docker"]["value"]["daemon_json"]["outcome"], "denied");
    assert_eq!(denied["sockets"]["outcome"], "denied");
    let none = facts(&Captured::default());
    assert_eq!(
        (&none["engines"], &none["docker"]["outcome"]),
        (&json!([]), &json!("absent"))
    );
}

proptest! {
    #[test]
    fn any_text_ends(text in "[\\PC\n:{}\"]{0,200}") {
        let host = docker().file("/etc/docker/daemon.json", &text).file("/var/lib/kubelet/config.yaml", &text);
        let _ = facts(&host);
    }
}
