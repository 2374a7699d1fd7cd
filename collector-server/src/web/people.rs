//! People who may look, and their sessions: `people.sqlite` in the data directory. Not evidence, so not in the log.
//!
//! A session's id is 32 random bytes that only the browser keeps; here is their SHA-256, so that whoever reads the file
//! cannot take a session over.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::{Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use thiserror::Error;

pub use super::password::{Password, PasswordError};
use crate::clock::{self, NoRandomness};
use crate::data_dir::DataDir;
use crate::store::StoreError;
use crate::store::sqlite::{Migration, open_database};

/// The name of the file in the data directory.
pub const FILE: &str = "people.sqlite";
/// The account that the first start makes.
pub const ADMIN: &str = "admin";

/// A session ends this many seconds after its login, whatever happens.
pub const LONGEST: i64 = 12 * 3600;
/// And after this many seconds in which nothing was asked.
pub const IDLE: i64 = 2 * 3600;
/// `seen` is written at most this often, seconds: reading a page should not cost a write.
const SEEN: i64 = 60;

const MIGRATIONS: &[Migration] = &["
    CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        password TEXT NOT NULL,
        changed INTEGER NOT NULL
    );
    CREATE TABLE session (
        id BLOB PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
        created INTEGER NOT NULL,
        seen INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX session_person ON session (person);
"];

/// What a person may do. All roles read the same pages; acts that change what an auditor will see are made on the
/// collector's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the collector.
    Admin,
    /// Watches and fixes.
    Engineer,
    /// Reads.
    Auditor,
}

impl Role {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Admin, Self::Engineer, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role: admin, engineer or auditor expected"))
    }
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The account's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Goes into every form, so that no other site can send one.
    pub form_token: String,
}

/// Why accounts or sessions cannot be read or written.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// The file cannot be opened.
    #[error("people.sqlite in the data directory")]
    Open(#[from] StoreError),
    /// SQLite.
    #[error("{doing} failed")]
    File {
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A password cannot be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// There is no such account.
    #[error("there is no account {0:?}; `affiant-collector user list` shows those that there are")]
    NoSuchPerson(String),
    /// There is one already.
    #[error("there is an account {0:?} already; `affiant-collector user reset-password {0}` gives it a new password")]
    Exists(String),
    /// A name that an account may not have.
    #[error("{0:?} cannot be the name of an account: 1 to 64 letters, digits, and the signs . _ - @ expected")]
    Name(String),
}

/// The secret of a session, as the browser keeps it: 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret(Digest);

impl SessionSecret {
    fn id(&self) -> Digest {
        Digest::of_parts(&[b"session", self.0.as_bytes()])
    }

    /// Derived, so that it need not be stored; tells nothing about the secret.
    fn form_token(&self) -> String {
        Digest::of_parts(&[b"form", self.0.as_bytes()]).to_string()
    }
}

impl FromStr for SessionSecret {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| ())
    }
}

impl SessionSecret {
    /// For the cookie.
    pub fn reveal(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret")
    }
}

/// Accounts and sessions.
#[derive(Debug)]
pub struct People(Mutex<Connection>);

fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> PeopleError {
    move |source| PeopleError::File { doing, source }
}

impl People {
    /// Opens the file, makes it if it is not there. Several processes may have it open.
    pub fn open(data: &DataDir) -> Result<Self, PeopleError> {
        Ok(Self(Mutex::new(open_database(&data.file(FILE), MIGRATIONS)?)))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the account [`ADMIN`] if there is no account at all, and returns its password.
    pub fn first(&self, now: Timestamp) -> Result<Option<Password>, PeopleError> {
        if self.list()?.is_empty() {
            self.create(ADMIN, Role::Admin, now).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Names and roles, by name.
    pub fn list(&self) -> Result<Vec<(String, Role)>, PeopleError> {
        let doing = "listing accounts";
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT name, role FROM person ORDER BY name")
            .map_err(failed(doing))?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, role(&row.get::<_, String>(1)?)));
        let rows = statement.query_map([], read).map_err(failed(doing))?;
        rows.collect::<Result<_, _>>().map_err(failed(doing))
    }

    /// Makes an account with a password drawn at random.
    pub fn create(&self, name: &str, role: Role, now: Timestamp) -> Result<Password, PeopleError> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(sign) {
            return Err(PeopleError::Name(name.to_owned()));
        }
        let password = Password::draw()?;
        let sql = "INSERT INTO person (name, role, password, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let values = params![name, role.as_str(), password.hash()?, now.unix()];
        match self
            .connection()
            .execute(sql, values)
            .map_err(failed("making an account"))?
        {
            0 => Err(PeopleError::Exists(name.to_owned())),
            _ => Ok(password),
        }
    }

    /// Gives an account a new password and ends its sessions.
    pub fn reset(&self, name: &str, now: Timestamp) -> Result<Password, PeopleError> {
        let doing = "changing a password";
        let password = Password::draw()?;
        let hash = password.hash()?;
        let mut connection = self.connection();
        let transaction = connection.transaction().map_err(failed(doing))?;
        let sql = "UPDATE person SET password = ?2, changed = ?3 WHERE name = ?1";
        let changed = transaction
            .execute(sql, params![name, hash, now.unix()])
            .map_err(failed(doing))?;
        if changed == 0 {
            return Err(PeopleError::NoSuchPerson(name.to_owned()));
        }
        let sql = "DELETE FROM session WHERE person = (SELECT id FROM person WHERE name = ?1)";
        transaction.execute(sql, [name]).map_err(failed(doing))?;
        transaction.commit().map_err(failed(doing))?;
        Ok(password)
    }

    /// Removes an account and ends its sessions.
    pub fn remove(&self, name: &str) -> Result<(), PeopleError> {
        let sql = "DELETE FROM person WHERE name = ?1";
        match self
            .connection()
            .execute(sql, [name])
            .map_err(failed("removing an account"))?
        {
            0 => Err(PeopleError::NoSuchPerson(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// The hash of an account's password. Costs the same whether there is one or not.
    pub fn hash_of(&self, name: &str) -> Result<Option<String>, PeopleError> {
        let connection = self.connection();
        let sql = "SELECT password FROM person WHERE name = ?1";
        connection
            .query_row(sql, [name], |row| row.get(0))
            .optional()
            .map_err(failed("reading an account"))
    }

    /// Begins a session of somebody whose password was verified; `None` if the account went away meanwhile.
    pub fn begin(&self, name: &str, now: Timestamp) -> Result<Option<SessionSecret>, PeopleError> {
        let doing = "beginning a session";
        let secret = SessionSecret(Digest::from_bytes(clock::random()?));
        let connection = self.connection();
        let sql = "DELETE FROM session WHERE created <= ?1 OR seen <= ?2";
        let over = params![now.plus(-LONGEST).unix(), now.plus(-IDLE).unix()];
        connection.execute(sql, over).map_err(failed(doing))?;
        let sql = "INSERT INTO session (id, person, created, seen) SELECT ?1, id, ?3, ?3 FROM person WHERE name = ?2";
        let id = secret.id();
        let values = params![id.as_bytes().as_slice(), name, now.unix()];
        let begun = connection.execute(sql, values).map_err(failed(doing))?;
        Ok((begun > 0).then_some(secret))
    }

    /// Who has a session, if it is not over.
    pub fn reader(&self, secret: &SessionSecret, now: Timestamp) -> Result<Option<Reader>, PeopleError> {
        let doing = "reading a session";
        let id = secret.id();
        let connection = self.connection();
        let sql = "SELECT p.name, p.role, s.seen FROM session s JOIN person p ON p.id = s.person
            WHERE s.id = ?1 AND s.created > ?2 AND s.seen > ?3";
        let mut statement = connection.prepare_cached(sql).map_err(failed(doing))?;
        let valid = params![
            id.as_bytes().as_slice(),
            now.plus(-LONGEST).unix(),
            now.plus(-IDLE).unix()
        ];
        let found = statement
            .query_row(valid, |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            })
            .optional()
            .map_err(failed(doing))?;
        let Some((name, written_role, seen)) = found else {
            return Ok(None);
        };
        if now.unix() - seen >= SEEN {
            let sql = "UPDATE session SET seen = ?2 WHERE id = ?1";
            connection
                .execute(sql, params![id.as_bytes().as_slice(), now.unix()])
                .map_err(failed(doing))?;
        }
        Ok(Some(Reader {
            name,
            role: role(&written_role),
            form_token: secret.form_token(),
        }))
    }

    /// Ends a session.
    pub fn end(&self, secret: &SessionSecret) -> Result<(), PeopleError> {
        let sql = "DELETE FROM session WHERE id = ?1";
        let ended = self.connection().execute(sql, [secret.id().as_bytes().as_slice()]);
        ended.map(|_| ()).map_err(failed("ending a session"))
    }
}

/// A role that this version does not know may do the least.
fn role(written: &str) -> Role {
    written.parse().unwrap_or(Role::Auditor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> (tempfile::TempDir, People, Timestamp) {
        let folder = tempfile::tempdir().unwrap();
        let people = People::open(&DataDir::new(folder.path())).unwrap();
        (folder, people, Timestamp::from_unix(1_795_514_922).unwrap())
    }

    #[test]
    fn the_first_account_is_made_once() {
        let (_folder, people, now) = people();
        let password = people.first(now).unwrap().unwrap();
        assert!(people.first(now).unwrap().is_none());
        let hash = people.hash_of(ADMIN).unwrap().unwrap();
        assert!(!hash.contains(password.reveal()));
        assert_eq!(people.list().unwrap(), [(ADMIN.to_owned(), Role::Admin)]);
        assert!(matches!(
            people.create(ADMIN, Role::Auditor, now),
            Err(PeopleError::Exists(_))
        ));
        assert!(matches!(
            people.create("<b>", Role::Auditor, now),
            Err(PeopleError::Name(_))
        ));
    }

    #[test]
    fn a_session_ends_with_time_silence_logout_and_a_new_password() {
        let (_folder, people, now) = people();
        people.create("eva", Role::Auditor, now).unwrap();
        let begin = || people.begin("eva", now).unwrap().unwrap();
        let session = begin();
        let reader = people.reader(&session, now.plus(IDLE - 1)).unwrap().unwrap();
        assert_eq!((reader.name.as_str(), reader.role), ("eva", Role::Auditor));
        // That it was used keeps it alive, up to its longest time.
        let mut at = now.plus(IDLE - 1);
        while at.since(now) < LONGEST - IDLE {
            at = at.plus(IDLE - 1);
            assert!(people.reader(&session, at).unwrap().is_some());
        }
        assert!(people.reader(&session, now.plus(LONGEST)).unwrap().is_none());

        let silent = begin();
        assert!(people.reader(&silent, now.plus(IDLE)).unwrap().is_none());
        let left = begin();
        people.end(&left).unwrap();
        assert!(people.reader(&left, now).unwrap().is_none());
        let other = begin();
        people.reset("eva", now).unwrap();
        assert!(people.reader(&other, now).unwrap().is_none());
        let removed = begin();
        people.remove("eva").unwrap();
        assert!(people.reader(&removed, now).unwrap().is_none());
        assert!(people.begin("eva", now).unwrap().is_none());
    }

    #[test]
    fn the_file_holds_no_secret_of_a_session() {
        let (folder, people, now) = people();
        people.create("eva", Role::Auditor, now).unwrap();
        let session = people.begin("eva", now).unwrap().unwrap();
        drop(people);
        let bytes = std::fs::read(folder.path().join(FILE)).unwrap();
        let secret = session.0.as_bytes().as_slice();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}
