//! Reading a large list with all its members, by a single client. Raw, for information: a base search of the same entry
//! and attributes.

use super::{List, large_list};
use crate::{
    arguments::Arguments,
    http::{repeating, request},
    load::{self, Client, Measured, Until, in_turns},
    raw,
    report::{Row, Target},
    world::World,
};
use ldap_text::attribute::AttributeName;
use ldap3::Ldap;
use mail_model::maillist::READ_ATTRIBUTES;

struct Reading {
    ldap: Ldap,
    dn: String,
    attributes: Vec<&'static str>,
}

impl Client for Reading {
    async fn once(&mut self) -> anyhow::Result<()> {
        raw::read(&mut self.ldap, &self.dn, &self.attributes).await
    }
}

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    Ok(vec![row(arguments, world, &large_list(world)?, Target::P99(100.0))?])
}

pub(super) fn row(arguments: &Arguments, world: &World, list: &List, target: Target) -> anyhow::Result<Row> {
    let until = Until::Elapsed(arguments.time());
    let path = format!("/v2/maillists/default/{}", list.mail);
    let request = request("GET", &path, Some(&world.token), "");
    let ours = || -> anyhow::Result<Measured> {
        load::run(1, until, async || repeating(world.pbm.address, request.clone()).await)
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(1, until, async || {
            let attributes = READ_ATTRIBUTES.iter().map(AttributeName::as_str).collect();
            Ok(Reading { ldap: world.service.bind().await?, dn: list.dn.clone(), attributes })
        })
    };
    let name = format!("read a list of {}, alone", list.people);
    let pair = in_turns(&name, arguments.rounds, world.processes()?, ours, raw)?;
    Ok(Row::of_pair(&name, &pair, world.pbm.peak_memory()?, target))
}
