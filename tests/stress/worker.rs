//! A worker: one connection, and operations one after the other.

use crate::{
    kinds::Kind,
    site::{Site, TENANTS, expect},
    watch::Watch,
};
use harness::{Answer, Client};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// One of the 32.
pub(crate) struct Worker<'a> {
    pub(crate) site: &'a Site,
    pub(crate) watch: &'a Watch,
    /// Its number, which is part of all names that it creates.
    pub(crate) number: usize,
    pub(crate) random: StdRng,
    next: usize,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(site: &'a Site, watch: &'a Watch, number: usize) -> Self {
        Self { site, watch, number, random: StdRng::seed_from_u64(number as u64), next: 0 }
    }

    /// An unused name.
    pub(crate) fn fresh(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}{}n{}", self.number, self.next)
    }

    /// An unused address.
    pub(crate) fn fresh_mail(&mut self, kind: &str, tenant: usize) -> String {
        format!("{}@{}", self.fresh(kind), TENANTS[tenant].1)
    }

    /// A random number below a bound.
    pub(crate) fn any(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    /// A random tenant, most often the first.
    pub(crate) fn any_tenant(&mut self) -> usize {
        self.any(2 * TENANTS.len()).saturating_sub(TENANTS.len())
    }

    /// Sends a request of a kind, whose response must have one of some statuses; `None` ends the worker.
    pub(crate) fn send(
        &self,
        kind: Kind,
        client: &Client,
        [method, path, body]: [&str; 3],
        statuses: &[u16],
    ) -> Option<Answer> {
        let what = format!("{method} {path}");
        self.watch.time(self.number, kind, &what, || {
            expect(client.try_send(method, path, body.as_bytes()), statuses)
        })
    }

    /// Requests a change in a folder with many concurrent writers. Each change updates the count of children in the
    /// folder's entry. Sometimes 389-ds cannot lock that entry for so long that pbm asks the client to try later; then
    /// this returns `Some(false)`.
    pub(crate) fn change(&self, kind: Kind, request: [&str; 3]) -> Option<bool> {
        let is_made = self.ask(kind, request, &[200, 503])?.status == 200;
        if !is_made {
            self.watch.crowded_out();
        }
        Some(is_made)
    }

    /// Sends a request to the pbm with Redis.
    pub(crate) fn ask(&self, kind: Kind, request: [&str; 3], statuses: &[u16]) -> Option<Answer> {
        self.send(kind, &self.site.client, request, statuses)
    }
}
