//! # What
//! Who may connect to databases: `PostgreSQL`, `MySQL` and `MariaDB`, Redis and Valkey, `MongoDB`.
//!
//! # Source
//! `PostgreSQL`'s manual of `postgresql.conf` and `pg_hba.conf`; `MariaDB`'s and `MySQL`'s of option files; the comments in
//! `redis.conf`; `MongoDB`'s manual of its configuration; systemd's unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: most of these files are closed to others.
//!
//! # Bears on
//! A.8.3 (information access restriction), A.8.5 (secure authentication), A.8.20 (networks security), A.8.24 (use of
//! cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod file;
mod mongodb;
mod mysql;
mod postgresql;
mod redis;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct DatabaseAccessProbe;

impl Probe for DatabaseAccessProbe {
    const SPEC: Spec = Spec {
        id: "database-access",
        version: 1,
        title: "Who may connect to databases on this host, from where, how they prove who they are, and whether the way is encrypted",
        reads: &[
            "postgresql.conf of each cluster in /etc/postgresql/, /var/lib/pgsql/, /var/lib/postgresql/ or /var/lib/postgres/, postgresql.auto.conf, pg_hba.conf, and what they include",
            "/etc/my.cnf, /etc/mysql/my.cnf and what they include; /var/lib/mysql/mysqld-auto.cnf",
            "/etc/redis/*.conf, /etc/redis.conf, /etc/valkey/*.conf, what they include, and their files of users",
            "/etc/mongod.conf, and the command line of its unit",
            "programs of that kind, and their unit files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/postgresql/",
            "/var/lib/pgsql/data/",
            "/var/lib/postgres/data/",
            "/etc/my.cnf",
            "/etc/my.cnf.d/",
            "/etc/mysql/",
            "/etc/mysql/conf.d/",
            "/etc/mysql/mariadb.conf.d/",
            "/etc/mysql/mysql.conf.d/",
            "/etc/redis/",
            "/etc/redis.conf",
            "/etc/valkey/",
            "/etc/mongod.conf",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Accounts inside the databases, their passwords and what they may do.",
            "Names of databases and users, and addresses of single hosts: only of which kind they are and how many.",
            "Values that were given on command lines, except the options of MongoDB's unit, or changed in the running server.",
            "Whether a changed file has been read by the running server.",
            "Which address the sockets really have: that is in the probe `listening-sockets`.",
            "Servers whose configuration lies in other places than these, in homes or in containers; only by their programs memcached and others of the list.",
            "Settings in the groups of MySQL and MariaDB that one version alone reads, and names of options that are cut short.",
            "Values for single databases and roles of PostgreSQL (ALTER DATABASE, ALTER ROLE), and what pg_ident.conf maps.",
            "Whether certificates of servers are valid: that is in the probe `tls-certificates`.",
        ],
    };

    type Facts = DatabaseAccess;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<DatabaseAccess, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let mut survey = Survey::of(&PRODUCTS, &units);
        if survey.has(&["mariadb"]) {
            // Its packages bring a program of that name too.
            survey.installed.retain(|one| one.product != "mysql");
        }
        Ok(Collected::facts(DatabaseAccess {
            postgresql: Known::of(postgresql::read(reading), "postgresql.conf of a cluster"),
            mysql: Known::of(mysql::read(reading, &survey), "/etc/mysql/my.cnf"),
            redis: Known::of(redis::read(reading), "redis.conf"),
            mongodb: Known::of(mongodb::read(reading, &units), "/etc/mongod.conf"),
            products: survey.installed,
            undetermined: survey.undetermined,
        }))
    }
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const PRODUCTS: [Product; 9] = [
    Product { id: "cassandra", files: &["/usr/sbin/cassandra"], units: &["cassandra.service"] },
    Product { id: "couchdb", files: &["/opt/couchdb/bin/couchdb"], units: &["couchdb.service"] },
    Product { id: "mariadb", files: &["/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/bin/mariadbd"], units: &["mariadb.service", "mariadb@.service", "mariadb.socket"] },
    Product { id: "memcached", files: &["/usr/bin/memcached"], units: &["memcached.service", "memcached@.service"] },
    Product { id: "mongodb", files: &["/usr/bin/mongod"], units: &["mongod.service"] },
    Product { id: "mysql", files: &["/usr/sbin/mysqld", "/usr/libexec/mysqld"], units: &["mysql.service", "mysqld.service", "mysqld@.service"] },
    Product { id: "postgresql", files: &["/usr/bin/pg_ctlcluster", "/usr/bin/postgres", "/usr/pgsql-13/bin/postgres", "/usr/pgsql-14/bin/postgres", "/usr/pgsql-15/bin/postgres", "/usr/pgsql-16/bin/postgres", "/usr/pgsql-17/bin/postgres", "/usr/pgsql-18/bin/postgres"], units: &["postgresql.service", "postgresql@.service", "postgresql-13.service", "postgresql-14.service", "postgresql-15.service", "postgresql-16.service", "postgresql-17.service", "postgresql-18.service"] },
    Product { id: "redis", files: &["/usr/bin/redis-server", "/usr/sbin/redis-server"], units: &["redis.service", "redis-server.service", "redis-server@.service", "redis@.service"] },
    Product { id: "valkey", files: &["/usr/bin/valkey-server", "/usr/sbin/valkey-server"], units: &["valkey.service", "valkey-server.service", "valkey-server@.service", "valkey@.service"] },
];

#[cfg(test)]
mod tests;
