//! `/etc/sudo.conf` (sudo.conf(5)).

/// What `/etc/sudo.conf` says of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SudoConf {
    /// Another policy than sudoers decides.
    pub(crate) other_policy: bool,
    /// Another main file.
    pub(crate) main: Option<String>,
}

/// Lines `Plugin symbol path arguments`. Symbols of policies end in `policy`; those of logging do not.
pub(crate) fn sudo_conf(text: &str) -> SudoConf {
    let mut conf = SudoConf::default();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("Plugin") {
            continue;
        }
        match words.next() {
            Some("sudoers_policy") => {
                conf.main = words
                    .filter_map(|word| word.strip_prefix("sudoers_file="))
                    .next_back()
                    .map(str::to_owned);
            }
            Some("sudoers_io" | "sudoers_audit" | "sudoers_io_plugin") | None => {}
            Some(_) => conf.other_policy = true,
        }
    }
    conf
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn policies() {
        assert_eq!(
            sudo_conf("#Plugin other_policy x.so\nPlugin sudoers_io sudoers.so\n"),
            SudoConf::default()
        );
        let conf = sudo_conf("Plugin sudoers_policy sudoers.so sudoers_mode=0400 sudoers_file=/etc/s\n");
        assert_eq!(conf.main.as_deref(), Some("/etc/s"));
        assert!(sudo_conf("Plugin my_policy my.so\n").other_policy);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = sudo_conf(&text);
        }
    }
}
