//! Synchronization with a stand-in for Active Directory: 100,000 people who are added, and then a run in which nothing
//! has changed. In a directory of its own.

use crate::{
    arguments::Arguments,
    contents::Contents,
    facade::Facade,
    http::{HttpClient, request},
    load::{Client, Measured, Until, run},
    report::{Row, Target},
    world::World,
};
use anyhow::{Context, ensure};
use serde_json::Value;
use stand_ins::active_directory::{DomainController, Entry};
use std::{thread::sleep, time::Duration};

const PEOPLE: usize = 100_000;
const PATH: &str = "/v2/actions/cabsync/default/ad";
/// Milliseconds for a run without changes.
const UNCHANGED: f64 = 30_000.0;
/// Memory of pbm that such a run may take on top, in MB.
const MEMORY: f64 = 100.0;
/// Until the address book shows the people of the first run: its memory is not that of the second.
const BOOK: Duration = Duration::from_secs(10);

/// A client that asks for a run, and expects what becomes of everybody.
struct Synchronizing {
    http: HttpClient,
    token: String,
    expected: &'static str,
}

impl Client for Synchronizing {
    async fn once(&mut self) -> anyhow::Result<()> {
        let answer = self.http.send(&request("POST", PATH, Some(&self.token), "")).await?;
        let outcome: Value = serde_json::from_slice(answer.body).context("no JSON")?;
        let count = outcome.get(self.expected).and_then(Value::as_u64);
        ensure!(count == Some(PEOPLE as u64), "{}: {outcome}", self.expected);
        Ok(())
    }
}

pub(super) fn measure(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let source = DomainController::start();
    source.generate(PEOPLE, person);
    let mut world = World::start(arguments, Contents::of_users(1))?;
    world.pbm.stop()?;
    world.pbm = serve(&world, &source)?;
    let added = synchronize(&world, "added")?.of_each(PEOPLE);
    sleep(BOOK);
    world.pbm.forget_peak()?;
    let before = world.pbm.memory()?;
    let unchanged = synchronize(&world, "unchanged")?;
    let (peak, on_top) = (world.pbm.peak_memory()?, world.pbm.peak_memory()? - before);
    Ok(vec![
        Row::of_throughput("synchronize 100,000 people, added", added.rate(), Target::None),
        Row::of("the same, unchanged", &unchanged, peak, Target::Median(UNCHANGED)),
        Row::of_memory("the same, memory on top", on_top, Target::Memory(MEMORY)),
    ])
}

fn person(number: usize) -> Entry {
    Entry::person("Staff", &format!("Person Number{number:06}"))
        .with("mail", &format!("p{number:06}@partner.example"))
        .with("title", "Engineer")
        .with("department", "Sales")
        .with("telephoneNumber", "+7 495 123-45-67")
}

/// Starts pbm with the stand-in as its source.
fn serve(world: &World, source: &DomainController) -> anyhow::Result<Facade> {
    let mut command = world.program.command("serve")?;
    let (port, base) = (source.port().to_string(), DomainController::container("Staff"));
    for (name, value) in [
        ("HOST", "127.0.0.1"),
        ("PORT", port.as_str()),
        ("LOGIN", DomainController::LOGIN),
        ("PASSWORD", DomainController::PASSWORD),
        ("BASE_DN", base.as_str()),
    ] {
        command.env(format!("PBM_SYNC__AD__{name}"), value);
    }
    Facade::start(command, &world.program.log)
}

fn synchronize(world: &World, expected: &'static str) -> anyhow::Result<Measured> {
    run(1, Until::Times(1), async || {
        let http = HttpClient::connect(world.pbm.address).await?;
        Ok(Synchronizing { http, token: world.token.clone(), expected })
    })
}
