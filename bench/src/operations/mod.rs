//! What is measured: each module one operation, each function some rows of the table.

mod bulk;
mod create;
mod hash;
mod login;
mod maillists;
mod pages;
mod read;
mod resources;
mod search;
mod start;

use crate::{
    arguments::{Arguments, Operation},
    report::Row,
    world::World,
};

pub(crate) fn measure(
    operation: Operation,
    arguments: &Arguments,
    world: &World,
) -> anyhow::Result<Vec<Row>> {
    world.pbm.forget_peak()?;
    match operation {
        Operation::Start => start::measure(world),
        Operation::Read => read::measure(arguments, world),
        Operation::Pages => pages::measure(arguments, world),
        Operation::Search => search::measure(world),
        Operation::Login => login::measure(arguments, world),
        Operation::ReadList => maillists::read::measure(arguments, world),
        Operation::AddMember => maillists::add::measure(arguments, world),
        Operation::Expand => maillists::expand::measure(arguments, world),
        Operation::DeleteGroup => resources::measure(arguments, world),
        Operation::Create => create::measure(arguments, world),
        Operation::Bulk => bulk::measure(arguments, world),
    }
}
