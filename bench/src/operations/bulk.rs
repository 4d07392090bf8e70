//! Creating users in bulk: requests with a table of many users. Raw: adds of the same entries over all connections.
//! With and without the password hash. Also a table ten times as large, for pbm's memory.

use super::hash;
use crate::{
    arguments::Arguments,
    http::{HttpClient, request_of},
    load::{self, Client, Measured, Pair, Until, in_turns},
    people::{DOMAIN, creation_table},
    processor::Processes,
    raw::Adding,
    report::{Row, Target},
    world::{CONNECTIONS, World},
};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const PATH: &str = "/v2/users/default/bulk";
const CSV: &str = "text/csv";
/// Users in a table.
const USERS: usize = 1000;
/// Users in the table for the memory measurement.
const MANY: usize = 10_000;
const AT_LEAST: Target = Target::Ratio(0.95);

/// A client that sends tables of new users.
struct Importing {
    http: HttpClient,
    token: String,
    users: usize,
    made: Arc<AtomicUsize>,
}

impl Importing {
    async fn connect(
        address: SocketAddr,
        world: &World,
        users: usize,
        made: &Arc<AtomicUsize>,
    ) -> anyhow::Result<Self> {
        let http = HttpClient::connect(address).await?;
        Ok(Self { http, token: world.token.clone(), users, made: made.clone() })
    }
}

impl Client for Importing {
    async fn once(&mut self) -> anyhow::Result<()> {
        let table = creation_table((0..self.users).map(|_| new_address(&self.made)));
        let answer = self.http.send(&request_of("POST", PATH, Some(&self.token), CSV, &table)).await?;
        let text = String::from_utf8_lossy(answer.body);
        let last = text.lines().last().unwrap_or_default();
        let summary: Value = serde_json::from_str(last).with_context(|| format!("pbm answered {last}"))?;
        let created = summary.pointer("/summary/created").and_then(Value::as_u64);
        ensure!(created == Some(self.users as u64), "of {} users: {last}", self.users);
        Ok(())
    }
}

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let made = Arc::new(AtomicUsize::new(0));
    let name = format!("bulk, {USERS} users each");
    let hashed = pair(&name, arguments, world, &made)?;
    let hashed = Row::of_pair(&name, &hashed, world.pbm.peak_memory()?, AT_LEAST);
    hash::without(world, || {
        world.pbm.forget_peak()?;
        let name = format!("{name}, the hash switched off");
        let plain = pair(&name, arguments, world, &made)?;
        let plain = Row::of_pair(&name, &plain, world.pbm.peak_memory()?, AT_LEAST);
        Ok(vec![hashed, plain, many(world, &made)?])
    })
}

fn pair(name: &str, arguments: &Arguments, world: &World, made: &Arc<AtomicUsize>) -> anyhow::Result<Pair> {
    let until = Until::Elapsed(arguments.time());
    let ours = || -> anyhow::Result<Measured> {
        let address = world.pbm.address;
        let requests = load::run(1, until, async || Importing::connect(address, world, USERS, made).await)?;
        Ok(requests.of_each(USERS))
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(CONNECTIONS, until, async || {
            let (made, people) = (made.clone(), world.people.clone());
            let next = move || people.new_entry(&new_address(&made)).map(Some);
            Ok(Adding { ldap: world.service.bind().await?, next })
        })
    };
    in_turns(name, arguments.rounds, world.processes()?, ours, raw)
}

/// One large table, sent to a pbm that has done nothing else: its memory is that of the request.
fn many(world: &World, made: &Arc<AtomicUsize>) -> anyhow::Result<Row> {
    let name = format!("bulk, {MANY} users at once");
    let pbm = world.program.serve()?;
    let processes = Processes { pbm: pbm.pid(), ..world.processes()? };
    let run = || {
        let one = async || Importing::connect(pbm.address, world, MANY, made).await;
        Ok(load::run(1, Until::Times(1), one)?.of_each(MANY))
    };
    let measured = load::watched(&name, processes, run)?;
    Ok(Row::of(&name, &measured, pbm.peak_memory()?, Target::Memory(60.0)))
}

fn new_address(made: &AtomicUsize) -> String {
    format!("bulk{}@{DOMAIN}", made.fetch_add(1, Ordering::Relaxed))
}
