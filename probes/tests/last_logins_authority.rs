//! `last-logins` beside lastlog(8), on a file made for it, and beside sqlite3 on databases of lastlog2 and wtmpdb. What those
//! two programs themselves write and print is compared in `tests/roots/run.py`.

#![cfg(test)]

mod machine;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use machine::{Machine, authority};
use probes::registry;
use serde_json::Value;

/// The facts about a host in a folder.
fn facts(root: &Path) -> Value {
    let mut probes = registry::all().into_iter();
    let probe = probes.find(|probe| probe.spec.id == "last-logins").unwrap();
    let documents = probe.collect(&Machine::folder(root));
    documents[0].facts.clone().expect("observed")
}

/// A root with accounts and a lastlog, which lastlog(8) reads by chroot(2): so it needs its own files there, and is given
/// the folder by `--root`.
#[test]
fn days_as_lastlog_tells_them() {
    let temp = tempfile::tempdir().unwrap();
    for folder in ["etc", "var/log"] {
        std::fs::create_dir_all(temp.path().join(folder)).unwrap();
    }
    let mut passwd = String::new();
    let lastlog = std::fs::File::create(temp.path().join("var/log/lastlog")).unwrap();
    let mut expected = vec![];
    for number in 0..300_u32 {
        let uid = [
            number,
            1_000 + number * 7,
            65_000 + number,
            1_000_000_000 + number * 1_000,
        ][number as usize % 4];
        writeln!(passwd, "user{number}:x:{uid}:100::/:/bin/sh").unwrap();
        // Every third has never logged in; the rest on days from 1970 to 2037.
        if number % 3 != 0 {
            let time = 100_000 + number * 7_000_000;
            let mut record = vec![0; 292];
            record[..4].copy_from_slice(&time.to_ne_bytes());
            record[4..9].copy_from_slice(b"pts/0");
            lastlog.write_all_at(&record, u64::from(uid) * 292).unwrap();
            expected.push(uid);
        }
    }
    std::fs::write(temp.path().join("etc/passwd"), &passwd).unwrap();

    let facts = facts(temp.path());
    let mut compared = 0;
    for account in facts["accounts"]["value"].as_array().unwrap() {
        let uid = account["uid"].as_u64().unwrap();
        let root = temp.path().to_str().unwrap();
        let output = authority("login", "lastlog", &["--root", root, "-u", &uid.to_string()], b"");
        let printed = String::from_utf8(output.stdout).unwrap();
        let line = printed.lines().nth(1).unwrap_or_default();
        let told = account["last_day"].as_str().map(|day| day[..10].to_owned());
        if line.contains("**Never logged in**") {
            assert_eq!(told, None, "{uid}: {line}");
        } else {
            // `Wed Nov 15 00:13:20 +0200 2023`
            let words: Vec<_> = line.split_whitespace().collect();
            let latest = words[words.len() - 6..].join(" ");
            let date = authority("coreutils", "date", &["-u", "-d", &latest, "+%F"], b"");
            let date = String::from_utf8(date.stdout).unwrap();
            assert_eq!(told.as_deref(), Some(date.trim()), "{uid}: {line}");
            compared += 1;
        }
    }
    assert_eq!(compared, expected.len());
}

/// The tables as `liblastlog2/src/lastlog2.c` of util-linux and `lib/sqlite.c` of wtmpdb make them.
const LASTLOG2: &str = "CREATE TABLE IF NOT EXISTS Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, \
                        Service TEXT);";
const WTMPDB: &str = "CREATE TABLE IF NOT EXISTS wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, \
                      Logout INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT) STRICT;";
const LASTLOG2_PATH: &str = "var/lib/lastlog/lastlog2.db";
const WTMPDB_PATH: &str = "var/lib/wtmpdb/wtmp.db";

/// A reproducible sequence of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// Seconds since 1970, of every width that SQLite has for them.
    fn time(&mut self) -> u64 {
        const LAST: u64 = 253_402_300_799;
        let edges = [
            1,
            127,
            128,
            86_399,
            86_400,
            8_388_608,
            2_147_483_647,
            2_147_483_648,
            4_294_967_296,
            LAST,
        ];
        match self.below(4) {
            0 => edges[usize::try_from(self.below(10)).unwrap()],
            1 => 1 + self.below(LAST),
            _ => 1_500_000_000 + self.below(300_000_000),
        }
    }
}

/// A folder in memory where there is one, with accounts `n0` and so on; the last ones have names of other letters.
fn root(accounts: usize) -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let root = root.expect("a temporary folder");
    for folder in ["etc", "var/log", "var/lib/lastlog", "var/lib/wtmpdb"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let mut passwd = String::new();
    for number in 0..accounts {
        writeln!(passwd, "{}:x:{number}:100::/:/bin/sh", name(number)).unwrap();
    }
    std::fs::write(root.path().join("etc/passwd"), &passwd).unwrap();
    root
}

fn name(number: usize) -> String {
    match number % 10 {
        8 => format!("größe-{number}-日本"),
        9 => format!("a-name-of-thirty-two-characters{number}"),
        _ => format!("n{number}"),
    }
}

fn sqlite(path: &Path, script: &str) -> String {
    let output = authority(
        "sqlite3",
        "sqlite3",
        &["-batch", path.to_str().unwrap()],
        script.as_bytes(),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// sqlite3 that stays, as a program that has the database open.
struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn open(path: &Path) -> Self {
        let mut child = Command::new("sqlite3")
            .arg("-batch")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("install it: apt-get install sqlite3");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Sends statements that print nothing and waits until they were carried out.
    fn run(&mut self, script: &str) {
        self.input
            .write_all(format!("{script}\nselect 'done';\n").as_bytes())
            .unwrap();
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "sqlite3 ended");
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        child.wait().unwrap();
    }
}

/// Day by account, as SQLite has it of both databases: the first that has the newest day.
fn expected(root: &Path, accounts: usize) -> Vec<(Option<String>, Option<String>)> {
    let mut days = vec![(None, None); accounts];
    let of = |path: &str, query: &str| {
        let path = root.join(path);
        if path.is_file() {
            sqlite(&path, query)
        } else {
            String::new()
        }
    };
    let lastlog2 = of(
        LASTLOG2_PATH,
        "select Name, date(Time, 'unixepoch') from Lastlog2 where Time > 0;",
    );
    let wtmpdb = "select User, date(max(Login) / 1000000, 'unixepoch') from wtmp where Type = 3 group by User;";
    for (book, told) in [("lastlog2", lastlog2), ("wtmpdb", of(WTMPDB_PATH, wtmpdb))] {
        for line in told.lines() {
            let (user, day) = line.split_once('|').unwrap();
            let Some(number) = (0..accounts).find(|number| name(*number) == user) else {
                continue;
            };
            let (newest, by): &mut (Option<String>, Option<String>) = &mut days[number];
            if newest.as_deref().is_none_or(|newest| newest < day) {
                (*newest, *by) = (Some(day.to_owned()), Some(book.to_owned()));
            }
        }
    }
    days
}

fn found(root: &Path) -> Vec<(Option<String>, Option<String>)> {
    let facts = facts(root);
    let accounts = facts["accounts"]["value"]
        .as_array()
        .unwrap_or_else(|| panic!("{facts}"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let day = |account: &Value| text(&account["last_day"]).map(|day| day[..10].to_owned());
    accounts
        .iter()
        .map(|account| (day(account), text(&account["recorded_in"])))
        .collect()
}

/// Logins of some accounts and of some that are none; hosts so long that a row does not fit into a page.
fn logins(numbers: &mut Numbers, accounts: usize) -> (String, String) {
    let (mut lastlog2, mut wtmpdb) = (String::from("begin;"), String::from("begin;"));
    let host = |numbers: &mut Numbers| match numbers.below(10) {
        0 => "NULL".to_owned(),
        1 => format!(
            "'{}'",
            "long.".repeat(1 + usize::try_from(numbers.below(2_000)).unwrap())
        ),
        number => format!("'198.51.100.{number}'"),
    };
    for number in 0..accounts + 20 {
        let name = name(number);
        if numbers.below(3) > 0 {
            let (time, host) = (numbers.time(), host(numbers));
            write!(
                lastlog2,
                "replace into Lastlog2 values('{name}',{time},'pts/0',{host},NULL);"
            )
            .unwrap();
        }
        for _ in 0..numbers.below(5) {
            let (kind, time, host) = (numbers.below(4), numbers.time(), host(numbers));
            let part = numbers.below(1_000_000);
            write!(
                wtmpdb,
                "insert into wtmp(Type,User,Login,TTY,RemoteHost) values({kind},'{name}',{time}*1000000+{part},'pts/1',{host});"
            )
            .unwrap();
        }
    }
    // Row ids of every width too, and rows that are removed again.
    for id in ["-1", "-9223372036854775808", "9223372036854775806", "4294967296"] {
        write!(
            wtmpdb,
            "insert or replace into wtmp(ID,Type,User,Login) values({id},3,'n1',1790000000000000);"
        )
        .unwrap();
    }
    lastlog2.push_str("delete from Lastlog2 where rowid % 7 = 0; commit;");
    wtmpdb.push_str("update wtmp set Logout = Login + 5 where ID % 3 = 0; delete from wtmp where ID % 5 = 1; commit;");
    (lastlog2, wtmpdb)
}

/// Every form that a database can have with these tables, with what is in the log alone and what was merged.
#[test]
fn databases_as_sqlite_reads_them() {
    const ACCOUNTS: usize = 120;
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let (mut seen, mut logs) = (0, 0);
    for size in [512, 1_024, 4_096, 65_536] {
        for mode in ["delete", "truncate", "persist", "wal"] {
            let root = root(ACCOUNTS);
            let mut sessions = vec![];
            for (path, table) in [(LASTLOG2_PATH, LASTLOG2), (WTMPDB_PATH, WTMPDB)] {
                let path = root.path().join(path);
                let vacuum = numbers.below(3);
                // So many tables before it that the schema does not fit into a page.
                let others: String = (0..40)
                    .map(|number| format!("create table other{number}(a, b default 'x,(');"))
                    .collect();
                sqlite(
                    &path,
                    &format!(
                        "pragma page_size={size}; pragma auto_vacuum={vacuum}; pragma journal_mode={mode}; {others} {table} \
                         drop table other3;"
                    ),
                );
                if mode == "wal" {
                    // Who reads keeps the log from being merged and removed.
                    let mut session = Session::open(&path);
                    session.run("begin; select count(*) from other1;");
                    sessions.push(session);
                }
            }
            for round in 0..3 {
                let (lastlog2, wtmpdb) = logins(&mut numbers, ACCOUNTS);
                sqlite(
                    &root.path().join(LASTLOG2_PATH),
                    &format!("pragma journal_mode={mode}; {lastlog2}"),
                );
                sqlite(
                    &root.path().join(WTMPDB_PATH),
                    &format!("pragma journal_mode={mode}; {wtmpdb}"),
                );
                if round == 1 {
                    sqlite(
                        &root.path().join(WTMPDB_PATH),
                        "alter table wtmp add column More TEXT default 'none';",
                    );
                }
                let expected = expected(root.path(), ACCOUNTS);
                assert_eq!(
                    found(root.path()),
                    expected,
                    "{mode}, pages of {size} bytes, round {round}"
                );
                seen += expected.iter().filter(|(day, _)| day.is_some()).count();
                for path in [LASTLOG2_PATH, WTMPDB_PATH] {
                    let log = root.path().join(format!("{path}-wal"));
                    logs += usize::from(log.metadata().is_ok_and(|log| log.len() > 10_000));
                }
            }
            sessions.into_iter().for_each(Session::end);
        }
    }
    assert!(seen > 3_000 && logs == 24, "{seen} {logs}");
}

/// Databases that SQLite reads and in which a day is not known, or not where it is looked for.
#[test]
fn never_is_not_said_where_something_else_is_in_the_table() {
    let other_table = "CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT) WITHOUT ROWID;";
    for (script, outcome) in [
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1','yesterday','','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1',NULL,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1',1.5,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1',-1,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1',253402300800,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1',9223372036854775807,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values(x'6e31',5,'','','');"),
            "malformed",
        ),
        (
            format!("{LASTLOG2} insert into Lastlog2 values(NULL,5,'','','');"),
            "malformed",
        ),
        (
            format!("pragma encoding='UTF-16'; {LASTLOG2} insert into Lastlog2 values('n1',5,'','','');"),
            "malformed",
        ),
        (
            format!("{other_table} insert into Lastlog2 values('n1',5,'');"),
            "malformed",
        ),
        (
            "create table a(x); create view Lastlog2 as select 'n1' as Name, 5 as Time;".to_owned(),
            "unsupported",
        ),
        ("create table Lastlog2(Name, At, TTY);".to_owned(), "unsupported"),
        ("create table Lastlog3(Name, Time);".to_owned(), "unsupported"),
        // These are as well as the usual form.
        (
            format!("{LASTLOG2} insert into Lastlog2 values('n1','5','','',''),('n2',0,'','','');"),
            "observed",
        ),
        (
            "create table LASTLOG2(tty, \"time\" int, [NAME]); insert into Lastlog2 values('',5,'n1');".to_owned(),
            "observed",
        ),
    ] {
        let root = root(3);
        std::fs::write(root.path().join("var/log/lastlog"), [1; 292 * 3]).unwrap();
        sqlite(&root.path().join(LASTLOG2_PATH), &script);
        let facts = facts(root.path());
        assert_eq!(facts["accounts"]["outcome"], outcome, "{script}: {facts}");
        if outcome == "observed" {
            std::fs::remove_file(root.path().join("var/log/lastlog")).unwrap();
            assert_eq!(found(root.path()), expected(root.path(), 3), "{script}");
        }
    }
}

/// A program that dies within a transaction leaves half of it in the database, and a journal with the other half.
#[test]
fn a_transaction_that_broke_off() {
    let root = root(600);
    let path = root.path().join(LASTLOG2_PATH);
    let rows: String = (0..600)
        .map(|number| format!("replace into Lastlog2 values('{}',86400,'','','');", name(number)))
        .collect();
    sqlite(
        &path,
        &format!("pragma page_size=512; {LASTLOG2} begin; {rows} commit;"),
    );
    let before = found(root.path());
    assert_eq!(before, expected(root.path(), 600));
    let mut session = Session::open(&path);
    session.run("pragma cache_size=2; begin; update Lastlog2 set Time = 5 * 86400;");
    for _ in 0..2 {
        let told = facts(root.path());
        assert_eq!(told["accounts"]["outcome"], "failed", "{told}");
        assert_eq!(told["lastlog2"]["outcome"], "failed");
    }
    session.kill();
    assert!(path.with_extension("db-journal").metadata().unwrap().len() > 1_000);
    assert_eq!(facts(root.path())["accounts"]["outcome"], "failed");
    // Without the journal half of it would be read: the test sees it if the journal is not minded.
    let journal = std::fs::read(path.with_extension("db-journal")).unwrap();
    std::fs::remove_file(path.with_extension("db-journal")).unwrap();
    assert_ne!(found(root.path()), before);
    std::fs::write(path.with_extension("db-journal"), journal).unwrap();
    // The next program that opens it plays the journal back.
    sqlite(&path, "select count(*) from Lastlog2;");
    assert_eq!(found(root.path()), before);
}

/// While another program writes all the time: what is told is of one moment, or it is told that it could not be read.
#[test]
fn a_database_that_changes() {
    for mode in ["delete", "wal"] {
        let root = root(300);
        let path = root.path().join(LASTLOG2_PATH);
        let rows: String = (0..300)
            .map(|number| format!("replace into Lastlog2 values('{}',86400,'','','');", name(number)))
            .collect();
        sqlite(
            &path,
            &format!("pragma page_size=512; pragma journal_mode={mode}; {LASTLOG2} begin; {rows} commit;"),
        );
        let mut session = Session::open(&path);
        session.run("pragma wal_autocheckpoint=50;");
        let until = Instant::now() + Duration::from_secs(3);
        let writer = std::thread::spawn(move || {
            let mut day = 1_u64;
            while Instant::now() < until {
                day += 1;
                session.run(&format!("update Lastlog2 set Time = {day} * 86400;"));
                std::thread::sleep(Duration::from_millis(day % 8));
            }
            session.end();
            day
        });
        let (mut whole, mut failed) = (std::collections::BTreeSet::new(), 0);
        while Instant::now() < until {
            let facts = facts(root.path());
            if facts["accounts"]["outcome"] == "failed" {
                failed += 1;
                continue;
            }
            let accounts = facts["accounts"]["value"]
                .as_array()
                .unwrap_or_else(|| panic!("{mode}: {facts}"));
            let days: std::collections::BTreeSet<_> =
                accounts.iter().map(|account| account["last_day"].to_string()).collect();
            assert_eq!(days.len(), 1, "{mode}: of more than one moment");
            whole.extend(days);
        }
        let written = writer.join().unwrap();
        println!(
            "{mode}: {written} transactions, {} states seen, {failed} times none",
            whole.len()
        );
        assert!(
            written > 50 && whole.len() > 5,
            "{mode}: {written} {} {failed}",
            whole.len()
        );
        assert_eq!(found(root.path()), expected(root.path(), 300));
    }
}
