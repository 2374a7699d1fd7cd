//! One server of PostgreSQL, which is asked what it makes of each set of files (`pg_hba_file_rules`, `pg_file_settings`).

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::hba::hba;
use crate::machine::{Machine, authority, facts_of, put, some};

pub(crate) const MAIN: &str = "etc/postgresql/15/main";

pub(crate) struct Server {
    at: PathBuf,
    child: Child,
}

/// Arguments with which a program runs as the server's user: it refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
    command.env("LC_ALL", "C").env("HOME", "/").current_dir("/");
    command
}

fn program(name: &str) -> String {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .expect("install it: apt-get install postgresql")
        .map(|entry| entry.unwrap().path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    versions.sort();
    versions.pop().expect("a version is there").to_str().unwrap().to_owned()
}

impl Server {
    pub(crate) fn start(at: &Path) -> Self {
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        let data = at.join("data");
        fs::create_dir(&data).unwrap();
        authority("coreutils", "chown", &["postgres", data.to_str().unwrap()], b"");
        let made = as_postgres(&program("initdb"))
            .args(["-D", data.to_str().unwrap(), "-A", "trust", "-N"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let sockets = format!("unix_socket_directories={}", data.display());
        // What is given here counts before the files, which each case replaces.
        let child = as_postgres(&program("postgres"))
            .args(["-D", data.to_str().unwrap(), "-c", &sockets, "-c", "listen_addresses="])
            .args(["-c", "port=5432", "-c", "fsync=off"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { at: data, child };
        for _ in 0..600 {
            if server.at.join(".s.PGSQL.5432").exists() && !server.psql("select 1;\n").is_empty() {
                return server;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start");
    }

    /// The lines that a script gives.
    fn psql(&self, script: &str) -> Vec<String> {
        let file = self.at.join("script");
        fs::write(&file, script).unwrap();
        let output = as_postgres(&program("psql"))
            .args([
                "-h",
                self.at.to_str().unwrap(),
                "-U",
                "postgres",
                "-XqAt",
                "-f",
                file.to_str().unwrap(),
            ])
            .arg("postgres")
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// What the server makes of the files of each folder.
    pub(crate) fn ask(&self, folders: &[PathBuf], question: &str) -> Vec<Vec<Value>> {
        let data = self.at.display();
        let script: String = folders
            .iter()
            .map(|folder| {
                format!(
                    "\\! cp -rf {}/{MAIN}/. {data}/\nselect coalesce(jsonb_agg(r)::text, '[]') from ({question}) r;\n",
                    folder.display()
                )
            })
            .collect();
        let answers = self.psql(&script);
        assert_eq!(answers.len(), folders.len(), "{answers:?}");
        answers
            .iter()
            .map(|answer| serde_json::from_str(answer).unwrap())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT: it ends at once and tidies up.
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// How far a rule reaches, by what the view shows.
fn reach(row: &Value) -> &'static str {
    let Some(address) = row["address"].as_str() else {
        return "socket";
    };
    let Ok(ip) = address.parse::<IpAddr>() else {
        return match address {
            "all" => "all",
            "samehost" => "same_host",
            "samenet" => "same_net",
            _ => "name",
        };
    };
    let mask: IpAddr = row["netmask"].as_str().unwrap().parse().unwrap();
    let (bits, width) = match mask {
        IpAddr::V4(mask) => (u128::from(u32::from(mask)), 32),
        IpAddr::V6(mask) => (u128::from(mask), 128),
    };
    match bits.count_ones() {
        0 => "all",
        ones if ip.is_loopback() && (ones == width || (width == 32 && ones >= 8)) => "loopback",
        ones if ones == width => "host",
        _ => "network",
    }
}

fn names(told: &Value, shown: &Value, keywords: &[&str]) -> bool {
    let shown: Vec<&str> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let found: BTreeSet<&str> = shown.iter().copied().filter(|name| keywords.contains(name)).collect();
    let others = shown.iter().filter(|name| !keywords.contains(*name)).count() as u64;
    let told_others = told["named"].as_u64().unwrap() + told["groups"].as_u64().unwrap();
    told["keywords"] == json!(found) && told_others == others
}

#[test]
fn rules_beside_the_view() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let texts = some(1_000, hba());
    let mut folders = vec![];
    for (index, text) in texts.iter().enumerate() {
        let at = temp.path().join(index.to_string());
        put(&at, &format!("{MAIN}/postgresql.conf"), "");
        put(&at, &format!("{MAIN}/pg_hba.conf"), text);
        put(&at, &format!("{MAIN}/names"), "ada, \"b c\"\n# c\ncarol all\n");
        folders.push(at);
    }
    let answers = server.ask(&folders, "select * from pg_hba_file_rules");
    let (mut rules, mut refused, mut as_names) = (0, 0, 0);
    for ((at, text), rows) in folders.iter().zip(&texts).zip(&answers) {
        let cluster = facts_of("database-access", &Machine::folder(at))["postgresql"]["value"][0].clone();
        let hba = &cluster["hba"]["value"];
        let case = format!("{text}\n{rows:#?}\n{cluster:#}");
        let mut ours = hba["rules"].as_array().unwrap().iter();
        let mut bad = 0;
        for row in rows {
            if row["error"].is_string() && row["type"].is_null() {
                let place = format!("pg_hba.conf line {}:", row["line_number"]);
                let refused = hba["refused"].as_array().unwrap();
                assert!(
                    refused.iter().any(|one| one.as_str().unwrap().contains(&place)),
                    "{place}\n{case}"
                );
                bad += 1;
                continue;
            }
            let rule = ours.next().unwrap_or_else(|| panic!("{case}"));
            assert_eq!(rule["line"], row["line_number"], "{case}");
            assert_eq!(rule["connection"], row["type"], "{case}");
            assert_eq!(rule["method"], row["auth_method"], "{case}");
            // A keyword in quotes is a name, which the view does not show either.
            let quoted = rule["reach"] == "name" && row["address"] == "all" && text.contains("\"all\"");
            assert!(quoted || rule["reach"] == reach(row), "{case}");
            let options = row["options"].as_array().cloned().unwrap_or_default();
            let asked = options.iter().find_map(|one| one.as_str()?.strip_prefix("clientcert="));
            assert_eq!(rule["client_certificate"].as_str(), asked, "{case}");
            // The view does not show which of them is a keyword and which a name of that spelling.
            if !text.contains("\"all\"") && !text.contains("@names") {
                let keywords = ["all", "sameuser", "samerole", "samegroup", "replication"];
                assert!(names(&rule["databases"], &row["database"], &keywords), "{case}");
                assert!(names(&rule["users"], &row["user_name"], &["all"]), "{case}");
                as_names += 1;
            }
            rules += 1;
        }
        assert!(ours.next().is_none(), "{case}");
        assert_eq!(hba["refused"].as_array().unwrap().len(), bad, "{case}");
        refused += bad;
    }
    println!(
        "{} files: {rules} rules, {as_names} of them with their names; {refused} lines refused",
        texts.len()
    );
    assert!(rules > 1_500 && refused > 500);
}
