//! Reading one user: distinct random addresses, with a token. Raw: a base search of the same entries with the same
//! attributes and a trivial filter.

use super::book::until_followed;
use crate::{
    arguments::Arguments,
    http::{Asking, Template},
    load::{self, Client, Measured, Until, in_turns},
    people::Name,
    raw,
    report::{Row, Target},
    world::{CONNECTIONS, World},
};
use ldap3::Ldap;
use mail_model::user;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long both sides run before they are measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// Walks through the users in their random order; clients share it, so that no two request the same user.
#[derive(Clone)]
struct Walk {
    names: Arc<Vec<Name>>,
    next: Arc<AtomicUsize>,
}

impl Walk {
    fn next(&self) -> Option<&Name> {
        self.names.get(self.next.fetch_add(1, Ordering::Relaxed) % self.names.len().max(1))
    }
}

struct Reading {
    ldap: Ldap,
    walk: Walk,
    attributes: Arc<Vec<String>>,
}

impl Client for Reading {
    async fn once(&mut self) -> anyhow::Result<()> {
        let attributes: Vec<&str> = self.attributes.iter().map(String::as_str).collect();
        let dn = self.walk.next().map_or("", |name| name.dn.as_str());
        raw::read(&mut self.ldap, dn, &attributes).await
    }
}

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let walk = Walk { names: world.names.clone(), next: Arc::default() };
    let template = Template::new("GET", "/v2/users/default/{}", &world.token, "")?;
    let attributes: Arc<Vec<_>> = Arc::new(user::read_attributes().iter().map(ToString::to_string).collect());
    let ours = |time| -> anyhow::Result<Measured> {
        load::run(arguments.clients(), Until::Elapsed(time), async || {
            let (walk, template) = (walk.clone(), template.clone());
            let next = move |request: &mut Vec<u8>| {
                template.fill(request, walk.next().map_or("", |name| name.mail.as_str()));
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = |time| -> anyhow::Result<Measured> {
        load::run(CONNECTIONS, Until::Elapsed(time), async || {
            let (walk, attributes) = (walk.clone(), attributes.clone());
            Ok(Reading { ldap: world.service.bind().await?, walk, attributes })
        })
    };
    // Until then pbm reads the user from the directory.
    until_followed(&world.pbm, &world.token)?;
    raw(WARM_UP)?;
    ours(WARM_UP)?;
    let time = arguments.time();
    let pair = in_turns("read one user", arguments.rounds, world.processes()?, || ours(time), || raw(time))?;
    let memory = world.pbm.peak_memory()?;
    Ok(vec![Row::of_pair("read one user", &pair, memory, Target::Ratio(5.0))])
}
