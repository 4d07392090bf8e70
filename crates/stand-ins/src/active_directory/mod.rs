//! A stand-in for a domain controller of Active Directory.

mod domain;
mod entry;
mod filter;
mod population;
mod search;
mod server;
mod session;
mod state;

pub use entry::Entry;
pub use population::sid;
pub use state::{Asked, Fault};

use state::State;
use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    thread::JoinHandle,
};

/// A server on a free port of 127.0.0.1, in threads of its own. It stops when it is dropped.
#[derive(Debug)]
pub struct DomainController {
    port: u16,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl DomainController {
    /// The account that may read.
    pub const LOGIN: &'static str = domain::LOGIN;
    /// Its password.
    pub const PASSWORD: &'static str = domain::PASSWORD;

    /// An empty domain `example.test`, whose containers are those that its entries are in.
    pub fn start() -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = socket.local_addr().expect("a local address").port();
        let (state, stopped) = (Arc::<Mutex<State>>::default(), Arc::<AtomicBool>::default());
        let listener = server::listen(socket, state.clone(), stopped.clone());
        Self { port, state, stopped, listener: Some(listener) }
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The DN of a container, such as `Staff`; of several, the innermost comes first: `Moscow/Staff`.
    pub fn container(path: &str) -> String {
        domain::container(path)
    }

    /// Adds an entry, or replaces the one with the same name. An entry that is replaced keeps its identifiers.
    pub fn put(&self, entry: Entry) {
        self.state().population.put(entry);
    }

    /// Adds many entries. Those after the first of an earlier call are replaced.
    pub fn put_all(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut state = self.state();
        entries.into_iter().for_each(|entry| state.population.put(entry));
    }

    /// Adds entries that are made each time when they are looked at, so that a hundred thousand take no memory. The
    /// function must return the same entry for the same number, from 0. They cannot be changed one by one; another call
    /// replaces all of them, and counts as a change of each.
    pub fn generate(&self, count: usize, make: impl Fn(usize) -> Entry + Send + Sync + 'static) {
        self.state().population.generate(count, Box::new(make));
    }

    /// Changes an entry.
    ///
    /// # Panics
    /// If there is none with this DN.
    pub fn change(&self, dn: &str, change: impl FnOnce(Entry) -> Entry) {
        self.state().population.change(dn, change);
    }

    /// Renames or moves an entry, which keeps its identifiers. Groups name it by its new DN.
    ///
    /// # Panics
    /// If there is none with this DN.
    pub fn rename(&self, dn: &str, new_dn: &str) {
        self.state().population.rename(dn, new_dn);
    }

    /// Deletes an entry, which leaves every group.
    ///
    /// # Panics
    /// If there is none with this DN.
    pub fn delete(&self, dn: &str) {
        self.state().population.delete(dn);
    }

    /// Begins another count of changes, as a domain controller does after its database was restored.
    pub fn restore_from_backup(&self) {
        self.state().population.invocation += 1;
    }

    /// Sets what goes wrong from now on.
    pub fn fail(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// The searches since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DomainController {
    fn drop(&mut self) {
        server::stop(self.port, &self.stopped);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
