//! Followers against chaos: random changes, half of them through `pbm` and half straight in the directory, while processes
//! are killed and Redis loses everything. At every rest each follower's copy is what the directory says.
//!
//! `PBM_CHAOS_CHANGES` says how many changes there are (10,000 for the whole proof), `PBM_CHAOS_SEED` which.

mod by_api;
mod by_ldap;
mod things;

use crate::site::{BACK, Site, assert_feed_answers, client_of};
use harness::{BUSY, Book, Client, Follower, Serve, Signal, World, difference, within};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    net::TcpListener,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};
use things::{TENANTS, Things};

harness::trials! { "chaos":
    followers_have_the_directory_whatever_happens,
}

const CHANGES: usize = 400;
const SEED: u64 = 4;
/// How long the changes between two events may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What happens in the middle of each round.
#[derive(Clone, Copy, Debug)]
enum Event {
    Kill,
    Flush,
    /// The second tenant is deleted, and restored after some more changes.
    DeleteTenant,
}

const ROUNDS: [&[Event]; 4] = [
    &[Event::Kill],
    &[Event::DeleteTenant, Event::Kill],
    &[Event::Flush],
    &[Event::Kill, Event::DeleteTenant],
];

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text}?")))
}

fn followers_have_the_directory_whatever_happens(_: &World) {
    let changes = usize::try_from(number_of("PBM_CHAOS_CHANGES", CHANGES as u64)).unwrap();
    let seed = number_of("PBM_CHAOS_SEED", SEED);
    let _case = harness::Context::new(format!("PBM_CHAOS_CHANGES={changes} PBM_CHAOS_SEED={seed}"));
    // The same address for each process that comes.
    let listen = format!("[\"127.0.0.1:{}\"]", free_port());
    let (site, serve) = Site::start(&[("http.listen", &listen)]);
    site.installation.create_tenant(TENANTS[1].0, TENANTS[1].1);
    let client = client_of(&serve);
    let book = |tenant: usize| Book::new(&client, TENANTS[tenant].0);
    assert_feed_answers("before", &book(0));
    let followers =
        [(0, 500), (0, 3), (1, 50)].map(|(tenant, limit)| (tenant, Mutex::new(book(tenant).follower(limit))));
    let mut chaos =
        Chaos { site, serve, client: client.clone(), things: Things::new(), done: AtomicUsize::default() };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = SetOnDrop(&over);
        for (_, follower) in &followers {
            let over = &over;
            scope.spawn(move || follow(follower, over));
        }
        for (number, events) in ROUNDS.into_iter().enumerate() {
            chaos.round(seed + number as u64, changes / ROUNDS.len(), events);
            chaos.assert_all_have_the_directory(&format!("after round {number}"), &followers);
        }
    });
    let (done, (made, unclear)) = (chaos.done.load(Ordering::Relaxed), chaos.things.made_and_unclear());
    assert!(
        made * 2 > done && unclear * 50 < done,
        "{made} of {done} changes were made, {unclear} are unclear"
    );
    for (_, follower) in followers {
        let follower = follower.into_inner().unwrap();
        assert!((1..20).contains(&follower.restarts), "{} restarts", follower.restarts);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The loop of a follower.
fn follow(follower: &Mutex<Follower>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        follower.lock().unwrap().step();
        sleep(Duration::from_millis(3));
    }
}

/// The servers and what is done to them.
struct Chaos {
    // Dropped in this order.
    serve: Serve,
    site: Site,
    client: Client,
    things: Things,
    done: AtomicUsize,
}

impl Chaos {
    /// So many changes by two hands at a time, and the events in the middle of them.
    fn round(&mut self, seed: u64, changes: usize, events: &[Event]) {
        let begin = self.done.load(Ordering::Relaxed);
        let Self { site, serve, client, things, done } = self;
        let (things, done, probe) = (&*things, &*done, site.installation.probe());
        std::thread::scope(|scope| {
            let by_api = scope.spawn(|| {
                let mut random = StdRng::seed_from_u64(seed * 2);
                for _ in 0..changes / 2 {
                    let thing = things.take(&mut random, things::Hand::Api);
                    things.put_back(by_api::change(client, thing, &mut random));
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
            let by_ldap = scope.spawn(|| {
                let mut random = StdRng::seed_from_u64(seed * 2 + 1);
                for _ in 0..changes - changes / 2 {
                    let thing = things.take(&mut random, things::Hand::Ldap);
                    things.put_back(by_ldap::change(&probe, thing, &mut random));
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
            let wait_for = |share: usize, of: usize| {
                let until = begin + changes * share / of;
                // Who has failed says so when it is joined.
                let goes_on = || !by_api.is_finished() && !by_ldap.is_finished();
                within(PATIENCE, || !goes_on() || done.load(Ordering::Relaxed) >= until)
            };
            for (number, event) in events.iter().enumerate() {
                wait_for(number + 1, events.len() + 1);
                match event {
                    Event::Kill => {
                        serve.signal(Signal::KILL);
                        serve.wait(BUSY).unwrap();
                        // Some changes are made while nobody follows.
                        sleep(Duration::from_millis(random_pause(seed)));
                        *serve = site.serve();
                    }
                    Event::Flush => drop(site.installation.redis_probe().run(&["FLUSHALL"])),
                    Event::DeleteTenant => {
                        let path = format!("/v2/tenants/{}", TENANTS[1].0);
                        until_success(|| client.delete(&path).status);
                        wait_for(number * 4 + 5, (events.len() + 1) * 4);
                        until_success(|| client.restore(&path).status);
                    }
                }
            }
            by_api.join().unwrap();
            by_ldap.join().unwrap();
        });
    }

    /// Requires that the address books, and before long the followers, say what the directory does.
    #[track_caller]
    fn assert_all_have_the_directory(&self, what: &str, followers: &[(usize, Mutex<Follower>)]) {
        let probe = self.site.installation.probe();
        for (tenant, _) in TENANTS.iter().enumerate() {
            let book = Book::new(&self.client, TENANTS[tenant].0);
            // Asked anew each time: a change whose outcome nobody was told may still be made.
            let expected_book = || probe.expected_book(TENANTS[tenant].0);
            for view in ["all", "colleagues", "suggestions"] {
                let in_time = within(BACK, || book.all(view) == expected_book().view(view));
                assert!(
                    in_time,
                    "{what}: {view}: {:?}",
                    difference(&book.all(view), &expected_book().view(view))
                );
            }
            let of_tenant = followers.iter().filter(|(of, _)| *of == tenant);
            for (_, follower) in of_tenant {
                let in_time = within(BACK, || follower.lock().unwrap().contacts == expected_book().all());
                let difference = difference(&follower.lock().unwrap().contacts, &expected_book().all());
                assert!(in_time, "{what}: {}", difference.unwrap_or_default());
            }
        }
    }
}

fn random_pause(seed: u64) -> u64 {
    StdRng::seed_from_u64(seed).random_range(0..400)
}

/// What changes meanwhile may be in the way of the deletion of a tenant. What failed may have been done all the same, and is
/// then not found any more.
fn until_success(mut ask: impl FnMut() -> u16) {
    let mut statuses = Vec::new();
    let succeeds = within(Duration::from_secs(20), || {
        statuses.push(ask());
        matches!(statuses.as_slice(), [.., 200] | [500 | 503, .., 404])
    });
    assert!(succeeds, "{statuses:?}");
}

/// Ends the followers also where the trial fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
