//! Work that lasts as long as the client takes to read the answer or to send the body, or as other servers take:
//! backups, exports, imports, photos, recalls. The number of each kind at a time is limited, so that no caller takes all of the capacity.

use crate::caller::Actor;
use mail_model::{tenant::TenantId, user::role::Role};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A kind of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LongWork {
    /// A backup: it holds a connection to the directory, one of eight that a worker thread has for backups and
    /// restores.
    Backup,
    /// An export of an address book: it takes some hundred kilobytes.
    Export,
    /// An import of users: it keeps up to half of a worker's connections to the directory busy.
    Import,
    /// A synchronization that a request waits for: it has a thread and connections of its own.
    Sync,
    /// A photo that is received and converted: it takes up to 10 MiB of memory, and up to 58 MiB while it is decoded.
    Photo,
    /// A recall of a message: its boxes wait for the mail server, a few at a time.
    Recall,
}

/// How many works of a kind may run at once.
struct Share {
    in_all: usize,
    /// The limit for all callers except super administrators, so that these can always begin one.
    of_tenants: usize,
    of_tenant: usize,
    of_account: usize,
}

impl LongWork {
    /// Administrators run one or two of these at a time; address books are exported by everybody's programs. Six
    /// backups leave two of the eight connections of a worker thread to restores, even if all backups run on one
    /// thread.
    const fn share(self) -> Share {
        match self {
            Self::Backup => Share { in_all: 6, of_tenants: 4, of_tenant: 2, of_account: 2 },
            // Only two photos are decoded at a time; the others are being received, or wait.
            Self::Sync => Share { in_all: 16, of_tenants: 12, of_tenant: 4, of_account: 4 },
            Self::Import | Self::Photo | Self::Recall => {
                Share { in_all: 8, of_tenants: 6, of_tenant: 4, of_account: 2 }
            }
            Self::Export => Share { in_all: 64, of_tenants: 48, of_tenant: 16, of_account: 2 },
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Backup => "backups",
            Self::Sync => "synchronizations",
            Self::Export => "exports",
            Self::Import => "imports",
            Self::Photo => "changes of photos",
            Self::Recall => "recalls of messages",
        }
    }
}

/// The works in progress. Clones share the counts.
#[derive(Clone, Default)]
pub struct LongWorks(Arc<Mutex<HashMap<Key, usize>>>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(LongWork, Holder);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Holder {
    Everybody,
    Tenants,
    Tenant(TenantId),
    Account(String),
}

/// The limit for this kind of work is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{most} {} {} are under way, which is the limit", work.words(), whose.words())]
pub struct TooMuch {
    work: LongWork,
    most: usize,
    /// Whose limit is reached.
    pub whose: Whose,
}

/// The scope of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All callers.
    Everybodys,
    /// The caller's tenant.
    TheTenants,
    /// The caller.
    TheAccounts,
}

impl Whose {
    const fn words(self) -> &'static str {
        match self {
            Self::Everybodys => "on this server",
            Self::TheTenants => "of this tenant",
            Self::TheAccounts => "of this account",
        }
    }
}

impl Holder {
    fn whose(&self) -> Whose {
        match self {
            Self::Everybody | Self::Tenants => Whose::Everybodys,
            Self::Tenant(_) => Whose::TheTenants,
            Self::Account(_) => Whose::TheAccounts,
        }
    }
}

impl LongWorks {
    /// Begins a work for a caller. It counts until the returned value is dropped.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn begin(&self, work: LongWork, actor: Option<&Actor>) -> Result<WorkInProgress, TooMuch> {
        let share = work.share();
        let mut holders = vec![(Holder::Everybody, share.in_all)];
        // For super administrators only the capacity of the machine counts.
        if let Some(Actor::Account(account)) = actor.filter(|actor| actor.role() != Role::SuperAdministrator)
        {
            holders.push((Holder::Tenants, share.of_tenants));
            holders.push((Holder::Tenant(account.tenant.clone()), share.of_tenant));
            holders.push((Holder::Account(account.id.clone()), share.of_account));
        }
        let mut under_way = lock(&self.0);
        // The narrowest limit first: its error tells the caller most about what to do.
        for (holder, most) in holders.iter().rev() {
            if under_way.get(&Key(work, holder.clone())).is_some_and(|count| count >= most) {
                return Err(TooMuch { work, most: *most, whose: holder.whose() });
            }
        }
        let keys: Vec<_> = holders.into_iter().map(|(holder, _)| Key(work, holder)).collect();
        for key in &keys {
            *under_way.entry(key.clone()).or_default() += 1;
        }
        Ok(WorkInProgress { works: self.0.clone(), keys })
    }
}

fn lock(under_way: &Mutex<HashMap<Key, usize>>) -> MutexGuard<'_, HashMap<Key, usize>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A work in progress; dropping it ends it.
pub struct WorkInProgress {
    works: Arc<Mutex<HashMap<Key, usize>>>,
    keys: Vec<Key>,
}

impl Drop for WorkInProgress {
    fn drop(&mut self) {
        let mut under_way = lock(&self.works);
        for key in &self.keys {
            if let Some(count) = under_way.get_mut(key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    under_way.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::{address::MailAddress, user::account::Account};

    fn actor(tenant: &str, id: &str, role: Role) -> Actor {
        Actor::Account(Arc::new(Account {
            id: id.to_owned(),
            mail: MailAddress::parse("a@b.c").unwrap(),
            tenant: TenantId::parse(tenant).unwrap(),
            role,
            tokens_valid_from: None,
        }))
    }

    /// Begins as many works as one account may have.
    fn begin_all(works: &LongWorks, work: LongWork, actor: &Actor) -> Vec<WorkInProgress> {
        (0..100).map_while(|_| works.begin(work, Some(actor)).ok()).collect()
    }

    #[test]
    fn nobody_takes_all_of_it() {
        let works = LongWorks::default();
        let administrator =
            |tenant: &str, number: usize| actor(tenant, &number.to_string(), Role::Administrator);
        let of_one = begin_all(&works, LongWork::Backup, &administrator("acme", 1));
        let of_another = begin_all(&works, LongWork::Backup, &administrator("acme", 2));
        assert_eq!((of_one.len(), of_another.len()), (2, 0), "two of a tenant");
        let elsewhere: Vec<_> = (3..10)
            .flat_map(|number| {
                begin_all(&works, LongWork::Backup, &administrator(&format!("t{number}"), number))
            })
            .collect();
        assert_eq!(elsewhere.len(), 2, "four of all tenants");
        let of_super = begin_all(&works, LongWork::Backup, &actor("default", "0", Role::SuperAdministrator));
        assert_eq!(of_super.len(), 2, "six in all");
        assert_eq!(
            begin_all(&works, LongWork::Export, &administrator("acme", 1)).len(),
            2,
            "each kind by itself"
        );
        drop((of_one, elsewhere, of_super));
        assert!(works.0.lock().unwrap().is_empty());
    }
}
