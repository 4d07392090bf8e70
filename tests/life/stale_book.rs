//! A directory that is down: the address book answers from the projection for the configured time, and reports the
//! failure afterwards.

use crate::site::{Site, assert_feed_answers, book_of, client_of, put_user};
use harness::{Answer, BUSY, Book, Serve, World, assert_error, within};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

harness::trials! { "stale_book":
    the_address_book_outlives_the_directory_for_its_lifetime_alone,
    a_directory_that_is_back_in_time_costs_no_request,
    a_token_counts_as_long_as_the_copy_is_answered_from,
    without_a_projection_a_dead_directory_is_told_at_once,
}

const LIFETIME: Duration = Duration::from_secs(4);
/// The clocks of servers and trial are read at different moments.
const SLACK: Duration = Duration::from_millis(1500);

fn site() -> (Site, Serve) {
    let (site, serve) = Site::start(&[("address_book.cache.lifetime", "\"4s\"")]);
    site.fill(&serve, 20);
    assert_feed_answers("before", &book_of(&serve));
    (site, serve)
}

/// Every way of reading that needs no directory.
fn answers(book: &Book) -> Vec<Answer> {
    vec![book.get("limit=5"), book.ask("ким7x", ""), book.export("format=json")]
}

fn the_address_book_outlives_the_directory_for_its_lifetime_alone(_: &World) {
    let (mut site, serve) = site();
    let book = book_of(&serve);
    let bodies = |answers: &[Answer]| answers.iter().map(Answer::text).collect::<Vec<_>>();
    let before = bodies(&answers(&book));
    let died = Instant::now();
    site.installation.directory.kill();
    let mut answered = 0;
    let expired = loop {
        let asked = Instant::now();
        let answers = answers(&book);
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(asked.elapsed() < Duration::from_secs(2) + BUSY, "{:?}", asked.elapsed());
        if statuses.contains(&503) {
            answers.iter().filter(|answer| answer.status != 200).for_each(|answer| assert_error(answer, 503));
            break asked.duration_since(died);
        }
        assert_eq!(statuses, [200, 200, 200]);
        assert_eq!(bodies(&answers), before);
        answered += 1;
        assert!(died.elapsed() < LIFETIME + 2 * SLACK + BUSY, "answered for {:?}", died.elapsed());
        sleep(Duration::from_millis(50));
    };
    assert!(answered > 10, "answered {answered} times");
    assert!(expired + SLACK > LIFETIME, "no answer after {expired:?}");
    // This stays so as long as the directory is down.
    for answer in (0..3).flat_map(|_| answers(&book)) {
        assert_error(&answer, 503);
    }
    assert_error(&put_user(&client_of(&serve), "new"), 503);
    site.installation.directory.start_again().unwrap();
    assert!(within(Duration::from_secs(2), || answers(&book).iter().all(|answer| answer.status == 200)));
    site.assert_right("the directory is back", &book);
    site.assert_feed_is_back("the directory is back", &book);
    site.assert_followed("followed again", &book, Duration::from_secs(1));
}

fn a_directory_that_is_back_in_time_costs_no_request(_: &World) {
    let (mut site, serve) = site();
    let book = book_of(&serve);
    let mut follower = book.follower(100);
    follower.catch_up();
    for round in 0..3 {
        site.installation.directory.kill();
        for answer in answers(&book) {
            answer.expect(200);
        }
        site.installation.directory.start_again().unwrap();
        // Changed by a client that was faster than the follower.
        let name = format!("back{round}");
        let ldif = crate::site::user_ldif(&site.root(), "default", &name, "Back");
        site.installation.probe().modify(&ldif);
        let is_seen = within(Duration::from_secs(5), || {
            let answer = book.get("view=all&limit=1000").expect(200);
            answer.text().contains(&name)
        });
        assert!(is_seen, "{name}");
        site.assert_right("back", &book);
        harness::assert_same("a follower", &follower.catch_up().clone(), &site.expected_book());
    }
}

fn a_token_counts_as_long_as_the_copy_is_answered_from(_: &World) {
    let (mut site, serve) = Site::start(&[("address_book.cache.lifetime", "\"9s\"")]);
    site.fill(&serve, 20);
    assert_feed_answers("before", &book_of(&serve));
    let token = serve.client().log_in(&World::root_login(), World::root_password()).expect(200).json();
    let client = serve.client().with_token(token["access_token"].as_str().unwrap());
    let book = Book::new(&client, "default");
    book.get("limit=5").expect(200);
    site.installation.directory.kill();
    let died = Instant::now();
    // Longer than a cached account is accepted while the directory responds.
    while died.elapsed() < Duration::from_secs(7) {
        book.get("limit=5").expect(200);
        sleep(Duration::from_millis(100));
    }
    assert_error(&client.get("/v2/tenants/default"), 503);
    assert_error(&client.with_token("x").get("/v2/addressbook/default"), 401);
    assert!(within(Duration::from_secs(9), || book.get("limit=5").status == 503), "it never ends");
    site.installation.directory.start_again().unwrap();
    assert!(within(Duration::from_secs(5), || book.get("limit=5").status == 200));
    // Once the directory responds, the administrator can write again.
    client.delete("/v2/users/default/u1@example.com").expect_success();
}

fn without_a_projection_a_dead_directory_is_told_at_once(_: &World) {
    let (mut site, serve) = Site::start(&[("address_book.cache.enabled", "false")]);
    site.fill(&serve, 5);
    let book = book_of(&serve);
    site.installation.directory.kill();
    for answer in answers(&book) {
        assert_error(&answer, 503);
    }
    site.installation.directory.start_again().unwrap();
    site.assert_right("back", &book);
}
