#![doc = include_str!("../README.md")]

mod arguments;
mod children;
mod contents;
mod empty;
mod facade;
mod figures;
mod http;
mod load;
mod operations;
mod people;
mod plot;
mod processor;
mod raw;
mod report;
mod world;

use arguments::Arguments;
use clap::Parser;
use contents::Contents;
use figures::Column;
use operations::Found;
use report::Row;
use sandbox::Backend;
use std::{convert::Infallible, sync::atomic::Ordering, thread, time::Duration};
use tokio::runtime;
use world::World;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.empty_handler {
        return empty::serve();
    }
    end_on_signal();
    let rows = measure_operations(&arguments)?;
    let columns = measure_books(&arguments)?;
    println!(
        "{} processors, {} HTTP clients, {} LDAP connections, back end {}, {}",
        thread::available_parallelism().map_or(0, std::num::NonZero::get),
        arguments.clients(),
        world::CONNECTIONS,
        arguments.backend,
        if arguments.fast_disk && arguments.backend == Backend::Bdb {
            "writes not synced"
        } else {
            "writes synced"
        },
    );
    if !rows.is_empty() {
        println!("\n{} users\n", arguments.users);
        report::print(&rows);
    }
    if !columns.is_empty() {
        println!("\nThe address book, {} clients\n", operations::BOOK_CLIENTS);
        figures::print(&columns);
    }
    if let Some(path) = &arguments.svg {
        plot::write(path, &columns)?;
        println!("\nPicture of growth: {}", path.display());
    }
    Ok(())
}

/// Measures the rows of the first table.
fn measure_operations(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let operations = arguments.operations(false);
    if operations.is_empty() {
        return Ok(rows);
    }
    let mut world = World::start(arguments, Contents::of_users(arguments.users()))?;
    for operation in operations {
        if let Found::Rows(found) = operations::measure(operation, arguments, &mut world)? {
            rows.extend(found);
        }
    }
    Ok(rows)
}

/// Measures the columns of the second table.
fn measure_books(arguments: &Arguments) -> anyhow::Result<Vec<Column>> {
    let mut columns = Vec::new();
    let operations = arguments.operations(true);
    for users in arguments.sizes().into_iter().filter(|_| !operations.is_empty()) {
        let mut world = World::start(arguments, Contents::of_address_book(users))?;
        let mut figures = Vec::new();
        for operation in &operations {
            if let Found::Figures(found) = operations::measure(*operation, arguments, &mut world)? {
                figures.extend(found);
            }
        }
        columns.push(Column { users, figures });
    }
    Ok(columns)
}

/// The time for the measurement to end after an interruption.
const GRACE: Duration = Duration::from_secs(2);

/// Lets Ctrl-C and SIGTERM end the measurement, so that the servers are stopped and the folder is removed. A call that
/// waits for a hanging server would wait for ever: when the server is killed, the call and the measurement fail.
fn end_on_signal() {
    thread::spawn(|| -> std::io::Result<Infallible> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            load::INTERRUPTED.store(true, Ordering::Relaxed);
            loop {
                tokio::time::sleep(GRACE).await;
                children::kill_all()?;
            }
        })
    });
}
