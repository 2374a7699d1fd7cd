//! OpenSSL's configuration: config(5), and for the section with defaults SSL_CONF_cmd(3), CONFIGURATION FILE COMMANDS.

mod conf;

use conf::Conf;

use super::facts::Openssl;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

/// Where the distributions' OpenSSL looks. On RPM systems the second may be a link to the first.
const MAINS: [&str; 2] = ["/etc/pki/tls/openssl.cnf", "/etc/ssl/openssl.cnf"];

/// Reads it; `None` if there is no configuration.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Openssl>, Unread> {
    for main in MAINS {
        if let Some(conf) = Conf::read(reading, main)? {
            return Ok(Some(facts(&conf)));
        }
    }
    Ok(None)
}

fn facts(conf: &Conf) -> Openssl {
    let init = conf.value("default", "openssl_conf");
    let module = |name: &str| init.as_ref().and_then(|init| conf.value(init, name));
    let defaults = module("ssl_conf").and_then(|section| conf.value(&section, "system_default"));
    let mut facts = Openssl {
        files: conf.files.clone(),
        system_default: defaults.as_ref().is_some_and(|section| conf.has(section)),
        min_protocol: None,
        max_protocol: None,
        cipher_string: None,
        security_level: None,
        cipher_suites: None,
        groups: None,
        signature_algorithms: None,
        options: vec![],
        providers: module("providers").map_or_else(Vec::new, |section| providers(conf, &section)),
        fips_property: module("alg_section").is_some_and(|section| fips(conf, &section)),
        sha1_signatures: module("evp_properties")
            .or_else(|| module("alg_section"))
            .and_then(|section| conf.value(&section, "rh-allow-sha1-signatures"))
            .and_then(|value| boolean(&value)),
    };
    for (name, value) in defaults.iter().flat_map(|section| conf.all(section)) {
        command(&mut facts, name, value);
    }
    facts
}

/// One command. Commands are carried out one by one, so that the last of a kind counts.
fn command(facts: &mut Openssl, name: &str, value: &str) {
    // Whatever stands before a dot makes names differ that would else be the same.
    let name = name.split_once('.').map_or(name, |(_, name)| name).to_ascii_lowercase();
    let list = |separators: &[char]| {
        let parts = value.split(separators).map(str::trim).filter(|part| !part.is_empty());
        Some(parts.map(str::to_owned).collect::<Vec<_>>())
    };
    match name.as_str() {
        // Versions of DTLS are for DTLS only, and leave what was said about TLS.
        "minprotocol" if is_tls(value) => facts.min_protocol = Some(value.to_owned()),
        "maxprotocol" if is_tls(value) => facts.max_protocol = Some(value.to_owned()),
        "cipherstring" => {
            let level = value.rsplit_once("@SECLEVEL=").map(|(_, rest)| rest);
            let level = level.and_then(|rest| rest.chars().next()?.to_digit(10));
            // A string without a level leaves the one that was set before.
            facts.security_level = level.filter(|level| *level <= 5).or(facts.security_level);
            facts.cipher_string = Some(value.to_owned());
        }
        "ciphersuites" => facts.cipher_suites = list(&[':']),
        "groups" | "curves" => facts.groups = list(&[':']),
        "signaturealgorithms" => facts.signature_algorithms = list(&[':']),
        "options" => facts.options.extend(list(&[',']).unwrap_or_default()),
        _ => {}
    }
}

fn is_tls(version: &str) -> bool {
    matches!(version, "None" | "SSLv3" | "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3")
}

/// A provider is activated by `activate = 1` in its section, and in older versions by any value.
fn providers(conf: &Conf, section: &str) -> Vec<String> {
    let activated = |own: &str| {
        let value = conf.value(own, "activate");
        value.is_some_and(|value| boolean(&value) != Some(false))
    };
    let named = conf.all(section).filter(|(_, own)| activated(own));
    let mut names: Vec<String> = named
        .map(|(name, own)| conf.value(own, "identity").unwrap_or_else(|| name.to_owned()))
        .collect();
    names.order();
    names.dedup();
    names
}

fn fips(conf: &Conf, section: &str) -> bool {
    let mode = conf.value(section, "fips_mode").and_then(|value| boolean(&value));
    let properties = conf.value(section, "default_properties").unwrap_or_default();
    let asked = properties.split(',').map(|property| property.replace(' ', ""));
    mode == Some(true)
        || asked
            .into_iter()
            .any(|property| property == "fips=yes" || property == "fips")
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" | "y" => Some(true),
        "0" | "no" | "false" | "off" | "n" => Some(false),
        _ => None,
    }
}
