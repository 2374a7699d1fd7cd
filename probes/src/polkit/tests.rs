use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const POLICY: &str = "<?xml version=\"1.0\"?>\n<policyconfig>\n<!-- <action id=\"no\"><defaults><allow_any>yes</allow_any></defaults></action> -->\n\
    <action id=\"org.a.mount\">\n<description xml:lang=\"de\">x</description>\n<defaults><allow_any>auth_admin</allow_any>\n\
    <allow_active> yes </allow_active></defaults></action>\n<action id='org.a.safe'><defaults><allow_any>auth_admin</allow_any></defaults></action>\n\
    </policyconfig>\n";

fn host() -> Captured {
    Captured::default()
        .file("/usr/lib/polkit-1/polkitd", "ELF")
        .file("/usr/lib/systemd/system/polkit.service", "[Service]\n")
        .file("/usr/share/polkit-1/rules.d/50-default.rules", "polkit.addAdminRule(function(a, s) {\n    return [\"unix-group:sudo\"];\n});\n")
        .file("/etc/polkit-1/rules.d/49-own.rules", "// return polkit.Result.NO;\npolkit.addRule(function(a, s) { /* \"wheel\" */\n if (s.isInGroup('wheel')) return polkit.Result.YES; });\n")
        .file("/etc/polkit-1/rules.d/60.rules.bak", "x")
        .file("/etc/polkit-1/localauthority/50-local.d/a.pkla", "[x]\nIdentity=unix-group:staff;unix-user:*\nAction=org.a.*;org.b\nResultActive=yes\n")
        .file("/usr/share/polkit-1/actions/org.a.policy", POLICY)
        .file("/usr/share/polkit-1/actions/broken.policy", "<policyconfig><action id=\"x\">")
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<PolkitProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].facts.clone().unwrap()
}

#[test]
fn rules_actions_and_authority() {
    let facts = facts(&host());
    assert_eq!(facts["installed"], true);
    assert_eq!(facts["service"]["value"]["at_boot"], "not_pulled");
    let rules = facts["rules"]["value"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(
        (&rules[0]["path"], &rules[0]["can_allow"]),
        (&json!("/etc/polkit-1/rules.d/49-own.rules"), &json!(true))
    );
    assert_eq!(
        (&rules[0]["admin_groups"], &rules[0]["adds_admin_rule"]),
        (&json!(["wheel"]), &json!(false))
    );
    assert_eq!(
        (&rules[1]["admin_groups"], &rules[1]["adds_admin_rule"]),
        (&json!(["sudo"]), &json!(true))
    );
    assert_eq!(rules[1]["can_allow"], false);
    let action = json!([{"id": "org.a.mount", "allow_any": "auth_admin", "allow_inactive": "no", "allow_active": "yes",
        "path": "/usr/share/polkit-1/actions/org.a.policy"}]);
    assert_eq!(facts["actions"]["value"], action);
    assert_eq!(
        facts["malformed_actions"],
        json!(["/usr/share/polkit-1/actions/broken.policy"])
    );
    let entry = &facts["authority"]["value"][0];
    assert_eq!(
        (&entry["groups"], &entry["everybody"], &entry["result_active"]),
        (&json!(1), &json!(true), &json!("yes"))
    );
    assert_eq!(entry["actions"], json!(["org.a.*", "org.b"]));
}

#[test]
fn comments_do_not_count() {
    let rules = |text: &str| rules::read("x", text.as_bytes());
    assert!(!rules("// YES \"wheel\"\n/* YES */ return polkit.Result.NO;").can_allow);
    assert!(rules("var a = \"http://x\"; return polkit.Result.YES;").can_allow);
    assert!(rules("return 'yes';").can_allow);
    assert_eq!(rules("'a // b'; \"sudo\"").admin_groups, ["sudo"]);
}

#[test]
fn nothing_and_denied() {
    let nothing = facts(&Captured::default());
    assert_eq!(
        (&nothing["installed"], &nothing["rules"]["value"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(nothing["service"]["outcome"], "absent");
    let denied = facts(
        &host()
            .denied("/etc/polkit-1/rules.d")
            .denied("/etc/polkit-1/localauthority"),
    );
    assert_eq!(
        (&denied["rules"]["outcome"], &denied["authority"]["outcome"]),
        (&json!("denied"), &json!("denied"))
    );
    assert_eq!(denied["actions"]["outcome"], "observed");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[<>a-z/=\"' !*\\\\-]{0,100}") {
        for content in [bytes.as_slice(), text.as_bytes()] {
            let host = host().file("/etc/polkit-1/rules.d/49-own.rules", content)
                .file("/usr/share/polkit-1/actions/org.a.policy", content)
                .file("/etc/polkit-1/localauthority/50-local.d/a.pkla", content);
            facts(&host);
        }
    }
}
