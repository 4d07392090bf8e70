//! Adding one member to a large list.

use super::{
    change::{self, Change},
    large_list,
};
use crate::{arguments::Arguments, report::Row, world::World};

/// Members that each side adds in a round: so few that a list of 10,000 keeps about its length.
const ADDS: usize = 128;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    Ok(vec![change::row(Change::Add, arguments, world, &large_list(world)?, ADDS)?])
}
