//! A page that the client already has: 304 without a body, compared with a handler that does nothing. Both receive the
//! same bytes.

use super::{BOOK, CLIENTS};
use crate::{
    arguments::Arguments,
    empty,
    figures::Figure,
    http::{HttpClient, NOT_MODIFIED, repeating, request, with_field},
    load::{self, Until, in_turns},
    world::World,
};
use anyhow::Context;
use tokio::runtime;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Figure>> {
    let empty = empty::start(&world.program)?;
    let request = known_page(world)?;
    let until = Until::Elapsed(arguments.time());
    let ours = || {
        load::run(CLIENTS, until, async || {
            Ok(repeating(world.pbm.address, request.clone()).await?.expecting(NOT_MODIFIED))
        })
    };
    let raw = || load::run(CLIENTS, until, async || repeating(empty.address, request.clone()).await);
    let pair = in_turns("a 304, the empty handler as raw", arguments.rounds, world.processes()?, ours, raw)?;
    Ok(vec![
        Figure::rate("304, a second", pair.ours),
        Figure::rate("an empty actix handler, a second", pair.raw),
        Figure::rate("304 by the empty handler", pair.ratio).target(0.6),
        Figure::cost("304, p99 in ms", pair.measured.quantile(0.99)),
    ])
}

/// A request for a page, with its present tag.
fn known_page(world: &World) -> anyhow::Result<Vec<u8>> {
    let request = request("GET", BOOK, Some(&world.token), "");
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut http = HttpClient::connect(world.pbm.address).await?;
        let answer = http.send(&request).await?;
        let tag = answer.field("etag").with_context(|| format!("no ETag in a {}", answer.status))?;
        with_field(&request, "If-None-Match", tag)
    })
}
