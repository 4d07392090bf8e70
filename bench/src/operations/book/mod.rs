//! The address book: the speed of its answers, the delay of changes, and the cost of building it.

pub(super) mod behind;
pub(super) mod build;
pub(super) mod export;
pub(super) mod pages;
pub(super) mod suggest;
mod typing;
pub(super) mod unchanged;

use crate::{
    arguments::Arguments,
    facade::Facade,
    http::{Asking, HttpClient, Template, request},
    load::{self, Measured, Until},
    world::World,
};
use anyhow::{bail, ensure};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::runtime;

/// The number of concurrent clients.
pub(crate) const CLIENTS: usize = 16;
/// The address book of the tenant that holds all users.
const BOOK: &str = "/v2/addressbook/default";
/// How long a read runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// The interval between checks of a condition.
const STEP: Duration = Duration::from_millis(5);
/// The longest wait for a condition.
const PATIENCE: Duration = Duration::from_secs(300);
const OK: u16 = 200;
const UNAVAILABLE: u16 = 503;

/// Requests paths that differ in one place. Each client begins at a different one.
fn walk(
    name: &str,
    arguments: &Arguments,
    world: &World,
    path: &str,
    places: &Arc<Vec<String>>,
) -> anyhow::Result<Measured> {
    let template = Template::new("GET", path, &world.token, "")?;
    let run = |time| {
        let clients = AtomicUsize::new(0);
        load::run(CLIENTS, Until::Elapsed(time), async || {
            let (template, places) = (template.clone(), places.clone());
            let mut at = clients.fetch_add(1, Ordering::Relaxed) * places.len() / CLIENTS;
            let next = move |request: &mut Vec<u8>| {
                template.fill(request, places.get(at % places.len()).map_or("", String::as_str));
                at += 1;
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    run(WARM_UP)?;
    load::watched(name, world.processes()?, || run(arguments.time() * arguments.rounds))
}

/// Waits until the change feed is available: then the whole projection is complete. Returns the duration.
pub(super) fn until_followed(pbm: &Facade, token: &str) -> anyhow::Result<f64> {
    let request = request("GET", &format!("{BOOK}/changes?limit=1"), Some(token), "");
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut http = runtime.block_on(HttpClient::connect(pbm.address))?;
    let began = Instant::now();
    loop {
        let status = runtime.block_on(http.send(&request))?.status;
        match status {
            OK => return Ok(began.elapsed().as_secs_f64()),
            UNAVAILABLE => {}
            _ => bail!("pbm answered {status} to {BOOK}/changes"),
        }
        ensure!(began.elapsed() < PATIENCE, "there is no feed of changes after {PATIENCE:?}");
        thread::sleep(STEP);
    }
}
