use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Interface, Inventory};
use crate::registry::Registered;

/// The shape of a QEMU guest with Debian 12 (`-machine q35`), written by hand: names and numbers are made up.
fn guest() -> Captured {
    Captured::default()
        .file("/proc/sys/kernel/hostname", "web-1\n")
        .file("/proc/sys/kernel/osrelease", "6.1.0-44-cloud-amd64\n")
        .file("/etc/hostname", "# set by the installer\nweb-1\n")
        .file("/etc/machine-id", "8d3f0a2b5c6e4f7a9b0c1d2e3f4a5b6c\n")
        .link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
        .file("/usr/share/zoneinfo/Europe/Berlin", "TZif2")
        .file("/sys/class/dmi/id/sys_vendor", "QEMU\n")
        .file("/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n")
        .file("/sys/class/dmi/id/product_version", "pc-q35-7.2\n")
        .file("/sys/class/dmi/id/product_serial", "\n")
        .file(
            "/sys/class/dmi/id/product_uuid",
            "4F1C2D3E-0000-4000-8000-00000000000A\n",
        )
        .file("/sys/class/dmi/id/bios_vendor", "SeaBIOS\n")
        .file(
            "/proc/cpuinfo",
            "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu vme hypervisor lahf_lm\n\n",
        )
        .file("/proc/1/environ", "HOME=/\0TERM=linux\0")
        .file("/proc/1/comm", "systemd\n")
        .folder("/run/systemd/system")
        .file(
            "/proc/net/if_inet6",
            "20010db8000000009c5b00000000a1b2 02 40 00 01     eth0\n",
        )
        .folder("/sys/class/net/eth0/device")
        .folder("/sys/class/net/veth4a5b")
        .inventory_of(Inventory {
            cpu_model: "QEMU TCG CPU version 2.5+".into(),
            cpus: 2,
            memory_bytes: 2_075_303_936,
            interfaces: vec![
                interface(
                    "eth0",
                    "52:54:00:12:34:56",
                    &[
                        "10.0.2.15/24",
                        "2001:db8::9c5b:0:0:a1b2/64",
                        "fe80::5054:ff:fe12:3456/64",
                    ],
                ),
                interface("lo", "", &["127.0.0.1/8"]),
                interface("veth4a5b", "3a:00:00:00:00:01", &["fe80::3800:ff:fe00:1/64"]),
            ],
        })
}

fn interface(name: &str, mac: &str, addresses: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        mac: mac.into(),
        addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
    }
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<HostProbe>().collect(host);
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].outcome, Outcome::Observed);
    documents[0].to_bytes().expect("a document");
    documents[0].facts.clone().expect("facts")
}

#[test]
fn a_guest() {
    let facts = facts(&guest());
    let expected = json!({
        "hostname": {"outcome": "observed", "value": "web-1"},
        "static_hostname": {"outcome": "observed", "value": "web-1"},
        "virtual_machine": {"outcome": "observed", "value": "qemu"},
        "container": {"outcome": "observed", "value": "none"},
        "timezone": {"outcome": "observed", "value": "Europe/Berlin"},
        "init": {"outcome": "observed", "value": "systemd"},
        "resources": {"outcome": "observed", "value":
            {"cpu_model": "QEMU TCG CPU version 2.5+", "cpus": 2, "memory_bytes": 2_080_374_784_u64}},
        "interfaces": {"outcome": "observed", "value":
            [{"name": "eth0", "mac": "52:54:00:12:34:56", "device": true, "addresses": ["10.0.2.15/24"]}]},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&facts[field], value, "{field}");
    }
    let hardware = &facts["hardware"]["value"];
    assert_eq!(hardware["vendor"]["value"], "QEMU");
    assert_eq!(hardware["uuid"]["value"], "4f1c2d3e-0000-4000-8000-00000000000a");
    assert_eq!(hardware["serial"]["outcome"], "absent");
    let id = Digest::of(b"8d3f0a2b5c6e4f7a9b0c1d2e3f4a5b6c").to_string();
    assert_eq!(facts["machine_id_sha256"]["value"], id.as_str());
}

#[test]
fn nothing_there_is_absent_and_never_a_guess() {
    let facts = facts(&Captured::default());
    for field in [
        "hostname",
        "static_hostname",
        "machine_id_sha256",
        "hardware",
        "init",
        "virtual_machine",
        "container",
    ] {
        assert_eq!(facts[field]["outcome"], "absent", "{field}");
    }
    assert_eq!(facts["resources"]["outcome"], "skipped");
    assert_eq!(facts["timezone"]["value"], "UTC");
}

#[test]
fn denied_is_told_as_denied() {
    let host = guest()
        .denied("/sys/class/dmi/id/product_serial")
        .denied("/etc/machine-id");
    let facts = facts(&host);
    assert_eq!(facts["hardware"]["value"]["serial"]["outcome"], "denied");
    assert_eq!(facts["machine_id_sha256"]["outcome"], "denied");
    assert_eq!(facts["hostname"]["outcome"], "observed");
}

#[test]
fn a_machine_id_of_another_form_is_malformed() {
    let facts = facts(&guest().file("/etc/machine-id", "8D3F0A2B5C6E4F7A9B0C1D2E3F4A5B6C\n"));
    assert_eq!(facts["machine_id_sha256"]["outcome"], "malformed");
    let facts = self::facts(&guest().file("/etc/machine-id", "uninitialized\n"));
    assert_eq!(facts["machine_id_sha256"]["outcome"], "absent");
}

#[test]
fn hypervisors() {
    let bare = "processor : 0\nflags : fpu vme\n";
    let cases = [
        ("KVM", "fpu hypervisor", "kvm"),
        ("Amazon EC2", "fpu hypervisor", "amazon"),
        ("Amazon EC2", "fpu", "none"),
        ("PowerEdge R640", "fpu", "none"),
        ("PowerEdge R640", "fpu hypervisor", "vm-other"),
    ];
    for (product, flags, expected) in cases {
        let host = Captured::default()
            .file("/sys/class/dmi/id/product_name", product)
            .file("/proc/cpuinfo", bare.replace("fpu vme", flags));
        assert_eq!(facts(&host)["virtual_machine"]["value"], expected, "{product}, {flags}");
    }
    let xen = Captured::default().file("/sys/hypervisor/type", "xen\n");
    assert_eq!(facts(&xen)["virtual_machine"]["value"], "xen");
    let first = xen.file("/proc/xen/capabilities", "control_d\n");
    assert_eq!(facts(&first)["virtual_machine"]["value"], "none");
    let denied = guest().denied("/proc/cpuinfo");
    assert_eq!(facts(&denied)["virtual_machine"]["outcome"], "denied");
}

#[test]
fn containers() {
    let docker = Captured::default().file("/.dockerenv", "").denied("/proc/1/environ");
    assert_eq!(facts(&docker)["container"]["value"], "docker");
    let nspawn = guest().file("/run/systemd/container", "systemd-nspawn\n");
    assert_eq!(facts(&nspawn)["container"]["value"], "systemd-nspawn");
    let lxc = Captured::default().file("/proc/1/environ", "PATH=/bin\0container=lxc\0");
    assert_eq!(facts(&lxc)["container"]["value"], "lxc");
    let other = Captured::default().file("/proc/1/environ", "container=mine");
    assert_eq!(facts(&other)["container"]["value"], "container-other");
    // Without systemd, whose word would be enough, a hidden environment leaves it open.
    let hidden = Captured::default().denied("/proc/1/environ");
    assert_eq!(facts(&hidden)["container"]["outcome"], "denied");
    assert_eq!(facts(&guest().denied("/proc/1/environ"))["container"]["value"], "none");
}

#[test]
fn the_environment_of_process_1_stays() {
    let host = guest().file("/proc/1/environ", "SECRET=hunter2\0container=lxc\0");
    let document = Registered::of::<HostProbe>().collect(&host).remove(0);
    let text = String::from_utf8(document.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("hunter2"));
    let digest = Digest::of(b"SECRET=hunter2\0container=lxc\0").to_string();
    assert!(!text.contains(&digest));
}
