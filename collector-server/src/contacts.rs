//! Who checked in last: kept in memory and written down now and then, since it is no evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::statement::HostId;

use crate::log::{Log, LogError};
use crate::store::{Contact, Store, StoreError};

/// The last check-in of every host.
#[derive(Debug)]
pub struct Contacts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    by_host: BTreeMap<HostId, Contact>,
    unwritten: BTreeSet<HostId>,
}

impl Contacts {
    /// What was written down.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let by_host = store
            .contacts()?
            .into_iter()
            .map(|contact| (contact.host.clone(), contact))
            .collect();
        Ok(Self(Mutex::new(State {
            by_host,
            unwritten: BTreeSet::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A host's last check-in.
    pub fn of(&self, host: &HostId) -> Option<Contact> {
        self.state().by_host.get(host).cloned()
    }

    /// Notes a check-in.
    pub fn note(&self, contact: Contact) {
        let mut state = self.state();
        state.unwritten.insert(contact.host.clone());
        state.by_host.insert(contact.host.clone(), contact);
    }

    /// Writes down what is new.
    pub async fn write(&self, log: &Log) -> Result<(), LogError> {
        let contacts: Vec<Contact> = {
            let mut state = self.state();
            let unwritten = std::mem::take(&mut state.unwritten);
            unwritten
                .iter()
                .filter_map(|host| state.by_host.get(host).cloned())
                .collect()
        };
        if contacts.is_empty() {
            return Ok(());
        }
        let work = move |batch: &mut crate::log::Batch<'_>| {
            contacts
                .iter()
                .try_for_each(|contact| batch.store().put_contact(contact))
        };
        log.write(work).await.map(drop)
    }
}
