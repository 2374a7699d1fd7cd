"""What our facts say where OpenSCAP's rules ask: True (it would pass), False (it would fail), None (no opinion).

Each opinion is over the facts alone, as a rule of ours would be; thresholds are those of OpenSCAP's profile.
"""

import re


# Those that have an opinion.
PROBES = """accounts audit file-integrity file-permissions kernel-hardening logging login-policy packages pam sshd sudo
time-sync""".split()


class Facts:
    """The facts documents of one host, by probe."""

    def __init__(self, documents):
        self.documents = {document["probe"]: document for document in documents}

    def __getitem__(self, probe):
        return self.documents[probe].get("facts") or {}


def value(known):
    """What was observed; None if it was not."""
    return known.get("value") if isinstance(known, dict) else None


# File -> most permissive mode, owner, group that the profile allows.
MODES = {
    "etc_passwd": ("/etc/passwd", 0o644, 0, 0),
    "etc_group": ("/etc/group", 0o644, 0, 0),
    "etc_shadow": ("/etc/shadow", 0o640, 0, 42),
    "etc_gshadow": ("/etc/gshadow", 0o640, 0, 42),
    "etc_shells": ("/etc/shells", 0o644, 0, 0),
    "etc_sudoers": ("/etc/sudoers", 0o440, 0, 0),
    "etc_sudoersd": ("/etc/sudoers.d", 0o750, 0, 0),
    "etc_crypttab": ("/etc/crypttab", 0o600, 0, 0),
    "etc_sysctld": ("/etc/sysctl.d", 0o755, 0, 0),
    "sshd_config": ("/etc/ssh/sshd_config", 0o600, 0, 0),
}

PACKAGES = {
    "aide": "aide",
    "audit": "auditd",
    "chrony": "chrony",
    "logrotate": "logrotate",
    "pam_apparmor": "libpam-apparmor",
    "pam_pwquality": "libpam-pwquality",
    "apparmor": "apparmor",
    "rsyslog": "rsyslog",
    "rsyslog-gnutls": "rsyslog-gnutls",
    "sudo": "sudo",
    "sendmail": "sendmail",
    "talk": "talk",
    "talk-server": "talkd",
    "telnet": "telnet",
    "telnet-server": "telnetd",
    "tftp": "tftp-hpa",
    "tftp-server": "tftpd-hpa",
    "xinetd": "xinetd",
    "ypserv": "nis",
    "rsh": "rsh-client",
    "rsh-server": "rsh-server",
}

AUDITED = {
    "dac_modification": "permission_changes",
    "file_deletion_events": "deletions",
    "unsuccessful_file_modification": "denied_access",
}
MODULES = {"delete": "delete_module", "init": "init_module", "finit": "finit_module"}


def permissions(facts, rule):
    match = re.fullmatch(r"(file|directory)_(permissions|owner|groupowner)_(.*)", rule)
    if not match or match[3] not in MODES:
        return None
    path, most, owner, group = MODES[match[3]]
    probe = facts["file-permissions"]
    seen = [entry for entry in probe["files"] + probe["folders"] if entry["path"] == path]
    if not seen or value(seen[0]["permissions"]) is None:
        # Of a file that is not there every permission holds.
        return True if seen and seen[0]["permissions"]["outcome"] == "absent" else None
    seen = value(seen[0]["permissions"])
    if match[2] == "permissions":
        return int(seen["mode"], 8) & ~most == 0
    return seen["uid"] == owner if match[2] == "owner" else seen["gid"] == group


def host_keys(facts, rule):
    # The facts have no modes of public keys.
    match = re.fullmatch(r"file_(permissions|ownership|groupownership)_sshd_private_key", rule)
    if not match:
        return None
    files = [value(key["private_file"]) for key in value(facts["sshd"]["host_keys"])]
    if match[1] == "permissions":
        return all(int(file["mode"], 8) & ~0o600 == 0 for file in files)
    return all(file["uid" if match[1] == "ownership" else "gid"] == 0 for file in files)


def sysctl(facts, rule, expected):
    """Now, and as files set it for the next boot."""
    if rule not in expected:
        return None
    key, wanted = expected[rule]
    found = [setting for setting in facts["kernel-hardening"]["settings"] if setting["key"] == key]
    if not found:
        return None
    known = [found[0]["now"], found[0]["at_boot"]]
    return all(str(value(one)) == wanted for one in known)


def package(facts, rule):
    match = re.fullmatch(r"package_(.*)_(installed|removed)", rule)
    if not match or match[1] not in PACKAGES:
        return None
    installed = any(entry["name"] == PACKAGES[match[1]] for entry in facts["packages"]["packages"])
    return installed == (match[2] == "installed")


def audit(facts, rule):
    configured = value(facts["audit"]["configured"])
    if not rule.startswith("audit_rules_") or configured is None:
        return None
    rest = rule.removeprefix("audit_rules_")
    coverage = configured["coverage"]
    if rest == "immutable":
        return configured.get("enabled") == "locked"

    def audited(group, *names):
        return all(name in coverage[group]["audited"] for name in names)

    def calls(group, call):
        return audited(group, f"{call} (b64)", f"{call} (b32)")

    for prefix, group in AUDITED.items():
        if rest.startswith(prefix + "_"):
            call = rest.removeprefix(prefix + "_")
            return calls("mounts" if call == "umount2" else group, call)
    if rest.startswith("kernel_module_loading_"):
        return calls("modules", MODULES[rest.removeprefix("kernel_module_loading_")])
    if rest.startswith("usergroup_modification_"):
        name = rest.removeprefix("usergroup_modification_")
        return audited("identity", "/etc/security/opasswd" if name == "opasswd" else f"/etc/{name}")
    if rest == "login_events_lastlog":
        return audited("logins", "/var/log/lastlog")
    if rest == "login_events_faillock":
        return audited("logins", "/var/run/faillock")
    if rest == "media_export":
        return calls("mounts", "mount")
    whole = {
        "session_events": "sessions",
        "sysadmin_actions": "administrators",
        "networkconfig_modification": "network_configuration",
    }
    return not coverage[whole[rest]]["not_audited"] if rest in whole else None


def sudo(facts, rule):
    probe = facts["sudo"]
    if "settings" not in probe:
        return None
    if rule in ("sudo_add_env_reset", "sudo_add_use_pty"):
        return probe["settings"].get(rule.removeprefix("sudo_add_"), False)
    everywhere = {entry["setting"]: entry["value"] for entry in probe["defaults"] if entry["scope"] == "everything"}
    match = re.fullmatch(r"sudo_add_(noexec|requiretty|ignore_dot)", rule)
    if match:
        return everywhere.get(match[1]) == "true"
    if rule == "sudo_add_umask":
        return everywhere.get("umask", "").lstrip("0") == "77"
    if rule == "sudoers_no_command_negation":
        return not any(grant["negated"] for grant in probe["grants"])
    if rule == "sudoers_no_root_target":
        return not any(grant["as_root"] for grant in probe["grants"])
    return None


def stack(facts, *services):
    for service in facts["pam"]["services"]:
        if service["name"] in services:
            return value(service["stack"])
    return None


def pam(facts, rule):
    stacked = stack(facts, "common-password", "passwd")
    if stacked is None:
        return None
    quality = (value(stacked["quality"]) or [{}])[0]
    least = {"minlen": 18, "minclass": 4}
    match = re.fullmatch(r"accounts_password_pam_(minlen|minclass)", rule)
    if match:
        return (quality.get(match[1]) or 0) >= least[match[1]]
    match = re.fullmatch(r"accounts_password_pam_([dulo]credit)", rule)
    if match:
        return (quality.get(match[1]) or 0) <= -1
    if rule == "accounts_password_pam_retry":
        return (quality.get("retry") or 0) == 3
    if rule == "accounts_password_pam_unix_remember":
        return any(history["remember"] >= 2 for history in value(stacked["history"]) or [])
    if rule == "accounts_password_pam_unix_rounds_password_auth":
        return any((hashed["rounds"] or 0) >= 65536 for hashed in value(stacked["password_hash"]) or [] if "rounds" in hashed)
    return lockout(stack(facts, "common-auth", "login", "sshd"), rule)


def lockout(stacked, rule):
    match = re.fullmatch(r"accounts_passwords_pam_faillock_(deny|interval|unlock_time)", rule)
    if not match or stacked is None:
        return None
    locks = [lock for lock in value(stacked["lockout"]) or [] if lock["module"] == "pam_faillock"]
    if not locks:
        return False
    lock = locks[0]
    return {
        "deny": 0 < lock["deny"] <= 3,
        "interval": (lock.get("interval_seconds") or 0) >= 900,
        "unlock_time": lock["unlock_seconds"] == 0 or lock["unlock_seconds"] >= 900,
    }[match[1]]


def logins(facts, rule):
    policy = facts["login-policy"]
    defs, shells = value(policy["login_defs"]), value(policy["shells"])
    if rule == "accounts_umask_etc_login_defs":
        return defs.get("umask", "").lstrip("0") == "77"
    if rule == "set_password_hashing_algorithm_logindefs":
        return defs.get("encrypt_method") == "YESCRYPT"
    if rule == "accounts_tmout":
        seconds = [line["seconds"] for line in shells["tmout"] if "seconds" in line]
        return bool(seconds) and max(seconds) <= 600 and shells["tmout_exported"] and shells["tmout_readonly"]
    if rule == "accounts_password_set_max_life_root":
        root = [user for user in facts["accounts"]["users"] if user["uid"] == 0][0]
        return value(root["ageing"])["max_days"] <= 365
    if rule == "no_direct_root_logins":
        return value(policy["securetty"]) == []
    return None


def others(facts, rule):
    if rule == "sshd_disable_root_login":
        effective = value(facts["sshd"]["effective"])
        return None if effective is None else effective["permit_root_login"] == "no"
    if rule == "chronyd_specify_remote_server":
        chrony = [service for service in facts["time-sync"]["services"] if service["implementation"] == "chrony"]
        return bool(chrony and value(chrony[0]["configured"])["sources"])
    if rule == "rsyslog_remote_loghost":
        return bool(value(facts["logging"]["rsyslog"])["targets"])
    if rule == "aide_build_database":
        aide = value(facts["file-integrity"]["aide"])
        return aide is not None and value(aide["database_day"]) is not None
    match = re.fullmatch(r"partition_for_(.*)", rule)
    if match:
        path = "/" + match[1].replace("_", "/")
        mounts = [mount for mount in facts["file-permissions"]["mounts"] if mount["path"] == path]
        now = value(mounts[0]["now"]) if mounts else None
        return None if now is None else now["separate"]
    return None


def opinion(facts, rule, expected):
    """Ours on an OpenSCAP rule; `expected`: sysctl rule -> (key, value)."""
    for one in (permissions, host_keys, package, audit, sudo, pam, logins, others):
        found = one(facts, rule)
        if found is not None:
            return found
    return sysctl(facts, rule, expected)
