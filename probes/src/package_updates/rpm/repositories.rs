//! Configured repositories: `.repo` files of dnf, yum and zypper, and the main configuration of dnf.
//!
//! Source: dnf.conf(5), dnf5.conf(5), zypper(8), `zypp.conf`.

use super::super::doubts::Doubts;
use super::super::parts;
use super::super::uri::ArchiveUri;
use crate::formats::repo_file::{Ini, Section, boolean};
use crate::reading::Reading;

/// Folders of dnf and yum, in the order in which they are read.
const DNF_FOLDERS: [&str; 2] = ["/etc/yum.repos.d", "/etc/distro.repos.d"];
const ZYPP_FOLDER: &str = "/etc/zypp/repos.d";
const DNF_CONF: [&str; 2] = ["/etc/dnf/dnf.conf", "/etc/yum.conf"];
/// Repositories that are looked at.
const MAX_REPOSITORIES: usize = 1_000;

/// Who manages packages on top of rpm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// dnf or yum.
    Dnf,
    /// zypper.
    Zypper,
}

/// A repository.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// Its id (zypper: alias).
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// Where it is configured.
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) enabled: bool,
    /// Kind (`baseurl`, `mirrorlist`, `metalink`) and URL, without user name and password.
    pub(super) urls: Vec<(String, String)>,
    pub(super) gpgcheck: bool,
    pub(super) repo_gpgcheck: bool,
    pub(super) sslverify: bool,
    /// Whether modules are of no account for its packages.
    pub(super) module_hotfixes: bool,
    pub(super) gpgkeys: Vec<String>,
    /// A lower number is preferred.
    pub(super) priority: i64,
    pub(super) excludes: Vec<String>,
    /// If not empty, nothing else comes from it.
    pub(super) includes: Vec<String>,
}

/// What is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configured {
    pub(super) client: Client,
    pub(super) repositories: Vec<Repository>,
    /// Excluded from every repository.
    pub(super) excludes: Vec<String>,
    pub(super) includes: Vec<String>,
}

/// Reads the configuration. What cannot be understood is a doubt.
pub(super) fn read(reading: &Reading<'_>, doubts: &mut Doubts) -> Configured {
    let zypp = parts::files(reading, ZYPP_FOLDER, &["repo"], doubts);
    let client = if zypp.is_empty() { Client::Dnf } else { Client::Zypper };
    let main_file = DNF_CONF
        .iter()
        .filter(|_| client == Client::Dnf)
        .find_map(|path| parts::file(reading, path, doubts));
    let main_ini = main_file.map(|(path, text)| (Ini::parse(&text), path));
    if let Some((ini, path)) = &main_ini {
        doubt_lines(path, ini, doubts);
    }
    let main = main_ini
        .as_ref()
        .and_then(|(ini, _)| ini.sections.iter().find(|section| section.name == "main"));
    let mut files = zypp;
    if client == Client::Dnf {
        let folders = main.map(|main| main.list("reposdir")).unwrap_or_default();
        let usual = || DNF_FOLDERS.iter().map(|folder| (*folder).to_owned()).collect();
        let folders: Vec<String> = if folders.is_empty() { usual() } else { folders };
        for folder in folders.iter().filter(|folder| folder.starts_with('/')) {
            files.extend(parts::files(reading, folder, &["repo"], doubts));
        }
    }
    let mut configured = Configured {
        client,
        repositories: vec![],
        excludes: main.map(excludes).unwrap_or_default(),
        includes: main.map(|main| main.list("includepkgs")).unwrap_or_default(),
    };
    for (path, text) in &files {
        let ini = Ini::parse(text);
        doubt_lines(path, &ini, doubts);
        for section in ini.sections.iter().filter(|section| section.name != "main") {
            if configured.repositories.len() >= MAX_REPOSITORIES {
                doubts.add(format!("{path}: more repositories than can be looked at"));
                return configured;
            }
            let repository = repository(path, section, main, client, doubts);
            configured.repositories.push(repository);
        }
    }
    configured
}

fn doubt_lines(path: &str, ini: &Ini, doubts: &mut Doubts) {
    if let Some(line) = ini.unparsed.first() {
        doubts.add(format!("{path}:{line}: neither a section nor a setting"));
    }
}

fn excludes(section: &Section) -> Vec<String> {
    ["exclude", "excludes", "excludepkgs"]
        .into_iter()
        .flat_map(|key| section.list(key))
        .collect()
}

fn repository(
    path: &str,
    section: &Section,
    main: Option<&Section>,
    client: Client,
    doubts: &mut Doubts,
) -> Repository {
    let mut truth = |key: &str, usual: bool| {
        let value = section.get(key).or_else(|| main.and_then(|main| main.get(key)));
        match value.map(|value| (value, boolean(value))) {
            None => usual,
            Some((_, Some(truth))) => truth,
            Some((value, None)) => {
                doubts.add(format!(
                    "{path}: [{}]: {key}={value} is neither yes nor no",
                    section.name
                ));
                usual
            }
        }
    };
    // zypper checks signatures unless it is told not to, dnf the other way round.
    let checks = client == Client::Zypper;
    let gpgcheck = truth("gpgcheck", checks);
    let (gpgcheck, repo_gpgcheck) = match client {
        Client::Dnf => (truth("pkg_gpgcheck", gpgcheck), truth("repo_gpgcheck", false)),
        // With a signed list the checksums in it are enough.
        Client::Zypper => (truth("pkg_gpgcheck", gpgcheck), truth("repo_gpgcheck", gpgcheck)),
    };
    let enabled = section.get("enabled").is_none() || truth("enabled", true);
    let sslverify = truth("sslverify", true);
    let module_hotfixes = section.get("module_hotfixes").is_some() && truth("module_hotfixes", false);
    let priority = section.get("priority").map(str::parse::<i64>);
    let priority = priority.unwrap_or(Ok(99)).unwrap_or_else(|_| {
        doubts.add(format!("{path}: [{}]: priority is no number", section.name));
        99
    });
    let urls = ["baseurl", "metalink", "mirrorlist"].into_iter().flat_map(|kind| {
        let urls = section.list(kind).into_iter();
        urls.map(|url| (kind.to_owned(), shown(&url))).collect::<Vec<_>>()
    });
    Repository {
        id: section.name.clone(),
        name: section.get("name").unwrap_or_default().to_owned(),
        file: path.to_owned(),
        line: section.line,
        enabled,
        urls: urls.collect(),
        gpgcheck,
        repo_gpgcheck,
        sslverify,
        module_hotfixes,
        gpgkeys: section.list("gpgkey").iter().map(|url| shown(url)).collect(),
        priority,
        excludes: excludes(section),
        includes: section.list("includepkgs"),
    }
}

/// A URL without user name, password and query, in which tokens can be.
fn shown(url: &str) -> String {
    let (place, query) = url.split_once('?').map_or((url, ""), |(place, _)| (place, "?…"));
    let shown = ArchiveUri::parse(place).map_or_else(|| "…".to_owned(), |uri| uri.shown);
    let shown = if place.ends_with('/') {
        shown
    } else {
        shown.strip_suffix('/').unwrap_or(&shown).to_owned()
    };
    // The query of the mirrors of Fedora and CentOS names a repository and no person.
    let harmless = url.split_once('?').filter(|(_, query)| {
        let mut parts = query.split('&');
        parts.all(|part| {
            ["repo=", "arch=", "release=", "infra=", "protocol="]
                .iter()
                .any(|name| part.starts_with(name))
        })
    });
    match harmless {
        Some((_, harmless)) => format!("{shown}?{harmless}"),
        None => format!("{shown}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn urls_without_secrets() {
        assert_eq!(shown("https://u:p@h/x"), "https://…@h/x");
        assert_eq!(shown("https://h/x/?token=secret"), "https://h/x/?…");
        assert_eq!(
            shown("https://m.example/metalink?repo=fedora-$releasever&arch=$basearch"),
            "https://m.example/metalink?repo=fedora-$releasever&arch=$basearch"
        );
    }

    #[test]
    fn of_dnf() {
        let host = Captured::default()
            .file("/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\nexcludepkgs=a*, b\n")
            .file(
                "/etc/yum.repos.d/x.repo",
                "[base]\nname=Base\nbaseurl=https://u:p@h/1\n  http://h/2\ngpgkey=file:///etc/k\n\n\
                 [off]\nenabled=0\ngpgcheck=maybe\npriority=x\nmetalink=https://h/m\n",
            );
        let mut doubts = Doubts::default();
        let read = read(&testing(&host), &mut doubts);
        assert_eq!(
            (read.client, read.excludes),
            (Client::Dnf, vec!["a*".to_owned(), "b".to_owned()])
        );
        let base = &read.repositories[0];
        assert!(base.enabled && base.gpgcheck && !base.repo_gpgcheck && base.sslverify);
        assert_eq!(base.urls[0], ("baseurl".to_owned(), "https://…@h/1".to_owned()));
        assert_eq!(base.urls[1].1, "http://h/2");
        let off = &read.repositories[1];
        assert!(!off.enabled && off.priority == 99);
        assert_eq!(
            doubts.into_reasons(),
            [
                "/etc/yum.repos.d/x.repo: [off]: gpgcheck=maybe is neither yes nor no",
                "/etc/yum.repos.d/x.repo: [off]: priority is no number"
            ]
        );
    }

    #[test]
    fn of_zypper() {
        let host = Captured::default().file(
            "/etc/zypp/repos.d/a.repo",
            "[a]\nbaseurl=http://h/\n[b]\ngpgcheck=0\nbaseurl=http://h/\n",
        );
        let mut doubts = Doubts::default();
        let read = read(&testing(&host), &mut doubts);
        assert_eq!(read.client, Client::Zypper);
        assert!(read.repositories[0].gpgcheck && !read.repositories[1].gpgcheck);
        assert!(!read.repositories[1].repo_gpgcheck);
    }
}
