//! `ldap.conf` of OpenLDAP and `nslcd.conf`: a name and its value on a line.

use std::collections::BTreeMap;

use super::facts::{LdapClient, Nslcd};
use super::{private_text, schemes, shown};
use crate::reading::{Reading, Unread};

const CLIENT: [&str; 2] = ["/etc/ldap/ldap.conf", "/etc/openldap/ldap.conf"];
const NSLCD: &str = "/etc/nslcd.conf";

/// Defaults of OpenLDAP's library.
pub(super) fn client(reading: &Reading<'_>) -> Result<Option<LdapClient>, Unread> {
    for path in CLIENT {
        if let Some(text) = reading.text(path)? {
            let values = values(&text);
            return Ok(Some(LdapClient {
                path: path.to_owned(),
                uri_schemes: schemes(&values.get("uri").map(|uris| uris.join(" ")).unwrap_or_default()),
                tls_reqcert: lower(&values, "tls_reqcert", "demand"),
            }));
        }
    }
    Ok(None)
}

/// nslcd's configuration.
pub(super) fn nslcd(reading: &Reading<'_>) -> Result<Option<Nslcd>, Unread> {
    let Some(text) = private_text(reading, NSLCD)? else {
        return Ok(None);
    };
    let values = values(&text);
    Ok(Some(Nslcd {
        uri_schemes: schemes(&values.get("uri").map(|uris| uris.join(" ")).unwrap_or_default()),
        ssl: lower(&values, "ssl", "off"),
        tls_reqcert: lower(&values, "tls_reqcert", "demand"),
        has_bind_password: values.contains_key("bindpw"),
    }))
}

/// All values of each name, in order; names in lower case.
fn values(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once([' ', '\t']) {
            values
                .entry(name.to_ascii_lowercase())
                .or_default()
                .push(value.trim().to_owned());
        }
    }
    values
}

/// The last value counts.
fn lower(values: &BTreeMap<String, Vec<String>>, name: &str, otherwise: &str) -> String {
    let value = values.get(name).and_then(|values| values.last());
    value.map_or_else(|| otherwise.to_owned(), |value| shown(value).to_ascii_lowercase())
}
