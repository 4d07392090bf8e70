//! Search for three letters that one user in twenty has in a name: 1,000 hits of 20,000.

use crate::{
    http::{repeating, request},
    load::{self, Until},
    people::{CYRILLIC_PART, LATIN_PART},
    report::{Row, Target},
    world::{World, ask},
};
use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const TIMES: usize = 20;

pub(super) fn measure(world: &World) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for part in [LATIN_PART, CYRILLIC_PART] {
        for limit in [50, 1000] {
            let text = utf8_percent_encode(part, NON_ALPHANUMERIC);
            let path = format!("/v2/users/default?search={text}&limit={limit}");
            let request = request("GET", &path, Some(&world.token), "");
            let hits = ask(&world.pbm, &request)?;
            let hits = hits.get("count").and_then(serde_json::Value::as_u64);
            let hits = hits.context("a list without count")?;
            let name = format!("search {part}, {hits} hits, a page of {limit}");
            let run = || {
                load::run(1, Until::Times(TIMES), async || {
                    repeating(world.pbm.address, request.clone()).await
                })
            };
            let measured = load::watched(&name, world.processes()?, run)?;
            // A page of the default size; the duration for all hits is for information.
            let target = if limit == 50 { Target::Median(100.0) } else { Target::None };
            rows.push(Row::of(&name, &measured, world.pbm.peak_memory()?, target));
        }
    }
    Ok(rows)
}
