//! Followers under random changes, half of them through `pbm` and half directly in the directory, while processes are
//! killed and Redis loses all data. At every pause each follower's copy equals the directory.
//!
//! `PBM_CHAOS_CHANGES` sets the number of changes (10,000 for the full test), `PBM_CHAOS_SEED` the sequence.

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
/// The longest duration of the changes between two events.
const PATIENCE: Duration = Duration::from_secs(600);

/// The event in the middle of each round.
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
    // The same address for every process.
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

/// The servers and the changes to them.
struct Chaos {
    // Dropped in this order.
    serve: Serve,
    site: Site,
    client: Client,
    things: Things,
    done: AtomicUsize,
}

impl Chaos {
    /// A number of changes by two workers at a time, and the events in the middle of them.
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
                // The failure appears when the thread is joined.
                let goes_on = || !by_api.is_finished() && !by_ldap.is_finished();
                within(PATIENCE, || !goes_on() || done.load(Ordering::Relaxed) >= until)
            };
            for (number, event) in events.iter().enumerate() {
                wait_for(number + 1, events.len() + 1);
                match event {
                    Event::Kill => {
                        serve.signal(Signal::KILL);
                        serve.wait(BUSY).unwrap();
                        // Some changes are made while there is no follower.
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

    /// Requires that the address books, and soon the followers, equal the directory.
    #[track_caller]
    fn assert_all_have_the_directory(&self, what: &str, followers: &[(usize, Mutex<Follower>)]) {
        let probe = self.site.installation.probe();
        for (tenant, _) in TENANTS.iter().enumerate() {
            let book = Book::new(&self.client, TENANTS[tenant].0);
            // Read again each time: a change with an unknown outcome may still be made.
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

/// Concurrent changes may prevent the deletion of a tenant. A failed request may have succeeded all the same; then the
/// tenant is not found any more.
fn until_success(mut ask: impl FnMut() -> u16) {
    let mut statuses = Vec::new();
    let succeeds = within(Duration::from_secs(20), || {
        statuses.push(ask());
        matches!(statuses.as_slice(), [.., 200] | [500 | 503, .., 404])
    });
    assert!(succeeds, "{statuses:?}");
}

/// Ends the followers even if the trial fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
