use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<FileIntegrityProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn the_table_is_sorted() {
    assert!(SOFTWARE.is_sorted_by_key(|(product, _)| product.id));
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["software"], json!([]));
    assert_eq!(facts["cron"], Value::Null);
    for part in ["aide", "syscheck", "osquery", "samhain", "tripwire"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
    assert_eq!(facts["ima"]["available"]["outcome"], "absent");
}

fn aide() -> Captured {
    Captured::default()
        .file("/usr/bin/aide", "")
        .file(
            "/etc/aide/aide.conf",
            "@@define DBDIR /srv/aide\ndatabase_in=file:@@{DBDIR}/aide.db\ndatabase_new=file:@@{DBDIR}/aide.db.new\n\
             Full = p+u\n/etc Full\n@@x_include /etc/aide/aide.conf.d ^[a-z]+$\n",
        )
        .file(
            "/etc/aide/aide.conf.d/x",
            "/boot Full\n!/boot/grub\n=/root p\n@@{RUN}/y Full\n",
        )
        .file("/etc/cron.daily/aide", "#!/bin/sh\n/usr/bin/aide --check\n")
}

#[test]
fn aide_with_and_without_a_database() {
    let facts_of = facts(&aide());
    let told = &facts_of["aide"]["value"];
    assert_eq!(told["database"], "/srv/aide/aide.db");
    assert_eq!(told["database_day"]["outcome"], "absent");
    assert_eq!(
        (told["selections"].as_u64(), told["exclusions"].as_u64()),
        (Some(4), Some(1))
    );
    assert_eq!(
        (&told["file"], &told["included"]),
        (&json!("/etc/aide/aide.conf"), &json!(1))
    );
    let with = facts(&aide().file("/srv/aide/aide.db", "x"));
    assert_eq!(with["aide"]["value"]["database_day"]["value"], "1970-01-01T00:00:00Z");
    let denied = facts(&aide().denied("/etc/aide/aide.conf"));
    assert_eq!(denied["aide"]["outcome"], "denied");
    let closed = facts(&aide().denied("/srv/aide"));
    assert_eq!(closed["aide"]["value"]["database_day"]["outcome"], "denied");
}

#[test]
fn aide_takes_the_first_database_and_the_part_that_holds() {
    let told = |text: &str| facts(&aide().file("/etc/aide/aide.conf", text))["aide"].clone();
    let first = told("database_in=file:///a\ndatabase=file:/b\ndatabase_out=file:/c\ndatabase_new=file:/d\n");
    assert_eq!(first["value"]["database"], "/a");
    assert_eq!(first["value"]["new_database_day"]["detail"], "/c is not there");
    let none = told("/etc p\n");
    assert_eq!(none["value"]["database"], Value::Null);
    assert_eq!(none["value"]["database_day"]["outcome"], "absent");
    let elsewhere = told("database_in=https://u:secret@a.example/db\n");
    assert_eq!(elsewhere["value"]["database"], "https://a.example/db");
    assert_eq!(elsewhere["value"]["database_day"]["outcome"], "unsupported");
    let held = told(
        "@@define A x\n@@if defined A\n/1 p\n@@if not exists /etc/aide/aide.conf\n/2 p\n@@else\n/3 p\n!/4\n@@endif\n@@endif\n\
         @@undef A\n@@ifdef A\n/5 p\n@@endif\n@@if version_ge 0.19\n/6 p\n@@else\n/7 p\n@@endif\n",
    );
    assert_eq!(
        (&held["value"]["selections"], &held["value"]["exclusions"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn aide_files_that_include_each_other_end() {
    let told = |text: &str| facts(&aide().file("/etc/aide/aide.conf", text))["aide"]["outcome"].clone();
    assert_eq!(told("@@include /etc/aide/aide.conf\n"), "malformed");
    assert_eq!(told(&"@@if defined A\n".repeat(1_000)), "malformed");
    assert_eq!(told("@@include /etc/aide/aide.conf.d (\n"), "malformed");
    assert_eq!(
        told("@@include /nowhere ^x$\n@@include\n@@if\n@@define\n@@undef\n"),
        "observed"
    );
}

#[test]
fn what_aide_compares_and_reports() {
    let conf = "report_url=file:/var/log/aide.log\nreport_url=https://u:secret@a.example/x\nReport = p+u\nFull = R+sha256-md5\n\
                @@define G Full\n/etc Full\n/boot f @@{G}-X\n=/root Report\n/srv Nowhere+g\n";
    let host = aide().file("/etc/aide/aide.conf", conf).file(
        "/etc/default/aide",
        "MAILTO=jane@a.example\nQUIETREPORTS=yes\nTOKEN=secret\n",
    );
    let facts_of = facts(&host);
    assert!(!facts_of.to_string().contains("secret") && !facts_of.to_string().contains("jane"));
    let told = &facts_of["aide"]["value"];
    let of = |name: &str| {
        let mut attributes = told["attributes"].as_array().unwrap().iter();
        attributes
            .find(|one| one["name"] == name)
            .map(|one| one["selections"].clone())
    };
    assert_eq!(
        (of("p"), of("sha256"), of("acl"), of("md5")),
        (Some(json!(3)), Some(json!(2)), Some(json!(1)), None)
    );
    assert_eq!(told["undefined_groups"], json!(["Nowhere"]));
    assert_eq!(told["reports"], json!(["/var/log/aide.log", "https://a.example/x"]));
    let mail = json!({"to": "address", "only_changes": true, "never": false});
    assert_eq!(told["mail"]["value"], mail);
    let to =
        |text: &str| facts(&aide().file("/etc/default/aide", text))["aide"]["value"]["mail"]["value"]["to"].clone();
    assert_eq!(
        (to("#MAILTO=x\n"), to("MAILTO=jane\n")),
        (json!("root"), json!("local_user"))
    );
    let plain = facts(&aide());
    assert_eq!(plain["aide"]["value"]["reports"], json!(["stdout"]));
    assert_eq!(plain["aide"]["value"]["mail"]["outcome"], "absent");
    let closed = facts(&aide().denied("/etc/default/aide"));
    assert_eq!(closed["aide"]["value"]["mail"]["outcome"], "denied");
}

#[test]
fn what_is_loaded_into_every_program() {
    let told = |host: &Captured| facts(host)["preload"].clone();
    let file = "/etc/ld.so.preload";
    assert_eq!(told(&Captured::default())["outcome"], "absent");
    assert_eq!(told(&Captured::default().denied(file))["outcome"], "denied");
    assert_eq!(told(&Captured::default().file(file, "# none\n"))["value"], json!([]));
    let host = Captured::default()
        .file(file, b"/lib/a.so\nb.so /lib/gone.so /x/$LIB/c.so\n\xff")
        .file("/lib/a.so", "");
    let value = told(&host)["value"].clone();
    let good =
        json!({"outcome": "observed", "value": {"uid": 0, "gid": 0, "mode": "0644", "writable_by_others": false}});
    assert_eq!(value[0], json!({"path": "/lib/a.so", "file": good}));
    let outcomes: Vec<_> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["file"]["outcome"].clone())
        .collect();
    assert_eq!(
        outcomes,
        ["observed", "absent", "unsupported", "unsupported", "unsupported"]
    );
    let mut stat = crate::reading::testing(&host).stat("/lib").unwrap().unwrap();
    stat.mode = 0o777;
    let open = told(&host.stat_of("/lib", stat));
    assert_eq!(open["value"][0]["file"]["value"]["writable_by_others"], true);
}

#[test]
fn syscheck_osquery_samhain_tripwire() {
    let ossec = "<ossec_config>\n<!-- <syscheck><disabled>yes</disabled></syscheck> -->\n<syscheck>\n<disabled>no</disabled>\n\
                 <frequency>3600</frequency>\n<directories>/etc,/usr/bin</directories>\n<directories check_all=\"yes\" \
                 realtime=\"yes\">/srv</directories>\n</syscheck></ossec_config>\n<ossec_config><syscheck><directories>/boot\
                 </directories></syscheck></ossec_config>";
    let host = Captured::default()
        .file("/var/ossec/etc/ossec.conf", ossec)
        .file("/usr/bin/osqueryd", "")
        .file(
            "/etc/osquery/osquery.conf",
            r#"{"options": {"disable_events": "false"}, "file_paths": {"etc": ["/etc/%%"]}}"#,
        )
        .file("/etc/osquery/osquery.flags", "--enable_file_events\n")
        .file("/usr/sbin/samhain", "")
        .file("/etc/samhain/samhainrc", "SetDatabasePath=/srv/s\n")
        .file("/srv/s", "")
        .file("/usr/sbin/tripwire", "")
        .file("/etc/tripwire/twpol.txt", "")
        .file("/proc/cmdline", "quiet ima_policy=tcb evm=fix\n")
        .folder("/sys/kernel/security/ima");
    let facts = facts(&host);
    let expected = json!({"disabled": false, "frequency": 3600, "directories": ["/boot", "/etc", "/srv", "/usr/bin"],
                          "realtime": ["/srv"]});
    assert_eq!(facts["syscheck"]["value"], expected);
    assert_eq!(
        facts["osquery"]["value"],
        json!({"file_events": true, "categories": ["etc"]})
    );
    assert_eq!(facts["samhain"]["value"]["database_day"]["outcome"], "observed");
    assert_eq!(
        facts["tripwire"]["value"],
        json!({"database_day": null, "plain_text": true})
    );
    assert_eq!(
        facts["ima"]["parameters"]["value"],
        json!(["evm=fix", "ima_policy=tcb"])
    );
    assert_eq!(facts["ima"]["available"]["value"], true);
}

#[test]
fn a_malformed_configuration_is_said() {
    let host = Captured::default()
        .file("/usr/bin/osqueryd", "")
        .file("/etc/osquery/osquery.conf", "{");
    assert_eq!(facts(&host)["osquery"]["outcome"], "malformed");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "[<>/!@{}=:\"a1 \ndisyhck-]{0,80}") {
        for content in [bytes, text.into_bytes()] {
            let host = aide()
                .file("/etc/aide/aide.conf", &content)
                .file("/var/ossec/etc/ossec.conf", &content)
                .file("/usr/bin/osqueryd", "")
                .file("/etc/osquery/osquery.conf", &content)
                .file("/etc/osquery/osquery.flags", &content)
                .file("/usr/sbin/samhain", "")
                .file("/etc/default/aide", &content)
                .file("/etc/ld.so.preload", &content)
                .file("/etc/samhain/samhainrc", &content);
            facts(&host);
        }
    }
}
