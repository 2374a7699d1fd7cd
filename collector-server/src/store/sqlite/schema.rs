//! The tables of `log.sqlite`.

use super::Migration;

/// Never edit one that was released: add another.
pub(super) const MIGRATIONS: &[Migration] = &["
    -- The tree head: one row, replaced with every group of entries.
    CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        size INTEGER NOT NULL,
        checkpoint TEXT NOT NULL
    );

    -- Entries that are in no sealed bundle yet.
    CREATE TABLE entry (
        idx INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL
    );

    -- 256 entries each, sealed; idx counts bundles.
    CREATE TABLE bundle (
        idx INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL
    );

    -- Tiles of hashes, 32 bytes each, in the sense of tlog-tiles; level 0 only when full.
    CREATE TABLE hashes (
        level INTEGER NOT NULL,
        idx INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (level, idx)
    );

    -- Hosts and their keys: derived from the entries.
    CREATE TABLE member (
        id INTEGER PRIMARY KEY,
        keyid BLOB NOT NULL UNIQUE,
        host TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        spki BLOB NOT NULL,
        enrolled INTEGER NOT NULL,
        revoked INTEGER,
        last_idx INTEGER,
        last_epoch TEXT,
        last_sequence INTEGER,
        last_digest BLOB
    );

    -- Where each statement of a member is: derived from the entries.
    CREATE TABLE position (
        member INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        idx INTEGER NOT NULL,
        PRIMARY KEY (member, sequence)
    ) WITHOUT ROWID;

    -- Entries that no host made: derived from the entries.
    CREATE TABLE own (
        idx INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        digest BLOB NOT NULL
    );
    CREATE INDEX own_kind ON own (kind, idx);

    -- Files that those entries name by digest (rules, catalogues, baselines), compressed with zstd.
    CREATE TABLE file (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        length INTEGER NOT NULL,
        bytes BLOB NOT NULL
    );

    -- Manifests and facts documents by digest, compressed with zstd.
    CREATE TABLE manifest (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        length INTEGER NOT NULL,
        bytes BLOB NOT NULL
    );
    CREATE TABLE facts (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        probe TEXT NOT NULL,
        length INTEGER NOT NULL,
        bytes BLOB NOT NULL
    );

    -- Not evidence.
    CREATE TABLE token (
        id BLOB PRIMARY KEY,
        secret BLOB NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        used_at INTEGER,
        used_by TEXT
    );
    CREATE TABLE contact (
        host TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        agent_version TEXT NOT NULL,
        spooled INTEGER NOT NULL,
        clock_ahead INTEGER NOT NULL
    );
    CREATE TABLE clone (
        host TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        refused BLOB NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (host, sequence, refused)
    ) WITHOUT ROWID;
"];
