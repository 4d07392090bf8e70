//! The measurements: each module is one operation, each function some rows of the table.

mod backup;
mod book;
mod bulk;
mod create;
mod hash;
mod ldif;
mod login;
mod maillists;
mod pages;
mod read;
mod resources;
mod restore;
mod search;
mod start;
mod sync;

pub(crate) use self::book::CLIENTS as BOOK_CLIENTS;
use crate::{
    arguments::{Arguments, Operation},
    figures::Figure,
    report::Row,
    world::World,
};
use anyhow::Context;

/// The result of an operation.
pub(crate) enum Found {
    /// Rows of the first table.
    Rows(Vec<Row>),
    /// Figures of the second one.
    Figures(Vec<Figure>),
}

pub(crate) fn measure(
    operation: Operation,
    arguments: &Arguments,
    world: &mut World,
) -> anyhow::Result<Found> {
    world.pbm.forget_peak()?;
    let found = match operation {
        Operation::Start => start::measure(world).map(Found::Rows),
        Operation::Read => read::measure(arguments, world).map(Found::Rows),
        Operation::Pages => pages::measure(arguments, world).map(Found::Rows),
        Operation::Search => search::measure(world).map(Found::Rows),
        Operation::Login => login::measure(arguments, world).map(Found::Rows),
        Operation::ReadList => maillists::read::measure(arguments, world).map(Found::Rows),
        Operation::AddMember => maillists::add::measure(arguments, world).map(Found::Rows),
        Operation::Expand => maillists::expand::measure(arguments, world).map(Found::Rows),
        Operation::HugeList => maillists::huge::measure(arguments).map(Found::Rows),
        Operation::DeleteGroup => resources::measure(arguments, world).map(Found::Rows),
        Operation::Create => create::measure(arguments, world).map(Found::Rows),
        Operation::Bulk => bulk::measure(arguments, world).map(Found::Rows),
        Operation::Ldif => ldif::measure(arguments).map(Found::Rows),
        Operation::Backup => backup::measure(arguments, world).map(Found::Rows),
        Operation::Restore => restore::measure(arguments, world).map(Found::Rows),
        Operation::Sync => sync::measure(arguments).map(Found::Rows),
        Operation::BookBuild => book::build::measure(world).map(Found::Figures),
        Operation::BookPages => book::pages::measure(arguments, world).map(Found::Figures),
        Operation::BookSuggest => book::suggest::measure(arguments, world).map(Found::Figures),
        Operation::BookUnchanged => book::unchanged::measure(arguments, world).map(Found::Figures),
        Operation::BookExport => book::export::measure(arguments, world).map(Found::Figures),
        Operation::BookBehind => book::behind::measure(arguments, world).map(Found::Figures),
        Operation::BookResume => book::build::resume(world).map(Found::Figures),
    };
    found.with_context(|| format!("{operation:?} could not be measured"))
}
