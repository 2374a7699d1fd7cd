//! What kind of hash a password field holds: crypt(5), and shadow(5) for what stands there instead. The hash itself
//! goes no further than here.

use super::facts::{HashKind, Password, PasswordState};

/// crypt(5): no method makes a hash of fewer characters.
const SHORTEST_HASH: usize = 13;
/// Rounds of SHA-crypt if the hash names none (Drepper, Unix crypt using SHA-256 and SHA-512).
const SHA_CRYPT_ROUNDS: u64 = 5_000;

/// The state that a password field is in.
pub(super) fn state(field: &[u8]) -> Password {
    let password = |state, (hash, cost)| Password { state, hash, cost };
    if field.is_empty() {
        return password(PasswordState::Empty, (HashKind::None, None));
    }
    let locks = field.iter().take_while(|byte| matches!(byte, b'!' | b'*')).count();
    let behind = field.get(locks..).unwrap_or_default();
    match (kind(behind), locks) {
        (Some(found), 0) => password(PasswordState::Set, found),
        (Some(found), _) => password(PasswordState::Locked, found),
        (None, 0) if field.len() >= SHORTEST_HASH => password(PasswordState::Set, (HashKind::Unrecognised, None)),
        (None, _) => password(PasswordState::None, (HashKind::None, None)),
    }
}

/// The kind of a hash, and its cost where the kind has one that can be read off.
fn kind(hash: &[u8]) -> Option<(HashKind, Option<u64>)> {
    let text = std::str::from_utf8(hash).ok()?;
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b':' | b';' | b'*' | b'!' | b'\\'))
    {
        return None;
    }
    if let Some(rest) = text.strip_prefix('_') {
        return (rest.len() == 19 && base64(rest)).then_some((HashKind::Bsdicrypt, None));
    }
    if !text.starts_with('$') {
        // 2 characters of salt and 11 for each 8 of the password, all of which the longer form keeps.
        let whole = text.len() >= 13 && (text.len() - 2).is_multiple_of(11) && base64(text);
        return whole.then_some((HashKind::Descrypt, None));
    }
    if let Some(rest) = text.strip_prefix("$md5") {
        let rounds = rest.strip_prefix(",rounds=").and_then(|rest| rest.split('$').next());
        let rounds = rounds.map(str::parse).transpose().ok()?.unwrap_or(0);
        return last_is(text, 22).then_some((HashKind::Sunmd5, Some(4096 + rounds)));
    }
    let (id, rest) = text.strip_prefix('$')?.split_once('$')?;
    let found = |kind, length| last_is(rest, length).then_some((kind, None));
    match id {
        "y" => found(HashKind::Yescrypt, 43),
        "gy" => found(HashKind::GostYescrypt, 43),
        "7" => found(HashKind::Scrypt, 43),
        "sm3" => found(HashKind::Sm3crypt, 43),
        "sm3y" => found(HashKind::Sm3Yescrypt, 43),
        "sha1" => found(HashKind::Sha1crypt, 28),
        "1" => found(HashKind::Md5crypt, 22),
        "6" => sha_crypt(HashKind::Sha512crypt, rest, 86),
        "5" => sha_crypt(HashKind::Sha256crypt, rest, 43),
        "2a" | "2b" | "2x" | "2y" => {
            let (cost, hash) = rest.split_once('$')?;
            let cost = (cost.len() == 2).then(|| cost.parse().ok())??;
            (hash.len() == 53 && base64(hash)).then_some((HashKind::Bcrypt, Some(cost)))
        }
        "3" => {
            let hash = rest.strip_prefix('$')?;
            (hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((HashKind::Nt, None))
        }
        _ => None,
    }
}

fn sha_crypt(kind: HashKind, rest: &str, length: usize) -> Option<(HashKind, Option<u64>)> {
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$')?;
            (rounds.parse().ok()?, rest)
        }
        None => (SHA_CRYPT_ROUNDS, rest),
    };
    last_is(rest, length).then_some((kind, Some(rounds)))
}

/// Whether what follows the last `$` is a digest of `length` characters.
fn last_is(text: &str, length: usize) -> bool {
    text.rsplit_once('$')
        .is_some_and(|(_, digest)| digest.len() == length && base64(digest))
}

/// The alphabet of crypt(5).
fn base64(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kinds() {
        // Of the right form; tests/accounts_authority.rs has crypt(3) make real ones.
        let cases = [
            (
                "$y$j9T$PWT.xjB5gBXx0e3bzcUyS/$p1Jj7JGKCEYxYkXkDqYrlvUmuZqIO9pRsYvVMqHjvK1",
                HashKind::Yescrypt,
                None,
            ),
            (
                "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
                HashKind::Sha512crypt,
                Some(5000),
            ),
            (
                "$6$rounds=656000$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
                HashKind::Sha512crypt,
                Some(656_000),
            ),
            ("$1$saltsalt$kwiU3kDdMhRRVVPBS9Ycv.", HashKind::Md5crypt, None),
            (
                "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
                HashKind::Bcrypt,
                Some(12),
            ),
            ("$3$$8846f7eaee8fb117ad06bdd830b7586c", HashKind::Nt, None),
            ("ab/XLvmaQHMRM", HashKind::Descrypt, None),
            ("_J9..rasmBYk8r9AiWNc", HashKind::Bsdicrypt, None),
        ];
        for (hash, kind, cost) in cases {
            let seen = state(hash.as_bytes());
            assert_eq!(
                (seen.state, seen.hash, seen.cost),
                (PasswordState::Set, kind, cost),
                "{hash}"
            );
            let locked = state(format!("!{hash}").as_bytes());
            assert_eq!((locked.state, locked.hash), (PasswordState::Locked, kind), "!{hash}");
        }
    }

    #[test]
    fn locks_nothing_and_what_is_not_known() {
        assert_eq!(state(b"").state, PasswordState::Empty);
        for field in ["*", "!", "!!", "!*", "*LK*", "x", "NP", "!locked"] {
            let seen = state(field.as_bytes());
            assert_eq!(
                (seen.state, seen.hash),
                (PasswordState::None, HashKind::None),
                "{field}"
            );
        }
        for field in [
            "$argon2id$v=19$m=65536$c2FsdA$aGFzaA",
            "$6$salt$tooshort",
            "{SSHA}0123456789",
        ] {
            let seen = state(field.as_bytes());
            assert_eq!(
                (seen.state, seen.hash),
                (PasswordState::Set, HashKind::Unrecognised),
                "{field}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(field in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = state(&field);
        }

        #[test]
        fn only_an_empty_field_is_empty(field in "[$!*a-z0-9./,=]{1,80}") {
            prop_assert_ne!(state(field.as_bytes()).state, PasswordState::Empty);
        }
    }
}
