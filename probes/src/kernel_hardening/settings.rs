//! Settings that bear on security.

use evidence::facts::Outcome;

use super::facts::Setting;
use super::malformed;
use crate::formats::sysctl::{self, Sysctl};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// With slashes, sorted.
pub(super) const KEYS: [&str; 90] = [
    "dev/tty/ldisc_autoload",
    "dev/tty/legacy_tiocsti",
    "fs/protected_fifos",
    "fs/protected_hardlinks",
    "fs/protected_regular",
    "fs/protected_symlinks",
    "fs/suid_dumpable",
    "kernel/apparmor_restrict_unprivileged_userns",
    "kernel/core_uses_pid",
    "kernel/ctrl-alt-del",
    "kernel/dmesg_restrict",
    "kernel/io_uring_disabled",
    "kernel/kexec_load_disabled",
    "kernel/kptr_restrict",
    "kernel/modules_disabled",
    "kernel/oops_limit",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/perf_cpu_time_max_percent",
    "kernel/perf_event_max_sample_rate",
    "kernel/perf_event_paranoid",
    "kernel/pid_max",
    "kernel/randomize_va_space",
    "kernel/sysrq",
    "kernel/unprivileged_bpf_disabled",
    "kernel/unprivileged_userns_clone",
    "kernel/warn_limit",
    "kernel/yama/ptrace_scope",
    "net/core/bpf_jit_harden",
    "net/ipv4/conf/all/accept_local",
    "net/ipv4/conf/all/accept_redirects",
    "net/ipv4/conf/all/accept_source_route",
    "net/ipv4/conf/all/arp_announce",
    "net/ipv4/conf/all/arp_filter",
    "net/ipv4/conf/all/arp_ignore",
    "net/ipv4/conf/all/bootp_relay",
    "net/ipv4/conf/all/drop_gratuitous_arp",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/log_martians",
    "net/ipv4/conf/all/mc_forwarding",
    "net/ipv4/conf/all/proxy_arp",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/all/secure_redirects",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv4/conf/all/shared_media",
    "net/ipv4/conf/default/accept_redirects",
    "net/ipv4/conf/default/accept_source_route",
    "net/ipv4/conf/default/log_martians",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/conf/default/secure_redirects",
    "net/ipv4/conf/default/send_redirects",
    "net/ipv4/conf/default/shared_media",
    "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/icmp_echo_ignore_broadcasts",
    "net/ipv4/icmp_ignore_bogus_error_responses",
    "net/ipv4/ip_forward",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/tcp_challenge_ack_limit",
    "net/ipv4/tcp_invalid_ratelimit",
    "net/ipv4/tcp_rfc1337",
    "net/ipv4/tcp_syncookies",
    "net/ipv4/tcp_timestamps",
    "net/ipv6/conf/all/accept_ra",
    "net/ipv6/conf/all/accept_ra_defrtr",
    "net/ipv6/conf/all/accept_ra_pinfo",
    "net/ipv6/conf/all/accept_ra_rtr_pref",
    "net/ipv6/conf/all/accept_redirects",
    "net/ipv6/conf/all/accept_source_route",
    "net/ipv6/conf/all/autoconf",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/all/forwarding",
    "net/ipv6/conf/all/max_addresses",
    "net/ipv6/conf/all/mc_forwarding",
    "net/ipv6/conf/all/router_solicitations",
    "net/ipv6/conf/all/use_tempaddr",
    "net/ipv6/conf/default/accept_ra",
    "net/ipv6/conf/default/accept_ra_defrtr",
    "net/ipv6/conf/default/accept_ra_pinfo",
    "net/ipv6/conf/default/accept_ra_rtr_pref",
    "net/ipv6/conf/default/accept_redirects",
    "net/ipv6/conf/default/accept_source_route",
    "net/ipv6/conf/default/autoconf",
    "net/ipv6/conf/default/disable_ipv6",
    "net/ipv6/conf/default/max_addresses",
    "net/ipv6/conf/default/router_solicitations",
    "user/max_user_namespaces",
    "vm/mmap_min_addr",
    "vm/overcommit_memory",
    "vm/unprivileged_userfaultfd",
];

pub(super) fn read(reading: &Reading<'_>, sysctl: &Result<Sysctl, Unread>) -> Vec<Setting> {
    let setting = |key: &str| {
        let now = match sysctl::now(reading, key) {
            Ok(Some(text)) => number(&format!("/proc/sys/{key}"), &text),
            Ok(None) => Known::absent(format!("/proc/sys/{key} is not there")),
            Err(unread) => Known::unread(&unread),
        };
        let configured = sysctl.as_ref().map(|sysctl| sysctl.configured(key));
        let (at_boot, set_by) = match configured {
            Ok(Ok(Some(set))) => {
                let value = set.value.as_deref().unwrap_or_default();
                (number(&set.file, value), set.file.clone())
            }
            Ok(Ok(None)) => (Known::absent("no file sets it"), String::new()),
            Ok(Err(why)) => (Known::not(Outcome::Unsupported, why), String::new()),
            Err(unread) => (Known::unread(unread), String::new()),
        };
        let absent = matches!(&now, Known::Not(why) if why.outcome == Outcome::Absent);
        let set = !matches!(&at_boot, Known::Not(why) if why.outcome == Outcome::Absent);
        let there = !absent || set;
        there.then(|| Setting {
            key: key.replace('/', "."),
            now,
            at_boot,
            set_by,
        })
    };
    KEYS.into_iter().filter_map(setting).collect()
}

/// Decimal, or hexadecimal as the kernel takes it too. A value beyond what JSON numbers hold exactly is malformed.
fn number(place: &str, text: &str) -> Known<i64> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    match parsed {
        Ok(number) if number.abs() < 1 << 53 => Known::Observed(number),
        _ => malformed(place, text),
    }
}
