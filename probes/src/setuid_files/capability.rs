//! File capabilities: the value of `security.capability` (capabilities(7); `struct vfs_cap_data` in
//! `linux/capability.h`).

use schemars::JsonSchema;
use serde::Serialize;

/// By number; what is higher is written `cap_N`.
pub(crate) const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

const REVISION_MASK: u32 = 0xff00_0000;
const EFFECTIVE: u32 = 1;

/// What a file gives to whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Capabilities {
    /// Given whatever the process had, in the order of their numbers.
    pub permitted: Vec<String>,
    /// Given if the process has them as inheritable.
    pub inheritable: Vec<String>,
    /// They are in force at once, not only when the program asks for them.
    pub effective: bool,
    /// They count in user namespaces alone, those whose root has this uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_uid: Option<u32>,
}

/// Reads the value; `None` if it is not one that the kernel takes.
pub fn parse(value: &[u8]) -> Option<Capabilities> {
    let word = |index: usize| {
        let bytes = value.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let magic = word(0)?;
    let (words, root_uid) = match (magic & REVISION_MASK, value.len()) {
        (0x0100_0000, 12) => (1, None),
        (0x0200_0000, 20) => (2, None),
        (0x0300_0000, 24) => (2, Some(word(5)?)),
        _ => return None,
    };
    // Permitted and inheritable take turns, the low words first.
    let set = |offset: usize| {
        let low = word(1 + offset)?;
        let high = if words == 2 { word(3 + offset)? } else { 0 };
        let bits = u64::from(high) << 32 | u64::from(low);
        Some((0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect())
    };
    Some(Capabilities {
        permitted: set(0)?,
        inheritable: set(1)?,
        effective: magic & EFFECTIVE != 0,
        root_uid: root_uid.filter(|uid| *uid != 0),
    })
}

fn name(number: usize) -> String {
    NAMES
        .get(number)
        .map_or_else(|| format!("cap_{number}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn revisions() {
        // cap_net_raw=ep, as setcap(8) writes it.
        let value = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let read = parse(&value).unwrap();
        assert_eq!(
            (read.permitted, read.inheritable, read.effective),
            (vec!["cap_net_raw".to_owned()], vec![], true)
        );
        let mut value = [0; 24];
        value[3] = 3;
        (value[8], value[12], value[20]) = (1, 0x80, 0xe8);
        value[15] = 0x80;
        let read = parse(&value).unwrap();
        assert_eq!(read.permitted, ["cap_bpf", "cap_63"]);
        assert_eq!(
            (read.inheritable, read.effective),
            (vec!["cap_chown".to_owned()], false)
        );
        assert_eq!(read.root_uid, Some(0xe8));
        assert_eq!(
            parse(&[1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]).unwrap().permitted,
            ["cap_chown"]
        );
    }

    #[test]
    fn what_the_kernel_does_not_take() {
        for value in [&[][..], &[0; 20], &[0, 0, 0, 4], &[1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(parse(value), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..30)) {
            parse(&value);
        }
    }
}
