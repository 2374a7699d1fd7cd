use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const CHRONY: &str = include_str!("../../fixtures/time-sync/debian12-chrony.conf");
// `chronyc -N -c -m tracking sources` of chronyd 4.3 against a chronyd on loopback, one source being offline.
const CHRONYC: &str = include_str!("../../fixtures/time-sync/chronyc-4.3.csv");
const ASK_CHRONY: &str = "/usr/bin/chronyc -N -c -m tracking sources";

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<TimeSyncProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn systemd() -> Captured {
    Captured::default()
        .link("/lib", "usr/lib")
        .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
        .link("/usr/lib/systemd/system/default.target", "multi-user.target")
        .folder("/run/systemd/units")
        .link("/etc/localtime", "/usr/share/zoneinfo/Europe/Vienna")
}

fn chrony() -> Captured {
    systemd()
        .file("/usr/sbin/chronyd", "")
        .file("/etc/chrony/chrony.conf", CHRONY)
        .file(
            "/usr/lib/systemd/system/chrony.service",
            "[Service]\nExecStart=/usr/sbin/chronyd\n",
        )
        .link(
            "/etc/systemd/system/chronyd.service",
            "/lib/systemd/system/chrony.service",
        )
        .link(
            "/etc/systemd/system/multi-user.target.wants/chrony.service",
            "/lib/systemd/system/chrony.service",
        )
}

#[test]
fn chrony_runs() {
    let host = chrony()
        .file(
            "/etc/chrony/sources.d/own.sources",
            "server ntp.example.org iburst nts\n",
        )
        .file("/run/chrony-dhcp/eth0.sources", "server 192.0.2.1 iburst\n")
        .file(
            "/etc/chrony/conf.d/a.conf",
            "! c\nSERVER 192.0.2.2 key 5 noselect\nlocal stratum 10\n",
        )
        .link("/run/systemd/units/invocation:chrony.service", "0123")
        .file("/run/chrony/chronyd.pid", "77\n")
        .file("/proc/77/cmdline", "/usr/sbin/chronyd\0-F\x001\0")
        .output(ASK_CHRONY, 0, CHRONYC, "");
    let facts = facts(&host);
    assert_eq!(facts["running"], json!({"outcome": "observed", "value": ["chrony"]}));
    assert_eq!(facts["at_boot"]["value"], json!(["chrony"]));
    assert_eq!(facts["time_zone"]["value"], "Europe/Vienna");
    assert_eq!(facts["hardware_clock"]["value"], "utc");
    let service = &facts["services"][0];
    assert_eq!(service["units"]["value"].as_array().unwrap().len(), 1);
    let sources: Vec<_> = service["configured"]["value"]["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (
                text("kind"),
                text("name"),
                text("authentication"),
                one["from_dhcp"] == true,
            )
        })
        .collect();
    let expected = [
        ("server", "192.0.2.2", "key", false),
        ("pool", "2.debian.pool.ntp.org", "none", false),
        ("server", "192.0.2.1", "none", true),
        ("server", "ntp.example.org", "nts", false),
    ];
    assert_eq!(sources, expected.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d)));
    let settings = &service["configured"]["value"]["settings"];
    assert_eq!(settings["makestep"], json!(["1 3"]));
    assert_eq!(settings["local"], json!(["stratum 10"]));
    assert_eq!(
        service["measured"]["value"],
        json!({
            "synchronised": true,
            "reference": "source",
            "stratum": "2_to_5",
            "offset": {"outcome": "observed", "value": "under_1ms"},
            "sources": {"outcome": "observed", "value": "2"},
            "reachable_sources": {"outcome": "observed", "value": "1"},
            "names": {"outcome": "observed", "value": ["127.0.0.1", "127.0.0.2"]},
            "sets_clock": {"outcome": "observed", "value": true},
        })
    );
}

#[test]
fn what_chronyd_was_started_with() {
    let running = chrony()
        .file("/etc/default/chrony", "# DAEMON_OPTS=\"-x\"\nDAEMON_OPTS=\"-F 1 -x\"\n")
        .link("/run/systemd/units/invocation:chrony.service", "0123")
        .file("/run/chrony/chronyd.pid", "77\n")
        .output(ASK_CHRONY, 0, CHRONYC, "");
    let of = |line: &str| facts(&running.clone().file("/proc/77/cmdline", line))["services"][0].clone();
    let with = of("/usr/sbin/chronyd\0-F\x001\0-x\0");
    assert_eq!(with["configured"]["value"]["options"], json!(["-F", "1", "-x"]));
    assert_eq!(with["measured"]["value"]["sets_clock"]["value"], false);
    assert_eq!(
        of("/usr/sbin/chronyd\0-dx\0")["measured"]["value"]["sets_clock"]["value"],
        false
    );
    assert_eq!(
        of("/usr/sbin/chronyd\0-F1\0-uxyz\0")["measured"]["value"]["sets_clock"]["value"],
        true
    );
    assert_eq!(of("")["measured"]["value"]["sets_clock"]["outcome"], "absent");
    let older = running
        .output(ASK_CHRONY, 1, "", "chronyc: invalid option -- 'N'\n")
        .output("/usr/bin/chronyc -n -c -m tracking sources", 0, CHRONYC, "");
    let older = &facts(&older)["services"][0]["measured"]["value"];
    assert_eq!(
        (&older["synchronised"], &older["names"]["outcome"]),
        (&json!(true), &json!("unsupported"))
    );
}

#[test]
fn what_does_not_answer_is_not_synchronised_nor_is_it_not() {
    let running = chrony().link("/run/systemd/units/invocation:chrony.service", "0123");
    let failed = running.clone().output(ASK_CHRONY, 1, "506 Cannot talk to daemon\n", "");
    let measured = &facts(&failed)["services"][0]["measured"];
    assert_eq!(measured["outcome"], "failed");
    assert_eq!(
        measured["detail"],
        format!("{ASK_CHRONY}: status 1: 506 Cannot talk to daemon")
    );
    let odd = running.output(ASK_CHRONY, 0, "nonsense\n", "");
    assert_eq!(facts(&odd)["services"][0]["measured"]["outcome"], "malformed");
    // Installed and not running: it is not asked.
    let stopped = facts(&chrony());
    assert_eq!(stopped["running"]["value"], json!([]));
    assert_eq!(stopped["services"][0]["measured"]["outcome"], "absent");
    // Without systemd nobody knows what runs, and the service is asked.
    let alpine = Captured::default()
        .file("/usr/sbin/chronyd", "")
        .file("/etc/chrony/chrony.conf", CHRONY);
    assert_eq!(facts(&alpine)["running"]["outcome"], "absent");
}

#[test]
fn chronys_own_clock_is_no_source() {
    let local = CHRONYC.replacen("7F000001", "7F7F0101", 1);
    let measured = chrony::parse(&local).unwrap();
    assert_eq!(
        (measured.synchronised, measured.reference),
        (false, Reference::LocalClock)
    );
    let never = "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n";
    let measured = chrony::parse(never).unwrap();
    assert_eq!((measured.synchronised, measured.stratum), (false, StratumBand::None));
    assert_eq!(
        measured.offset,
        Known::absent("no source to compare with"),
        "and not zero"
    );
}

#[test]
fn timesyncd() {
    let text = "       Server: 192.0.2.1 (ntp.example.org)\nPoll interval: 1min 4s (min: 32s; max 34min 8s)\n         Leap: normal\n      Version: 4\n      Stratum: 2\n    Reference: C0000201\n    Precision: 1us (-25)\nRoot distance: 15us (max: 5s)\n       Offset: +22.5ms\n        Delay: 100us\n       Jitter: 0\n Packet count: 3\n    Frequency: +1.2ppm\n";
    let host = systemd()
        .file("/usr/lib/systemd/systemd-timesyncd", "")
        .file(
            "/usr/lib/systemd/system/systemd-timesyncd.service",
            "[Service]\nExecStart=!!/usr/lib/systemd/systemd-timesyncd\n",
        )
        .file("/etc/systemd/timesyncd.conf", "[Time]\n#NTP=\n")
        .file("/run/systemd/netif/links/2", "ADMIN_STATE=configured\nNTP=192.0.2.7\n")
        .file("/run/systemd/timesync/synchronized", "")
        .link("/run/systemd/units/invocation:systemd-timesyncd.service", "0123")
        .output("/usr/bin/timedatectl timesync-status --no-pager", 0, text, "");
    let found = facts(&host);
    let service = &found["services"][0];
    assert_eq!(service["configured"]["value"]["built_in_sources"], false);
    assert_eq!(service["configured"]["value"]["sources"][0]["from_dhcp"], true);
    assert_eq!(service["measured"]["value"]["synchronised"], true);
    assert_eq!(service["measured"]["value"]["offset"]["value"], "under_100ms");
    assert_eq!(found["at_boot"]["value"], json!([]));
    let none = systemd().file("/usr/lib/systemd/systemd-timesyncd", "");
    assert_eq!(
        facts(&none)["services"][0]["configured"]["value"]["built_in_sources"],
        true
    );
    let off = none.file("/etc/systemd/timesyncd.conf", "[Time]\nFallbackNTP=\n");
    assert_eq!(
        facts(&off)["services"][0]["configured"]["value"]["built_in_sources"],
        false
    );
}

#[test]
fn ntpd_and_openntpd() {
    let host = systemd()
        .file("/usr/sbin/ntpd", "")
        .file(
            "/etc/ntpsec/ntp.conf",
            "pool 0.debian.pool.ntp.org iburst # c\nserver 127.127.1.0\nserver -4 a.example nts\nincludefile ntp.d\n",
        )
        .file("/etc/ntpsec/ntp.d/x.conf", "server b.example key 1\n");
    let found = facts(&host);
    assert_eq!(found["services"].as_array().unwrap().len(), 1);
    assert_eq!(found["services"][0]["implementation"], "ntpsec");
    let sources = found["services"][0]["configured"]["value"]["sources"]
        .as_array()
        .unwrap();
    let short: Vec<_> = sources
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["authentication"].as_str().unwrap()))
        .collect();
    assert_eq!(
        short,
        [
            ("pool", "none"),
            ("local_clock", "none"),
            ("server", "nts"),
            ("server", "key")
        ]
    );
    let openntpd = systemd().file("/usr/sbin/ntpd", "").file("/usr/sbin/ntpctl", "").file(
        "/etc/openntpd/ntpd.conf",
        "servers pool.ntp.org\nsensor *\nconstraints from \"https://www.example.org\"\n",
    );
    let found = facts(&openntpd);
    assert_eq!(found["services"][0]["implementation"], "openntpd");
    assert_eq!(
        found["services"][0]["configured"]["value"]["sources"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn ntpqs_table() {
    let text = "leap=00, stratum=3, refid=192.0.2.1, offset=-1.5\n     remote                                   refid      st t when poll reach   delay   offset   jitter\n=======================================================================================================\n 0.debian.pool.ntp.org                   .POOL.          16 p    -  256    0   0.0000   0.0000   0.0001\n*192.0.2.1                               192.0.2.9        2 u   10   64  377   0.1000  -1.5000   0.0100\n 192.0.2.2                               .INIT.          16 u    -   64    0   0.0000   0.0000   0.0001\n";
    let measured = ntpd::parse(text).unwrap();
    assert!(measured.synchronised);
    assert_eq!(measured.offset, Known::Observed(OffsetBand::Under10Ms));
    assert_eq!(
        (measured.sources, measured.reachable_sources),
        (Known::Observed(CountBand::Two), Known::Observed(CountBand::One))
    );
    assert_eq!(ntpd::parse(""), None);
    assert_eq!(ntpd::parse("leap=00\n"), None);
}

#[test]
fn ntpq_of_a_real_ntpd() {
    let before = ntpd::parse(include_str!("../../fixtures/time-sync/ntpq-1.2.2-before.txt")).unwrap();
    assert_eq!((before.synchronised, before.stratum), (false, StratumBand::None));
    assert_eq!(before.sources, Known::Observed(CountBand::Several));
    assert_eq!(before.offset, Known::absent("no source to compare with"));
    let after = include_str!("../../fixtures/time-sync/ntpq-1.2.2-after.txt");
    assert!(!ntpd::parse(after).unwrap().synchronised);
    let synchronised = ntpd::parse(&after.replacen("leap=11", "leap=00", 1)).unwrap();
    assert_eq!(
        (synchronised.synchronised, synchronised.stratum),
        (true, StratumBand::Usual)
    );
    assert_eq!(synchronised.offset, Known::Observed(OffsetBand::Under1Ms));
    assert_eq!(synchronised.reachable_sources, Known::Observed(CountBand::One));
}

#[test]
fn denied_and_malformed() {
    let denied = facts(
        &systemd()
            .file("/usr/sbin/chronyd", "")
            .denied("/etc/chrony/chrony.conf"),
    );
    assert_eq!(denied["services"][0]["configured"]["outcome"], "denied");
    let round = chrony().file("/etc/chrony/conf.d/a.conf", "include /etc/chrony/chrony.conf\n");
    assert_eq!(facts(&round)["services"][0]["configured"]["outcome"], "failed");
    let odd = systemd().file("/etc/adjtime", "0\n0\nX\n");
    assert_eq!(facts(&odd)["hardware_clock"]["outcome"], "malformed");
    assert_eq!(facts(&Captured::default())["services"], json!([]));
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\PC\n,]{0,300}") {
        let _ = facts(&chrony().file("/etc/chrony/chrony.conf", bytes));
        let _ = (chrony::parse(&text), timesyncd::parse(&text, true), ntpd::parse(&text));
    }
}
