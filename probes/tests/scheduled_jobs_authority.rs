//! The scheduled-jobs probe against the programs that run the jobs: Debian's cron and crontab(1), run-parts(8), anacron and
//! at. Everything is in a folder that is mounted over the machine's own in a mount namespace. It needs root.
//!
//! Timers are compared in `systemd_units_authority.rs`, where systemd runs.

#![cfg(test)]

mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use evidence::Digest;
use machine::{Machine, authority, facts_of, some};
use proptest::prelude::*;
use serde_json::Value;

fn facts(root: &Path) -> Value {
    facts_of("scheduled-jobs", &Machine::folder(root))
}

fn put(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What a script prints that runs in namespaces of its own, with `root` as `$1`.
fn within(root: &Path, script: &str) -> String {
    let args = [
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-euc",
        script,
        "sh",
        root.to_str().unwrap(),
    ];
    let output = authority("util-linux", "unshare", &args, b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}{errors}\nare cron, anacron and at installed?"
    );
    text
}

/// A line of a user's crontab, well formed or not.
fn line() -> impl Strategy<Value = String> {
    let field = "(\\*|\\*|[0-9]|[1-5][0-9]?|0|60|24|32|13|mon|SUN|jan|Dec|[0-9]-[0-9]|1-5/2|\\*/[0-9]|\\*/7x|5/2|5-|1,2|1,,2|,1|1\\.5|~|[0-9],mon-fri|0-7|70-65)";
    prop_oneof![
        6 => (field, field, field, field, field, "[ \t]{1,2}").prop_map(|(a, b, c, d, e, blank)| {
            format!("{a}{blank}{b} {c} {d}\t{e}{blank}true\n")
        }),
        4 => "[0-9]{1,2} [0-9] \\* \\* [0-7] true( a| b)?\n",
        1 => "@(daily|hourly|reboot|weekly|monthly|yearly|annually|midnight|Daily|often|)( true)?\n",
        2 => "[ \t]?[AB] ?=[ \t]?(1|b c|\"b c\"|'b c' d|\"b|)[ \t]?\n",
        1 => "(\"A B\"|'A B'|A B|\"A|)=(1|'')\n",
        1 => "(# x|[ \t]+#x|[ \t]*|nonsense|-\\* \\* \\* \\* \\* true|\\* \\* \\* \\*|\\* \\* \\* \\* \\*|=|\\?)\n",
    ]
}

#[test]
fn crontab_refuses_what_has_a_wrong_line() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let tables = some(
        600,
        (prop::collection::vec(line(), 1..3), prop::bool::weighted(0.05)).prop_map(|(lines, cut)| {
            let text = lines.concat();
            if cut { text.trim_end().to_owned() } else { text }
        }),
    );
    let mut passwd = String::new();
    for (index, table) in tables.iter().enumerate() {
        let uid = 20_000 + u32::try_from(index).unwrap();
        passwd += &format!("u{index}:x:{uid}:100::/:/bin/sh\n");
        let path = format!("var/spool/cron/crontabs/u{index}");
        put(root, &path, table, 0o600);
        chown(root.join(path), Some(uid), None).unwrap();
    }
    put(root, "etc/passwd", &passwd, 0o644);
    let accepted = within(
        root,
        "mount -t tmpfs spool /var/spool/cron; mkdir /var/spool/cron/crontabs; cd \"$1/var/spool/cron/crontabs\"
         for table in *; do ! crontab \"$table\" 2>/dev/null || echo \"$table\"; done",
    );
    let accepted: BTreeSet<&str> = accepted.lines().collect();
    let facts = facts(root);
    let own = facts["user_crontabs"]["value"].as_array().unwrap();
    assert_eq!(own.len(), tables.len());
    let mut wrong = vec![];
    for crontab in own {
        let index = crontab["uid"]["value"].as_u64().unwrap() - 20_000;
        let taken = crontab["left_out_by_debian"].is_null();
        if taken != accepted.contains(format!("u{index}").as_str()) {
            wrong.push(format!("taken: {taken}, {:?}", tables[usize::try_from(index).unwrap()]));
        }
    }
    println!("{} tables, {} taken", tables.len(), accepted.len());
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        own.len(),
        wrong.join("\n")
    );
    assert!(accepted.len() > 100 && accepted.len() < 450, "{}", accepted.len());
}

/// Starts cron, for which the machine has just been started, and waits until it has run what it runs then.
const RUN_CRON: &str = r#"
    mount --bind "$1/etc/cron.d" /etc/cron.d
    mount --bind "$1/etc/crontab" /etc/crontab
    mount --bind "$1/var/spool/cron" /var/spool/cron
    mount -t tmpfs run /run
    cron -f & cron=$!
    idle=0
    while [ $idle -lt 5 ]; do
        sleep 0.2
        if [ -s "$1/ran" ] && ! [ -s /proc/$cron/task/$cron/children ]; then idle=$((idle + 1)); else idle=0; fi
    done
    kill $cron
"#;

const USERS: [(&str, u32); 6] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("games", 5),
    ("nobody", 65534),
];
const FILES: usize = 300;

/// Tables of the system and of users with jobs for `shell`.
fn write_tables(root: &Path, shell: &Path) {
    let name =
        "([a-z]{1,6}|[A-Z0-9_-]{1,4}|[a-z]{1,3}\\.(sh|conf|dpkg-old|rpmsave)|[a-z]{2}~|\\.[a-z]{2}|[a-z]{2}[+@:,])";
    let bad = prop_oneof![
        30 => Just(""),
        1 => Just("nonsense\n"),
        1 => Just("60 * * * * root x\n"),
        1 => Just("A='b\n"),
        1 => Just("* * * * *\n"),
    ];
    let command = "[a-z]{6}( \"[a-z #]{0,4}\"|  x|\t-y| A=b| \\\\x|\r)?( |\t)?";
    let job = (command, 0..USERS.len(), "[ \t]{0,2}", bad);
    let mode = prop_oneof![12 => Just(0o644), 1 => Just(0o600), 1 => Just(0o664), 1 => Just(0o646), 1 => Just(0o755)];
    let owner = prop_oneof![12 => Just(0), 1 => Just(2)];
    let end = prop_oneof![15 => Just("\n"), 1 => Just("")];
    let file = (name, prop::collection::vec(job, 1..4), mode, owner, end);
    for (name, jobs, mode, owner, end) in some(FILES, file) {
        let mut text = format!("# c\n SHELL = {}\n\n", shell.display());
        for (command, user, blank, bad) in jobs {
            text += &format!("{bad}{blank}@reboot{blank} {}{blank}\t{command}\n", USERS[user].0);
        }
        let path = format!("etc/cron.d/{name}");
        put(root, &path, &format!("{}{end}", text.trim_end_matches('\n')), mode);
        chown(root.join(path), Some(owner), None).unwrap();
    }
    put(
        root,
        "elsewhere",
        &format!("SHELL={}\n@reboot games linked\n", shell.display()),
        0o644,
    );
    symlink(root.join("elsewhere"), root.join("etc/cron.d/link")).unwrap();
    put(
        root,
        "etc/crontab",
        &format!("SHELL={}\n@reboot root first\n", shell.display()),
        0o644,
    );
    fs::create_dir_all(root.join("etc/cron.d/folder")).unwrap();
    let modes = [0o600, 0o640, 0o600, 0o600, 0o400, 0o660];
    for (((name, uid), mode), index) in USERS.iter().zip(modes).zip(0..) {
        let path = format!("var/spool/cron/crontabs/{name}");
        put(
            root,
            &path,
            &format!("SHELL={}\n@reboot of {name}  \n@daily no\n", shell.display()),
            mode,
        );
        // One is another's, one is root's.
        let owner = [*uid, *uid, 1, 0, *uid, *uid][index];
        chown(root.join(path), Some(owner), None).unwrap();
    }
}

#[test]
fn jobs_of_the_probe_are_those_that_cron_runs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    put(root, "ran", "", 0o666);
    let ran = root.join("ran");
    // In the place of a shell: writes down who it is and what it is to run.
    let shell = root.join("shell");
    let script = format!("#!/bin/sh\nprintf '%s %s\\0' \"$(id -u)\" \"$2\" >>{}\n", ran.display());
    put(root, "shell", &script, 0o755);
    let passwd: Vec<String> = USERS
        .iter()
        .map(|(name, uid)| format!("{name}:x:{uid}:0::/:/bin/sh\n"))
        .collect();
    put(root, "etc/passwd", &passwd.concat(), 0o644);
    write_tables(root, &shell);
    within(root, RUN_CRON);

    let mut theirs: BTreeMap<(u64, String), u32> = BTreeMap::new();
    let ran = fs::read(ran).unwrap();
    for one in ran.split(|byte| *byte == 0).filter(|one| !one.is_empty()) {
        let text = String::from_utf8(one.to_vec()).unwrap();
        let (uid, command) = text.split_once(' ').unwrap();
        // Blanks before the command of a system's job cron gives to the shell, to which they are nothing.
        let command = command.trim_start_matches([' ', '\t']);
        let digest = Digest::of(command.as_bytes()).to_string();
        *theirs.entry((uid.parse().unwrap(), digest)).or_default() += 1;
    }
    let facts = facts(root);
    let mut own: BTreeMap<(u64, String), u32> = BTreeMap::new();
    let mut add = |uid: &Value, job: &Value| {
        let digest = job["command_sha256"].as_str().unwrap().to_owned();
        *own.entry((uid["value"].as_u64().unwrap(), digest)).or_default() += 1;
    };
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for job in facts["system_jobs"]["value"].as_array().unwrap() {
        *reasons.entry(job["left_out_by_debian"].to_string()).or_default() += 1;
        if job["left_out_by_debian"].is_null() {
            add(&job["uid"], job);
        }
    }
    for crontab in facts["user_crontabs"]["value"].as_array().unwrap() {
        if crontab["left_out_by_debian"].is_null() {
            let jobs = crontab["jobs"].as_array().unwrap().iter();
            jobs.filter(|job| job["schedule"] == "@reboot")
                .for_each(|job| add(&crontab["uid"], job));
        }
    }
    println!(
        "{FILES} files, {} jobs that ran; jobs by reason: {reasons:?}",
        theirs.values().sum::<u32>()
    );
    let extra: Vec<_> = own
        .iter()
        .filter(|(job, count)| theirs.get(*job) != Some(count))
        .collect();
    let missed: Vec<_> = theirs
        .iter()
        .filter(|(job, count)| own.get(*job) != Some(count))
        .collect();
    assert!(
        extra.is_empty() && missed.is_empty(),
        "not run: {extra:?}\nmissed: {missed:?}"
    );
    assert!(theirs.len() > 60 && reasons.len() == 4, "{} {reasons:?}", theirs.len());
}

#[test]
fn scripts_that_run_are_those_of_run_parts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let name = "([a-z]{1,5}|[A-Z0-9_-]{1,4}|[a-z]{1,3}\\.(sh|dpkg-new|disabled)|0[a-z]{2}~|\\.[a-z]{2}|[a-z]{2}[+@:])";
    let mode = prop::sample::select(vec![0o755, 0o755, 0o644, 0o700, 0o001, 0o010, 0o100, 0o000, 0o4755]);
    for (name, mode, period, kind) in some(300, (name, mode, "(daily|hourly|weekly)", 0..10)) {
        let path = format!("etc/cron.{period}/{name}");
        let at = root.join(&path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let _ = match kind {
            0 => fs::create_dir(&at),
            1 => symlink("/bin/true", &at),
            2 => symlink("/etc/passwd", &at),
            3 => symlink("/etc", &at),
            4 => symlink("/dev/null", &at),
            5 => symlink("/nowhere", &at),
            _ if !at.exists() && !at.is_symlink() => {
                put(root, &path, "#!/bin/sh\n", mode);
                Ok(())
            }
            _ => Ok(()),
        };
    }
    let mut theirs = BTreeSet::new();
    for period in ["daily", "hourly", "weekly"] {
        let path = root.join(format!("etc/cron.{period}"));
        let output = authority("debianutils", "run-parts", &["--test", path.to_str().unwrap()], b"");
        theirs.extend(
            String::from_utf8(output.stdout)
                .unwrap()
                .lines()
                .map(|line| line.strip_prefix(root.to_str().unwrap()).unwrap().to_owned()),
        );
    }
    // An absolute link leads out of the folder; this host's answer is the same, since all four are on every machine.
    let facts = facts(root);
    let scripts = facts["scripts"]["value"].as_array().unwrap();
    let runs = scripts
        .iter()
        .filter(|script| script["executable"] == true && script["plain_name"] == true);
    let own: BTreeSet<String> = runs.map(|script| script["path"].as_str().unwrap().to_owned()).collect();
    println!("{} scripts, {} run", scripts.len(), theirs.len());
    assert_eq!(own, theirs);
    assert!(theirs.len() > 20 && scripts.len() > theirs.len() + 40);
}

#[test]
fn anacron_runs_the_jobs_of_the_probe() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let line = prop_oneof![
        6 => "[ \t]?([1-9]|0|30|@monthly|@weekly|@often|@)[ \t]{1,2}[0-9]{1,2}[ \t]([a-z]{1,5}|cron\\.daily|a=b|x_y)[ \t]{1,2}:",
        2 => "(1|1x|-1|x|1\\.5) (5|x|-5|5x) (a|a/b|\\$c|b#) :",
        1 => "(# 1 5 c :|nonsense|1 5 d|1 5|A=b|1 = 5 x :|@daily|START_HOURS_RANGE=3-22|)",
        1 => "1 5 ?\\\\\n (e|f) :",
        1 => "1 5 g \\\\\n:",
    ];
    let lines = some(400, line);
    let ran = root.join("ran");
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let command = format!("echo {index} >>{}", ran.display());
        text += &match line.strip_suffix(':') {
            Some(before) => format!("{before}{command}\n"),
            None => format!("{line}\n"),
        };
    }
    put(root, "etc/anacrontab", &text, 0o644);
    put(root, "spool/x", "", 0o644);
    let at = |path: &str| root.join(path).to_str().unwrap().to_owned();
    authority(
        "anacron",
        "anacron",
        &["-f", "-n", "-d", "-s", "-t", &at("etc/anacrontab"), "-S", &at("spool")],
        b"",
    );
    let mut theirs: Vec<String> = fs::read_to_string(&ran).unwrap().lines().map(str::to_owned).collect();
    let facts = facts(root);
    let jobs = facts["anacron_jobs"]["value"].as_array().unwrap().iter();
    let number = |job: &Value| {
        let command = job["command"].as_str().unwrap();
        let rest = command.strip_prefix("echo ")?;
        Some(rest.split_once(" >>")?.0.to_owned())
    };
    let mut own: Vec<String> = jobs.filter_map(number).collect();
    theirs.sort();
    own.sort();
    println!("{} lines, {} jobs ran", lines.len(), theirs.len());
    let shown = |of: &[String], other: &[String]| {
        let only = of.iter().filter(|one| !other.contains(one));
        only.map(|one| format!("{one}: {:?}", lines[one.parse::<usize>().unwrap()]))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&own, &theirs), shown(&theirs, &own));
    assert_eq!(own.len(), theirs.len());
    assert!(theirs.len() > 150, "{}", theirs.len());
}

#[test]
fn jobs_that_wait_are_those_of_atq() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "var/spool/cron/atjobs/.SEQ", "0", 0o600);
    put(root, "var/spool/cron/atspool/x", "", 0o600);
    let script = r#"
        cd "$1/var/spool/cron"
        chown daemon:daemon atjobs atjobs/.SEQ atspool
        mount --bind . /var/spool/cron
        for i in $(seq 1 20); do echo true | at now + $i hours 2>/dev/null; done
        for queue in c Z; do echo true | at -q $queue now + 3 days 2>/dev/null; done
        echo true | batch 2>/dev/null
        atrm 2 5
        cd atjobs
        for name in x a0000101c0ffe b000990100fffe_ q1234 q12345 q123456 r0000g01c0ffee abcdefgh; do echo >$name; done
        mv "$(ls a00003*)" "=$(ls a00003* | cut -c2-)"
        mkdir s0000101c0ffee
        ln -s x t0000b01c0ffee
        atq
    "#;
    let theirs = within(root, script).lines().count() as u64;
    println!("{theirs} jobs wait");
    assert_eq!(facts(root)["at_jobs"]["value"], theirs);
    assert!(theirs >= 21, "{theirs}");
}

#[test]
fn who_is_named_may_use_cron_and_at() {
    const USERS: [&str; 8] = ["daemon", "bin", "sys", "games", "man", "lp", "mail", "nobody"];
    let user = prop::sample::select(USERS.to_vec());
    let line = (
        prop::sample::select(vec!["", "", "", "", " ", "\t", "#", "# "]),
        user,
        prop::sample::select(vec!["", "", "", "", " ", " # c", "\r", " root"]),
    );
    let file = (prop::collection::vec(line, 0..7), any::<bool>());
    let mut named = 0;
    for (lines, end) in some(40, file) {
        let lines: Vec<String> = lines
            .iter()
            .map(|(before, user, after)| format!("{before}{user}{after}"))
            .collect();
        let text = lines.join("\n");
        // Of a last line that does not end crontab takes off the last character, be it a blank.
        let text = if end { text + "\n" } else { text.trim_end().to_owned() };
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "etc/cron.allow", &text, 0o644);
        put(root, "etc/at.allow", &text, 0o644);
        // What is laid over /etc has to be on a filesystem that can be an upper layer.
        let script = format!(
            r#"
            mount -t tmpfs upper /mnt
            mkdir /mnt/upper /mnt/work
            cp -p "$1"/etc/* /mnt/upper
            mount -t overlay etc -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
            for user in {}; do
                setpriv --reuid $user --regid nogroup --clear-groups crontab -l 2>&1 | grep -q 'not allowed' || echo cron
                setpriv --reuid $user --regid nogroup --clear-groups atq 2>&1 | grep -q 'permission' || echo at
            done"#,
            USERS.join(" ")
        );
        let allowed = within(root, &script);
        let facts = facts(root);
        for (program, path) in [("cron", "/etc/cron.allow"), ("at", "/etc/at.allow")] {
            let theirs = allowed.lines().filter(|line| *line == program).count() as u64;
            let files = facts["access"].as_array().unwrap();
            let own = files.iter().find(|file| file["path"] == path).unwrap();
            assert_eq!(own["users"]["value"], theirs, "{path}: {text:?}");
            named += theirs;
        }
    }
    println!("{named} named");
    assert!(named > 20, "{named}");
}
