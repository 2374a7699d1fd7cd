//! What every engine must do. An engine's tests call [`suite`] with a way to make an empty store.

use evidence::facts::ProbeId;
use evidence::key::PublicKey;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};

use super::*;

/// Makes an empty store, and what must live as long as it.
pub(crate) type Make<'a, T> = &'a mut dyn FnMut() -> (T, Box<dyn Store>);

/// Runs every case, each on a store of its own.
pub(crate) fn suite<T>(make: Make<'_, T>) {
    for case in [
        an_empty_store_says_so,
        a_failed_transaction_leaves_nothing,
        a_transaction_sees_what_it_wrote,
        entries_are_the_same_before_and_after_sealing,
        an_entry_is_never_replaced,
        hashes_grow,
        members_follow_their_statements,
        a_key_and_a_host_are_given_once,
        objects_are_kept_once_and_listed,
        own_entries_are_found_by_kind,
        tokens_contacts_and_clones_are_kept,
    ] {
        let (_guard, store) = make();
        case(store.as_ref());
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn member(seed: u8) -> Member {
    Member {
        host: HostId::new(format!("host-{seed}")).unwrap(),
        name: format!("name {seed}"),
        key: PublicKey::Ed25519([seed; 32]),
        enrolled: u64::from(seed),
        revoked: None,
        last: None,
    }
}

fn write(store: &dyn Store, mut work: impl FnMut(&mut dyn Transaction) -> Result<(), StoreError>) {
    store.commit(&mut work).unwrap();
}

fn an_empty_store_says_so(store: &dyn Store) {
    assert_eq!(store.head().unwrap(), None);
    assert_eq!(store.size().unwrap(), 0);
    assert_eq!(store.checkpoint().unwrap(), None);
    assert_eq!(store.entries(0, 10).unwrap(), vec![]);
    assert_eq!(store.entry(7).unwrap(), None);
    assert_eq!(store.hashes(0, 0).unwrap(), None);
    assert_eq!(store.members(None, 10).unwrap(), vec![]);
    let digest = Digest::of(b"");
    assert_eq!(store.missing(&[digest]).unwrap(), vec![digest]);
    assert!(store.self_check().unwrap().is_empty());
}

fn a_failed_transaction_leaves_nothing(store: &dyn Store) {
    let result = store.commit(&mut |transaction| {
        transaction.append(0, b"zero")?;
        transaction.put_manifest(&Digest::of(b"m"), b"m")?;
        transaction.add_member(&member(1))?;
        Err(StoreError::damaged("on purpose"))
    });
    assert!(matches!(result, Err(StoreError::Damaged { .. })));
    an_empty_store_says_so(store);
    assert_eq!(store.manifest(&Digest::of(b"m")).unwrap(), None);
    // The writer is usable again.
    write(store, |transaction| transaction.append(0, b"zero"));
}

fn a_transaction_sees_what_it_wrote(store: &dyn Store) {
    let head = Head {
        size: 1,
        checkpoint: "checkpoint".into(),
    };
    write(store, |transaction| {
        transaction.append(0, b"zero")?;
        transaction.put_head(&head)?;
        transaction.add_member(&member(1))?;
        assert_eq!(transaction.entries(0, 9)?, vec![(0, b"zero".to_vec())]);
        assert_eq!(transaction.head()?, Some(head.clone()));
        assert_eq!(transaction.member(&member(1).keyid())?, Some(member(1)));
        assert_eq!(transaction.member_of(&member(1).host)?, Some(member(1)));
        Ok(())
    });
    assert_eq!(store.head().unwrap(), Some(head));
}

fn entries_are_the_same_before_and_after_sealing(store: &dyn Store) {
    let entries: Vec<Vec<u8>> = (0..600_u32).map(|index| index.to_be_bytes().to_vec()).collect();
    write(store, |transaction| {
        for (index, entry) in entries.iter().enumerate() {
            transaction.append(index as u64, entry)?;
        }
        assert_eq!(transaction.unsealed()?, 0);
        Ok(())
    });
    let all = store.entries(0, 1000).unwrap();
    assert_eq!(all.len(), 600);
    for from in [0, 256] {
        write(store, |transaction| {
            let plain = transaction.entries(from, 256)?;
            let plain: Vec<_> = plain.into_iter().map(|(_, bytes)| bytes).collect();
            transaction.seal(from, &bundle::seal(&plain)?)?;
            assert_eq!(transaction.unsealed()?, from + 256);
            Ok(())
        });
        assert_eq!(store.entries(0, 1000).unwrap(), all);
        for (from, limit) in [(0, 1), (255, 2), (256, 256), (300, 300), (511, 3), (599, 9), (600, 9)] {
            let begin = usize::try_from(from).unwrap();
            let expected = &all[begin..(begin + limit).min(600)];
            assert_eq!(store.entries(from, limit).unwrap(), expected, "{from} {limit}");
        }
    }
    assert!(
        store.commit(&mut |transaction| transaction.seal(512, b"")).is_err(),
        "88 entries only"
    );
    assert_eq!(store.entries(0, 1000).unwrap(), all);
}

fn an_entry_is_never_replaced(store: &dyn Store) {
    write(store, |transaction| transaction.append(0, b"zero"));
    assert!(
        store
            .commit(&mut |transaction| transaction.append(0, b"other"))
            .is_err()
    );
    assert_eq!(store.entry(0).unwrap(), Some(b"zero".to_vec()));
}

fn hashes_grow(store: &dyn Store) {
    let hashes: Vec<_> = (0..=255_u8).map(|byte| Digest::of(&[byte])).collect();
    for length in [1, 255, 256] {
        write(store, |transaction| transaction.put_hashes(1, 3, &hashes[..length]));
        assert_eq!(store.hashes(1, 3).unwrap().unwrap(), hashes[..length]);
    }
    assert_eq!(store.hashes(0, 3).unwrap(), None);
}

fn members_follow_their_statements(store: &dyn Store) {
    let mut expected = member(1);
    let last = |index, sequence| Last {
        index,
        epoch: "e".into(),
        sequence,
        digest: Digest::of(&[7]),
    };
    write(store, |transaction| {
        transaction.add_member(&expected)?;
        transaction.add_member(&member(2))?;
        transaction.advance_member(&expected.keyid(), &last(5, 0))?;
        transaction.advance_member(&expected.keyid(), &last(9, 1))
    });
    expected.last = Some(last(9, 1));
    assert_eq!(store.member(&expected.keyid()).unwrap(), Some(expected.clone()));
    assert_eq!(store.position(&expected.keyid(), 0).unwrap(), Some(5));
    assert_eq!(store.position(&expected.keyid(), 2).unwrap(), None);
    assert_eq!(store.position(&member(2).keyid(), 0).unwrap(), None);
    assert!(
        store
            .commit(&mut |transaction| transaction.advance_member(&expected.keyid(), &last(10, 1)))
            .is_err(),
        "a sequence number is used once"
    );
    assert!(
        store
            .commit(&mut |transaction| transaction.advance_member(&member(3).keyid(), &last(10, 0)))
            .is_err(),
        "not a member"
    );
    write(store, |transaction| transaction.revoke_member(&expected.keyid(), 11));
    expected.revoked = Some(11);
    assert_eq!(store.members(None, 10).unwrap(), vec![expected.clone(), member(2)]);
    assert_eq!(store.members(Some(&expected.host), 10).unwrap(), vec![member(2)]);
    assert_eq!(store.members(None, 1).unwrap(), vec![expected.clone()]);
    assert!(
        store
            .commit(&mut |transaction| transaction.revoke_member(&expected.keyid(), 12))
            .is_err(),
        "revoked once"
    );
}

fn a_key_and_a_host_are_given_once(store: &dyn Store) {
    write(store, |transaction| transaction.add_member(&member(1)));
    let same_key = Member {
        host: HostId::new("other").unwrap(),
        ..member(1)
    };
    let same_host = Member {
        key: member(2).key,
        ..member(1)
    };
    for double in [same_key, same_host] {
        assert!(
            store
                .commit(&mut |transaction| transaction.add_member(&double))
                .is_err()
        );
    }
}

fn objects_are_kept_once_and_listed(store: &dyn Store) {
    let facts = StoredFacts {
        probe: ProbeId::new("sshd").unwrap(),
        bytes: vec![b'x'; 10_000],
    };
    let (manifest, document) = (Digest::of(b"m"), Digest::of(b"f"));
    for _ in 0..2 {
        write(store, |transaction| {
            transaction.put_manifest(&manifest, b"m")?;
            transaction.put_facts(&document, &facts)
        });
    }
    assert_eq!(store.manifest(&manifest).unwrap(), Some(b"m".to_vec()));
    assert_eq!(store.facts(&document).unwrap(), Some(facts.clone()));
    assert_eq!(store.facts_probe(&document).unwrap(), Some(facts.probe.clone()));
    assert_eq!(store.facts(&manifest).unwrap(), None);
    assert_eq!(store.missing(&[manifest, document]).unwrap(), vec![manifest]);
    assert_eq!(store.manifest_digests(None, 9).unwrap(), vec![manifest]);
    assert_eq!(store.facts_digests(None, 9).unwrap(), vec![document]);
    assert_eq!(store.facts_digests(Some(&document), 9).unwrap(), vec![]);
}

fn own_entries_are_found_by_kind(store: &dyn Store) {
    write(store, |transaction| {
        assert_eq!(transaction.last_own_digest()?, None);
        for (index, kind) in [(0, "log"), (1, "rules"), (5, "rules"), (9, "pack")] {
            transaction.add_own(index, kind, &Digest::of(&[7]))?;
        }
        assert_eq!(transaction.last_own_digest()?, Some(Digest::of(&[7])));
        transaction.put_file(&Digest::of(b"rule"), b"rule")?;
        transaction.put_file(&Digest::of(b"rule"), b"rule")
    });
    assert_eq!(store.own(None, 0, 9).unwrap(), vec![0, 1, 5, 9]);
    assert_eq!(store.own(None, 1, 2).unwrap(), vec![1, 5]);
    assert_eq!(store.own(Some("rules"), 2, 9).unwrap(), vec![5]);
    assert_eq!(store.last_own("rules").unwrap(), Some(5));
    assert_eq!(store.last_own("none").unwrap(), None);
    assert_eq!(store.file(&Digest::of(b"rule")).unwrap(), Some(b"rule".to_vec()));
    assert_eq!(store.file(&Digest::of(b"")).unwrap(), None);
}

fn tokens_contacts_and_clones_are_kept(store: &dyn Store) {
    let mut token = TokenRecord {
        id: [3; 8],
        secret: Digest::of(b"secret"),
        created: at(1),
        expires: at(2),
        used: None,
    };
    let contact = Contact {
        host: member(1).host,
        at: at(9),
        agent_version: "1".into(),
        spooled: 4,
        clock_ahead: -3,
    };
    let suspicion = CloneSuspicion {
        host: member(1).host,
        sequence: 5,
        refused: Digest::of(b"x"),
        at: at(7),
    };
    write(store, |transaction| {
        transaction.put_token(&token)?;
        transaction.put_contact(&contact)?;
        transaction.note_clone(&suspicion)?;
        transaction.note_clone(&suspicion)
    });
    token.used = Some(TokenUse {
        at: at(2),
        host: member(1).host,
    });
    write(store, |transaction| {
        assert!(transaction.token(&[3; 8])?.is_some());
        assert!(transaction.token(&[4; 8])?.is_none());
        transaction.put_token(&token)
    });
    assert_eq!(store.tokens().unwrap(), vec![token.clone()]);
    assert_eq!(store.contacts().unwrap(), vec![contact.clone()]);
    assert_eq!(store.clones().unwrap(), vec![suspicion.clone()]);
}
