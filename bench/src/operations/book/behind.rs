//! Changes made directly in the directory, behind pbm: the time until pbm shows one, while there are 100 others per
//! second. The time begins when the change is sent.

use super::BOOK;
use crate::{
    arguments::Arguments,
    figures::Figure,
    http::{HttpClient, Template},
    load::{self, Client, Measured, Until},
    people::People,
    raw,
    world::World,
};
use anyhow::{Context, anyhow, ensure};
use ldap_text::attribute::AttributeName;
use ldap3::Ldap;
use mail_model::{contact::id::ContactId, names};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::time::Interval;

/// Clients that make a change and look for it.
const OBSERVERS: usize = 4;
/// The people that each of them changes, in turn.
const OBSERVED: usize = 64;
/// Connections that make other changes, and their rate: 100 per second in all.
const CONNECTIONS: usize = 10;
const PACE: Duration = Duration::from_millis(100);
/// The others begin this much earlier, or end this much later.
const AROUND: Duration = Duration::from_secs(1);
/// The changed attribute.
const PHONE: AttributeName = names::TELEPHONE_NUMBER;
/// The interval between two reads.
const STEP: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// A person who is changed and observed.
struct Person {
    dn: String,
    id: String,
}

/// A client that changes people and looks for the change.
struct Observer {
    ldap: Ldap,
    http: HttpClient,
    template: Template,
    people: Vec<Person>,
    done: usize,
    number: usize,
}

impl Observer {
    async fn connect(number: usize, world: &World) -> anyhow::Result<Self> {
        let mut ldap = world.manager.bind().await?;
        let mut people = Vec::new();
        for index in 0..OBSERVED {
            let dn = world.people.name(number * OBSERVED + index)?.dn;
            let id = raw::value(&mut ldap, &dn, names::NS_UNIQUE_ID.as_str()).await?;
            let id = ContactId::from_unique_id(&id).context("not the form of an nsUniqueId")?.to_string();
            people.push(Person { dn, id });
        }
        let template = Template::new("GET", &format!("{BOOK}/{{}}.vcf"), &world.token, "")?;
        let http = HttpClient::connect(world.pbm.address).await?;
        Ok(Self { ldap, http, template, people, done: 0, number })
    }
}

impl Client for Observer {
    async fn once(&mut self) -> anyhow::Result<()> {
        let person = self.people.get(self.done % OBSERVED).context("nobody to change")?;
        self.done += 1;
        let phone = format!("{}{:09}", self.number + 1, self.done);
        let mut request = Vec::new();
        self.template.fill(&mut request, &person.id);
        let began = Instant::now();
        raw::set(&mut self.ldap, &person.dn, PHONE.as_str(), &phone).await?;
        loop {
            let answer = self.http.send(&request).await?;
            ensure!(answer.status == 200, "pbm answered {} about {}", answer.status, person.dn);
            if answer.body.windows(phone.len()).any(|part| part == phone.as_bytes()) {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "a change is not seen after {PATIENCE:?}");
            tokio::time::sleep(STEP).await;
        }
    }
}

/// A client that changes other people at a steady pace.
struct Other {
    ldap: Ldap,
    people: Arc<People>,
    users: usize,
    made: Arc<AtomicUsize>,
    pace: Interval,
}

impl Client for Other {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.pace.tick().await;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let first = OBSERVERS * OBSERVED;
        let dn = self.people.name(first + number % self.users.saturating_sub(first).max(1))?.dn;
        raw::set(&mut self.ldap, &dn, PHONE.as_str(), &format!("{number:09}")).await
    }
}

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Figure>> {
    let time = arguments.time() * arguments.rounds;
    let number = AtomicUsize::new(0);
    let observe = || {
        load::run(OBSERVERS, Until::Elapsed(time), async || {
            Observer::connect(number.fetch_add(1, Ordering::Relaxed), world).await
        })
    };
    let (shown, others) = thread::scope(|scope| {
        let others = scope.spawn(|| change_others(world, time + AROUND));
        let shown = load::watched("a change behind pbm", world.processes()?, observe)?;
        let others = others.join().map_err(|_| anyhow!("the other changes panicked"))??;
        anyhow::Ok((shown, others))
    })?;
    let name = "a change behind pbm until it is shown";
    Ok(vec![
        Figure::cost(format!("{name}, p50 in ms"), shown.quantile(0.5)),
        Figure::cost(format!("{name}, p99 in ms"), shown.quantile(0.99)).target(1000.0),
        Figure::rate("other changes meanwhile, a second", others.rate()).target(95.0),
    ])
}

fn change_others(world: &World, time: Duration) -> anyhow::Result<Measured> {
    let made = Arc::new(AtomicUsize::new(0));
    load::run(CONNECTIONS, Until::Elapsed(time), async || {
        let (ldap, people, made) = (world.manager.bind().await?, world.people.clone(), made.clone());
        Ok(Other { ldap, people, users: world.names.len(), made, pace: tokio::time::interval(PACE) })
    })
}
