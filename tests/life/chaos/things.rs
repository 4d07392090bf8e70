//! The changed objects: some dozens of users, lists, groups, rooms and outside contacts, each used by one worker at a
//! time.

use harness::encoded;
use rand::{RngExt, rngs::StdRng};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

/// The tenants of the objects, and their domains.
pub(super) const TENANTS: [(&str, &str); 2] = [("default", "example.com"), ("second", "second.test")];
/// The groups of rooms; their names change.
const GROUPS: usize = 3;

/// The worker that changes an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    Api,
    Ldap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    List,
    Group,
    Room,
    Outside,
}

/// The state of an object as far as the worker knows. A refusal corrects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    Live,
    Blocked,
    Deleted,
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    number: usize,
    /// How often it was renamed.
    pub(super) name: usize,
    pub(super) tenant: usize,
    /// For a room, the name of its group when it was taken.
    group: String,
    pub(super) state: State,
    /// The outcome of the last change.
    outcome: Outcome,
}

impl Thing {
    fn new(kind: Kind, number: usize) -> Self {
        let (tenant, group) = (number % TENANTS.len(), String::new());
        Self { kind, number, name: 0, tenant, group, state: State::Absent, outcome: Outcome::Refused }
    }

    /// For a room, the number of its group.
    fn group_number(&self) -> usize {
        self.number / TENANTS.len() % GROUPS * TENANTS.len() + self.number % TENANTS.len()
    }

    pub(super) fn tenant_id(&self) -> &'static str {
        TENANTS[self.tenant].0
    }

    /// Its address under a name; it keeps its domain when it moves.
    pub(super) fn mail_at(&self, name: usize) -> String {
        let domain = TENANTS[self.number % TENANTS.len()].1;
        match self.kind {
            Kind::Outside => format!("o{}n{name}@outside.example", self.number),
            kind => format!("{}{}n{name}@{domain}", format!("{kind:?}").to_lowercase(), self.number),
        }
    }

    pub(super) fn mail(&self) -> String {
        self.mail_at(self.name)
    }

    /// The name of a group under a number.
    pub(super) fn group_at(&self, name: usize) -> String {
        group_name(self.number, name)
    }

    /// Its RDN.
    pub(super) fn rdn_at(&self, name: usize) -> String {
        match self.kind {
            Kind::Outside => format!("cn=o{}n{name}", self.number),
            Kind::Group => group_rdn(&self.group_at(name)),
            _ => format!("mail={}", self.mail_at(name)),
        }
    }

    /// Its DN.
    pub(super) fn dn(&self, root: &str) -> String {
        format!("{},{}", self.rdn_at(self.name), self.folder(root))
    }

    /// The DN of its parent.
    pub(super) fn folder(&self, root: &str) -> String {
        let kind = match self.kind {
            Kind::User => "People",
            Kind::List => "Groups",
            Kind::Group | Kind::Room => "Resources",
            Kind::Outside => "CAB",
        };
        let folder = format!("ou={},ou={kind},{root}", self.tenant_id());
        if self.kind == Kind::Room { format!("{},{folder}", group_rdn(&self.group)) } else { folder }
    }

    /// Its path in the API.
    pub(super) fn path(&self) -> String {
        let (tenant, mail) = (self.tenant_id(), encoded(&self.mail()));
        match self.kind {
            Kind::User => format!("/v2/users/{tenant}/{mail}"),
            Kind::List => format!("/v2/maillists?tenant-id={tenant}&mail={mail}"),
            Kind::Group => format!("/v2/resourcegroups/{tenant}/{}", encoded(&self.group_at(self.name))),
            Kind::Room => format!("/v2/resources/{tenant}/{}/{mail}", encoded(&self.group)),
            Kind::Outside => panic!("the API does not know it"),
        }
    }

    /// The state after a change: the change succeeded, or was refused because the object did not exist or already
    /// existed.
    pub(super) fn after(self, outcome: Outcome, state: State) -> Self {
        let state = match outcome {
            Outcome::Made => state,
            Outcome::NotThere => State::Absent,
            Outcome::Taken => State::Live,
            Outcome::Refused | Outcome::Unclear => self.state,
        };
        // It is created again in the tenant that serves its domain.
        let tenant = if state == State::Absent { self.home() } else { self.tenant };
        Self { tenant, state, outcome, ..self }
    }

    /// The state after a rename to the next name.
    pub(super) fn renamed_after(self, outcome: Outcome) -> Self {
        let name = self.name + usize::from(outcome == Outcome::Made);
        let state = self.state;
        Self { name, ..self.after(outcome, state) }
    }

    /// Whether its tenant serves the domain of its address.
    pub(super) fn is_at_home(&self) -> bool {
        self.tenant == self.home()
    }

    fn home(&self) -> usize {
        self.number % TENANTS.len()
    }

    /// The same object in the other tenant.
    pub(super) fn moved(&self) -> Self {
        Self { tenant: (self.tenant + 1) % TENANTS.len(), ..self.clone() }
    }
}

fn group_name(number: usize, name: usize) -> String {
    format!("Группа, {number} №{name}")
}

fn group_rdn(name: &str) -> String {
    format!("ou={}", name.replace(',', "\\,"))
}

/// The outcome of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Made,
    NotThere,
    Taken,
    Refused,
    /// It failed, but may have taken effect.
    Unclear,
}

/// All objects. Each is taken, changed, and put back.
pub(super) struct Things {
    idle: Mutex<Vec<Thing>>,
    group_names: [AtomicUsize; GROUPS * TENANTS.len()],
    made: AtomicUsize,
    unclear: AtomicUsize,
}

impl Things {
    pub(super) fn new() -> Self {
        let kinds = [
            (Kind::User, 30),
            (Kind::List, 8),
            (Kind::Group, GROUPS * TENANTS.len()),
            (Kind::Room, 12),
            (Kind::Outside, 16),
        ];
        let things = kinds
            .into_iter()
            .flat_map(|(kind, count)| (0..count).map(move |number| Thing::new(kind, number)));
        Self {
            idle: Mutex::new(things.collect()),
            group_names: Default::default(),
            made: AtomicUsize::default(),
            unclear: AtomicUsize::default(),
        }
    }

    /// An object that a worker can change.
    pub(super) fn take(&self, random: &mut StdRng, hand: Hand) -> Thing {
        loop {
            {
                let mut idle = self.idle.lock().unwrap();
                let place = random.random_range(0..idle.len());
                // The API does not manage outside contacts.
                if hand == Hand::Ldap || idle[place].kind != Kind::Outside {
                    let mut thing = idle.swap_remove(place);
                    if thing.kind == Kind::Room {
                        let number = thing.group_number();
                        thing.group = group_name(number, self.group_names[number].load(Ordering::Relaxed));
                    }
                    return thing;
                }
            }
            sleep(Duration::from_micros(10));
        }
    }

    pub(super) fn put_back(&self, thing: Thing) {
        self.made.fetch_add(usize::from(thing.outcome == Outcome::Made), Ordering::Relaxed);
        self.unclear.fetch_add(usize::from(thing.outcome == Outcome::Unclear), Ordering::Relaxed);
        if thing.kind == Kind::Group {
            self.group_names[thing.number].store(thing.name, Ordering::Relaxed);
        }
        self.idle.lock().unwrap().push(thing);
    }

    /// The number of successful changes, and of changes with an unknown outcome.
    pub(super) fn made_and_unclear(&self) -> (usize, usize) {
        (self.made.load(Ordering::Relaxed), self.unclear.load(Ordering::Relaxed))
    }
}
