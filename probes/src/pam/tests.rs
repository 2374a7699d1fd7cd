use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<PamProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].to_bytes().expect("a document");
    documents[0].facts.clone().unwrap()
}

fn service(facts: &Value, name: &str) -> Value {
    let services = facts["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {facts}")).clone()
}

fn stack(host: &Captured, name: &str) -> Value {
    service(&facts(host), name)["stack"]["value"].clone()
}

/// As Debian 12 has it, with pam_pwquality.
fn debian() -> Captured {
    Captured::default()
        .file("/etc/pam.d/common-auth", "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n")
        .file("/etc/pam.d/common-account", "account required pam_permit.so\n")
        .file("/etc/pam.d/common-session", "session required pam_unix.so\n")
        .file("/etc/pam.d/common-password", "password requisite pam_pwquality.so retry=3\npassword [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt\npassword requisite pam_deny.so\n")
        .file("/etc/pam.d/passwd", "@include common-password\n")
        .file("/etc/pam.d/login", "auth optional pam_faildelay.so  delay=3000000\n@include common-auth\n@include common-account\nsession [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close\n")
        .file("/etc/pam.d/myservice", "auth required pam_deny.so\n")
        .file("/etc/security/access.conf", "# none\n")
        .file("/lib/x86_64-linux-gnu/security/pam_unix.so", "ELF")
        .file("/lib/x86_64-linux-gnu/security/pam_permit.so", "ELF")
        .file("/lib/x86_64-linux-gnu/security/pam_deny.so", "ELF")
        .file("/etc/login.defs", "ENCRYPT_METHOD SHA512\n")
}

/// As Fedora and RHEL have it with authselect's `with-faillock`.
fn rpm_family() -> Captured {
    Captured::default()
        .file(
            "/etc/pam.d/system-auth",
            "auth        required                                     pam_env.so\n\
             auth        required                                     pam_faildelay.so delay=2000000\n\
             auth        required                                     pam_faillock.so preauth silent\n\
             auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular\n\
             auth        sufficient                                   pam_unix.so nullok\n\
             auth        required                                     pam_faillock.so authfail\n\
             auth        required                                     pam_deny.so\n\
             account     required                                     pam_faillock.so\n\
             account     required                                     pam_unix.so\n\
             password    requisite                                    pam_pwquality.so\n\
             password    [default=1 ignore=ignore success=ok]         pam_localuser.so\n\
             password    requisite                                    pam_pwhistory.so use_authtok\n\
             password    sufficient                                   pam_unix.so yescrypt shadow nullok use_authtok\n\
             session     optional                                     pam_keyinit.so revoke\n\
             -session    optional                                     pam_systemd.so\n",
        )
        .file("/etc/pam.d/sudo", "auth include system-auth\naccount include system-auth\npassword include system-auth\n")
        .file("/etc/pam.d/su", "auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid group=admins\nauth substack system-auth\n")
        .file("/etc/security/faillock.conf", "# deny = 9\ndeny = 5\nunlock_time=never\neven_deny_root\n")
        .file("/etc/security/pwquality.conf", "minlen = 14\ndcredit = -1\n")
        .file("/etc/security/pwquality.conf.d/00.conf", "minlen = 9\nminclass = 4\nenforce_for_root\n")
        .file("/etc/security/pwhistory.conf", "remember = 24\nenforce_for_root\n")
        .file("/usr/lib64/security/pam_unix.so", "ELF")
}

#[test]
fn debian_and_its_includes() {
    let login = stack(&debian(), "login");
    let rules = login["rules"].as_array().unwrap();
    assert_eq!(rules[1]["control"], "[default=ignore success=1]");
    assert_eq!(
        (&rules[1]["path"], &rules[1]["line"]),
        (&json!("/etc/pam.d/common-auth"), &json!(1))
    );
    assert_eq!(
        rules[5]["control"],
        "[default=bad ignore=ignore module_unknown=ignore success=ok]"
    );
    assert_eq!(login["null_passwords"], true);
    assert_eq!(login["fail_delay_micros"], 3_000_000);
    assert_eq!(login["left_to_other"], json!(["password"]));
    assert_eq!(
        login["missing_modules"]["value"],
        json!(["pam_faildelay", "pam_selinux"])
    );
    assert_eq!(login["lockout"]["value"], json!([]));
    let passwd = stack(&debian(), "passwd");
    assert_eq!(
        passwd["password_hash"]["value"],
        json!([{"method": "yescrypt", "chosen_by": "argument"}])
    );
    let quality = &passwd["quality"]["value"][0];
    assert_eq!(
        (&quality["retry"], &quality["minlen"], &quality["dictcheck"]),
        (&json!(3), &json!(8), &json!(true))
    );
    assert_eq!(facts(&debian())["other_services"], json!(["myservice"]));
    assert_eq!(facts(&debian())["access"]["value"]["allowing"], 0);
}

#[test]
fn files_of_modules_are_merged() {
    let sudo = stack(&rpm_family(), "sudo");
    let lockout = json!([{
        "module": "pam_faillock", "deny": 5, "unlock_seconds": 0, "interval_seconds": 900, "even_deny_root": true,
        "root_unlock_seconds": 0, "asks_before": true, "counts_failures": true, "forgets_on_success": true,
        "local_users_only": false,
    }]);
    assert_eq!(sudo["lockout"]["value"], lockout);
    let quality = &sudo["quality"]["value"][0];
    assert_eq!(
        (&quality["minlen"], &quality["minclass"], &quality["dcredit"]),
        (&json!(14), &json!(4), &json!(-1))
    );
    assert_eq!(quality["enforce_for_root"], true);
    let history =
        json!([{"module": "pam_pwhistory", "control": "requisite", "remember": 24, "enforce_for_root": true}]);
    assert_eq!(sudo["history"]["value"], history);
    let su = stack(&rpm_family(), "su");
    let wheel = json!([{"type": "auth", "control": "required", "group": "admins", "trust": false, "deny": false, "root_only": false}]);
    assert_eq!(su["wheel"], wheel);
    assert_eq!(
        (&su["rules"][1]["depth"], &su["rules"][2]["depth"]),
        (&json!(0), &json!(1))
    );
    let host = rpm_family().file("/etc/pam.d/sshd", "auth required pam_faillock.so authfail deny=2 unlock_time=60 conf=/etc/own.conf\nauth required pam_google_authenticator.so nullok secret=/x\n")
        .file("/etc/own.conf", "fail_interval=10\n");
    let sshd = stack(&host, "sshd");
    let lockout = &sshd["lockout"]["value"][0];
    assert_eq!(
        (
            &lockout["deny"],
            &lockout["unlock_seconds"],
            &lockout["interval_seconds"]
        ),
        (&json!(2), &json!(60), &json!(10))
    );
    assert_eq!(sshd["factor_modules"], json!(["pam_google_authenticator"]));
    let factors = json!([{"module": "pam_google_authenticator", "control": "required", "passes_without_setup": true}]);
    assert_eq!(sshd["factors"], factors);
    let host = rpm_family().file(
        "/etc/pam.d/sshd",
        "auth sufficient pam_u2f.so cue\nauth required pam_oath.so usersfile=/x\naccount required pam_duo.so nullok\n",
    );
    let short: Vec<_> = stack(&host, "sshd")["factors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|factor| {
            format!(
                "{} {} {}",
                factor["module"], factor["control"], factor["passes_without_setup"]
            )
        })
        .map(|text| text.replace('"', ""))
        .collect();
    assert_eq!(short, ["pam_u2f sufficient false", "pam_oath required false"]);
    assert_eq!(sshd["rules"][1]["arguments"], json!(["nullok", "secret=*"]));
}

#[test]
fn older_modules() {
    let text = "auth required pam_tally2.so deny=4 unlock_time=1200 even_deny_root onerr=fail\naccount required pam_tally2.so\n\
        password required pam_cracklib.so minlen=12 dcredit=-1 enforce_for_root\npassword required pam_unix.so remember=5 rounds=65536\n\
        password required pam_passwdqc.so min=disabled,24,11,8,7 enforce=everyone\n";
    let host = debian().file("/etc/pam.d/su", text);
    let su = stack(&host, "su");
    let lockout = &su["lockout"]["value"][0];
    assert_eq!(
        (
            &lockout["deny"],
            &lockout["unlock_seconds"],
            &lockout["forgets_on_success"]
        ),
        (&json!(4), &json!(1200), &json!(true))
    );
    let quality = &su["quality"]["value"];
    assert_eq!(
        (
            &quality[0]["minlen"],
            &quality[0]["enforce_for_root"],
            &quality[0]["dictcheck"]
        ),
        (&json!(12), &json!(true), &Value::Null)
    );
    assert_eq!(
        (&quality[1]["passwdqc_min"], &quality[1]["enforcing"]),
        (&json!("disabled,24,11,8,7"), &json!(true))
    );
    assert_eq!(su["history"]["value"][0]["remember"], 5);
    let hash = json!([{"method": "sha512", "chosen_by": "login_defs", "rounds": 65536}]);
    assert_eq!(su["password_hash"]["value"], hash);
}

#[test]
fn etc_hides_the_vendor_and_pam_conf_is_read_alone() {
    let host = Captured::default()
        .file("/usr/lib/pam.d/su", "auth required pam_deny.so\n")
        .file("/usr/lib/pam.d/sudo", "auth include su\n")
        .file("/etc/pam.d/su", "auth required pam_permit.so\n")
        .file("/etc/pam.conf", "login auth required pam_unix.so\n");
    let sudo = stack(&host, "sudo");
    assert_eq!(
        (&sudo["rules"][0]["module"], &sudo["rules"][0]["path"]),
        (&json!("pam_permit"), &json!("/etc/pam.d/su"))
    );
    assert_eq!(facts(&host)["source"], "folders");
    let host = Captured::default().file(
        "/etc/pam.conf",
        "# c\nlogin auth required pam_unix.so\nOTHER auth required pam_deny.so\nlogin account required pam_permit.so\n",
    );
    let login = stack(&host, "login");
    assert_eq!(login["rules"].as_array().unwrap().len(), 2);
    assert_eq!(stack(&host, "other")["modules"], json!(["pam_deny"]));
    assert_eq!(facts(&Captured::default())["source"], "absent");
}

#[test]
fn what_is_wrong_is_said() {
    let text = "foo required pam_unix.so\nauth bogus pam_unix.so\nauth optional\nauth include nowhere\n@include\n";
    let su = stack(&debian().file("/etc/pam.d/su", text), "su");
    let kinds: Vec<_> = su["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["type", "control", "incomplete", "missing_include", "incomplete"]
    );
    assert_eq!(su["rules"][0]["control"], "[default=bad]");
    let cycle = stack(
        &debian().file("/etc/pam.d/su", "auth required pam_unix.so\nauth substack su\n"),
        "su",
    );
    assert_eq!(
        (cycle["rules"].as_array().unwrap().len(), &cycle["problems"][0]["kind"]),
        (16, &json!("too_deep"))
    );
    let denied = facts(&debian().denied("/etc/pam.d/common-auth"));
    assert_eq!(service(&denied, "login")["stack"]["outcome"], "denied");
    assert_eq!(service(&denied, "passwd")["stack"]["outcome"], "observed");
    let quality = |host: &Captured| stack(host, "passwd")["quality"]["outcome"].clone();
    assert_eq!(quality(&debian().denied("/etc/security/pwquality.conf")), "denied");
    assert_eq!(
        quality(&debian().file("/etc/security/pwquality.conf", "minlen = x\n")),
        "malformed"
    );
    assert_eq!(
        facts(
            &Captured::default()
                .file("/etc/pam.d/a", "")
                .denied("/etc/security/access.conf")
        )["access"]["outcome"],
        "denied"
    );
    let unread = Registered::of::<PamProbe>().collect(&Captured::default().denied("/etc/pam.d"));
    assert_eq!(unread[0].outcome, Outcome::Denied);
}

#[test]
fn files_that_include_each_other_many_times_come_to_an_end() {
    let text = "@include su\n".repeat(20) + "auth required pam_unix.so\n";
    let su = stack(&debian().file("/etc/pam.d/su", text), "su");
    assert!(
        su["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|problem| problem["kind"] == "too_deep")
    );
}

proptest! {
    #[test]
    fn any_files_are_read_without_panic(a in proptest::collection::vec(any::<u8>(), 0..200), b in "[a-z@=\\[\\] \\n#\\\\]{0,200}") {
        let host = debian().file("/etc/pam.d/su", a.clone()).file("/etc/pam.d/login", &b).file("/etc/security/faillock.conf", &b);
        facts(&host.file("/etc/security/access.conf", a));
    }
}
