use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<KernelHardeningProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

fn observed(value: impl Into<Value>) -> Value {
    json!({"outcome": "observed", "value": value.into()})
}

#[test]
fn keys_are_sorted_and_each_is_there_once() {
    assert!(settings::KEYS.is_sorted_by(|one, other| one < other));
}

#[test]
fn settings_now_and_at_boot() {
    let host = Captured::default()
        .file("/usr/lib/systemd/systemd-sysctl", "")
        .file("/proc/sys/kernel/kptr_restrict", "1\n")
        .file("/proc/sys/kernel/sysrq", "0x1b6\n")
        .file("/proc/sys/kernel/yama/ptrace_scope", "one\n")
        .denied("/proc/sys/fs/protected_hardlinks")
        .file(
            "/etc/sysctl.d/50-x.conf",
            "kernel.kptr_restrict = 2\nfs.suid_dumpable=0 0\nnet.ipv4.conf.*.rp_filter=1\nnonsense\n",
        );
    let facts = facts(&host);
    let settings = facts["settings"].as_array().unwrap();
    let setting = |key: &str| settings.iter().find(|one| one["key"] == key).unwrap();
    assert_eq!(
        setting("kernel.kptr_restrict"),
        &json!({"key": "kernel.kptr_restrict", "now": observed(1), "at_boot": observed(2), "set_by": "/etc/sysctl.d/50-x.conf"})
    );
    assert_eq!(setting("kernel.sysrq")["now"], observed(438));
    assert_eq!(setting("kernel.sysrq")["at_boot"]["outcome"], "absent");
    assert_eq!(setting("kernel.yama.ptrace_scope")["now"]["outcome"], "malformed");
    assert_eq!(setting("fs.protected_hardlinks")["now"]["outcome"], "denied");
    assert_eq!(setting("fs.suid_dumpable")["at_boot"]["outcome"], "malformed");
    assert_eq!(setting("net.ipv4.conf.all.rp_filter")["at_boot"], observed(1));
    assert_eq!(setting("net.ipv4.conf.all.rp_filter")["now"]["outcome"], "absent");
    assert!(!settings.iter().any(|one| one["key"] == "kernel.dmesg_restrict"));
    assert_eq!(
        facts["unparsed_settings"]["value"],
        json!(["/etc/sysctl.d/50-x.conf:4"])
    );
    let denied = self::facts(&host.denied("/etc/sysctl.d"));
    assert_eq!(denied["settings"][0]["at_boot"]["outcome"], "denied");
    assert_eq!(denied["unparsed_settings"]["outcome"], "denied");
}

#[test]
fn the_running_kernel_and_its_processor() {
    let host = Captured::default()
        .file("/proc/sys/kernel/osrelease", "6.1.0-28-amd64\n")
        .file("/boot/config-6.1.0-27-amd64", "CONFIG_MODULE_SIG=n\n")
        .file(
            "/boot/config-6.1.0-28-amd64",
            "CONFIG_MODULE_SIG=y\n# CONFIG_DEVKMEM is not set\n",
        )
        .file(
            "/proc/cpuinfo",
            "processor\t: 0\nflags\t\t: fpu nx smep lm\n\nprocessor\t: 1\nflags\t\t: smap\n",
        )
        .file(
            "/proc/modules",
            "ext4 1 1 - Live 0x0\nnvidia 2 0 - Live 0x0 (POE)\nb 2 0 a,c, Loading 0x0 (O+)\n",
        );
    let told = facts(&host);
    assert_eq!(
        told["build"]["value"],
        json!({"file": "/boot/config-6.1.0-28-amd64", "options": {"DEVKMEM": "n", "MODULE_SIG": "y"}})
    );
    assert_eq!(told["processor"]["value"], json!(["nx", "smep"]));
    assert_eq!(
        told["tainting_modules"]["value"],
        json!([{"name": "b", "taints": ["out_of_tree_module"]},
               {"name": "nvidia", "taints": ["out_of_tree_module", "proprietary_module", "unsigned_module"]}])
    );
    let denied = facts(
        &host
            .clone()
            .denied("/boot/config-6.1.0-28-amd64")
            .denied("/proc/modules"),
    );
    assert_eq!(
        (&denied["build"]["outcome"], &denied["tainting_modules"]["outcome"]),
        (&json!("denied"), &json!("denied"))
    );
    let odd = facts(
        &host
            .file("/proc/sys/kernel/osrelease", "../x\n")
            .file("/proc/cpuinfo", "hart : 0\n"),
    );
    assert_eq!(
        (&odd["build"]["outcome"], &odd["processor"]["outcome"]),
        (&json!("malformed"), &json!("absent"))
    );
}

#[test]
fn a_locked_down_machine() {
    let efi = "/sys/firmware/efi/efivars";
    let host = Captured::default()
        .file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        .file("/sys/module/module/parameters/sig_enforce", "Y\n")
        .file(
            &format!("{efi}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
            [6, 0, 0, 0, 1],
        )
        .file(
            &format!("{efi}/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
            [6, 0, 0, 0, 0],
        )
        .folder("/sys/kernel/iommu_groups/0")
        .folder("/sys/kernel/iommu_groups/1")
        .file("/proc/sys/kernel/tainted", "12288\n")
        .file("/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n")
        .file(
            "/sys/devices/system/cpu/vulnerabilities/mds",
            "Mitigation: Clear CPU buffers; SMT vulnerable\n",
        )
        .file(
            "/sys/devices/system/cpu/vulnerabilities/itlb_multihit",
            "KVM: Mitigation: VMX disabled\n",
        )
        .file("/sys/devices/system/cpu/vulnerabilities/retbleed", "Vulnerable\n")
        .file(
            "/sys/devices/system/cpu/vulnerabilities/mmio_stale_data",
            "Unknown: No mitigations\n",
        );
    let facts = facts(&host);
    assert_eq!(facts["lockdown"], observed("integrity"));
    assert_eq!(facts["module_signatures_enforced"], observed(true));
    assert_eq!(facts["secure_boot"]["value"]["enabled"], observed(true));
    assert_eq!(facts["secure_boot"]["value"]["setup_mode"], observed(false));
    assert_eq!(
        facts["secure_boot"]["value"]["shim_validation_disabled"]["outcome"],
        "absent"
    );
    assert_eq!(facts["iommu_groups"], observed(2));
    assert_eq!(
        facts["tainted"]["value"],
        json!(["out_of_tree_module", "unsigned_module"])
    );
    let statuses: Vec<_> = facts["vulnerabilities"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    // mitigation is said before what is left open
    assert_eq!(
        statuses,
        ["mitigated", "mitigated", "not_affected", "unknown", "vulnerable"]
    );
}

#[test]
fn nothing_there_is_absent_and_nonsense_is_malformed() {
    let none = facts(&Captured::default());
    for name in [
        "lockdown",
        "module_signatures_enforced",
        "secure_boot",
        "vulnerabilities",
        "command_line",
        "tainted",
        "iommu_groups",
    ] {
        assert_eq!(none[name]["outcome"], "absent", "{name}");
    }
    let odd = Captured::default()
        .file("/sys/kernel/security/lockdown", "?\n")
        .file("/sys/module/module/parameters/sig_enforce", "?\n")
        .file("/proc/sys/kernel/tainted", "?\n");
    for name in ["lockdown", "module_signatures_enforced", "tainted"] {
        assert_eq!(facts(&odd)[name]["outcome"], "malformed", "{name}");
    }
    assert_eq!(
        facts(&odd.denied("/sys/kernel/security/lockdown"))["lockdown"]["outcome"],
        "denied"
    );
}

#[test]
fn command_lines() {
    let host = Captured::default()
        .file(
            "/proc/cmdline",
            "BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet mitigations=off slab_nomerge audit=1\n",
        )
        .file(
            "/etc/default/grub",
            "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"audit=1\"\n",
        )
        .file(
            "/etc/default/grub.d/50.cfg",
            "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX apparmor=1\"\n",
        )
        .file(
            "/boot/loader/entries/a.conf",
            "title x\nlinux /v\noptions root=x selinux=0 $kernelopts ${none}\n",
        )
        .file("/boot/grub2/grubenv", "# GRUB Environment Block\nkernelopts=ro fips=1\n####")
        .file(
            "/boot/grub/grub.cfg",
            "menuentry 'x' {\n\tlinux\t/vmlinuz root=1 ro audit=1 quiet\n}\nmenuentry 'y' {\n linux /vmlinuz root=1 ro single audit=1\n}\n# linux /no audit=0\n",
        )
        .file(
            "/etc/kernel/cmdline",
            "init_on_alloc=1 lockdown=integrity ima_appraise=enforce\n",
        );
    let facts = facts(&host);
    assert_eq!(
        facts["command_line"]["value"],
        json!(["audit=1", "mitigations=off", "slab_nomerge"])
    );
    assert_eq!(
        facts["command_lines_at_boot"]["value"],
        json!([
            {"file": "/boot/grub/grub.cfg", "read_at_boot": true, "options": ["audit=1"]},
            {"file": "/boot/grub/grub.cfg", "read_at_boot": true, "options": ["audit=1", "single"]},
            {"file": "/boot/loader/entries/a.conf", "read_at_boot": true, "options": ["fips=1", "selinux=0"]},
            {"file": "/etc/default/grub", "read_at_boot": false, "options": ["apparmor=1", "audit=1"]},
            {"file": "/etc/kernel/cmdline", "read_at_boot": false, "options": ["ima_appraise=enforce", "init_on_alloc=1", "lockdown=integrity"]},
        ])
    );
}

#[test]
fn core_dumps() {
    let host = Captured::default()
        .file(
            "/proc/sys/kernel/core_pattern",
            "|/usr/lib/systemd/systemd-coredump %P %u\n",
        )
        .file(
            "/etc/systemd/coredump.conf",
            "[Coredump]\nStorage=none\nProcessSizeMax=0\n",
        )
        .file(
            "/etc/security/limits.conf",
            "# * hard core 1\n* hard core 0\nanna soft core 7\n* soft nofile 9\n",
        )
        .file("/etc/security/limits.d/9.conf", "root - core unlimited # c\n");
    let facts = facts(&host);
    assert_eq!(
        facts["core_pattern"]["value"],
        json!({"kind": "pipe", "program": "/usr/lib/systemd/systemd-coredump"})
    );
    assert_eq!(
        facts["core_dumps"]["value"],
        json!({
            "storage": "none", "process_size_max": "0", "default_limit": "", "other_limits": 1,
            "limits": [
                {"domain": "*", "kind": "hard", "value": "0"},
                {"domain": "root", "kind": "-", "value": "unlimited"},
            ],
        })
    );
    let denied = self::facts(&host.denied("/etc/security/limits.conf"));
    assert_eq!(denied["core_dumps"]["outcome"], "denied");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = Captured::default()
            .file("/proc/cmdline", &bytes)
            .file("/etc/default/grub", &bytes)
            .file("/etc/sysctl.conf", &bytes)
            .file("/proc/sys/kernel/sysrq", &bytes)
            .file("/proc/sys/kernel/core_pattern", &bytes)
            .file("/etc/security/limits.conf", &bytes)
            .file("/sys/devices/system/cpu/vulnerabilities/x", &bytes)
            .folder("/sys/firmware/efi")
            .file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", &bytes);
        facts(&host);
    }
}
