//! Deleting a group with many resources, by a single client. Raw, for information: deletions of as many such entries
//! over all connections.

use crate::{
    arguments::Arguments,
    http::{repeating, request},
    load::{self, Client, Measured, Until, in_turns},
    people::DOMAIN,
    raw::{self, Adding},
    report::{Row, Target},
    world::{CONNECTIONS, World},
};
use anyhow::anyhow;
use ldap_text::ldif::{Attribute, Change, ChangeRecord};
use ldap3::Ldap;
use mail_model::{names, resource::group::GroupName};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// Resources in a group.
const RESOURCES: usize = 1000;

/// A created group.
#[derive(Clone)]
struct Group {
    name: String,
    /// The DNs of its resources.
    resources: Arc<Vec<String>>,
}

/// A client that deletes entries until none is left.
struct Removing {
    ldap: Ldap,
    entries: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
}

impl Client for Removing {
    async fn once(&mut self) -> anyhow::Result<()> {
        match self.entries.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            Some(dn) => raw::delete(&mut self.ldap, dn).await,
            None => Ok(()),
        }
    }
}

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let make_all = |side: &str, are_claimed| -> anyhow::Result<Vec<Group>> {
        (1..=arguments.rounds).map(|round| make(world, &format!("{side}{round}"), are_claimed)).collect()
    };
    // The service account may remove only what is claimed; pbm claims what it removes.
    let (for_ours, for_raw) = (make_all("ours", false)?, make_all("raw", true)?);
    let (ours_done, raw_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ours = || -> anyhow::Result<Measured> {
        let path = format!("/v2/resourcegroups/default/{}", next(&for_ours, &ours_done)?.name);
        let request = request("DELETE", &path, Some(&world.token), "");
        let one = async || repeating(world.pbm.address, request.clone()).await;
        let requests = load::run(1, Until::Times(1), one)?;
        Ok(requests.of_each(RESOURCES))
    };
    let raw = || -> anyhow::Result<Measured> {
        let entries = next(&for_raw, &raw_done)?.resources;
        let next = Arc::new(AtomicUsize::new(0));
        load::run(CONNECTIONS, Until::Times(RESOURCES.div_ceil(CONNECTIONS)), async || {
            let (entries, next) = (entries.clone(), next.clone());
            Ok(Removing { ldap: world.service.bind().await?, entries, next })
        })
    };
    let name = format!("delete a group of {RESOURCES} resources");
    let pair = in_turns(&name, arguments.rounds, world.processes()?, ours, raw)?;
    Ok(vec![Row::of_pair(&name, &pair, world.pbm.peak_memory()?, Target::Median(5000.0))])
}

fn next(groups: &[Group], done: &AtomicUsize) -> anyhow::Result<Group> {
    let group = groups.get(done.fetch_add(1, Ordering::Relaxed));
    group.cloned().ok_or_else(|| anyhow!("no group is left"))
}

/// Creates a group with its resources, in the form that pbm creates.
fn make(world: &World, name: &str, are_claimed: bool) -> anyhow::Result<Group> {
    let began = Instant::now();
    let group = GroupName::parse(name)?;
    let creation = world.people.resource_group(&group);
    world.manager.once(async |ldap| raw::add(ldap, &creation).await)?;
    let entries = (0..RESOURCES).map(|number| {
        let record = resource(world, &group, number)?;
        Ok(if are_claimed { claimed(record) } else { record })
    });
    let entries = Arc::new(entries.collect::<anyhow::Result<Vec<_>>>()?);
    let next = Arc::new(AtomicUsize::new(0));
    load::run(CONNECTIONS, Until::Times(RESOURCES.div_ceil(CONNECTIONS)), async || {
        let (entries, next) = (entries.clone(), next.clone());
        let next = move || Ok(entries.get(next.fetch_add(1, Ordering::Relaxed)).cloned());
        Ok(Adding { ldap: world.manager.bind().await?, next })
    })?;
    eprintln!("a group of {RESOURCES} resources: made in {:.1} s", began.elapsed().as_secs_f64());
    let resources = Arc::new(entries.iter().map(|entry| entry.dn.to_string()).collect());
    Ok(Group { name: name.to_owned(), resources })
}

/// An entry that is claimed for removal from the beginning.
fn claimed(mut record: ChangeRecord) -> ChangeRecord {
    if let Change::Add(attributes) = &mut record.change {
        attributes.push(Attribute { name: names::PURGING, values: vec!["TRUE".into()] });
    }
    record
}

fn resource(world: &World, group: &GroupName, number: usize) -> anyhow::Result<ChangeRecord> {
    world.people.room(group, &format!("{group}.room{number}@{DOMAIN}"), &format!("Переговорная {number}"))
}
