//! Subscriptions. The certificate was made by OpenSSL; a status as `pro` 32 writes it, shortened.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{facts, machine};
use crate::reading::captured::Captured;

const CERTIFICATE: &str = include_str!("../../../fixtures/kernel-and-release/red-hat/cert.pem");
const STATUS: &str = r#"{"_schema_version": "0.1", "account": {"id": "aAs1", "name": "jane@a.example"}, "attached": true,
  "contract": {"id": "cA", "name": "secret"}, "expires": "2027-05-31T00:00:00+00:00", "services": [
  {"available": "yes", "entitled": "yes", "name": "livepatch", "status": "disabled"},
  {"available": "yes", "entitled": "yes", "name": "esm-infra", "status": "enabled"}]}"#;

fn told(host: &Captured) -> Value {
    let facts = facts(host);
    let told = facts["subscriptions"].clone();
    assert!(
        !told.to_string().contains("secret") && !told.to_string().contains("jane"),
        "{told}"
    );
    told
}

fn pro(status: &str) -> Captured {
    machine().file("/var/lib/ubuntu-advantage/status.json", status)
}

#[test]
fn ubuntu_pro() {
    assert_eq!(told(&machine())["ubuntu_pro"]["outcome"], "absent");
    let host = pro(STATUS).file("/var/lib/ubuntu-advantage/private/machine-token.json", "secret");
    let expected = json!({
        "attached": {"outcome": "observed", "value": true},
        "expires": {"outcome": "observed", "value": "2027-05-31T00:00:00Z"},
        "services": {"outcome": "observed", "value": [
            {"name": "esm-infra", "status": "enabled"}, {"name": "livepatch", "status": "disabled"}]},
    });
    assert_eq!(told(&host)["ubuntu_pro"]["value"], expected);
    let never = pro(r#"{"attached": false, "expires": null, "services": [{"name": "esm-apps", "available": "yes"}]}"#);
    let never = &told(&never)["ubuntu_pro"]["value"];
    assert_eq!(never["attached"]["value"], false);
    assert_eq!(never["expires"]["outcome"], "absent");
    assert_eq!(
        never["services"]["value"],
        json!([{"name": "esm-apps", "status": "not_attached"}])
    );
    let bare = machine().folder("/var/lib/ubuntu-advantage/private");
    assert_eq!(told(&bare)["ubuntu_pro"]["value"]["services"]["outcome"], "absent");
    let closed = host.denied("/var/lib/ubuntu-advantage/private");
    assert_eq!(told(&closed)["ubuntu_pro"]["value"]["attached"]["outcome"], "denied");
    for wrong in [
        "",
        "[]",
        r#"{"services": {}}"#,
        r#"{"services": [{}]}"#,
        r#"{"services": [], "expires": "secret"}"#,
    ] {
        let told = told(&pro(wrong));
        assert_eq!(
            told["ubuntu_pro"]["value"]["services"]["outcome"], "malformed",
            "{wrong}"
        );
    }
}

#[test]
fn red_hat() {
    assert_eq!(told(&machine())["red_hat"]["outcome"], "absent");
    let client = machine().file("/etc/rhsm/rhsm.conf", "");
    let not = &told(&client)["red_hat"]["value"];
    assert_eq!(
        (&not["registered"]["value"], &not["consumer"]["outcome"]),
        (&json!(false), &json!("absent"))
    );
    assert_eq!(not["entitlements"]["value"], json!([]));
    let host = client
        .file("/etc/pki/consumer/cert.pem", CERTIFICATE)
        .file(
            "/etc/pki/entitlement/123.pem",
            format!("{CERTIFICATE}-----BEGIN ENTITLEMENT DATA-----\nAAAA\n-----END ENTITLEMENT DATA-----\n"),
        )
        .file("/etc/pki/entitlement/123-key.pem", "secret");
    let dates = json!({"not_before": "2026-11-27T03:56:29Z", "not_after": "2027-11-27T03:56:29Z"});
    let with = &told(&host)["red_hat"]["value"];
    assert_eq!(
        (&with["registered"]["value"], &with["consumer"]["value"]),
        (&json!(true), &dates)
    );
    assert_eq!(with["entitlements"]["value"], json!([dates]));
    let outcome = |host: &Captured, part: &str| told(host)["red_hat"]["value"][part]["outcome"].clone();
    let closed = host.clone().denied("/etc/pki/entitlement");
    assert_eq!(outcome(&closed, "entitlements"), "denied");
    assert_eq!(
        outcome(&host.clone().denied("/etc/pki/consumer"), "registered"),
        "denied"
    );
    for wrong in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(
            outcome(&host.clone().file("/etc/pki/consumer/cert.pem", wrong), "consumer"),
            "malformed"
        );
        assert_eq!(
            outcome(&host.clone().file("/etc/pki/entitlement/9.pem", wrong), "entitlements"),
            "malformed"
        );
    }
}

#[test]
fn suse() {
    assert_eq!(told(&machine())["suse"]["outcome"], "absent");
    let zypper = machine().folder("/etc/zypp/repos.d");
    let value = |registered: bool, configured: bool| {
        let known = |value| json!({"outcome": "observed", "value": value});
        json!({"registered": known(registered), "configured": known(configured)})
    };
    assert_eq!(told(&zypper)["suse"]["value"], value(false, false));
    let host = zypper
        .file(
            "/etc/zypp/credentials.d/SCCcredentials",
            "username=SCC_secret\npassword=secret\n",
        )
        .file("/etc/SUSEConnect", "url: https://rmt.example\n");
    assert_eq!(told(&host)["suse"]["value"], value(true, true));
    let closed = host.denied("/etc/zypp/credentials.d");
    assert_eq!(told(&closed)["suse"]["value"]["registered"]["outcome"], "denied");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, at in 0usize..400, with in "[\\[\\]{}:\",a0-]{0,4}") {
        let at = at % STATUS.len();
        let spoilt = format!("{}{with}{}", STATUS.get(..at).unwrap_or_default(), STATUS.get(at + 1..).unwrap_or_default());
        let host = pro(&spoilt)
            .file("/etc/pki/consumer/cert.pem", &bytes)
            .file("/etc/pki/entitlement/1.pem", CERTIFICATE.replace('A', &with));
        facts(&host);
    }
}
