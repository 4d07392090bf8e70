//! Start-up of `pbm serve` to its ready line, and its memory before the first request.

use crate::{
    load::median,
    report::{Row, Target},
    world::World,
};
use std::{thread, time::Duration};

const TIMES: usize = 5;
/// By then the background work after a start has ended.
const WARMED_UP: Duration = Duration::from_secs(2);

pub(super) fn measure(world: &World) -> anyhow::Result<Vec<Row>> {
    let mut times = Vec::new();
    let mut memories = Vec::new();
    for _ in 0..TIMES {
        let pbm = world.program.serve()?;
        times.push(pbm.took.as_secs_f64() * 1000.0);
        if memories.is_empty() {
            thread::sleep(WARMED_UP);
            memories.push(pbm.memory()?);
        }
    }
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let memory = median(memories);
    let start = Row {
        operation: "start to ready".to_owned(),
        ours: None,
        raw: None,
        ratio: None,
        median: Some(median(times)),
        p99: None,
        slowest: Some(slowest),
        memory: Some(memory),
        target: Target::Median(500.0),
    };
    let idle = Row {
        operation: "idle".to_owned(),
        median: None,
        slowest: None,
        target: Target::Memory(40.0),
        ..start.clone()
    };
    Ok(vec![start, idle])
}
