//! LDIF in the form of a backup, written and read: all users, and a list of 10,000. One thread, from memory to memory.

use crate::{
    arguments::Arguments,
    contents,
    load::median,
    people::{DOMAIN, People},
    report::{Row, Target},
};
use anyhow::ensure;
use ldap_text::{
    dn::Dn,
    ldif::{Entry, LdifReader, write_content},
};
use mail_model::maillist::member::Member;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const MEMBERS: usize = 10_000;
const TARGET: Target = Target::Throughput(200.0);

pub(super) fn measure(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let entries = entries(arguments.users())?;
    let text = written(&entries, Vec::new())?;
    let (mut writing, mut reading) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let mut out = Vec::with_capacity(text.len());
        writing.push(rate(text.len(), arguments.time(), || {
            out = written(&entries, std::mem::take(&mut out))?;
            Ok(())
        })?);
        reading.push(rate(text.len(), arguments.time(), || {
            let mut count = 0;
            for record in LdifReader::new(text.as_slice()) {
                black_box(record?);
                count += 1;
            }
            ensure!(count == entries.len(), "{count} records read");
            Ok(())
        })?);
    }
    Ok(vec![
        Row::of_throughput("LDIF written, MB", median(writing), TARGET),
        Row::of_throughput("LDIF read, MB", median(reading), TARGET),
    ])
}

fn entries(users: usize) -> anyhow::Result<Vec<Entry>> {
    let people = People::new()?;
    let members = (0..MEMBERS).map(|user| anyhow::Ok(Member::Inside(Dn::parse(&people.name(user)?.dn)?)));
    let members = members.collect::<anyhow::Result<Vec<_>>>()?;
    let list = people.list(&format!("everybody@{DOMAIN}"), "Все", &members)?;
    let users = (0..users).map(|user| contents::entry(people.hashed_entry(user)?));
    users.chain([contents::entry(list)]).collect()
}

/// The entries as text, in a vector with enough capacity.
fn written(entries: &[Entry], mut out: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    out.clear();
    for entry in entries {
        write_content(&mut out, entry)?;
    }
    Ok(out)
}

/// MB per second for a text of some bytes that is processed repeatedly for a duration.
fn rate(bytes: usize, time: Duration, mut once: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut megabytes = 0.0;
    while began.elapsed() < time {
        once()?;
        megabytes += f64::from(u32::try_from(bytes)?) / 1e6;
    }
    Ok(megabytes / began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::ldif::Record;

    #[test]
    fn what_is_measured_is_read_as_it_was_written() {
        let entries = entries(100).unwrap();
        let text = written(&entries, Vec::new()).unwrap();
        let read = LdifReader::new(text.as_slice()).map(Result::unwrap);
        assert!(read.eq(entries.into_iter().map(Record::Entry)));
    }
}
