//! The parameters of `smb.conf` that the facts tell, with Samba's synonyms and the values that it takes for one.

use super::tini::folded;

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Yes or no.
    Boolean,
    /// The opposite of what the parameter is called here.
    Inverse,
    /// A number: what is none is 0.
    Number,
    /// One of these words; each list has what means the same, first what Samba prints.
    Word(&'static [&'static [&'static str]]),
    /// Anything.
    Text,
}

/// Whether a parameter holds for a share or for the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// In `[global]` alone; in a share it is left out.
    Global,
    /// In a share; in `[global]` it is the default for shares that follow.
    Local,
}

/// A name of a parameter.
pub(super) struct Parameter {
    /// In lower case without blanks.
    folded: &'static str,
    /// As Samba prints it.
    pub(super) name: &'static str,
    pub(super) class: Class,
    pub(super) form: Form,
}

const PROTOCOLS: Form = Form::Word(&[
    &["default"],
    &["smb3", "smb3_11"],
    &["smb3_02"],
    &["smb3_00"],
    &["smb3_10"],
    &["smb2", "smb2_10"],
    &["smb2_22"],
    &["smb2_24"],
    &["smb2_02"],
    &["nt1"],
    &["lanman2"],
    &["lanman1"],
    &["core"],
    &["coreplus", "core+"],
]);
const SIGNING: Form = Form::Word(&[
    &["default"],
    &["no", "false", "0", "off", "disabled"],
    &["if_required", "yes", "true", "1", "on", "enabled", "auto"],
    &["desired"],
    &["required", "mandatory", "force", "forced", "enforced"],
]);
const NTLM: Form = Form::Word(&[
    &["disabled"],
    &["ntlmv2-only", "no", "false", "0"],
    &["ntlmv1-permitted", "yes", "true", "1"],
    &["mschapv2-and-ntlmv2-only"],
]);
const GUESTS: Form = Form::Word(&[&["never"], &["bad user"], &["bad password"], &["bad uid"]]);
const SECURITY: Form = Form::Word(&[&["auto"], &["user"], &["share"], &["server"], &["domain"], &["ads"]]);
const BACKEND: Form = Form::Word(&[&["file"], &["registry"]]);

const fn global(folded: &'static str, name: &'static str, form: Form) -> Parameter {
    let class = Class::Global;
    Parameter {
        folded,
        name,
        class,
        form,
    }
}

const fn local(folded: &'static str, name: &'static str, form: Form) -> Parameter {
    let class = Class::Local;
    Parameter {
        folded,
        name,
        class,
        form,
    }
}

const PARAMETERS: [Parameter; 57] = [
    global("allowinsecurewidelinks", "allow insecure wide links", Form::Boolean),
    global("bindinterfacesonly", "bind interfaces only", Form::Boolean),
    global("clientipcsigning", "client ipc signing", SIGNING),
    global("clientmaxprotocol", "client max protocol", PROTOCOLS),
    global("clientminprotocol", "client min protocol", PROTOCOLS),
    global("clientsigning", "client signing", SIGNING),
    global("configbackend", "config backend", BACKEND),
    global("configfile", "config file", Form::Text),
    global("disablenetbios", "disable netbios", Form::Boolean),
    global("encryptpasswords", "encrypt passwords", Form::Boolean),
    global("interfaces", "interfaces", Form::Text),
    global("lanmanauth", "lanman auth", Form::Boolean),
    global("maptoguest", "map to guest", GUESTS),
    global("maxprotocol", "server max protocol", PROTOCOLS),
    global("minprotocol", "server min protocol", PROTOCOLS),
    global("ntlmauth", "ntlm auth", NTLM),
    global("nullpasswords", "null passwords", Form::Boolean),
    global("protocol", "server max protocol", PROTOCOLS),
    global("rawntlmv2auth", "raw ntlmv2 auth", Form::Boolean),
    global("registryshares", "registry shares", Form::Boolean),
    global("restrictanonymous", "restrict anonymous", Form::Number),
    global("security", "security", SECURITY),
    global("servermaxprotocol", "server max protocol", PROTOCOLS),
    global("serverminprotocol", "server min protocol", PROTOCOLS),
    global("serversigning", "server signing", SIGNING),
    global("smb1unixextensions", "smb1 unix extensions", Form::Boolean),
    global("unixextensions", "smb1 unix extensions", Form::Boolean),
    global("usershareallowguests", "usershare allow guests", Form::Boolean),
    global("usersharemaxshares", "usershare max shares", Form::Number),
    global("usershareowneronly", "usershare owner only", Form::Boolean),
    global("usersharepath", "usershare path", Form::Text),
    local("adminusers", "admin users", Form::Text),
    local("allowhosts", "hosts allow", Form::Text),
    local("available", "available", Form::Boolean),
    local("browsable", "browseable", Form::Boolean),
    local("browseable", "browseable", Form::Boolean),
    local("denyhosts", "hosts deny", Form::Text),
    local("directory", "path", Form::Text),
    local("forceuser", "force user", Form::Text),
    local("guestok", "guest ok", Form::Boolean),
    local("guestonly", "guest only", Form::Boolean),
    local("hostsallow", "hosts allow", Form::Text),
    local("hostsdeny", "hosts deny", Form::Text),
    local("msdfsproxy", "msdfs proxy", Form::Text),
    local("onlyguest", "guest only", Form::Boolean),
    local("path", "path", Form::Text),
    local("printable", "printable", Form::Boolean),
    local("printok", "printable", Form::Boolean),
    local("public", "guest ok", Form::Boolean),
    local("readonly", "read only", Form::Boolean),
    local("serversmbencrypt", "server smb encrypt", SIGNING),
    local("smbencrypt", "server smb encrypt", SIGNING),
    local("validusers", "valid users", Form::Text),
    local("widelinks", "wide links", Form::Boolean),
    local("writable", "read only", Form::Inverse),
    local("writeable", "read only", Form::Inverse),
    local("writeok", "read only", Form::Inverse),
];

/// The parameter of a name in lower case without blanks, if the facts tell it.
pub(super) fn named(folded: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.folded == folded)
}

/// The settings of the whole server that the facts tell by value.
pub(super) fn told(name: &str) -> bool {
    let flags = ["config file", "interfaces", "usershare path"];
    let mut all = PARAMETERS.iter();
    name == "server smb encrypt"
        || !flags.contains(&name) && all.any(|parameter| parameter.name == name && parameter.class == Class::Global)
}

/// The value as Samba prints it, in lower case; `None`: Samba refuses it.
pub(super) fn value(form: Form, text: &str) -> Option<String> {
    match form {
        Form::Boolean | Form::Inverse => {
            let yes = match folded(text).as_str() {
                "yes" | "true" | "on" | "1" => true,
                "no" | "false" | "off" | "0" => false,
                _ => return None,
            };
            let yes = yes != (form == Form::Inverse);
            Some(if yes { "yes" } else { "no" }.to_owned())
        }
        Form::Number => {
            let digits: String = text.trim().chars().take_while(char::is_ascii_digit).take(9).collect();
            Some(digits.parse::<u32>().unwrap_or(0).to_string())
        }
        Form::Word(words) => {
            let wanted = folded(text);
            let found = words.iter().find(|same| same.iter().any(|word| folded(word) == wanted));
            found.and_then(|same| same.first()).map(|word| (*word).to_owned())
        }
        Form::Text => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_folded() {
        assert!(PARAMETERS.is_sorted_by_key(|parameter| parameter.class == Class::Local));
        for parameter in &PARAMETERS {
            assert_eq!(parameter.folded, folded(parameter.folded));
            assert_eq!(parameter.name, parameter.name.to_lowercase());
        }
    }

    #[test]
    fn values() {
        for (form, text, expected) in [
            (Form::Boolean, "TRUE", Some("yes")),
            (Form::Inverse, "yes", Some("no")),
            (Form::Boolean, "maybe", None),
            (Form::Number, "2", Some("2")),
            (Form::Number, "x", Some("0")),
            (GUESTS, "BadUser", Some("bad user")),
            (SIGNING, "mandatory", Some("required")),
            (SIGNING, "", None),
        ] {
            assert_eq!(value(form, text).as_deref(), expected, "{text}");
        }
    }
}
