//! Mailing lists with many members, in the form that pbm creates.

pub(super) mod add;
mod change;
pub(super) mod expand;
pub(super) mod huge;
pub(super) mod read;

use crate::{
    people::{DOMAIN, Name},
    raw,
    world::World,
};
use ldap_text::dn::Dn;
use mail_model::{maillist::member::Member, names};
use std::time::Instant;

const PATH: &str = "/v2/maillists?tenant-id=default";
/// Members of a large list: half of the users, if there are fewer than twice as many.
const LARGE: usize = 10_000;

/// A created list.
struct List {
    mail: String,
    dn: String,
    /// How many people are its members: the first ones of [`World::names`], except for nested lists.
    people: usize,
}

/// A number of users in random order, and the others.
fn split_users(world: &World) -> (&[Name], &[Name]) {
    world.names.split_at(LARGE.min(world.names.len() / 2))
}

/// The large list, which the operations share: for a second one with the same members 389-ds needs twice as long, for a
/// third one ten times.
fn large_list(world: &World) -> anyhow::Result<List> {
    make(world, "large", split_users(world).0, None)
}

/// Creates a list of people and another list, unless it exists.
fn make(world: &World, name: &str, people: &[Name], inner: Option<&List>) -> anyhow::Result<List> {
    let mail = format!("{name}@{DOMAIN}");
    let dns = people.iter().map(|person| &person.dn).chain(inner.map(|list| &list.dn));
    let members = dns.map(|dn| Ok(Member::Inside(Dn::parse(dn)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let record = world.people.list(&mail, &mail, &members)?;
    let list = List { dn: record.dn.to_string(), mail, people: people.len() };
    timed(&list, people.len(), || {
        world.manager.once(async |ldap| {
            if raw::is_there(ldap, &list.dn).await? { Ok(()) } else { raw::add(ldap, &record).await }
        })
    })?;
    Ok(list)
}

/// Adds people to a list.
fn fill(world: &World, list: &List, people: &[Name]) -> anyhow::Result<()> {
    let members: Vec<&str> = people.iter().map(|person| person.dn.as_str()).collect();
    timed(list, people.len(), || {
        world
            .manager
            .once(async |ldap| raw::add_values(ldap, &list.dn, names::MEMBER.as_str(), &members).await)
    })
}

/// Prints how long 389-ds takes to add people to a list.
fn timed(list: &List, people: usize, add: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let began = Instant::now();
    add()?;
    eprintln!("{}: {people} members in {:.1} s", list.mail, began.elapsed().as_secs_f64());
    Ok(())
}
