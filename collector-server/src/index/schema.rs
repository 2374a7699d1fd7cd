//! The tables of `index.sqlite`.

use crate::store::sqlite::Migration;

/// What is kept, and how it is computed: a file of another form is deleted and made again.
pub(super) const FORM: i64 = 3;

pub(super) const MIGRATIONS: &[Migration] = &["
    -- How far the index has come.
    CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        form INTEGER NOT NULL,
        -- Entries taken in, and the SHA-256 of the last of them: so that another log is noticed.
        position INTEGER NOT NULL,
        last_entry BLOB,
        -- The instant of the state at present.
        as_of INTEGER NOT NULL,
        -- The entry that brought the rules into force, and what else judgements depend on.
        rules INTEGER,
        evaluator TEXT NOT NULL,
        freshness INTEGER NOT NULL,
        -- Whether there is a list of hosts that ought to report.
        listed INTEGER NOT NULL,
        -- Totals over hosts (JSON).
        totals TEXT NOT NULL
    );

    -- The list of hosts that ought to report.
    CREATE TABLE scope (name TEXT PRIMARY KEY) WITHOUT ROWID;

    -- Hosts, numbered as they enrolled.
    CREATE TABLE host (
        id INTEGER PRIMARY KEY,
        host TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        keyid BLOB NOT NULL UNIQUE,
        enrolled_idx INTEGER NOT NULL,
        enrolled_at INTEGER NOT NULL,
        revoked_idx INTEGER,
        revoked_at INTEGER
    );
    CREATE INDEX host_name ON host (name);
    CREATE INDEX host_member ON host (name) WHERE revoked_idx IS NULL;

    -- Every statement: it speaks from `began`. `observed` only where the clock went backwards.
    CREATE TABLE statement (
        host INTEGER NOT NULL,
        began INTEGER NOT NULL,
        idx INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        manifest INTEGER NOT NULL,
        observed INTEGER,
        held INTEGER,
        lost INTEGER,
        PRIMARY KEY (host, began, idx)
    ) WITHOUT ROWID;

    -- Over [began, until) a host stated one manifest without a gap, from statement first_idx (at began) to last_idx (at
    -- last_began). Never changed once written; the last one of a host is in its state.
    CREATE TABLE stretch (
        host INTEGER NOT NULL,
        began INTEGER NOT NULL,
        until INTEGER NOT NULL,
        first_idx INTEGER NOT NULL,
        last_idx INTEGER NOT NULL,
        last_began INTEGER NOT NULL,
        manifest INTEGER NOT NULL,
        PRIMARY KEY (host, began)
    ) WITHOUT ROWID;

    -- What changes with every statement of a host.
    CREATE TABLE state (
        host INTEGER PRIMARY KEY,
        -- The last statement: until when it speaks depends on the one after it.
        last_idx INTEGER,
        last_began INTEGER,
        last_manifest INTEGER,
        -- The stretch before it, as in `stretch`.
        stretch_began INTEGER,
        stretch_until INTEGER,
        stretch_first_idx INTEGER,
        stretch_last_idx INTEGER,
        stretch_last_began INTEGER,
        stretch_manifest INTEGER,
        -- The newest statement that is not after the instant of the state at present, and until when it speaks.
        seen INTEGER,
        seen_until INTEGER,
        seen_manifest INTEGER,
        -- What the host is to the scope: 0 in scope, 1 outside, 2 neither.
        part INTEGER NOT NULL,
        -- The next instant at which time alone changes any of this.
        due INTEGER,
        -- When it last began to state something else, or fell silent.
        turned INTEGER,
        -- 1 while the newest statement, and no other yet, says something else than the stretch before it.
        turning INTEGER
    );
    CREATE INDEX state_turning ON state (host) WHERE turning = 1;
    CREATE INDEX state_turned ON state (turned);
    CREATE INDEX state_due ON state (due) WHERE due IS NOT NULL;
    CREATE INDEX state_seen ON state (part, seen);

    -- Manifests and facts documents, numbered as they were met. The store has their bytes.
    CREATE TABLE manifest (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE
    );
    CREATE TABLE facts (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE
    );

    -- Which facts documents the newest statement of a host (`seen`) has.
    CREATE TABLE holding (
        facts INTEGER NOT NULL,
        host INTEGER NOT NULL,
        PRIMARY KEY (facts, host)
    ) WITHOUT ROWID;

    -- Over which interval a host had a facts document without a gap: intervals that go on with the host's last stretch, and
    -- those that have ended.
    CREATE TABLE run (
        facts INTEGER NOT NULL,
        host INTEGER NOT NULL,
        began INTEGER NOT NULL,
        first_idx INTEGER NOT NULL,
        PRIMARY KEY (facts, host)
    ) WITHOUT ROWID;
    CREATE TABLE former (
        facts INTEGER NOT NULL,
        until INTEGER NOT NULL,
        host INTEGER NOT NULL,
        began INTEGER NOT NULL,
        first_idx INTEGER NOT NULL,
        PRIMARY KEY (facts, until, host)
    ) WITHOUT ROWID;

    -- Per host its verdicts at present: one letter per rule and one per control, in the order of `place`. By name, for that
    -- is how hosts are listed.
    CREATE TABLE standing (
        name TEXT NOT NULL,
        host INTEGER NOT NULL,
        id TEXT NOT NULL,
        part INTEGER NOT NULL,
        reporting TEXT NOT NULL,
        stage TEXT NOT NULL,
        worst TEXT NOT NULL,
        rank INTEGER NOT NULL,
        rules TEXT NOT NULL,
        controls TEXT NOT NULL,
        PRIMARY KEY (name, host)
    ) WITHOUT ROWID;
    CREATE INDEX standing_rank ON standing (rank);

    -- A cache: what rules (by key) say about facts documents. `until` absent: for ever. `due`: when the earliest ends.
    CREATE TABLE judged (
        facts INTEGER PRIMARY KEY,
        probe TEXT NOT NULL,
        observed INTEGER NOT NULL,
        due INTEGER
    );
    CREATE INDEX judged_due ON judged (due) WHERE due IS NOT NULL;
    CREATE TABLE judgement (
        facts INTEGER NOT NULL,
        rule BLOB NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        verdict TEXT NOT NULL,
        said TEXT NOT NULL,
        PRIMARY KEY (facts, rule, since)
    ) WITHOUT ROWID;

    -- A cache: what the rules in force say about manifests over [since, until): one letter per rule, and per document that
    -- rules read whether it was observed (1 or 0).
    CREATE TABLE said (
        manifest INTEGER NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        rules TEXT NOT NULL,
        observed TEXT NOT NULL,
        PRIMARY KEY (manifest, since)
    ) WITHOUT ROWID;

    -- From which instant on a step changed what is told, by the position after it. Of the last steps only: it tells how long
    -- an answer about a past instant may be kept.
    CREATE TABLE reach (
        position INTEGER PRIMARY KEY,
        since INTEGER NOT NULL
    );
"];
