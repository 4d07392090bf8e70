#![doc = include_str!("../README.md")]

mod arguments;
mod facade;
mod http;
mod load;
mod operations;
mod people;
mod processor;
mod raw;
mod report;
mod world;

use anyhow::Context;
use arguments::Arguments;
use clap::Parser;
use std::{sync::atomic::Ordering, thread};
use tokio::runtime;
use world::World;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    end_on_signal();
    let world = World::start(&arguments)?;
    let mut rows = Vec::new();
    for operation in arguments.operations() {
        let found = operations::measure(operation, &arguments, &world);
        rows.extend(found.with_context(|| format!("{operation:?} could not be measured"))?);
    }
    drop(world);
    println!(
        "{} users, {} processors, {} HTTP clients, {} LDAP connections, {}\n",
        arguments.users,
        thread::available_parallelism().map_or(0, std::num::NonZero::get),
        arguments.clients(),
        world::CONNECTIONS,
        if arguments.fast_disk { "writes not synced" } else { "writes synced" },
    );
    report::print(&rows);
    Ok(())
}

/// Lets Ctrl-C and SIGTERM end the measurement, so that the servers are stopped and the folder is removed.
fn end_on_signal() {
    thread::spawn(|| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            load::INTERRUPTED.store(true, Ordering::Relaxed);
            std::io::Result::Ok(())
        })
    });
}
