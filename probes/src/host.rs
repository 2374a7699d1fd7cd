//! # What
//! Which host this is (names, machine id, hardware), what it runs on (hypervisor, container, processor, memory), its
//! network addresses, time zone and init system.
//!
//! # Source
//! `/proc/sys/kernel/hostname`, hostname(5), machine-id(5), `/sys/class/dmi/id` (kernel
//! `Documentation/ABI/testing/sysfs-firmware-dmi-entries`, DMTF DSP0134), systemd-detect-virt(1) and systemd's
//! `src/basic/virt.c` for what tells a hypervisor or container, proc_net_if_inet6 (kernel `net/ipv6/addrconf.c`),
//! localtime(5), sd_booted(3).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for serial number and UUID.
//!
//! # Bears on
//! A.5.9 (inventory of assets): identity of the host; A.8.1 (endpoint devices): kind of machine.
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::probe::{Budget, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct HostProbe;

impl Probe for HostProbe {
    const SPEC: Spec = Spec {
        id: "host",
        version: 1,
        title: "Which host this is: names, hardware, hypervisor or container, network addresses",
        reads: &[
            "/proc/sys/kernel/hostname",
            "/proc/sys/kernel/osrelease",
            "/etc/hostname",
            "/etc/machine-id",
            "/etc/localtime",
            "/sys/class/dmi/id/",
            "/sys/class/net/",
            "/sys/hypervisor/type",
            "/proc/cpuinfo",
            "/proc/device-tree/hypervisor/compatible",
            "/proc/net/if_inet6",
            "/proc/1/comm",
            "/proc/1/environ",
            "/run/systemd/",
            "/run/host/container-manager",
            "/.dockerenv",
            "/run/.containerenv",
            "processors, memory and interfaces, as the kernel lists them",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        watch: &["/etc/hostname", "/etc/machine-id", "/etc/localtime"],
        budget: Budget {
            millis: 500,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether another host claims the same names; names and addresses are what this host believes.",
            "A hypervisor or container manager that hides itself: `none` means that nothing told of one.",
            "Who owns the host and what it is for.",
        ],
    };

    type Facts = HostFacts;
    type Names = NoNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<HostFacts, NoNames>, ProbeError> {
        Err(ProbeError::unsupported("the host's identity is not read yet"))
    }
}
