//! The contents of a tenant, and their import: the import of 389-ds takes seconds, while adding the entries one by one
//! takes minutes.
//!
//! An import replaces all data. So the entries that `pbm init` has made are exported first, and precede the new entries
//! in the imported file.
//! entries in the file that is imported.

use crate::{
    people::{DOMAIN, People},
    raw::Login,
};
use anyhow::{Context, bail, ensure};
use ldap_text::{
    dn::Dn,
    ldif::{Change, ChangeRecord, Entry, write_entry},
};
use ldap3::{Ldap, Scope, SearchEntry};
use mail_model::{maillist::member::Member, resource::group::GroupName};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

/// The database of 389-ds that holds everything.
const BACKEND: &str = "userRoot";
const ROOMS_OF_A_GROUP: usize = 20;
const EXIT_CODE: &str = "nsTaskExitCode";
/// The interval between checks of a task.
const STEP: Duration = Duration::from_millis(50);

/// The numbers of entries of each kind.
#[derive(Clone, Copy)]
pub(crate) struct Contents {
    pub(crate) users: usize,
    lists: usize,
    rooms: usize,
}

impl Contents {
    /// Only users.
    pub(crate) fn of_users(users: usize) -> Self {
        Self { users, lists: 0, rooms: 0 }
    }

    /// The contents for measurements of the address book: one mailing list for every 50 users, one meeting room for
    /// every 500.
    pub(crate) fn of_address_book(users: usize) -> Self {
        Self { users, lists: users / 50, rooms: users / 500 }
    }

    /// The sum of users, lists and rooms.
    pub(crate) fn all(&self) -> usize {
        self.users + self.lists + self.rooms
    }

    /// Fills the directory and keeps the service account's tree. `folder` is for the files.
    pub(crate) fn import(&self, people: &People, manager: &Login, folder: &Path) -> anyhow::Result<()> {
        let began = Instant::now();
        let (before, all) = (folder.join("before.ldif"), folder.join("all.ldif"));
        manager.once(async |ldap| run_task(ldap, "export", &before).await)?;
        std::fs::rename(&before, &all)?;
        let mut file = BufWriter::new(File::options().append(true).open(&all)?);
        file.write_all(b"\n")?;
        self.write(people, &mut file)?;
        file.into_inner()?;
        let (written, began) = (began.elapsed(), Instant::now());
        manager.once(async |ldap| run_task(ldap, "import", &all).await)?;
        std::fs::remove_file(&all)?;
        eprintln!(
            "{} entries: written in {:.1} s, imported in {:.1} s",
            self.all(),
            written.as_secs_f64(),
            began.elapsed().as_secs_f64()
        );
        Ok(())
    }

    fn write(&self, people: &People, out: &mut impl Write) -> anyhow::Result<()> {
        for index in 0..self.users {
            write_entry(out, &entry(people.hashed_entry(index)?)?)?;
        }
        for index in 0..self.lists {
            let members = (index..self.users)
                .step_by(self.lists)
                .map(|user| anyhow::Ok(Member::Inside(Dn::parse(&people.name(user)?.dn)?)));
            let members = members.collect::<anyhow::Result<Vec<_>>>()?;
            let shown = format!("Рассылка {index}");
            write_entry(out, &entry(people.list(&list_address(index), &shown, &members)?)?)?;
        }
        for index in 0..self.rooms {
            let group = GroupName::parse(&format!("Этаж {}", index / ROOMS_OF_A_GROUP + 1))?;
            if index % ROOMS_OF_A_GROUP == 0 {
                write_entry(out, &entry(people.resource_group(&group))?)?;
            }
            let mail = format!("room{index}@{DOMAIN}");
            write_entry(out, &entry(people.room(&group, &mail, &format!("Переговорная {index}"))?)?)?;
        }
        Ok(())
    }
}

fn list_address(index: usize) -> String {
    format!("list{index}@{DOMAIN}")
}

/// The entry that a change adds.
pub(crate) fn entry(record: ChangeRecord) -> anyhow::Result<Entry> {
    let Change::Add(attributes) = record.change else { bail!("not the change that adds an entry") };
    Ok(Entry { dn: record.dn, attributes })
}

/// Runs an export or import task of 389-ds and waits for its end.
pub(crate) async fn run_task(ldap: &mut Ldap, kind: &str, file: &Path) -> anyhow::Result<()> {
    // Ended tasks are kept for a while.
    let name = format!("bench-{:016x}", rand::random::<u64>());
    let dn = format!("cn={name},cn={kind},cn=tasks,cn=config");
    let file = file.display().to_string();
    let attributes =
        [("objectClass", "extensibleObject"), ("cn", &name), ("nsInstance", BACKEND), ("nsFilename", &file)];
    let attributes = attributes.map(|(name, value)| (name, HashSet::from([value])));
    ldap.add(&dn, attributes.to_vec()).await?.success()?;
    loop {
        tokio::time::sleep(STEP).await;
        let found = ldap.search(&dn, Scope::Base, "(objectClass=*)", [EXIT_CODE]).await?.success()?.0;
        let task = SearchEntry::construct(found.into_iter().next().context("the task is gone")?);
        if let Some(code) = task.attrs.get(EXIT_CODE).and_then(|values| values.first()) {
            ensure!(code == "0", "the task {kind} ended with {code}");
            return Ok(());
        }
    }
}
