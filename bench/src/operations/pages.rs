//! Pages of 50 of all users without Redis: the first and the last, by each attribute in each direction. First a single
//! client, then eight at once, for pbm's memory.

use crate::{
    arguments::Arguments,
    facade::Facade,
    http::{Asking, request},
    load::{self, Until},
    processor::Processes,
    report::{Row, Target},
    world::{World, ask},
};
use anyhow::Context;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How often the single client requests each page.
const TIMES: usize = 5;
const CLIENTS: usize = 8;
const ALONE: &str = "pages without Redis, alone";
const TOGETHER: &str = "pages without Redis, 8 clients";

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let pbm = world.program.serve_without_redis()?;
    let answer = ask(&pbm, &request("GET", "/v2/users/default", Some(&world.token), ""))?;
    let last = answer.get("pages").and_then(serde_json::Value::as_u64).context("a list without pages")?;
    let mut pages = Vec::new();
    for page in [1, last] {
        for order in ["mail", "cn", "sn"] {
            for sort in [0, 1] {
                let path = format!("/v2/users/default?page={page}&orderby={order}&sort={sort}");
                pages.push(request("GET", &path, Some(&world.token), ""));
            }
        }
    }
    let (times, pages) = (Until::Times(TIMES * pages.len()), Arc::new(pages));
    let alone = run(ALONE, world, &pbm, 1, times, &pages)?;
    let alone = Row::of(ALONE, &alone, pbm.peak_memory()?, Target::Median(600.0));
    pbm.forget_peak()?;
    let time = Until::Elapsed(arguments.time() * arguments.rounds);
    let together = run(TOGETHER, world, &pbm, CLIENTS, time, &pages)?;
    let together = Row::of(TOGETHER, &together, pbm.peak_memory()?, Target::Memory(100.0));
    Ok(vec![alone, together])
}

/// Requests the pages in turn.
fn run(
    name: &str,
    world: &World,
    pbm: &Facade,
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
            Asking::connect(pbm.address, next).await
        })
    };
    load::watched(name, Processes { pbm: pbm.pid(), ..world.processes()? }, run)
}
