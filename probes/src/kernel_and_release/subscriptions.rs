//! Support that a vendor sells beyond the distribution's own: whether this host is attached to it. States and dates only: no
//! tokens, ids and names of accounts.

use serde_json::Value;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use evidence::Timestamp;

use super::facts::{CertificateDates, ProService, RedHatSubscription, Subscriptions, SuseRegistration, UbuntuPro};
use crate::formats::archive_date::parse_day;
use crate::formats::pem;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// `pro`, which writes the status for others to read, and the token of a machine that is attached.
const PRO_FOLDER: &str = "/var/lib/ubuntu-advantage";
const PRO_STATUS: &str = "/var/lib/ubuntu-advantage/status.json";
const PRO_TOKEN: &str = "/var/lib/ubuntu-advantage/private/machine-token.json";
/// subscription-manager(8).
const RHSM: &str = "/etc/rhsm/rhsm.conf";
const CONSUMER: &str = "/etc/pki/consumer/cert.pem";
const ENTITLEMENTS: &str = "/etc/pki/entitlement";
/// SUSEConnect(8).
const ZYPP: &str = "/etc/zypp";
const SUSE_CREDENTIALS: &str = "/etc/zypp/credentials.d/SCCcredentials";
const SUSE_CONNECT: &str = "/etc/SUSEConnect";
/// More services and certificates are malformed.
const MAX_ENTRIES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Subscriptions {
    Subscriptions {
        ubuntu_pro: Known::of(ubuntu_pro(reading), PRO_FOLDER),
        red_hat: Known::of(red_hat(reading), RHSM),
        suse: Known::of(suse(reading), ZYPP),
    }
}

fn ubuntu_pro(reading: &Reading<'_>) -> Result<Option<UbuntuPro>, Unread> {
    if reading.stat(PRO_FOLDER)?.is_none() {
        return Ok(None);
    }
    let attached = Known::read(reading.stat(PRO_TOKEN).map(|stat| stat.is_some()));
    // It holds the account's name and changes when it is asked for.
    let status = match reading.private(PRO_STATUS, PRO_STATUS) {
        Ok(Some(bytes)) => status(reading, &bytes),
        Ok(None) => Ok(None),
        Err(unread) => Err(unread),
    };
    let status = Known::of(status, PRO_STATUS);
    let expires = match status.map(|status: &Status| status.expires) {
        Known::Observed(Some(day)) => Known::Observed(day),
        Known::Observed(None) => Known::absent(format!("{PRO_STATUS} names no day")),
        Known::Not(why) => Known::Not(why),
    };
    Ok(Some(UbuntuPro {
        attached,
        expires,
        services: status.map(|status| status.services.clone()),
    }))
}

struct Status {
    expires: Option<Timestamp>,
    services: Vec<ProService>,
}

fn status(reading: &Reading<'_>, bytes: &[u8]) -> Result<Option<Status>, Unread> {
    let wrong = |what: &str| reading.malformed(PRO_STATUS.to_owned(), what.to_owned());
    let json: Value = serde_json::from_slice(bytes).map_err(|_| wrong("it is no JSON"))?;
    let expires = match json.get("expires") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if matches!(text.as_str(), "" | "n/a") => None,
        Some(value) => {
            let day = value.as_str().and_then(|text| text.get(..10)).and_then(parse_day);
            Some(day.ok_or_else(|| wrong("expires is no date"))?)
        }
    };
    let listed = json.get("services").and_then(Value::as_array);
    let listed = listed.ok_or_else(|| wrong("services is no list"))?;
    if listed.len() > MAX_ENTRIES {
        return Err(wrong("too many services"));
    }
    let mut services = vec![];
    for service in listed {
        let of = |name: &str| service.get(name).and_then(Value::as_str);
        let name = of("name").ok_or_else(|| wrong("a service without a name"))?;
        // Of a machine that is not attached it tells what there would be.
        let status = of("status").unwrap_or("not_attached");
        let short = |text: &str| text.chars().take(100).collect();
        services.push(ProService {
            name: short(name),
            status: short(status),
        });
    }
    services.order();
    Ok(Some(Status { expires, services }))
}

fn red_hat(reading: &Reading<'_>) -> Result<Option<RedHatSubscription>, Unread> {
    let consumer = Known::of(certificate(reading, CONSUMER, CONSUMER), CONSUMER);
    let absent = matches!(&consumer, Known::Not(why) if why.outcome == evidence::facts::Outcome::Absent);
    if absent && reading.stat(RHSM)?.is_none() {
        return Ok(None);
    }
    Ok(Some(RedHatSubscription {
        registered: match reading.stat(CONSUMER) {
            Ok(stat) => Known::Observed(stat.is_some()),
            Err(unread) => Known::unread(&unread),
        },
        consumer,
        entitlements: Known::read(entitlements(reading)),
    }))
}

/// A file `NUMBER.pem` each, with its key beside it in `NUMBER-key.pem`.
fn entitlements(reading: &Reading<'_>) -> Result<Vec<CertificateDates>, Unread> {
    let mut found = vec![];
    for entry in reading.list(ENTITLEMENTS)?.unwrap_or_default() {
        let Some(name) = entry.name.strip_suffix(".pem").filter(|name| !name.ends_with("-key")) else {
            continue;
        };
        let path = format!("{ENTITLEMENTS}/{name}.pem");
        found.extend(certificate(reading, &path, &format!("{ENTITLEMENTS}/*.pem"))?);
        if found.len() > MAX_ENTRIES {
            return Err(reading.malformed(ENTITLEMENTS.to_owned(), format!("more than {MAX_ENTRIES} certificates")));
        }
    }
    found.order();
    Ok(found)
}

/// The names of the files, and what else is in the certificate, identify the account.
fn certificate(reading: &Reading<'_>, path: &str, shown: &str) -> Result<Option<CertificateDates>, Unread> {
    let Some(bytes) = reading.private(path, shown)? else {
        return Ok(None);
    };
    let wrong = |what: &str| reading.malformed(shown.to_owned(), what.to_owned());
    let found = pem::blocks(&bytes);
    let block = found.blocks.iter().find(|block| block.is_certificate());
    let block = block.ok_or_else(|| wrong("it holds no certificate"))?;
    let der = block.decode().ok_or_else(|| wrong("no base64"))?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| wrong("no X.509 certificate"))?;
    let instant = |seconds| Timestamp::from_unix(seconds).map_err(|_| wrong("its dates are out of range"));
    Ok(Some(CertificateDates {
        not_before: instant(parsed.validity().not_before.timestamp())?,
        not_after: instant(parsed.validity().not_after.timestamp())?,
    }))
}

fn suse(reading: &Reading<'_>) -> Result<Option<SuseRegistration>, Unread> {
    if reading.stat(ZYPP)?.is_none() {
        return Ok(None);
    }
    let there = |path: &str| Known::read(reading.stat(path).map(|stat| stat.is_some()));
    Ok(Some(SuseRegistration {
        registered: there(SUSE_CREDENTIALS),
        configured: there(SUSE_CONNECT),
    }))
}
