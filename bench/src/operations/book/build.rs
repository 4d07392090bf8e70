//! The projection of the directory in Redis: built from nothing, rebuilt while pbm serves, and continued after a
//! restart. It is complete when the change feed is available.

use super::{BOOK, until_followed};
use crate::{
    contents::Contents,
    facade::Facade,
    figures::Figure,
    http::request,
    load::median,
    world::{World, ask},
};
use anyhow::Context;
use std::time::Instant;

const RESTARTS: usize = 3;
const MEGABYTE: f64 = 1_048_576.0;
const KILOBYTES_IN_MEGABYTE: f64 = 1024.0;
const MOST_SECONDS: f64 = 30.0;
const MOST_OF_PBM: f64 = 200.0;
const MOST_OF_CONTACT: f64 = 0.8;
const MOST_OF_REDIS: f64 = 400.0;

pub(in crate::operations) fn measure(world: &mut World) -> anyhow::Result<Vec<Figure>> {
    world.pbm.stop()?;
    world.redis.command(&["FLUSHALL"])?;
    let built = restart(world)?;
    use_it(world)?;
    let memory = world.pbm.peak_memory()?;
    eprintln!("the projection: built in {built:.1} s, pbm {memory:.0} MB");
    world.pbm.forget_peak()?;
    world.redis.command(&["FLUSHALL"])?;
    let rebuilt = until_followed(&world.pbm, &world.token)?;
    use_it(world)?;
    let memory_anew = world.pbm.peak_memory()?;
    eprintln!("the projection: rebuilt in {rebuilt:.1} s, pbm {memory_anew:.0} MB");
    let by_contact = memory * KILOBYTES_IN_MEGABYTE / contacts(world);
    Ok(vec![
        Figure::cost("building the projection, s", built).target(MOST_SECONDS).for_very_large(),
        Figure::cost("building, most memory of pbm in MB", memory).target(MOST_OF_PBM),
        Figure::cost("building, most memory in kB a contact", by_contact)
            .target(MOST_OF_CONTACT)
            .for_very_large(),
        Figure::cost("rebuilding after FLUSHALL, s", rebuilt).target(MOST_SECONDS).for_very_large(),
        Figure::cost("rebuilding, most memory of pbm in MB", memory_anew).target(MOST_OF_PBM),
        Figure::cost("memory of Redis in MB", memory_of_redis(world, "used_memory")?).target(MOST_OF_REDIS),
        Figure::cost("most memory of Redis in MB", memory_of_redis(world, "used_memory_peak")?)
            .target(MOST_OF_REDIS),
    ])
}

/// Restarts without a change, orderly and by SIGKILL.
pub(in crate::operations) fn resume(world: &mut World) -> anyhow::Result<Vec<Figure>> {
    until_followed(&world.pbm, &world.token)?;
    let times = |world: &mut World, end: fn(&mut Facade) -> anyhow::Result<()>| -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for _ in 0..RESTARTS {
            end(&mut world.pbm)?;
            times.push(restart(world)?);
        }
        Ok(median(times))
    };
    let in_order = times(world, Facade::stop)?;
    let killed = times(world, Facade::kill)?;
    eprintln!("the projection: taken up again in {in_order:.2} s, after SIGKILL in {killed:.2} s");
    Ok(vec![
        Figure::cost("from a restart to the feed, s", in_order).target(1.0),
        Figure::cost("from a restart after SIGKILL to the feed, s", killed),
    ])
}

/// Starts pbm, and returns the seconds until the feed is available.
fn restart(world: &mut World) -> anyhow::Result<f64> {
    let began = Instant::now();
    world.pbm = world.program.serve()?;
    until_followed(&world.pbm, &world.token)?;
    Ok(began.elapsed().as_secs_f64())
}

/// Sends a request for which pbm needs the whole book in memory.
fn use_it(world: &World) -> anyhow::Result<()> {
    for path in [BOOK, "/v2/users/default"] {
        ask(&world.pbm, &request("GET", path, Some(&world.token), ""))?;
    }
    Ok(())
}

/// The number of contacts of the tenant that holds all users.
fn contacts(world: &World) -> f64 {
    let count = Contents::of_address_book(world.names.len()).all();
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn memory_of_redis(world: &World, field: &str) -> anyhow::Result<f64> {
    let memory = world.redis.command(&["INFO", "memory"])?;
    let found = memory.lines().find_map(|line| line.trim().strip_prefix(field)?.strip_prefix(':'));
    let bytes: f64 = found.with_context(|| format!("no {field} of Redis"))?.parse()?;
    Ok(bytes / MEGABYTE)
}
