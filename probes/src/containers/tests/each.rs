//! Containers themselves. The files are as Docker 20.10 and podman 4.3 wrote them, shortened.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{docker, facts};
use crate::reading::captured::Captured;

const ID: &str = "2c6931ad6705a0d0880abfae681b8c78db378c8b09577f7ebae9f81300cee3b2";
const CONFIG: &str = r#"{"State":{"Running":true,"Pid":14547},"ID":"2c69","Config":{"User":"0:5","Env":["PASSWORD=secret"],
  "Image":"tiny:2","Labels":{"token":"secret"}},"Image":"sha256:2455","NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":
  "127.0.0.1","HostPort":"32768"},{"HostIp":"::","HostPort":"32768"}],"81/udp":null}},"Name":"/r3","MountPoints":{"/r":{"Source":
  "/root","Destination":"/r","RW":false,"Name":"","Driver":"","Type":"bind","Propagation":"rshared"},"/s":{"Source":
  "/var/run/docker.sock","RW":true,"Type":"bind","Propagation":"rprivate"},"/h":{"Source":"/home/jane/data","RW":true,"Type":
  "bind"},"/v":{"Source":"/var/lib/docker/volumes/vol/_data","RW":true,"Name":"vol","Driver":"local","Type":"volume"}},
  "AppArmorProfile":"docker-default","SeccompProfile":"","NoNewPrivileges":true}"#;
const HOST: &str = r#"{"NetworkMode":"default","PortBindings":{"80/tcp":[{"HostIp":"","HostPort":""}]},"RestartPolicy":{"Name":
  "on-failure","MaximumRetryCount":5},"CapAdd":["sys_admin","CAP_NET_ADMIN"],"CapDrop":["chown"],"CgroupnsMode":"private",
  "IpcMode":"container:d9aceb9594e3d9e198c77519c98003b565fb9f5f2285289523deb33f76e0527a","PidMode":"host","Privileged":false,
  "ReadonlyRootfs":true,"SecurityOpt":["seccomp=unconfined","label=disable"],"UTSMode":"","UsernsMode":"","Memory":0,
  "PidsLimit":100,"Devices":[{"PathOnHost":"/dev/null","PathInContainer":"/dev/x","CgroupPermissions":"rwm"}],
  "DeviceCgroupRules":["c 1:3 r"],"DeviceRequests":null,"MaskedPaths":["/proc/kcore"]}"#;

fn path(root: &str, id: &str, file: &str) -> String {
    format!("{root}/containers/{id}/{file}")
}

fn one(config: &str, host: &str) -> Captured {
    docker("", "{}")
        .file(&path("/var/lib/docker", ID, "config.v2.json"), config)
        .file(&path("/var/lib/docker", ID, "hostconfig.json"), host)
}

fn settings(host: &Captured) -> Value {
    let facts = facts(host);
    assert!(
        !facts.to_string().contains("secret") && !facts.to_string().contains("jane"),
        "{facts}"
    );
    facts["docker_containers"]["value"]["containers"][0]["settings"].clone()
}

#[test]
fn a_container_of_docker() {
    let host = one(CONFIG, HOST).file(
        "/var/lib/docker/volumes/vol/opts.json",
        r#"{"MountType":"none","MountOpts":"rw,bind","MountDevice":"/etc/","Quota":{}}"#,
    );
    let told = settings(&host);
    let expected = json!({
        "name": "r3", "image": "tiny:2", "image_id": "sha256:2455", "running": {"outcome": "observed", "value": true},
        "user": "root", "privileged": false,
        "capabilities": ["cap_audit_write", "cap_dac_override", "cap_fowner", "cap_fsetid", "cap_kill", "cap_mknod", "cap_net_admin",
                         "cap_net_bind_service", "cap_net_raw", "cap_setfcap", "cap_setgid", "cap_setpcap", "cap_setuid",
                         "cap_sys_admin", "cap_sys_chroot"],
        "added_capabilities": ["cap_net_admin", "cap_sys_admin"],
        "no_new_privileges": true, "seccomp": "unconfined", "apparmor": "default", "label_disabled": true, "masked_paths": true,
        "host_namespaces": ["pid", "user"], "joined_namespaces": ["ipc:d9aceb9594e3"],
        "read_only": true, "memory_limited": false, "pids_limited": true,
        "restart": {"outcome": "observed", "value": {"policy": "on-failure", "at_most": 5}},
        "ports": {"outcome": "observed", "value": [
            {"container_port": 80, "protocol": "tcp", "host_port": 32768, "address": "127.0.0.1", "reach": "loopback"},
            {"container_port": 80, "protocol": "tcp", "host_port": 32768, "address": "::", "reach": "all"}]},
        "mounts": {"outcome": "observed", "value": [
            {"path": "/etc", "writable": true, "shared": false},
            {"path": "/root", "writable": false, "shared": true},
            {"path": "/run/docker.sock", "writable": true, "shared": false}]},
        "devices": ["/dev/null"], "device_rules": ["c 1:3 r"],
    });
    assert_eq!(told["value"], expected);
    let denied = settings(&host.denied("/var/lib/docker/volumes/vol/opts.json"));
    assert_eq!(denied["value"]["mounts"]["outcome"], "denied");
}

#[test]
fn privileged_or_stopped() {
    let told = settings(&one(
        CONFIG,
        &HOST.replace("\"Privileged\":false", "\"Privileged\":true"),
    ));
    assert_eq!(told["value"]["capabilities"], json!(["all"]));
    assert_eq!(told["value"]["masked_paths"], false);
    let stopped = settings(&one(&CONFIG.replace("\"Running\":true", "\"Running\":false"), HOST));
    let ports = json!([{"container_port": 80, "protocol": "tcp", "host_port": null, "address": "", "reach": "all"}]);
    assert_eq!(stopped["value"]["ports"]["value"], ports);
    let network = settings(&one(
        CONFIG,
        &HOST.replace("\"NetworkMode\":\"default\"", "\"NetworkMode\":\"host\""),
    ));
    assert_eq!(network["value"]["ports"]["value"], json!([]));
    assert_eq!(network["value"]["host_namespaces"], json!(["network", "pid", "user"]));
    let user = settings(&one(&CONFIG.replace("0:5", "app"), HOST));
    assert_eq!(user["value"]["user"], "other");
}

#[test]
fn capabilities_as_the_daemon_takes_them() {
    let told = |add: &str, drop: &str| {
        let host = HOST
            .replace(r#"["sys_admin","CAP_NET_ADMIN"]"#, add)
            .replace(r#"["chown"]"#, drop);
        settings(&one(CONFIG, &host))["value"]["capabilities"].clone()
    };
    assert_eq!(told("null", r#"["ALL"]"#), json!([]));
    assert_eq!(told(r#"["Chown"]"#, r#"["all", "KILL"]"#), json!(["cap_chown"]));
    assert_eq!(told(r#"["ALL"]"#, "null"), json!(["all"]));
    assert_eq!(told(r#"["ALL"]"#, r#"["CHOWN"]"#).as_array().unwrap().len(), 40);
    assert_eq!(told("null", "null").as_array().unwrap().len(), 14);
    assert_eq!(told(r#"["Chown"]"#, r#"["CHOWN"]"#).as_array().unwrap().len(), 14);
}

#[test]
fn users_of_containers_that_are_others() {
    let remap = r#"{"userns-remap": "default", "data-root": "/srv/d"}"#;
    let host = docker("", remap)
        .file(&path("/srv/d", ID, "config.v2.json"), "not looked at")
        .file(&path("/srv/d/100000.100000", ID, "config.v2.json"), CONFIG)
        .file(&path("/srv/d/100000.100000", ID, "hostconfig.json"), HOST);
    let told = settings(&host);
    assert_eq!(told["value"]["host_namespaces"], json!(["pid"]), "{told}");
}

#[test]
fn the_snap_of_docker() {
    let root = "/var/snap/docker/common/var-lib-docker";
    let host = Captured::default()
        .folder("/snap/docker/current")
        .file(&path(root, ID, "config.v2.json"), CONFIG)
        .file(&path(root, ID, "hostconfig.json"), HOST);
    let told = settings(&host);
    assert_eq!(told["value"]["name"], "r3", "{told}");
    assert_eq!(told["value"]["host_namespaces"], json!(["pid", "user"]));
}

#[test]
fn absent_denied_malformed() {
    let list = |host: &Captured| facts(host)["docker_containers"].clone();
    assert_eq!(list(&Captured::default())["outcome"], "absent");
    assert_eq!(list(&docker("", "{}"))["value"], json!({"containers": [], "more": 0}));
    assert_eq!(list(&docker("", "{"))["outcome"], "malformed");
    assert_eq!(list(&docker("", "{}").denied("/var/lib/docker"))["outcome"], "denied");
    let half = docker("", "{}").file(&path("/var/lib/docker", ID, "config.v2.json"), CONFIG);
    assert_eq!(
        list(&half)["value"]["containers"],
        json!([]),
        "it is being made or removed"
    );
    let closed = one(CONFIG, HOST).denied(&path("/var/lib/docker", ID, "hostconfig.json"));
    assert_eq!(settings(&closed)["outcome"], "denied");
    for (config, host) in [
        ("{", HOST),
        (CONFIG, "[]"),
        (
            CONFIG,
            &HOST.replace("\"Privileged\":false", "\"Privileged\":\"secret\""),
        ),
        (CONFIG, &HOST.replace("[\"chown\"]", "\"secret\"")),
        (&CONFIG.replace("\"RW\":false,", ""), HOST),
        (&CONFIG.replace("{\"Running\":true,\"Pid\":14547}", "{}"), HOST),
    ] {
        let told = settings(&one(config, host));
        let part = if told["outcome"] == "observed" {
            &told["value"]["mounts"]
        } else {
            &told
        };
        assert_eq!(part["outcome"], "malformed", "{told}");
    }
}

#[test]
fn what_is_more_is_counted() {
    let mut host = docker("", "{}");
    for number in 0..503 {
        let id = format!("{number:064x}");
        host = host
            .file(&path("/var/lib/docker", &id, "config.v2.json"), CONFIG)
            .file(&path("/var/lib/docker", &id, "hostconfig.json"), HOST);
    }
    let facts = facts(&host);
    let told = &facts["docker_containers"]["value"];
    assert_eq!(
        (told["containers"].as_array().unwrap().len(), &told["more"]),
        (500, &json!(3))
    );
}

const OCI: &str = r#"{"process":{"user":{"uid":1000,"gid":0},"env":["PASSWORD=secret"],"capabilities":{"bounding":["CAP_CHOWN",
  "CAP_NET_ADMIN"]},"noNewPrivileges":true},"root":{"path":"/x","readonly":true},"mounts":[{"destination":"/x","type":"bind",
  "source":"/etc","options":["ro","rprivate","rbind"]},{"destination":"/proc","type":"proc","source":"proc"},{"destination":
  "/etc/hosts","type":"bind","source":"/var/lib/containers/storage/overlay-containers/2c6931ad6705a0d0880abfae681b8c78db378c8b09577f7ebae9f81300cee3b2/userdata/hosts","options":["bind"]},
  {"destination":"/v","type":"bind","source":"/var/lib/containers/storage/volumes/v/_data","options":["rbind"]}],"annotations":
  {"io.container.manager":"libpod","io.podman.annotations.privileged":"FALSE"},"linux":{"resources":{"devices":[{"allow":false,
  "access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rwm"}],"pids":{"limit":2048}},"devices":[{"path":
  "/dev/null","type":"c"}],"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/x"},{"type":"ipc","path":
  "/proc/7/ns/ipc"},{"type":"mount"}],"seccomp":{},"maskedPaths":["/proc/kcore"]}}"#;

fn podman(config: Option<&str>) -> Captured {
    let metadata = r#""{\"image-name\":\"localhost/tiny:1\",\"image-id\":\"6184\",\"name\":\"r2\"}""#;
    let listed = format!(r#"[{{"id":"{ID}","names":["r2"],"metadata":{metadata}}}]"#);
    let base = "/var/lib/containers/storage/overlay-containers";
    let host = Captured::default()
        .file("/usr/bin/podman", "")
        .file(&format!("{base}/containers.json"), listed);
    match config {
        Some(config) => host.file(&format!("{base}/{ID}/userdata/config.json"), config),
        None => host,
    }
}

fn of_podman(host: &Captured) -> Value {
    let facts = facts(host);
    assert!(!facts.to_string().contains("secret"), "{facts}");
    facts["podman_containers"].clone()
}

#[test]
fn a_container_of_podman() {
    let pidfile = format!("/run/containers/storage/overlay-containers/{ID}/userdata/pidfile");
    let host = podman(Some(OCI)).file(&pidfile, "77\n");
    let told = of_podman(&host);
    let told = &told["value"]["containers"][0]["settings"]["value"];
    assert_eq!(
        (&told["name"], &told["image"]),
        (&json!("r2"), &json!("localhost/tiny:1"))
    );
    assert_eq!((&told["user"], &told["privileged"]), (&json!("other"), &json!(false)));
    assert_eq!(told["capabilities"], json!(["cap_chown", "cap_net_admin"]));
    assert_eq!(told["added_capabilities"], json!(["cap_net_admin"]));
    assert_eq!(
        (&told["seccomp"], &told["apparmor"]),
        (&json!("default"), &json!("unset"))
    );
    assert_eq!(told["host_namespaces"], json!(["cgroup", "user", "uts"]));
    assert_eq!(told["joined_namespaces"], json!(["ipc"]));
    assert_eq!(
        told["mounts"]["value"],
        json!([{"path": "/etc", "writable": false, "shared": false}])
    );
    assert_eq!(
        (&told["devices"], &told["device_rules"]),
        (&json!(["/dev/null"]), &json!(["c 1:3 rwm"]))
    );
    assert_eq!(
        (&told["no_new_privileges"], &told["read_only"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(told["ports"]["outcome"], "unsupported");
    assert_eq!(told["running"]["value"], false, "its process has gone");
    let runs = |cgroup: &str| {
        let host = host.clone().file("/proc/77/cgroup", cgroup);
        of_podman(&host)["value"]["containers"][0]["settings"]["value"]["running"]["value"].clone()
    };
    assert_eq!(runs(&format!("0::/machine.slice/libpod-{ID}.scope/container\n")), true);
    assert_eq!(runs("0::/user.slice\n"), false, "another process has its number");
}

#[test]
fn podman_absent_denied_malformed() {
    assert_eq!(of_podman(&Captured::default())["outcome"], "absent");
    let none = Captured::default().file("/usr/bin/podman", "");
    assert_eq!(of_podman(&none)["value"], json!({"containers": [], "more": 0}));
    assert_eq!(
        of_podman(&none.clone().denied("/var/lib/containers"))["outcome"],
        "denied"
    );
    assert_eq!(
        of_podman(&none.file("/etc/containers/storage.conf", "x"))["outcome"],
        "malformed"
    );
    let settings =
        |config: Option<&str>| of_podman(&podman(config))["value"]["containers"][0]["settings"]["outcome"].clone();
    assert_eq!(settings(None), "absent", "it was never started");
    for wrong in [
        "",
        "{}",
        &OCI.replace("\"uid\":1000", "\"uid\":\"secret\""),
        &OCI.replace("\"linux\"", "\"x\""),
    ] {
        assert_eq!(settings(Some(wrong)), "malformed", "{wrong}");
    }
    let listed = "/var/lib/containers/storage/overlay-containers/containers.json";
    assert_eq!(
        of_podman(&podman(None).file(listed, r#"[{"id": "../../etc"}]"#))["outcome"],
        "malformed"
    );
    let moved = "[storage]\ndriver = \"vfs\"\ngraphroot = \"/srv/g\"\nrunroot = \"/srv/r\"\n";
    let moved = podman(None)
        .file("/etc/containers/storage.conf", moved)
        .file("/srv/g/vfs-containers/containers.json", "[]");
    assert_eq!(of_podman(&moved)["value"]["containers"], json!([]));
}

proptest! {
    #[test]
    fn any_text_of_a_runtime(at in 0usize..2_000, with in "[\\[\\]{}:\",a0/-]{0,4}", bytes: Vec<u8>) {
        let spoilt = |text: &str| {
            let at = at % text.len();
            format!("{}{with}{}", text.get(..at).unwrap_or_default(), text.get(at + with.len()..).unwrap_or_default())
        };
        facts(&one(&spoilt(CONFIG), HOST));
        facts(&one(CONFIG, &spoilt(HOST)));
        facts(&podman(Some(&spoilt(OCI))));
        facts(&podman(None).file("/var/lib/containers/storage/overlay-containers/containers.json", &bytes));
        facts(&one(CONFIG, HOST).file(&path("/var/lib/docker", ID, "hostconfig.json"), &bytes));
    }
}
