//! Several processes on one Redis and one directory: one of them feeds the projection that all use, and when it dies
//! another one takes over.

use crate::{
    load::{Reader, under_load},
    site::{BACK, Site, assert_feed_answers, book_of, client_of, put_user},
};
use harness::{BUSY, Book, Serve, Signal, World, assert_same, difference, encoded, within};
use std::time::{Duration, Instant};

harness::trials! { "replicas":
    whichever_process_dies_another_one_follows_within_five_seconds,
    a_process_that_hangs_is_replaced_and_does_no_harm_when_it_wakes,
    many_processes_write_and_read_the_same,
    a_process_that_ends_in_order_hands_over,
}

/// How long it may take until another process feeds.
const HAND_OVER: Duration = Duration::from_secs(5);
const BOUND: Duration = Duration::from_secs(3);
const USERS: usize = 100;

fn readers(serve: &Serve) -> Vec<Reader<'static>> {
    let client = client_of(serve);
    let count = format!("\"count\":{}", USERS + 1);
    vec![
        Reader::new(&client, "/v2/addressbook/default?limit=10", move |answer| {
            answer.text().contains(&count)
        }),
        Reader::finds(&client, format!("/v2/addressbook/default/suggest?q={}", encoded("ким77x")), "u77@"),
        Reader::finds(&client, "/v2/users/default?search=u77@", "\"count\":1,"),
    ]
}

/// Changes a user behind the back of every process, and requires that the pages and the feed show it in time.
#[track_caller]
fn assert_followed(site: &Site, book: &Book, what: &str, limit: Duration) {
    let began = Instant::now();
    site.assert_followed(what, book, limit);
    let expected_book = site.expected_book();
    let mut follower = book.follower(1000);
    let is_told = within(limit.saturating_sub(began.elapsed()), || {
        follower.step();
        follower.contacts == expected_book
    });
    assert!(is_told, "{what}: {:?}", difference(&follower.contacts, &expected_book));
}

fn kill(serve: &mut Serve) {
    serve.signal(Signal::KILL);
    serve.wait(BUSY).unwrap();
}

fn whichever_process_dies_another_one_follows_within_five_seconds(_: &World) {
    let (site, first) = Site::start(&[]);
    site.fill(&first, USERS);
    let mut processes = [first, site.serve()];
    for serve in &processes {
        assert_feed_answers("both", &book_of(serve));
    }
    // One of two consecutive kills hits the process that feeds.
    for round in 0..4 {
        let stays = &processes[1];
        let (readers, book) = (readers(stays), book_of(stays));
        let mut follower = book.follower(50);
        follower.catch_up();
        under_load(&readers, |load| {
            load.go_on_for(50);
            kill(&mut processes[0]);
            assert_followed(&site, &book, &format!("death{round}"), HAND_OVER);
            load.go_on_for(50);
            load.assert_whole("the one that stays", BOUND);
        });
        assert_same("who followed goes on", &follower.catch_up().clone(), &site.expected_book());
        assert_eq!(follower.restarts, 0, "a death is no reason to start over");
        processes[0] = site.serve();
        assert_feed_answers("the new one", &book_of(&processes[0]));
        site.assert_right("the new one", &book_of(&processes[0]));
        processes.swap(0, 1);
    }
}

fn a_process_that_hangs_is_replaced_and_does_no_harm_when_it_wakes(_: &World) {
    let (site, first) = Site::start(&[]);
    site.fill(&first, USERS);
    let mut processes = [first, site.serve()];
    for serve in &processes {
        assert_feed_answers("both", &book_of(serve));
    }
    for round in 0..2 {
        let [sleeps, stays] = &processes;
        let book = book_of(stays);
        sleeps.signal(Signal::STOP);
        assert_followed(&site, &book, &format!("asleep{round}"), 2 * HAND_OVER);
        for number in 0..20 {
            put_user(&client_of(stays), &format!("r{round}n{number}")).expect_success();
        }
        site.assert_right("while one sleeps", &book);
        let mut follower = book.follower(10);
        follower.catch_up();
        // When it resumes, it still believes that it feeds.
        sleeps.signal(Signal::CONT);
        for number in 0..20 {
            let name = format!("r{round}m{number}");
            put_user(&client_of(&processes[number % 2]), &name).expect_success();
            for serve in &processes {
                assert!(book_of(serve).has(&format!("{name}@example.com")));
            }
        }
        for serve in &processes {
            site.assert_right("both again", &book_of(serve));
        }
        assert_same("the follower", &follower.catch_up().clone(), &site.expected_book());
        assert_followed(&site, &book, &format!("awake{round}"), HAND_OVER);
        processes.swap(0, 1);
    }
}

fn many_processes_write_and_read_the_same(_: &World) {
    let (site, first) = Site::start(&[]);
    let processes = [first, site.serve(), site.serve()];
    for serve in &processes {
        assert_feed_answers("all", &book_of(serve));
    }
    std::thread::scope(|scope| {
        for (number, serve) in processes.iter().enumerate() {
            let other = book_of(&processes[(number + 1) % processes.len()]);
            scope.spawn(move || {
                let client = client_of(serve);
                for step in 0..25 {
                    let name = format!("p{number}s{step}x");
                    put_user(&client, &name).expect_success();
                    // The other process knows at once.
                    other.assert_suggested(&name, &[&name]);
                    let path = format!("/v2/users/default/{name}@example.com");
                    client.patch(&path, "inetUserStatus=0").expect_success();
                    assert_eq!(other.suggested(&name), Vec::<String>::new());
                    client.patch(&path, "inetUserStatus=1").expect_success();
                    other.assert_suggested(&name, &[&name]);
                }
            });
        }
    });
    for serve in &processes {
        site.assert_right("each", &book_of(serve));
        assert_same("each feed", book_of(serve).follower(7).catch_up(), &site.expected_book());
    }
}

fn a_process_that_ends_in_order_hands_over(_: &World) {
    let (site, first) = Site::start(&[]);
    site.fill(&first, USERS);
    let mut current = first;
    assert_feed_answers("the first", &book_of(&current));
    let mut follower = book_of(&current).follower(100);
    follower.catch_up();
    // An upgrade: the new process starts, the old one stops.
    for round in 0..3 {
        let new = site.serve();
        let book = book_of(&new);
        let readers = readers(&new);
        under_load(&readers, |load| {
            current.signal(Signal::TERM);
            assert_eq!(current.wait(BACK), Some(0));
            assert_followed(&site, &book, &format!("upgrade{round}"), HAND_OVER);
            load.go_on_for(50);
            load.assert_whole("the new one", BOUND);
        });
        follower.at(&client_of(&new));
        assert_same("who followed goes on", &follower.catch_up().clone(), &site.expected_book());
        assert_eq!(follower.restarts, 0, "an upgrade is no reason to start over");
        current = new;
    }
}
