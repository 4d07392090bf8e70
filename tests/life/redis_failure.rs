//! A Redis that dies, hangs, is full, or does not exist: the answers are slower, but never wrong and never an error.
//! Each trial has its own servers.

use crate::{
    load::{Reader, under_load},
    site::{BACK, Site, assert_feed_answers, book_of, client_of, put_user},
};
use harness::{Client, Signal, Step, encoded, signal, within};
use std::time::Duration;

harness::trials! { "redis_failure":
    a_redis_killed_under_load_costs_no_request_and_is_used_again,
    a_redis_that_comes_and_goes_again_and_again_costs_no_request,
    what_is_written_while_redis_goes_and_comes_is_read_at_once,
    a_redis_that_hangs_costs_bounded_time_and_is_used_again,
    a_server_starts_without_its_redis_and_uses_it_once_it_is_there,
    a_redis_that_is_full_costs_no_request,
    a_redis_with_another_password_costs_no_request,
    a_write_that_redis_did_not_hear_of_is_not_forgotten,
}

const USERS: usize = 150;
/// The longest duration of a response during any failure of Redis: its time limit of half a second, twice, and the read
/// from the directory.
const BOUND: Duration = Duration::from_secs(3);

/// Readers of everything except the feed, which know the right answers as long as only `fill` has written.
fn readers(client: &Client) -> Vec<Reader<'static>> {
    let path = "/v2/addressbook/default";
    let page = |query: &str, page: usize| {
        let is_right = move |answer: &harness::Answer| {
            let shown = answer.json();
            let rest = USERS + 1 - 50 * (page - 1);
            shown["count"] == USERS + 1 && shown["contacts"].as_array().unwrap().len() == rest.min(50)
        };
        Reader::new(client, format!("{path}?{query}&page={page}"), is_right)
    };
    let is_whole = |answer: &harness::Answer| answer.json().as_array().unwrap().len() == USERS + 1;
    vec![
        page("", 1),
        page("orderby=mail&sort=1", 2),
        page("orderby=sn&view=all", 4),
        Reader::finds(client, format!("{path}?search=u77@"), "\"count\":1,"),
        Reader::finds(client, format!("{path}/suggest?q={}", encoded("ким77x")), "u77@example.com"),
        Reader::finds(client, "/v2/users/default?search=u77@", "\"count\":1,"),
        Reader::new(client, format!("{path}/export?format=json"), is_whole),
    ]
}

fn a_redis_killed_under_load_costs_no_request_and_is_used_again(_: &harness::World) {
    let (mut site, serve) = Site::start(&[]);
    site.fill(&serve, USERS);
    let book = book_of(&serve);
    assert_feed_answers("before", &book);
    let mut follower = book.follower(20);
    follower.catch_up();
    let readers = readers(&client_of(&serve));
    under_load(&readers, |load| {
        load.go_on_for(300);
        site.installation.redis_mut().kill();
        let is_told = || book.changes(&follower.since, 10).status == 503;
        assert!(within(Duration::from_secs(2), is_told), "there is no feed without Redis");
        book.changes("", 10).expect(503);
        load.go_on_for(500);
        load.assert_whole("while Redis is dead", BOUND);
        site.installation.redis_mut().start_again().unwrap();
        site.assert_feed_is_back("Redis is back, and empty", &book);
        load.go_on_for(300);
        load.assert_whole("after its return", BOUND);
    });
    // An earlier follower has to start over or continues, but never misses a change silently.
    put_user(&client_of(&serve), "late").expect_success();
    harness::assert_same("an old follower", &follower.catch_up().clone(), &site.expected_book());
    site.assert_right("at the end", &book);
    site.assert_followed("followed again", &book, Duration::from_secs(1));
}

fn a_redis_that_comes_and_goes_again_and_again_costs_no_request(_: &harness::World) {
    let (mut site, serve) = Site::start(&[]);
    site.fill(&serve, USERS);
    let book = book_of(&serve);
    let readers = readers(&client_of(&serve));
    let mut follower = book.follower(50);
    under_load(&readers, |load| {
        for round in 0..5 {
            assert_feed_answers("each time", &book);
            harness::assert_same("each time", &follower.catch_up().clone(), &site.expected_book());
            load.go_on_for(100);
            site.installation.redis_mut().kill();
            // Sometimes at once, and sometimes after every process has noticed.
            load.go_on_for(round * 40);
            site.installation.redis_mut().start_again().unwrap();
        }
        site.assert_feed_is_back("at the end", &book);
        load.assert_whole("five times", BOUND);
    });
}

fn what_is_written_while_redis_goes_and_comes_is_read_at_once(_: &harness::World) {
    let (mut site, serve) = Site::start(&[]);
    let (book, client) = (book_of(&serve), client_of(&serve));
    assert_feed_answers("before", &book);
    for number in 0..60 {
        match number {
            15 | 40 => site.installation.redis_mut().kill(),
            30 | 41 => site.installation.redis_mut().start_again().unwrap(),
            _ => {}
        }
        let name = format!("w{number}x");
        put_user(&client, &name).expect_success();
        book.assert_suggested(&name, &[&name]);
        assert!(book.has(&format!("{name}@example.com")));
        if number % 3 == 0 {
            client.delete(format!("/v2/users/default/{name}@example.com")).expect_success();
            assert_eq!(book.suggested(&name), Vec::<String>::new());
        }
        site.assert_right(&name, &book);
    }
    site.assert_feed_is_back("at the end", &book);
}

fn a_redis_that_hangs_costs_bounded_time_and_is_used_again(_: &harness::World) {
    let (site, serve) = Site::start(&[]);
    site.fill(&serve, USERS);
    let book = book_of(&serve);
    assert_feed_answers("before", &book);
    let readers = readers(&client_of(&serve));
    let redis = site.installation.redis().pid().unwrap();
    under_load(&readers, |load| {
        load.go_on_for(100);
        signal(redis, Signal::STOP);
        load.go_on_for(300);
        load.assert_whole("while Redis hangs", BOUND);
        let name = "written-meanwhile";
        let client = client_of(&serve);
        put_user(&client, name).expect_success();
        assert_eq!(book.suggested(name), [name]);
        client.delete(format!("/v2/users/default/{name}@example.com")).expect_success();
        assert_eq!(book.suggested(name), Vec::<String>::new());
        site.assert_right("while Redis hangs", &book);
        signal(redis, Signal::CONT);
        site.assert_feed_is_back("Redis goes on", &book);
        load.go_on_for(100);
    });
    site.assert_right("Redis goes on", &book);
    site.assert_followed("followed again", &book, Duration::from_secs(1));
}

fn a_server_starts_without_its_redis_and_uses_it_once_it_is_there(_: &harness::World) {
    let (mut site, serve) = Site::start(&[]);
    site.fill(&serve, 20);
    site.installation.redis_mut().kill();
    let second = site.serve();
    let book = book_of(&second);
    site.assert_right("before Redis is there", &book);
    book.changes("", 10).expect(503);
    assert_eq!(second.client().get("/health/ready").status, 200, "Redis is no matter of readiness");
    site.installation.redis_mut().start_again().unwrap();
    site.assert_feed_is_back("Redis is there", &book);
    site.assert_right("Redis is there", &book);
}

fn a_redis_that_is_full_costs_no_request(_: &harness::World) {
    let (site, serve) = Site::start(&[]);
    site.fill(&serve, USERS);
    let (book, client) = (book_of(&serve), client_of(&serve));
    assert_feed_answers("before", &book);
    let readers = readers(&client);
    let probe = site.installation.redis_probe();
    under_load(&readers, |load| {
        load.go_on_for(100);
        probe.run(&["CONFIG", "SET", "maxmemory", "1"]);
        load.go_on_for(200);
        load.assert_whole("while Redis takes nothing", BOUND);
    });
    put_user(&client, "written-meanwhile").expect_success();
    site.assert_right("written while Redis takes nothing", &book);
    site.installation.probe().replace(
        &format!("mail=u0@example.com,ou=default,ou=People,{}", site.root()),
        "title",
        &["T"],
    );
    harness::soon("changed behind", || book.contact("u0@example.com")["title"] == "T");
    probe.run(&["CONFIG", "SET", "maxmemory", "0"]);
    site.assert_feed_is_back("Redis has room", &book);
    site.assert_right("Redis has room", &book);
}

fn a_redis_with_another_password_costs_no_request(_: &harness::World) {
    let (site, serve) = Site::start(&[]);
    site.fill(&serve, 20);
    let wrong = site.installation.file("wrong-password");
    std::fs::write(&wrong, "another one").unwrap();
    let environment = [("PBM_REDIS__PASSWORD_FILE", wrong.to_str().unwrap())];
    let second = harness::start_serve(&site.config, &environment);
    let book = book_of(&second);
    site.assert_right("with a wrong password", &book);
    book.changes("", 10).expect(503);
    put_user(&client_of(&second), "written-there").expect_success();
    site.assert_right("written with a wrong password", &book);
    harness::soon("seen by the other process", || book_of(&serve).has("written-there@example.com"));
    site.assert_feed_is_back("of the other process", &book_of(&serve));
}

fn a_write_that_redis_did_not_hear_of_is_not_forgotten(_: &harness::World) {
    let (site, serve) = Site::start(&[]);
    site.fill(&serve, 20);
    let (book, client) = (book_of(&serve), client_of(&serve));
    assert_feed_answers("before", &book);
    let redis = site.installation.redis().pid().unwrap();
    let mut follower = book.follower(10);
    follower.catch_up();
    for round in 0..4 {
        let name = format!("unheard{round}x");
        signal(redis, Signal::STOP);
        put_user(&client, &name).expect_success();
        client.patch("/v2/users/default/u1@example.com", &format!("title={name}")).expect_success();
        client.delete(format!("/v2/users/default/u{}@example.com", 10 + round)).expect_success();
        signal(redis, Signal::CONT);
        // At the very moment at which Redis resumes.
        book.assert_suggested(&name, &[&name]);
        assert_eq!(book.contact("u1@example.com")["title"], name);
        assert!(!book.has(&format!("u{}@example.com", 10 + round)));
        let has_all =
            within(BACK, || follower.step() == Step::End && follower.contacts == site.expected_book());
        assert!(has_all, "{:?}", harness::difference(&follower.contacts, &site.expected_book()));
    }
    site.assert_right("at the end", &book);
}
