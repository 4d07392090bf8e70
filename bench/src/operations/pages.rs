//! Pages of 50 of all users: the first and the last, by each attribute in each direction. First one client
//! alone, then eight at once, for pbm's memory.

use crate::{
    arguments::Arguments,
    http::{Asking, request},
    load::{self, Until},
    report::{Row, Target},
    world::{World, ask},
};
use anyhow::Context;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How often each page is asked for by the client that is alone.
const TIMES: usize = 5;
const CLIENTS: usize = 8;
const TOGETHER: &str = "pages, 8 clients";

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let answer = ask(&world.pbm, &request("GET", "/v2/users/default", Some(&world.token), ""))?;
    let last = answer.get("pages").and_then(serde_json::Value::as_u64).context("a list without pages")?;
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for (name, page) in [("first", 1), ("last", last)] {
        for order in ["mail", "cn", "sn"] {
            for sort in [0, 1] {
                let path = format!("/v2/users/default?page={page}&orderby={order}&sort={sort}");
                let one = Arc::new(vec![request("GET", &path, Some(&world.token), "")]);
                all.extend(one.iter().cloned());
                let name = format!("{name} page by {order}, sort {sort}, alone");
                let measured = run(&name, world, 1, Until::Times(TIMES), &one)?;
                rows.push(Row::of(&name, &measured, world.pbm.peak_memory()?, Target::Median(600.0)));
            }
        }
    }
    world.pbm.forget_peak()?;
    let time = arguments.time() * arguments.rounds;
    let measured = run(TOGETHER, world, CLIENTS, Until::Elapsed(time), &Arc::new(all))?;
    let memory = world.pbm.peak_memory()?;
    rows.push(Row::of(TOGETHER, &measured, memory, Target::Memory(100.0)));
    Ok(rows)
}

/// Asks for the pages in turns.
fn run(
    name: &str,
    world: &World,
    clients: usize,
    until: Until,
    pages: &Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<load::Measured> {
    let asked = Arc::new(AtomicUsize::new(0));
    let run = || {
        load::run(clients, until, async || {
            let (pages, asked) = (pages.clone(), asked.clone());
            let next = move |request: &mut Vec<u8>| {
                let index = asked.fetch_add(1, Ordering::Relaxed) % pages.len();
                request.extend_from_slice(pages.get(index).map_or(&[], Vec::as_slice));
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    load::watched(name, world.processes()?, run)
}
