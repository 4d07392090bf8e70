//! The results: the table, and whether each target is met.

use crate::load::{Measured, Pair};

/// Width of the column of names.
const NAME: usize = 44;

/// The target of a row.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// No target: for information.
    None,
    /// At least this share of the raw rate.
    Ratio(f64),
    /// The median in milliseconds is at most this.
    Median(f64),
    /// 99 of 100 responses take at most this many milliseconds.
    P99(f64),
    /// Resident memory stays below this many MB.
    Memory(f64),
    /// At least this many MB per second.
    Throughput(f64),
}

/// One line of the table.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) operation: String,
    pub(crate) ours: Option<f64>,
    pub(crate) raw: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) median: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) slowest: Option<f64>,
    pub(crate) memory: Option<f64>,
    pub(crate) target: Target,
}

impl Row {
    /// A row of our results and those of the raw server.
    pub(crate) fn of_pair(operation: &str, pair: &Pair, memory: f64, target: Target) -> Self {
        let row = Self::of(operation, &pair.measured, memory, target);
        Self { ours: Some(pair.ours), raw: Some(pair.raw), ratio: Some(pair.ratio), ..row }
    }

    /// A row of our results only.
    pub(crate) fn of(operation: &str, measured: &Measured, memory: f64, target: Target) -> Self {
        Self {
            operation: operation.to_owned(),
            ours: Some(measured.rate()),
            raw: None,
            ratio: None,
            median: Some(measured.quantile(0.5)),
            p99: Some(measured.quantile(0.99)),
            slowest: Some(measured.slowest()),
            memory: Some(memory),
            target,
        }
    }

    /// A row with the throughput of one thread in MB per second, without a comparison.
    pub(crate) fn of_throughput(operation: &str, rate: f64, target: Target) -> Self {
        Self {
            operation: operation.to_owned(),
            ours: Some(rate),
            raw: None,
            ratio: None,
            median: None,
            p99: None,
            slowest: None,
            memory: None,
            target,
        }
    }

    /// Two rates side by side.
    pub(crate) fn of_rates(operation: &str, ours: f64, raw: f64, target: Target) -> Self {
        let ratio = Some(ours / raw.max(f64::MIN_POSITIVE));
        Self { raw: Some(raw), ratio, ..Self::of_throughput(operation, ours, target) }
    }

    /// A row with memory only, in MB.
    pub(crate) fn of_memory(operation: &str, memory: f64, target: Target) -> Self {
        Self { ours: None, memory: Some(memory), ..Self::of_throughput(operation, 0.0, target) }
    }

    fn line(&self) -> String {
        let cell = |value: Option<f64>, width, digits| match value {
            Some(value) => format!("{value:>width$.digits$}"),
            None => format!("{:>width$}", "-"),
        };
        [
            format!("{:<NAME$}", self.operation),
            cell(self.ours, 9, 1),
            cell(self.raw, 9, 1),
            cell(self.ratio, 6, 2),
            format!("{:>13}", self.target.text()),
            cell(self.median, 8, 2),
            cell(self.p99, 8, 2),
            cell(self.slowest, 8, 2),
            cell(self.memory, 7, 1),
        ]
        .join(" ")
    }

    /// Whether the target is met, and a sentence about it; `None` if there is no target.
    fn verdict(&self) -> Option<(bool, String)> {
        let (value, met, unit) = match self.target {
            Target::None => return None,
            Target::Ratio(target) => (self.ratio, self.ratio? >= target, "of the raw rate"),
            Target::Median(target) => (self.median, self.median? < target, "ms in the median"),
            Target::P99(target) => (self.p99, self.p99? < target, "ms at the 99th percentile"),
            Target::Memory(target) => (self.memory, self.memory? < target, "MB"),
            Target::Throughput(target) => (self.ours, self.ours? >= target, "MB a second"),
        };
        let word = if met { "met" } else { "MISSED" };
        let target = self.target.text();
        Some((met, format!("{word:<6}  {}: {:.2} {unit}, target {target}", self.operation, value?)))
    }
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::Ratio(share) => format!(">= {share:.2}"),
            Self::Median(milliseconds) => format!("p50 < {milliseconds:.0} ms"),
            Self::P99(milliseconds) => format!("p99 < {milliseconds:.0} ms"),
            Self::Memory(megabytes) => format!("< {megabytes:.0} MB"),
            Self::Throughput(megabytes) => format!(">= {megabytes:.0} MB/s"),
        }
    }
}

/// The whole report.
pub(crate) fn print(rows: &[Row]) {
    println!(
        "{:<NAME$} {:>9} {:>9} {:>6} {:>13} {:>8} {:>8} {:>8} {:>7}",
        "operation", "ours/s", "raw/s", "ratio", "target", "p50 ms", "p99 ms", "max ms", "RSS MB"
    );
    for row in rows {
        println!("{}", row.line());
    }
    println!();
    let verdicts: Vec<_> = rows.iter().filter_map(Row::verdict).collect();
    for (_, sentence) in &verdicts {
        println!("{sentence}");
    }
    let met = verdicts.iter().filter(|(met, _)| *met).count();
    println!("\n{met} of {} targets are met.", verdicts.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: Target) -> Row {
        let operation = "x".to_owned();
        let (ours, raw, ratio) = (Some(80.0), Some(100.0), Some(0.8));
        Row {
            operation,
            ours,
            raw,
            ratio,
            median: Some(5.0),
            p99: Some(8.0),
            slowest: Some(9.0),
            memory: Some(30.0),
            target,
        }
    }

    #[test]
    fn a_target_is_met_or_missed() {
        let met = |target| row(target).verdict().unwrap().0;
        assert!(met(Target::Ratio(0.75)) && !met(Target::Ratio(0.85)));
        assert!(met(Target::Median(6.0)) && !met(Target::Median(5.0)));
        assert!(met(Target::P99(9.0)) && !met(Target::P99(8.0)));
        assert!(met(Target::Memory(40.0)) && !met(Target::Memory(30.0)));
        assert!(met(Target::Throughput(80.0)) && !met(Target::Throughput(81.0)));
        assert!(row(Target::None).verdict().is_none());
    }

    #[test]
    fn every_line_is_as_wide_as_the_next() {
        let other = Row { ours: None, ratio: None, p99: None, slowest: None, ..row(Target::Median(600.0)) };
        assert_eq!(row(Target::None).line().len(), other.line().len());
        let throughput = Row::of_throughput("x", 250.0, Target::Throughput(200.0));
        assert_eq!(row(Target::None).line().len(), throughput.line().len());
    }
}
