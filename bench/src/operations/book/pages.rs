//! Pages of 50, of the address book and of the list of users: any page in any order; and a far page beside the first.

use super::{BOOK, CLIENTS, walk};
use crate::{
    arguments::Arguments,
    figures::Figure,
    http::{repeating, request},
    load::{self, Measured, Pair, Until, in_turns},
    world::{World, ask},
};
use anyhow::Context;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::sync::Arc;

const USERS: &str = "/v2/users/default";
/// The number of different requests: more than any cache of answers would hold.
const REQUESTS: usize = 8192;
/// The page that may cost no more than the first; the last page, if there are fewer. A rate below this share of the
/// first page's rate is not noise.
const FAR: u64 = 2000;
const AS_FAST: f64 = 0.9;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (what, path, orders) in [
        ("address book", BOOK, ["displayName", "mail", "sn"]),
        ("list of users", USERS, ["mail", "cn", "sn"]),
    ] {
        let last = last_page(world, path)?;
        let name = format!("pages of the {what}");
        let pages = Arc::new(random_pages(last, &orders));
        world.pbm.forget_peak()?;
        let measured = walk(&name, arguments, world, &format!("{path}?{{}}"), &pages)?;
        figures
            .push(Figure::rate(format!("{name}, a second"), measured.rate()).target(10_000.0).at_any_size());
        figures.push(
            Figure::cost(format!("{name}, p99 in ms"), measured.quantile(0.99)).target(10.0).at_any_size(),
        );
        let far = far(what, arguments, world, path, last.min(FAR))?;
        let name = format!("a far page by the first one, {what}");
        figures.push(Figure::rate(name, far.ratio).target(AS_FAST));
    }
    figures.push(Figure::cost("pages, most memory of pbm in MB", world.pbm.peak_memory()?));
    Ok(figures)
}

fn last_page(world: &World, path: &str) -> anyhow::Result<u64> {
    let answer = ask(&world.pbm, &request("GET", path, Some(&world.token), ""))?;
    answer.get("pages").and_then(serde_json::Value::as_u64).context("a list without pages")
}

fn random_pages(last: u64, orders: &[&str]) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(0);
    let mut page = || {
        let order = orders.choose(&mut random).copied().unwrap_or_default();
        let (page, sort) = (random.random_range(1..=last), random.random_range(0..=1));
        format!("page={page}&orderby={order}&sort={sort}")
    };
    (0..REQUESTS).map(|_| page()).collect()
}

/// A far page, compared with the first.
fn far(what: &str, arguments: &Arguments, world: &World, path: &str, number: u64) -> anyhow::Result<Pair> {
    let page = |number: u64| -> anyhow::Result<Measured> {
        let path = format!("{path}?page={number}");
        let request = request("GET", &path, Some(&world.token), "");
        load::run(CLIENTS, Until::Elapsed(arguments.time()), async || {
            repeating(world.pbm.address, request.clone()).await
        })
    };
    let name = format!("page {number} (ours) and 1 (raw) of the {what}");
    in_turns(&name, arguments.rounds, world.processes()?, || page(number), || page(1))
}
