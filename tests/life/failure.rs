//! A directory that dies, hangs, or does not exist. Each trial has one of its own.

use harness::{
    BUSY, Client, Installation, Serve, Setup, Signal, World, assert_error, signal, start_serve, within,
};
use std::{
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

harness::trials! { "failure":
    a_directory_killed_under_load_costs_only_503_and_nothing_that_was_acknowledged,
    a_directory_that_hangs_costs_bounded_time,
    readiness_turns_red_and_green_again_and_the_process_lives,
    a_dead_first_url_is_passed_over,
    a_silent_first_url_is_passed_over,
    a_server_starts_without_a_directory_and_serves_once_it_is_there,
    a_restarted_directory_is_used_by_the_first_request,
}

/// One request of the load.
struct Sample {
    began: Instant,
    took: Duration,
    status: u16,
    created: Option<String>,
}

/// Its path and form.
fn new_user(name: &str) -> (String, String) {
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", name), ("sn", "Load")];
    (format!("/v2/users/default/{name}@example.com"), harness::form(&fields))
}

/// Creates and reads users until it is stopped.
fn load(client: &Client, worker: usize, over: &AtomicBool) -> Vec<Sample> {
    let mut samples = Vec::new();
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("w{worker}n{number}");
        let (path, form) = new_user(&name);
        let began = Instant::now();
        let writes = worker.is_multiple_of(2);
        let answer =
            if writes { client.put(&path, &form) } else { client.get("/v2/users/default/admin@example.com") };
        let took = began.elapsed();
        if answer.status != 200 {
            assert_error(&answer, 503);
        }
        let created = (writes && answer.status == 200).then_some(name);
        samples.push(Sample { began, took, status: answer.status, created });
        sleep(Duration::from_millis(2));
    }
    samples
}

fn root_client(serve: &Serve) -> Client {
    let answer = serve.client().log_in(&World::root_login(), World::root_password()).expect(200);
    serve.client().with_token(answer.json()["access_token"].as_str().unwrap())
}

fn a_directory_killed_under_load_costs_only_503_and_nothing_that_was_acknowledged(_: &World) {
    let mut installation = Installation::start(Setup { durable: true, ..Setup::default() });
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = root_client(&serve);
    let over = AtomicBool::new(false);
    let (samples, killed, back) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (client, over) = (&client, &over);
                scope.spawn(move || load(client, worker, over))
            })
            .collect();
        sleep(Duration::from_secs(2));
        let killed = Instant::now();
        installation.directory.kill();
        sleep(Duration::from_secs(3));
        let started = installation.directory.start_again();
        let back = Instant::now();
        sleep(Duration::from_secs(6));
        over.store(true, Ordering::Relaxed);
        started.unwrap();
        let samples: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        (samples, killed, back)
    });
    let slowest = samples.iter().map(|sample| sample.took).max().unwrap();
    assert!(slowest <= Duration::from_secs(2) + BUSY, "a request took {slowest:?}");
    let count = |wanted: &dyn Fn(&Sample) -> bool| samples.iter().filter(|sample| wanted(sample)).count();
    assert_eq!(count(&|s| s.began + s.took < killed && s.status != 200), 0, "before the kill");
    assert!(count(&|s| s.status == 503) > 0, "the kill was not noticed");
    let late = back + Duration::from_secs(3);
    assert_eq!(count(&|s| s.began > late && s.status != 200), 0, "three seconds after the return");
    assert!(count(&|s| s.began > late) > 50, "too few requests after the return");
    let acknowledged: Vec<_> = samples.iter().filter_map(|sample| sample.created.as_ref()).collect();
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let present = installation.probe().find("(sn=Load)");
    for name in acknowledged {
        assert!(present.iter().any(|entry| entry.one("cn") == name), "{name} was acknowledged and is lost");
    }
}

fn a_directory_that_hangs_costs_bounded_time(_: &World) {
    // With a Redis the list might come from memory.
    let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
    let config = installation.config("hang.toml", &[("ldap.operation_timeout", "\"1s\"")]);
    let serve = start_serve(&config, &[]);
    let client = root_client(&serve);
    client.get("/v2/users/default").expect(200);
    let directory = installation.directory.pid().unwrap();
    signal(directory, Signal::STOP);
    let paths = ["/v2/users/default", "/v2/users/default/admin@example.com"];
    std::thread::scope(|scope| {
        for number in 0..12 {
            let (client, path) = (&client, paths[number % 2]);
            scope.spawn(move || {
                for _ in 0..2 {
                    let since = Instant::now();
                    let answer = client.get(path).expect(503);
                    // The time limits of one operation and of the wait for a connection, each at most twice.
                    assert!(since.elapsed() < Duration::from_secs(5) + BUSY, "{:?}", since.elapsed());
                    assert!(answer.header("retry-after").is_some());
                }
            });
        }
    });
    let (path, form) = new_user("hung");
    let since = Instant::now();
    client.put(&path, &form).expect(503);
    serve.client().log_in("admin@example.com", "wrong").expect(503);
    assert!(since.elapsed() < Duration::from_secs(10) + BUSY);
    signal(directory, Signal::CONT);
    assert!(within(Duration::from_secs(2), || client.get("/v2/users/default").status == 200));
}

fn readiness_turns_red_and_green_again_and_the_process_lives(_: &World) {
    let mut installation = Installation::start(Setup::default());
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = serve.client();
    client.get("/health/ready").expect(200);
    installation.directory.kill();
    let is_red = || client.get("/health/ready").status == 503;
    assert!(within(Duration::from_millis(1500), is_red), "an answer is believed for a second");
    client.get("/health/ready").expect(503);
    client.get("/health/live").expect(200);
    installation.directory.start_again().unwrap();
    let is_green = || client.get("/health/ready").status == 200;
    assert!(within(Duration::from_millis(1500), is_green));
    assert!(!serve.log().contains("panicked"), "{}", serve.log());
}

/// A configuration with two URLs, of which the second works.
fn with_first_url(installation: &Installation, port: u16) -> std::path::PathBuf {
    let urls = format!("[\"ldap://127.0.0.1:{port}\", \"{}\"]", installation.directory.url());
    let changes = [("ldap.urls", urls.as_str()), ("ldap.operation_timeout", "\"1s\"")];
    installation.config("two-urls.toml", &changes)
}

fn a_dead_first_url_is_passed_over(world: &World) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let serve = start_serve(&with_first_url(world.installation(), port), &[]);
    serve.client().get("/health/ready").expect(200);
    let client = root_client(&serve);
    let waits = || {
        let since = Instant::now();
        client.get("/v2/users/default").expect(200);
        since.elapsed() >= Duration::from_secs(1)
    };
    let waited = (0..20).filter(|_| waits()).count();
    assert!(waited <= 2, "{waited} of 20 requests waited");
}

fn a_silent_first_url_is_passed_over(_: &World) {
    let installation = Installation::start(Setup::default());
    // Accepts connections and never responds.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = start_serve(&with_first_url(&installation, port), &[]);
    assert!(
        within(Duration::from_secs(6), || serve.client().get("/health/ready").status == 200),
        "the second server is never asked"
    );
    let client = root_client(&serve);
    client.get("/v2/users/default").expect(200);
    drop(listener);
}

fn a_server_starts_without_a_directory_and_serves_once_it_is_there(_: &World) {
    let mut installation = Installation::start(Setup::default());
    installation.directory.stop();
    let serve = start_serve(&installation.usual_config(), &[]);
    let since = Instant::now();
    serve.client().log_in("admin@example.com", "x").expect(503);
    serve.client().behind(harness::ALLOWED_ADDRESS).get("/v2/users/default").expect(503);
    assert!(since.elapsed() < Duration::from_secs(2) + BUSY);
    installation.directory.start_again().unwrap();
    let client = root_client(&serve);
    client.get("/v2/users/default").expect(200);
}

fn a_restarted_directory_is_used_by_the_first_request(_: &World) {
    let mut installation = Installation::start(Setup::default());
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = root_client(&serve);
    for round in 0..3 {
        for _ in 0..8 {
            client.get("/v2/users/default").expect(200);
        }
        installation.directory.stop();
        installation.directory.start_again().unwrap();
        // The pooled connections are dead, which must not fail any request, not even a write.
        if round == 1 {
            let (path, form) = new_user("first");
            client.put(&path, &form).expect_success();
        } else {
            client.get("/v2/users/default").expect(200);
        }
    }
}
