//! What `sshd -T` prints: lines of a lower-case keyword and its value (`dump_config` in OpenSSH's `servconf.c`).

use std::collections::BTreeMap;

use super::settings::{PermitRootLogin, Settings};

use crate::order::{IntoMap as _, Order as _};

/// sshd prints some 120 lines, and one for each user in an access list.
const MAX_LINES: usize = 100_000;

/// Access lists: their values name people.
pub(super) const ACCESS_LISTS: [&str; 4] = ["allowgroups", "allowusers", "denygroups", "denyusers"];
/// Settings whose values may name people (users, homes) or hold secrets (the environment).
const WITHHELD: [&str; 11] = [
    "allowgroups",
    "allowusers",
    "authorizedkeyscommand",
    "authorizedkeyscommanduser",
    "authorizedprincipalscommand",
    "authorizedprincipalscommanduser",
    "chrootdirectory",
    "denygroups",
    "denyusers",
    "forcecommand",
    "setenv",
];

/// What sshd printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Printed {
    pub(super) settings: Settings,
    pub(super) access_lists: BTreeMap<String, Vec<String>>,
    /// All values of all lines by keyword, to compare.
    pub(super) lines: BTreeMap<String, Vec<String>>,
}

/// Whether the values of this setting stay on the host.
pub(super) fn withheld(keyword: &str) -> bool {
    WITHHELD.contains(&keyword)
}

/// Reads the output.
pub(super) fn parse(text: &str) -> Result<Printed, String> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, line) in (1_usize..).zip(text.lines()).filter(|(_, line)| !line.is_empty()) {
        if number > MAX_LINES {
            return Err(format!("more than {MAX_LINES} lines"));
        }
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        if keyword.is_empty() || !keyword.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("line {number} does not begin with a keyword"));
        }
        lines
            .entry(keyword.to_ascii_lowercase())
            .or_default()
            .push(value.trim_end().to_owned());
    }
    let access_lists = ACCESS_LISTS
        .iter()
        .filter_map(|keyword| Some(((*keyword).to_owned(), lines.get(*keyword)?.clone())))
        .into_map();
    let settings = Taking { left: lines.clone() }.settings()?;
    Ok(Printed {
        settings,
        access_lists,
        lines,
    })
}

/// Takes settings out of the lines; what is left at the end goes to `others`.
struct Taking {
    left: BTreeMap<String, Vec<String>>,
}

impl Taking {
    fn settings(mut self) -> Result<Settings, String> {
        let mut settings = Settings {
            permit_root_login: self.permit_root_login()?,
            password_authentication: self.flag("passwordauthentication")?,
            kbd_interactive_authentication: self.renamed(
                "kbdinteractiveauthentication",
                "challengeresponseauthentication",
                Self::flag,
            )?,
            permit_empty_passwords: self.flag("permitemptypasswords")?,
            pubkey_authentication: self.flag("pubkeyauthentication")?,
            hostbased_authentication: self.flag("hostbasedauthentication")?,
            gssapi_authentication: self.optional("gssapiauthentication", Self::flag)?,
            kerberos_authentication: self.optional("kerberosauthentication", Self::flag)?,
            authentication_methods: self.word_list("authenticationmethods")?,
            use_pam: self.optional("usepam", Self::flag)?,
            strict_modes: self.flag("strictmodes")?,
            ignore_rhosts: self.text("ignorerhosts")?,
            max_auth_tries: self.number("maxauthtries")?,
            max_sessions: self.number("maxsessions")?,
            max_startups: self.text("maxstartups")?,
            login_grace_seconds: self.number("logingracetime")?,
            client_alive_interval_seconds: self.number("clientaliveinterval")?,
            client_alive_count_max: self.number("clientalivecountmax")?,
            x11_forwarding: self.flag("x11forwarding")?,
            allow_tcp_forwarding: self.text("allowtcpforwarding")?,
            allow_stream_local_forwarding: self.text("allowstreamlocalforwarding")?,
            allow_agent_forwarding: self.flag("allowagentforwarding")?,
            disable_forwarding: self.flag("disableforwarding")?,
            gateway_ports: self.text("gatewayports")?,
            permit_tunnel: self.text("permittunnel")?,
            permit_user_environment: self.text("permituserenvironment")?,
            permit_user_rc: self.flag("permituserrc")?,
            ports: self.ports()?,
            listen_addresses: self.values("listenaddress"),
            ciphers: self.comma_list("ciphers")?,
            macs: self.comma_list("macs")?,
            kex_algorithms: self.comma_list("kexalgorithms")?,
            host_keys: self.values("hostkey"),
            host_key_algorithms: self.comma_list("hostkeyalgorithms")?,
            pubkey_accepted_algorithms: self.renamed(
                "pubkeyacceptedalgorithms",
                "pubkeyacceptedkeytypes",
                Self::comma_list,
            )?,
            ca_signature_algorithms: self.optional("casignaturealgorithms", Self::comma_list)?,
            required_rsa_size: self.optional("requiredrsasize", Self::number)?,
            rekey_limit: self.text("rekeylimit")?,
            log_level: self.text("loglevel")?,
            syslog_facility: self.text("syslogfacility")?,
            banner: self.text("banner")?,
            print_last_log: self.flag("printlastlog")?,
            compression: self.text("compression")?,
            use_dns: self.flag("usedns")?,
            force_command: self.is_set("forcecommand"),
            chroot_directory: self.is_set("chrootdirectory"),
            authorized_keys_command: self.is_set("authorizedkeyscommand"),
            authorized_keys_files: self.word_list("authorizedkeysfile")?,
            trusted_user_ca_keys: self.is_set("trustedusercakeys"),
            allow_users: self.count("allowusers"),
            deny_users: self.count("denyusers"),
            allow_groups: self.count("allowgroups"),
            deny_groups: self.count("denygroups"),
            accept_env: self.values("acceptenv"),
            subsystems: self.subsystems(),
            others: BTreeMap::new(),
        };
        settings.listen_addresses.order();
        settings.accept_env.order();
        for (keyword, values) in &mut self.left {
            if withheld(keyword) {
                let hidden = |value: &String| if value == "none" { "none" } else { "set" }.to_owned();
                *values = values.iter().map(hidden).collect();
            }
        }
        settings.others = self.left;
        Ok(settings)
    }

    /// The one value of a setting.
    fn text(&mut self, keyword: &str) -> Result<String, String> {
        match self.left.remove(keyword).as_deref() {
            Some([value]) => Ok(value.clone()),
            Some(values) => Err(format!("{keyword} is there {} times", values.len())),
            None => Err(format!("{keyword} is missing")),
        }
    }

    fn values(&mut self, keyword: &str) -> Vec<String> {
        self.left.remove(keyword).unwrap_or_default()
    }

    fn count(&mut self, keyword: &str) -> u32 {
        u32::try_from(self.values(keyword).len()).unwrap_or(u32::MAX)
    }

    /// Whether a setting has another value than `none`. It stays among the others.
    fn is_set(&self, keyword: &str) -> bool {
        self.left
            .get(keyword)
            .is_some_and(|values| values.iter().any(|value| value != "none"))
    }

    fn flag(&mut self, keyword: &str) -> Result<bool, String> {
        match self.text(keyword)?.as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("{keyword} is {other:?}, neither yes nor no")),
        }
    }

    fn number<N: std::str::FromStr>(&mut self, keyword: &str) -> Result<N, String> {
        let text = self.text(keyword)?;
        text.parse()
            .map_err(|_| format!("{keyword} is {text:?}, not a number of its range"))
    }

    fn comma_list(&mut self, keyword: &str) -> Result<Vec<String>, String> {
        let text = self.text(keyword)?;
        Ok(text
            .split(',')
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect())
    }

    fn word_list(&mut self, keyword: &str) -> Result<Vec<String>, String> {
        Ok(self
            .text(keyword)?
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect())
    }

    fn optional<T>(
        &mut self,
        keyword: &str,
        read: impl Fn(&mut Self, &str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.left.contains_key(keyword).then(|| read(self, keyword)).transpose()
    }

    /// A setting that older versions print by another name.
    fn renamed<T>(
        &mut self,
        keyword: &str,
        older: &str,
        read: impl Fn(&mut Self, &str) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.left.contains_key(keyword) {
            read(self, keyword)
        } else {
            read(self, older)
        }
    }

    fn permit_root_login(&mut self) -> Result<PermitRootLogin, String> {
        match self.text("permitrootlogin")?.as_str() {
            "yes" => Ok(PermitRootLogin::Yes),
            "no" => Ok(PermitRootLogin::No),
            "without-password" | "prohibit-password" => Ok(PermitRootLogin::ProhibitPassword),
            "forced-commands-only" => Ok(PermitRootLogin::ForcedCommandsOnly),
            other => Err(format!(
                "permitrootlogin is {other:?}, which sshd_config(5) does not know"
            )),
        }
    }

    fn ports(&mut self) -> Result<Vec<u16>, String> {
        let values = self.values("port");
        let ports = values
            .iter()
            .map(|value| value.parse().map_err(|_| format!("port is {value:?}")));
        let mut ports: Vec<u16> = ports.collect::<Result<_, _>>()?;
        ports.order();
        Ok(ports)
    }

    fn subsystems(&mut self) -> BTreeMap<String, String> {
        let values = self.values("subsystem").into_iter();
        values
            .map(|value| match value.split_once(' ') {
                Some((name, command)) => (name.to_owned(), command.to_owned()),
                None => (value, String::new()),
            })
            .into_map()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `sshd -T` of Debian 12 (OpenSSH 9.2) as it is installed.
    const DEBIAN_12: &str = include_str!("../../fixtures/sshd/debian12-default.txt");

    #[test]
    fn debian_12_as_it_is_installed() {
        let printed = parse(DEBIAN_12).unwrap();
        let settings = &printed.settings;
        assert_eq!(settings.permit_root_login, PermitRootLogin::ProhibitPassword);
        assert!(settings.password_authentication && settings.x11_forwarding);
        assert!(!settings.kbd_interactive_authentication && !settings.permit_empty_passwords);
        assert_eq!((settings.max_auth_tries, settings.login_grace_seconds), (6, 120));
        assert_eq!(settings.listen_addresses, ["0.0.0.0:22", "[::]:22"]);
        assert_eq!(settings.ciphers.len(), 6);
        assert_eq!(settings.host_keys.len(), 3);
        assert_eq!(settings.required_rsa_size, Some(1024));
        assert_eq!(settings.accept_env, ["LANG", "LC_*"]);
        assert_eq!(settings.subsystems["sftp"], "/usr/lib/openssh/sftp-server");
        assert_eq!(settings.others["versionaddendum"], ["none"]);
        assert_eq!(settings.others["forcecommand"], ["none"]);
        assert!(!settings.force_command && !settings.others.contains_key("port"));
    }

    #[test]
    fn what_names_people_is_counted_and_withheld() {
        let text = format!("{DEBIAN_12}allowusers alice\nallowusers bob@10.0.0.1\nsetenv TOKEN=secret\n")
            .replace("forcecommand none", "forcecommand /home/alice/run")
            .replace("authorizedkeyscommanduser none", "authorizedkeyscommanduser carol");
        let printed = parse(&text).unwrap();
        assert_eq!((printed.settings.allow_users, printed.settings.deny_users), (2, 0));
        assert!(printed.settings.force_command);
        let json = serde_json::to_string(&printed.settings).unwrap();
        for hidden in ["alice", "bob", "carol", "secret"] {
            assert!(!json.contains(hidden), "{hidden}");
        }
        assert_eq!(printed.access_lists["allowusers"], ["alice", "bob@10.0.0.1"]);
    }

    #[test]
    fn older_names_are_understood() {
        let text = DEBIAN_12
            .replace("kbdinteractiveauthentication no", "challengeresponseauthentication yes")
            .replace("pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes")
            .replace("requiredrsasize 1024\n", "");
        let settings = parse(&text).unwrap().settings;
        assert!(settings.kbd_interactive_authentication && settings.required_rsa_size.is_none());
    }

    #[test]
    fn something_else_is_not_taken_for_settings() {
        assert_eq!(parse("").unwrap_err(), "permitrootlogin is missing");
        let twice = format!("{DEBIAN_12}usepam no\n");
        assert_eq!(parse(&twice).unwrap_err(), "usepam is there 2 times");
        let other = DEBIAN_12.replace("strictmodes yes", "strictmodes maybe");
        assert!(parse(&other).unwrap_err().starts_with("strictmodes is \"maybe\""));
        let other = DEBIAN_12.replace("maxauthtries 6", "maxauthtries -1");
        assert!(parse(&other).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
            let _ = parse(&format!("{DEBIAN_12}{text}"));
        }
    }
}
