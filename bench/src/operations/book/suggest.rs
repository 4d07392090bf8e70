//! Suggestions while clients type: each keystroke is a request, without a pause in between.

use super::{BOOK, typing::keystrokes, walk};
use crate::{arguments::Arguments, figures::Figure, world::World};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Figure>> {
    let typed = keystrokes(world.names.len());
    let typed = typed.iter().map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    let typed = Arc::new(typed.collect());
    world.pbm.forget_peak()?;
    let measured = walk("suggestions", arguments, world, &format!("{BOOK}/suggest?q={{}}"), &typed)?;
    Ok(vec![
        Figure::rate("suggestions, a second", measured.rate()).at_any_size().for_very_large(),
        Figure::cost("suggestions, p50 in ms", measured.quantile(0.5)),
        Figure::cost("suggestions, p99 in ms", measured.quantile(0.99)).target(5.0).at_any_size(),
        Figure::cost("suggestions, most memory of pbm in MB", world.pbm.peak_memory()?),
    ])
}
