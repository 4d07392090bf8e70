//! Creating users with a password; raw, adds of the same entries. 389-ds hashes the password on both sides, which takes
//! most of the time. So the pair is measured again without hashing.

use super::hash;
use crate::{
    arguments::Arguments,
    http::{Asking, Template},
    load::{self, Measured, Pair, Until, in_turns},
    people::{DOMAIN, creation_form},
    raw::Adding,
    report::{Row, Target},
    world::{CONNECTIONS, World},
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const AT_LEAST: Target = Target::Ratio(0.95);

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let made = Arc::new(AtomicUsize::new(0));
    let hashed = pair("create users", arguments, world, &made)?;
    let first = Row::of_pair("create users", &hashed, world.pbm.peak_memory()?, AT_LEAST);
    world.pbm.forget_peak()?;
    let name = "create users, the hash switched off";
    let plain = hash::without(world, || pair(name, arguments, world, &made))?;
    Ok(vec![first, Row::of_pair(name, &plain, world.pbm.peak_memory()?, AT_LEAST)])
}

fn pair(name: &str, arguments: &Arguments, world: &World, made: &Arc<AtomicUsize>) -> anyhow::Result<Pair> {
    let template = Template::new("PUT", "/v2/users/default/{}", &world.token, &creation_form())?;
    let until = Until::Elapsed(arguments.time());
    let ours = || -> anyhow::Result<Measured> {
        load::run(arguments.clients(), until, async || {
            let (made, template) = (made.clone(), template.clone());
            let next = move |request: &mut Vec<u8>| template.fill(request, &new_address(&made));
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(CONNECTIONS, until, async || {
            let (made, people) = (made.clone(), world.people.clone());
            let next = move || people.new_entry(&new_address(&made)).map(Some);
            Ok(Adding { ldap: world.service.bind().await?, next })
        })
    };
    in_turns(name, arguments.rounds, world.processes()?, ours, raw)
}

fn new_address(made: &AtomicUsize) -> String {
    format!("new{}@{DOMAIN}", made.fetch_add(1, Ordering::Relaxed))
}
