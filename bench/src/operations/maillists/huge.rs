//! A list of 50,000, in a directory of its own: made by the ten requests that it takes, read, and one member added and
//! removed. Raw, the same number of operations with the same members: one add and nine modifies.

use super::{
    List, PATH,
    change::{self, Change},
    fill, make, read,
};
use crate::{
    arguments::Arguments,
    contents::Contents,
    http::request,
    people::{DOMAIN, Name},
    report::{Row, Target},
    world::{World, ask},
};
use anyhow::Context;
use std::time::Instant;

const MEMBERS: usize = 50_000;
/// Users who are not in the list at first.
const OTHERS: usize = 1000;
/// Members of one request or operation: as many as pbm accepts.
const AT_ONCE: usize = 5000;
/// Members that each side adds or removes in a round.
const CHANGES: usize = 16;

pub(in crate::operations) fn measure(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let world = World::start(arguments, Contents::of_users(MEMBERS + OTHERS))?;
    let (members, _) = world.names.split_at(MEMBERS);
    let raw = rate(|| make_raw(&world, members).map(drop))?;
    let mut list = None;
    let ours = rate(|| {
        list = Some(make_ours(&world, members)?);
        Ok(())
    })?;
    let list = list.context("no list")?;
    Ok(vec![
        Row::of_rates("make a list of 50,000, members", ours, raw, Target::Ratio(0.5)),
        read::row(arguments, &world, &list, Target::P99(1000.0))?,
        change::row(Change::Add, arguments, &world, &list, CHANGES)?,
        change::row(Change::Remove, arguments, &world, &list, CHANGES)?,
    ])
}

/// Members per second.
fn rate(mut make: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    make()?;
    Ok(f64::from(u32::try_from(MEMBERS)?) / began.elapsed().as_secs_f64())
}

fn make_raw(world: &World, members: &[Name]) -> anyhow::Result<List> {
    let mut parts = members.chunks(AT_ONCE);
    let list = make(world, "huge-raw", parts.next().unwrap_or_default(), None)?;
    for part in parts {
        fill(world, &list, part)?;
    }
    Ok(list)
}

fn make_ours(world: &World, members: &[Name]) -> anyhow::Result<List> {
    let mail = format!("huge@{DOMAIN}");
    for (part, number) in members.chunks(AT_ONCE).zip(0..) {
        let mut form = format!("mail={mail}&displayName=Huge");
        for name in part {
            form.extend(["&alias=", &name.mail]);
        }
        let method = if number == 0 { "POST" } else { "PUT" };
        ask(&world.pbm, &request(method, PATH, Some(&world.token), &form))?;
    }
    let dn = world.people.list(&mail, &mail, &[])?.dn.to_string();
    Ok(List { mail, dn, people: members.len() })
}
