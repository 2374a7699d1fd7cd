use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<OtherSoftwareProbe>().collect(host).remove(0);
    let facts = document.facts.clone().unwrap_or_else(|| panic!("{}", document.detail));
    assert!(!format!("{document:?}").contains("secret"), "{document:?}");
    facts
}

const STATE: &str = r#"{"data": {"auth": {"users": [{"email": "secret@a.example", "macaroon": "secret"}]}, "snaps": {
  "core22": {"type": "base", "sequence": [{"snap": {"name": "core22", "snap-id": "amcU", "revision": "1963"}}], "active": true,
    "current": "1963", "channel": "latest/stable"},
  "code": {"type": "app", "sequence": [{"name": "code", "snap-id": "Ht0a", "revision": "170"}, {"name": "code", "snap-id": "Ht0a",
    "revision": "172"}], "active": true, "current": "172", "channel": "latest/edge", "classic": true},
  "mine": {"type": "app", "sequence": [{"name": "mine", "snap-id": "", "revision": "x1"}], "current": "x1", "devmode": true}}}}"#;

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    for part in ["snaps", "flatpak", "python", "npm", "gems"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
}

#[test]
fn snaps() {
    let told = |state: &str| facts(&Captured::default().file(snap::STATE, state))["snaps"].clone();
    let expected = json!({"more": 0, "entries": [
        {"name": "code", "kind": "app", "revision": "172", "channel": "latest/edge", "active": true, "confinement": "classic",
         "from_store": true},
        {"name": "core22", "kind": "base", "revision": "1963", "channel": "latest/stable", "active": true, "confinement": "strict",
         "from_store": true},
        {"name": "mine", "kind": "app", "revision": "x1", "channel": "", "active": false, "confinement": "devmode",
         "from_store": false}]});
    assert_eq!(told(STATE)["value"], expected);
    assert_eq!(told(r#"{"data": {}}"#)["value"]["entries"], json!([]));
    for wrong in [
        "",
        "secret",
        "{}",
        r#"{"data": {"snaps": []}}"#,
        r#"{"data": {"snaps": {"a": {}}}}"#,
    ] {
        assert_eq!(told(wrong)["outcome"], "malformed", "{wrong}");
    }
    assert_eq!(
        facts(&Captured::default().denied("/var/lib/snapd"))["snaps"]["outcome"],
        "denied"
    );
}

fn flatpak() -> Captured {
    let app = "/var/lib/flatpak/app/org.example.App";
    Captured::default()
        .link(&format!("{app}/current"), "x86_64/stable")
        .link(&format!("{app}/x86_64/stable/active"), "2a2aa7a30f83f434")
        .file(
            &format!("{app}/x86_64/stable/2a2aa7a30f83f434/deploy"),
            b"Local\x002a2a\0",
        )
        .folder(&format!("{app}/x86_64/beta/.tmp"))
        .file(
            "/var/lib/flatpak/repo/config",
            "[core]\nrepo_version=1\n\n[remote \"Local\"]\ngpg-verify=false\nurl=https://u:secret@a.example/repo\n\
             [remote \"flathub\"]\nurl=https://dl.flathub.org/repo/\ngpg-verify-summary=true\nxa.disable=true\n",
        )
}

#[test]
fn flatpaks() {
    let told = |host: &Captured| facts(host)["flatpak"].clone();
    let expected = json!({
        "software": {"more": 0, "entries": [{"id": "org.example.App", "kind": "app", "architecture": "x86_64", "branch": "stable",
                                             "commit": "2a2aa7a30f83", "origin": "Local"}]},
        "remotes": {"outcome": "observed", "value": [
            {"name": "Local", "url": "https://a.example/repo", "gpg_verify": false, "gpg_verify_summary": false, "disabled": false},
            {"name": "flathub", "url": "https://dl.flathub.org/repo/", "gpg_verify": true, "gpg_verify_summary": true,
             "disabled": true}]},
    });
    assert_eq!(told(&flatpak())["value"], expected);
    let config = "/var/lib/flatpak/repo/config";
    let remotes = |host: &Captured| told(host)["value"]["remotes"]["outcome"].clone();
    assert_eq!(remotes(&flatpak().denied(config)), "denied");
    assert_eq!(remotes(&Captured::default().folder("/var/lib/flatpak/app")), "absent");
    for wrong in ["secret\n", "[remote \"a\"]\ngpg-verify=perhaps\n"] {
        assert_eq!(remotes(&flatpak().file(config, wrong)), "malformed", "{wrong}");
    }
    assert_eq!(told(&flatpak().denied("/var/lib/flatpak/app"))["outcome"], "denied");
    let deploy = "/var/lib/flatpak/app/org.example.App/x86_64/stable/2a2aa7a30f83f434/deploy";
    assert_eq!(told(&flatpak().file(deploy, [0xff; 300]))["outcome"], "malformed");
}

const SITE: &str = "/usr/local/lib/python3.11/dist-packages";

fn python() -> Captured {
    Captured::default()
        .file(
            &format!("{SITE}/zope.interface-6.1.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: zope.interface\nVersion: 6.1\n\nVersion: 9\n",
        )
        .file(&format!("{SITE}/zope.interface-6.1.dist-info/INSTALLER"), "pip\n")
        .file(
            &format!("{SITE}/zope.interface-6.1.dist-info/direct_url.json"),
            r#"{"url": "https://u:secret@x/y"}"#,
        )
        .file(&format!("{SITE}/old-1.egg-info/PKG-INFO"), "Name: old\nVersion: 1\n")
        .file(&format!("{SITE}/older-0.egg-info"), "Name: older\nVersion: 0\n")
        .folder(&format!("{SITE}/empty-1.dist-info/x"))
        .file(&format!("{SITE}/module.py"), "")
}

#[test]
fn python_distributions() {
    let told = |host: &Captured| facts(host)["python"].clone();
    let entries = told(&python())["value"]["entries"].clone();
    let names: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["old", "older", "zope.interface"]);
    let expected =
        json!({"name": "zope.interface", "version": "6.1", "folder": SITE, "installer": "pip", "direct": true});
    assert_eq!(entries[2], expected);
    assert_eq!(
        told(&Captured::default().folder(&format!("{SITE}/x")))["value"]["entries"],
        json!([])
    );
    assert_eq!(told(&python().denied(SITE))["outcome"], "denied");
    let metadata = format!("{SITE}/zope.interface-6.1.dist-info/METADATA");
    assert_eq!(told(&python().denied(&metadata))["outcome"], "denied");
    assert_eq!(told(&python().file(&metadata, "secret\n"))["outcome"], "malformed");
}

#[test]
fn npm_modules() {
    let host = Captured::default()
        .file(
            "/usr/local/lib/node_modules/npm/package.json",
            r#"{"name": "npm", "version": "10.1.0", "token": "secret"}"#,
        )
        .file("/usr/local/lib/node_modules/@a/b/package.json", r#"{"name": "@a/b"}"#)
        .file("/usr/local/lib/node_modules/.package-lock.json", "secret")
        .folder("/usr/local/lib/node_modules/.npm-x/y")
        .link("/usr/local/lib/node_modules/mine", "/srv/mine")
        .file("/srv/mine/package.json", r#"{"version": "1.0.0"}"#)
        .file(
            "/usr/lib/node_modules/corepack/package.json",
            r#"{"version": "0.31.0"}"#,
        );
    let told = |host: &Captured| facts(host)["npm"].clone();
    let expected = json!([
        {"name": "@a/b", "version": "", "linked": false, "folder": "/usr/local/lib/node_modules"},
        {"name": "corepack", "version": "0.31.0", "linked": false, "folder": "/usr/lib/node_modules"},
        {"name": "mine", "version": "1.0.0", "linked": true, "folder": "/usr/local/lib/node_modules"},
        {"name": "npm", "version": "10.1.0", "linked": false, "folder": "/usr/local/lib/node_modules"}]);
    assert_eq!(told(&host)["value"]["entries"], expected);
    let file = "/usr/local/lib/node_modules/npm/package.json";
    assert_eq!(told(&host.clone().denied(file))["outcome"], "denied");
    assert_eq!(told(&host.file(file, "secret"))["outcome"], "malformed");
}

#[test]
fn ruby_gems() {
    let debian = "/var/lib/gems/3.1.0";
    let spec = format!("{debian}/specifications/rake-13.0.6.gemspec");
    let host = Captured::default()
        .file(
            &spec,
            "# -*- encoding: utf-8 -*-\n# stub: rake 13.0.6 ruby lib\n\nGem::Specification.new do |s|\n",
        )
        .file(
            "/usr/local/share/gems/specifications/n.gemspec",
            "# stub: n 1.2 x86_64-linux lib\n",
        )
        .file(&format!("{debian}/specifications/default/x.gemspec"), "");
    let told = |host: &Captured| facts(host)["gems"].clone();
    let expected = json!([
        {"name": "n", "version": "1.2", "platform": "x86_64-linux", "folder": "/usr/local/share/gems"},
        {"name": "rake", "version": "13.0.6", "platform": "ruby", "folder": debian}]);
    assert_eq!(told(&host)["value"]["entries"], expected);
    assert_eq!(told(&host.clone().denied(&spec))["outcome"], "denied");
    assert_eq!(told(&host.file(&spec, "secret"))["outcome"], "malformed");
}

#[test]
fn what_is_more_is_counted() {
    let host = (0..5_003).fold(Captured::default(), |host, number| {
        host.file(&format!("/usr/local/lib/node_modules/m{number}/package.json"), "{}")
    });
    let told = facts(&host)["npm"]["value"].clone();
    assert_eq!(
        (told["entries"].as_array().unwrap().len(), &told["more"]),
        (5_000, &json!(3))
    );
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, at in 0usize..1_000, with in "[\\[\\]{}:\",a0-]{0,4}", near in "[\\[\\]remot\" =\n#stub:NameVrsion1]{0,60}") {
        let at = at % STATE.len();
        let spoilt = format!("{}{with}{}", STATE.get(..at).unwrap_or_default(), STATE.get(at + 1..).unwrap_or_default());
        let host = |content: &[u8]| {
            flatpak()
                .file("/var/lib/flatpak/repo/config", content)
                .file("/var/lib/flatpak/app/org.example.App/x86_64/stable/2a2aa7a30f83f434/deploy", content)
                .file(&format!("{SITE}/x-1.dist-info/METADATA"), content)
                .file("/usr/local/lib/node_modules/x/package.json", content)
                .file("/var/lib/gems/3/specifications/x.gemspec", content)
        };
        for content in [bytes.as_slice(), near.as_bytes()] {
            let document = Registered::of::<OtherSoftwareProbe>().collect(&host(content).file(snap::STATE, &spoilt)).remove(0);
            prop_assert!(document.facts.is_some());
        }
    }
}
