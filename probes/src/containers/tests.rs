use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::{Captured, stat};
use crate::reading::{Kind, Stat};
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<ContainersProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn node(kind: Kind, mode: u32, gid: u32) -> Stat {
    stat(kind, mode, 0, gid)
}

fn docker(exec: &str, json: &str) -> Captured {
    Captured::default()
        .file("/usr/bin/dockerd", "")
        .file("/etc/docker/daemon.json", json)
        .file(
            "/usr/lib/systemd/system/docker.service",
            format!("[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd {exec}\n"),
        )
        .file("/etc/default/docker", "DOCKER_OPTS=\"--icc=false\"\n")
}

#[test]
fn nothing_is_installed() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["runtimes"], json!([]));
    assert_eq!(facts["undetermined"], json!([]));
    for part in ["docker", "containerd", "crio", "kubelet", "registries", "image_policy"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
    assert_eq!(facts["sockets"]["value"], json!([]));
}

#[test]
fn docker_by_flags_file_and_defaults() {
    let host = docker(
        "-H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS --log-opt max-size=10m",
        r#"{"userns-remap": "default", "live-restore": true, "icc": true, "hosts": ["tcp://0.0.0.0:2376"],
            "tlsverify": true, "insecure-registries": ["https://u:secret@r.example:5000"],
            "log-driver": "splunk", "log-opts": {"splunk-token": "secret", "max-file": "3"}}"#,
    );
    let text = facts(&host).to_string();
    assert!(!text.contains("secret"), "{text}");
    let told = facts(&host);
    let told = &told["docker"]["value"];
    assert_eq!(told["set_twice"], json!(["hosts", "icc"]));
    assert_eq!(told["inter_container"], false);
    assert_eq!(told["userns_remap"], "default");
    assert_eq!(told["live_restore"], true);
    assert_eq!(told["no_new_privileges"], false);
    assert_eq!(told["iptables"], true);
    assert_eq!(told["seccomp"], "builtin");
    assert_eq!(told["listens_on_network"], true);
    assert_eq!((&told["tls"], &told["tls_verify"]), (&json!(true), &json!(true)));
    assert_eq!(told["insecure_registries"], json!(["https://r.example:5000"]));
    assert_eq!(told["log_max_size"], "10m");
    assert_eq!(told["log_max_file"], "3");
    let hosts = json!([{"kind": "fd", "address": ""}, {"kind": "tcp", "address": "0.0.0.0:2376"}]);
    assert_eq!(told["hosts"], hosts);
    let local = docker_hosts(r#"{"hosts": ["tcp://127.0.0.1:2375", "tcp://:2375"]}"#);
    assert_eq!(local, json!(false));
    assert_eq!(docker_hosts(r#"{"hosts": ["tcp://[::]:2375"]}"#), json!(true));
    let default = facts(&docker("", "{}"));
    assert_eq!(
        default["docker"]["value"]["hosts"],
        json!([{"kind": "unix", "address": "/var/run/docker.sock"}])
    );
}

fn docker_hosts(json: &str) -> Value {
    facts(&docker("", json))["docker"]["value"]["listens_on_network"].clone()
}

#[test]
fn dockers_file_denied_or_malformed() {
    let outcome = |host: &Captured| facts(host)["docker"]["outcome"].clone();
    assert_eq!(outcome(&docker("", "{").denied("/etc/docker/daemon.json")), "denied");
    assert_eq!(outcome(&docker("", "{")), "malformed");
    assert_eq!(outcome(&docker("", r#"{"icc": "no"}"#)), "malformed");
    let facts = facts(&Captured::default().denied("/usr/bin/dockerd"));
    assert_eq!(facts["undetermined"][0]["product"], "docker");
    assert_eq!(facts["docker"]["outcome"], "failed");
}

#[test]
fn containerd_with_imports() {
    let host = Captured::default()
        .file("/usr/bin/containerd", "")
        .file(
            "/etc/containerd/config.toml",
            "version = 2\nimports = [\"conf.d/*.toml\"]\ndisabled_plugins = [\"cri\"]\n[grpc]\ngid = 998\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\nenable_selinux = false\n\
             [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r:5000\".tls]\ninsecure_skip_verify = true\n",
        )
        .file(
            "/etc/containerd/conf.d/a.toml",
            "version = 2\n[grpc]\ngid = 0\ntcp_address = \"0.0.0.0:1\"\n[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_selinux = true\n",
        );
    let facts_of = facts(&host);
    let facts_of = &facts_of["containerd"]["value"];
    assert_eq!(facts_of["files"].as_array().unwrap().len(), 2);
    assert_eq!(facts_of["socket_gid"], 998);
    assert_eq!(facts_of["tcp_address"], "0.0.0.0:1");
    assert_eq!(facts_of["tcp_tls"], false);
    assert_eq!(facts_of["selinux"], true);
    assert_eq!(facts_of["disabled_plugins"], json!(["cri"]));
    assert_eq!(
        facts_of["insecure_registries"],
        json!([]),
        "the plugin's table is replaced"
    );
    let defaults = Captured::default().file("/usr/bin/containerd", "");
    assert_eq!(facts(&defaults)["containerd"]["value"]["files"], json!([]));
    assert_eq!(
        facts(&host.file("/etc/containerd/config.toml", "x"))["containerd"]["outcome"],
        "malformed"
    );
}

#[test]
fn kubelets_defaults_depend_on_its_file() {
    let unit = |exec: &str| {
        Captured::default().file("/usr/bin/kubelet", "").file(
            "/usr/lib/systemd/system/kubelet.service",
            format!("[Service]\nEnvironment=\"C=--config=/var/lib/kubelet/config.yaml\"\nExecStart=/usr/bin/kubelet {exec}\n"),
        )
    };
    let bare = facts(&unit("--port 1"));
    let bare = &bare["kubelet"]["value"];
    assert_eq!(bare["anonymous"], true);
    assert_eq!(bare["authorization"], "AlwaysAllow");
    assert_eq!(bare["read_only_port"], 10_255);
    let host = unit("$C --authorization-mode=AlwaysAllow").file(
        "/var/lib/kubelet/config.yaml",
        "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  x509:\n    clientCAFile: /etc/ca.crt\nrotateCertificates: true\ntlsCipherSuites: [B, A]\n",
    );
    let with = facts(&host);
    let with = &with["kubelet"]["value"];
    assert_eq!(with["anonymous"], false);
    assert_eq!(with["authorization"], "AlwaysAllow");
    assert_eq!(with["by_flag"], json!(["authorization-mode"]));
    assert_eq!(with["read_only_port"], 0);
    assert_eq!(with["rotate_certificates"], true);
    assert_eq!(with["client_ca_file"], "/etc/ca.crt");
    assert_eq!(with["tls_cipher_suites"], json!(["A", "B"]));
    assert_eq!(facts(&unit("$C"))["kubelet"]["outcome"], "failed");
}

#[test]
fn registries_and_policy() {
    let host = Captured::default()
        .file("/usr/bin/podman", "")
        .file(
            "/etc/containers/registries.conf",
            "unqualified-search-registries = [\"docker.io\"]\n[[registry]]\nlocation = \"a.example\"\ninsecure = true\n\
             [[registry]]\nlocation = \"b.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\ninsecure = true\n",
        )
        .file(
            "/etc/containers/registries.conf.d/x.conf",
            "short-name-mode = \"enforcing\"\n[[registry]]\nlocation = \"a.example\"\nblocked = true\n",
        )
        .file(
            "/etc/containers/policy.json",
            r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"x": [{"type": "signedBy"}]}}}"#,
        );
    let facts = facts(&host);
    let registries = &facts["registries"]["value"];
    assert_eq!(registries["unqualified_search"], json!(["docker.io"]));
    assert_eq!(registries["short_name_mode"], "enforcing");
    assert_eq!(registries["insecure"], json!(["m.example"]));
    assert_eq!(registries["blocked"], json!(["a.example"]));
    assert_eq!(
        facts["image_policy"]["value"]["default"],
        json!(["insecureAcceptAnything"])
    );
    assert_eq!(facts["image_policy"]["value"]["others"], json!(["signedBy"]));
}

#[test]
fn sockets() {
    let host = Captured::default()
        .file("/run/docker.sock", "")
        .stat_of("/run/docker.sock", node(Kind::Socket, 0o666, 998))
        .file("/run/user/1000/docker.sock", "")
        .stat_of("/run/user/1000/docker.sock", node(Kind::Socket, 0o600, 0))
        .file("/run/user/1001/podman/podman.sock", "");
    let facts = facts(&host);
    let expected = json!([{"path": "/run/docker.sock", "mode": "0666", "world_writable": true, "uid": 0, "gid": 998,
                           "folder_open": true}]);
    assert_eq!(facts["sockets"]["value"], expected);
    assert_eq!(facts["rootless_users"]["value"], json!([1000]));
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "[\\[\\]{}=:\"a1 \n-]{0,80}") {
        for content in [bytes, text.into_bytes()] {
            let host = docker("$DOCKER_OPTS", "")
                .file("/usr/bin/containerd", "")
                .file("/usr/bin/podman", "")
                .file("/usr/bin/crio", "")
                .file("/usr/bin/kubelet", "")
                .file("/etc/docker/daemon.json", &content)
                .file("/etc/default/docker", &content)
                .file("/etc/containerd/config.toml", &content)
                .file("/etc/crio/crio.conf", &content)
                .file("/etc/containers/registries.conf", &content)
                .file("/etc/containers/policy.json", &content)
                .file("/var/lib/kubelet/config.yaml", &content);
            facts(&host);
        }
    }
}

mod each;
