//! All users reached by three nested lists, for a single client.

use super::{List, fill, make, split_users};
use crate::{
    arguments::Arguments,
    http::{repeating, request},
    load::{self, Until},
    people::Name,
    report::{Row, Target},
    world::{World, ask},
};
use anyhow::{Context, ensure};
use serde_json::Value;

/// The number of lists.
const LISTS: usize = 3;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let (_, people) = split_users(world);
    let list = nest(world, people)?;
    let path = format!("/v2/maillists/default/{}?expand=1", list.mail);
    let request = request("GET", &path, Some(&world.token), "");
    let found = ask(&world.pbm, &request)?;
    let found = found.get("expanded").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(found == people.len(), "the lists have {} people, {found} were found", people.len());
    let name = format!("expand {LISTS} nested lists, {found} people, alone");
    let run = || {
        load::run(1, Until::Elapsed(arguments.time() * arguments.rounds), async || {
            repeating(world.pbm.address, request.clone()).await
        })
    };
    let measured = load::watched(&name, world.processes()?, run)?;
    Ok(vec![Row::of(&name, &measured, world.pbm.peak_memory()?, Target::P99(300.0))])
}

/// Creates the lists, and returns the outermost. They are filled after all exist: when a list is put around a full one,
/// 389-ds writes to all members of the full one again.
fn nest(world: &World, people: &[Name]) -> anyhow::Result<List> {
    let mut lists: Vec<(List, &[Name])> = Vec::new();
    for (share, number) in people.chunks(people.len().div_ceil(LISTS)).zip(1..) {
        let (first, others) = share.split_at(1);
        let inner = lists.last().map(|(list, _)| list);
        lists.push((make(world, &format!("nested{number}"), first, inner)?, others));
    }
    for (list, others) in &lists {
        fill(world, list, others)?;
    }
    lists.pop().map(|(list, _)| list).context("no people")
}
