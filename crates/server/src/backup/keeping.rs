//! Which backups are kept, by the times of their start.

use crate::config::backup::Keep;
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeSet;

/// The prefix and the suffix of the file names of scheduled backups.
const BEFORE: &str = "pbm-";
const AFTER: &str = ".ldif.zst";
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// The file name of a backup that begins at a time.
pub(super) fn name_of(time: Timestamp) -> String {
    format!("{BEFORE}{}{AFTER}", time.strftime(TIME))
}

/// The start of the backup in a file; `None` for other files.
pub(super) fn time_of(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// Whether a file is an unfinished backup.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_prefix('.').is_some_and(|name| name.starts_with(BEFORE) && name.contains(AFTER))
}

/// The backups that may be deleted. The newest backup is always kept.
pub(super) fn superfluous(times: &[Timestamp], keep: Keep) -> Vec<Timestamp> {
    let mut newest_first = times.to_vec();
    newest_first.sort_unstable_by(|one, other| other.cmp(one));
    let mut kept: BTreeSet<Timestamp> = newest_first.first().copied().into_iter().collect();
    let day = |time: &Timestamp| time.to_zoned(TimeZone::UTC).date();
    let week = |time: &Timestamp| {
        let week = day(time).iso_week_date();
        (i64::from(week.year()), i64::from(week.week()))
    };
    let of_day = |time: &Timestamp| (i64::from(day(time).year()), i64::from(day(time).day_of_year()));
    let month = |time: &Timestamp| (i64::from(day(time).year()), i64::from(day(time).month()));
    kept.extend(newest_of_each(&newest_first, keep.daily, of_day));
    kept.extend(newest_of_each(&newest_first, keep.weekly, week));
    kept.extend(newest_of_each(&newest_first, keep.monthly, month));
    newest_first.retain(|time| !kept.contains(time));
    newest_first
}

/// The newest backup of each of the last periods that have one.
fn newest_of_each(
    newest_first: &[Timestamp],
    periods: usize,
    period: impl Fn(&Timestamp) -> (i64, i64),
) -> Vec<Timestamp> {
    let mut newest: Vec<Timestamp> = Vec::new();
    let mut last = None;
    for time in newest_first {
        if newest.len() < periods && last.replace(period(time)) != Some(period(time)) {
            newest.push(*time);
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_says_when_the_backup_was_begun() {
        let begun = time("2026-11-26T07:30:05Z");
        assert_eq!(name_of(begun), "pbm-20261126T073005Z.ldif.zst");
        assert_eq!(time_of(&name_of(begun)), Some(begun));
        for other in
            ["pbm.ldif", "pbm-x.ldif.zst", ".pbm-20261126T073005Z.ldif.zst.x", "pbm-20261126T073005Z.ldif"]
        {
            assert_eq!(time_of(other), None, "{other}");
        }
        assert!(
            is_unfinished(".pbm-20261126T073005Z.ldif.zst.x1y2")
                && !is_unfinished("pbm-20261126T073005Z.ldif.zst")
        );
    }

    #[test]
    fn the_newest_of_each_day_week_and_month_is_kept() {
        let hourly = |days: i64| {
            let last = time("2026-11-26T23:00:00Z");
            (0..days * 24).map(move |hours| last - jiff::SignedDuration::from_hours(hours))
        };
        let times: Vec<_> = hourly(100).collect();
        let gone = superfluous(&times, Keep { daily: 7, weekly: 4, monthly: 12 });
        let kept: Vec<_> =
            times.iter().filter(|time| !gone.contains(time)).map(ToString::to_string).collect();
        let days = ["26", "25", "24", "23", "22", "21", "20"].map(|day| format!("2026-11-{day}T23:00:00Z"));
        // Sundays of the preceding weeks, and the last days of the preceding months.
        let rest = ["2026-11-15", "2026-11-08", "2026-10-31", "2026-09-30", "2026-08-31"];
        let rest = rest.map(|day| format!("{day}T23:00:00Z"));
        assert_eq!(kept, [days.as_slice(), rest.as_slice()].concat());
    }

    #[test]
    fn the_newest_is_kept_whatever_is_asked_for() {
        let times = [time("2026-01-01T00:00:00Z"), time("2026-01-02T00:00:00Z")];
        let none = Keep { daily: 0, weekly: 0, monthly: 0 };
        assert_eq!(superfluous(&times, none), [times[0]]);
        assert!(superfluous(&[], none).is_empty());
    }
}
