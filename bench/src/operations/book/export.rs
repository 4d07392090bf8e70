//! The whole address book as vCard, to one client that discards it.

use super::BOOK;
use crate::{
    arguments::Arguments,
    figures::Figure,
    http::{HttpClient, request},
    load::median,
    world::World,
};
use std::time::Instant;
use tokio::runtime;

const MEGABYTE: f64 = 1_000_000.0;
/// In MB; growth up to this much counts as independent of the size of the book.
const CONSTANT: f64 = 16.0;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Figure>> {
    let request = request("GET", &format!("{BOOK}/export?format=vcard"), Some(&world.token), "");
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let before = world.pbm.memory()?;
    world.pbm.forget_peak()?;
    let mut rates = Vec::new();
    for round in 1..=arguments.rounds {
        let began = Instant::now();
        let length = runtime
            .block_on(async { HttpClient::connect(world.pbm.address).await?.download(&request).await })?;
        let seconds = began.elapsed().as_secs_f64();
        let size = f64::from(u32::try_from(length)?) / MEGABYTE;
        rates.push(size / seconds);
        eprintln!("export, round {round}: {size:.1} MB in {seconds:.2} s");
    }
    let peak = world.pbm.peak_memory()?;
    Ok(vec![
        Figure::rate("export as vCard, MB a second", median(rates)).target(10.0),
        Figure::cost("export, memory of pbm on top in MB", (peak - before).max(0.0)).target(CONSTANT),
    ])
}
