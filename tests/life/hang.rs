//! A directory that accepts connections but does not respond: it is distinguished from a slow one, costs no request its
//! time limit, and is used again when it recovers.

use crate::{
    gate::Gate,
    running::{PATIENCE, Running, pid_of},
    site::user_ldif,
};
use harness::{
    Answer, Client, Installation, Serve, Setup, Signal, World, assert_error, bench, form, pbm, program,
    signal, start_serve, within,
};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

harness::trials! { "hang":
    a_hang_under_load_turns_health_red_and_costs_fast_503_and_few_connections,
    a_pause_of_a_second_fails_no_request_and_turns_nothing_red,
    one_slow_operation_is_no_hang,
    the_next_server_is_used_when_the_first_hangs,
    a_backup_survives_a_short_hang_and_says_so,
    a_restore_survives_a_short_hang,
    a_command_ends_where_nothing_answers,
    the_benchmark_ends_on_a_signal_while_the_directory_hangs,
}

/// A hang is detected within three seconds. The machine may be busy with other trials, so some more are allowed;
/// without the health check it took ten.
const KNOWN: Duration = Duration::from_secs(5);
/// The same for a response that waits for nothing.
const AT_ONCE: Duration = Duration::from_millis(1500);
/// Connections to a server that hangs: that of the health check, and one that replaces it.
const FEW: usize = 2;
const HANG: Duration = Duration::from_secs(20);
/// Answered from memory while the projection is in step with the directory, and for a while after that.
const READ: &str = "/v2/users/default/admin@example.com";

/// One request.
struct Sample {
    began: Instant,
    ended: Instant,
    answer: Answer,
    /// For a write: the user to create.
    user: Option<String>,
}

fn sample(user: Option<String>, send: impl FnOnce() -> Answer) -> Sample {
    let began = Instant::now();
    let answer = send();
    Sample { began, ended: Instant::now(), answer, user }
}

impl Sample {
    fn took(&self) -> Duration {
        self.ended - self.began
    }

    fn is_done(&self) -> bool {
        self.answer.status == 200
    }
}

/// The results of clients and a load balancer during an event.
struct Seen {
    requests: Vec<Sample>,
    health: Vec<Sample>,
}

impl Seen {
    fn slowest(&self) -> Duration {
        self.requests.iter().map(Sample::took).max().unwrap()
    }
}

/// Eight clients read and write, and one requests the health, during an event.
fn watch<T>(client: &Client, body: impl FnOnce() -> T) -> (Seen, T) {
    let over = AtomicBool::new(false);
    let until_over = |send: &dyn Fn(usize) -> Sample, pause: u64| {
        let mut samples = Vec::new();
        while !over.load(Ordering::Relaxed) {
            samples.push(send(samples.len()));
            sleep(Duration::from_millis(pause));
        }
        samples
    };
    scope(|scope| {
        let until_over = &until_over;
        let clients: Vec<_> = (0..8)
            .map(|worker| scope.spawn(move || until_over(&|number| request(client, worker, number), 5)))
            .collect();
        let health = scope.spawn(move || until_over(&|_| sample(None, || client.get("/health/ready")), 100));
        let done = body();
        over.store(true, Ordering::Relaxed);
        let requests = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (Seen { requests, health: health.join().unwrap() }, done)
    })
}

fn request(client: &Client, worker: usize, number: usize) -> Sample {
    if !worker.is_multiple_of(2) {
        return sample(None, || client.get(READ));
    }
    let name = format!("w{worker}n{number}");
    let made = sample(Some(name.clone()), || put(client, &name));
    if !made.is_done() {
        assert_error(&made.answer, 503);
        assert!(made.answer.header("retry-after").is_some(), "{:?}", made.answer);
    }
    made
}

fn put(client: &Client, name: &str) -> Answer {
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", name), ("sn", "Load")];
    client.put(format!("/v2/users/default/{name}@example.com"), &form(&fields))
}

fn client_of(serve: &Serve) -> Client {
    let answer = serve.client().log_in(&World::root_login(), World::root_password()).expect(200);
    serve.client().with_token(answer.json()["access_token"].as_str().unwrap())
}

/// All connections, complete or in progress, to a port of this machine.
fn connections_to(url: &str) -> usize {
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let wanted = format!("{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_one = |line: &&str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let to = fields.next().and_then(|remote| remote.rsplit(':').next());
        // ESTABLISHED and SYN_SENT
        to == Some(&wanted) && matches!(fields.next(), Some("01" | "02"))
    };
    table.lines().filter(is_one).count()
}

fn count(log: &str, event: &str) -> usize {
    log.lines().filter(|line| line.contains(event)).count()
}

fn a_hang_under_load_turns_health_red_and_costs_fast_503_and_few_connections(_: &World) {
    let installation = Installation::start(Setup::default());
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = client_of(&serve);
    let (url, directory) = (installation.directory.url(), installation.directory.pid().unwrap());
    let (seen, (hung, counts, back, first)) = watch(&client, || {
        sleep(Duration::from_secs(2));
        signal(directory, Signal::STOP);
        let (hung, mut counts) = (Instant::now(), Vec::new());
        while hung.elapsed() < HANG {
            sleep(Duration::from_millis(250));
            counts.push((hung.elapsed(), connections_to(&url)));
        }
        signal(directory, Signal::CONT);
        let back = Instant::now();
        assert!(within(KNOWN, || client.get("/health/ready").status == 200), "not green in {KNOWN:?}");
        let first = client.get(READ);
        sleep(Duration::from_secs(2));
        (hung, counts, back, first)
    });
    first.expect(200);
    let red = seen.health.iter().find(|sample| !sample.is_done()).expect("health turns red");
    assert_error(&red.answer, 503);
    assert!(
        red.ended > hung && red.ended - hung < KNOWN,
        "red after {:?}",
        red.ended.checked_duration_since(hung)
    );
    let known = red.ended;
    let meanwhile = |sample: &&Sample| sample.began > known && sample.ended < back;
    for sample in seen.requests.iter().chain(&seen.health).filter(meanwhile) {
        assert!(sample.took() < AT_ONCE, "{:?}", sample.took());
    }
    let writes = seen.requests.iter().filter(|sample| sample.user.is_some());
    for sample in writes.chain(&seen.health).filter(meanwhile) {
        assert_eq!(sample.answer.status, 503, "{:?}", sample.answer);
    }
    assert!(seen.requests.iter().filter(meanwhile).count() > 200, "hardly a request while it hung");
    assert!(seen.slowest() < KNOWN, "a request took {:?}", seen.slowest());
    let before = seen.requests.iter().filter(|sample| sample.ended < hung);
    let after = seen.requests.iter().filter(|sample| sample.began > back + KNOWN);
    assert!(before.chain(after).all(Sample::is_done));
    for (at, count) in counts.into_iter().filter(|(at, _)| *at > KNOWN) {
        assert!(count <= FEW, "{count} connections after {at:?}");
    }
    assert_writes_are_as_said(&installation, &seen);
    let log = serve.log();
    assert_eq!((count(&log, "directory.hang.began"), count(&log, "directory.hang.ended")), (1, 1));
    assert!(log.contains(&url) && log.contains("A directory that hangs"), "{log}");
    // The requests in progress when it began, including writes with an unknown outcome.
    assert!(count(&log, "http.request.failed") < 20, "{} failures", count(&log, "http.request.failed"));
}

/// Acknowledged writes took effect; writes that were reported as having changed nothing did not.
fn assert_writes_are_as_said(installation: &Installation, seen: &Seen) {
    let present = installation.probe().find("(sn=Load)");
    for sample in &seen.requests {
        let Some(name) = &sample.user else { continue };
        let is_there = present.iter().any(|entry| entry.one("cn") == name);
        let text = sample.answer.text();
        if sample.is_done() {
            assert!(is_there, "{name} was acknowledged and is lost");
        } else if text.contains("nothing was changed") {
            assert!(!is_there, "{name}: {text}");
        } else {
            assert!(text.contains("may or may not have been made"), "{name}: {text}");
        }
    }
}

fn a_pause_of_a_second_fails_no_request_and_turns_nothing_red(_: &World) {
    let installation = Installation::start(Setup::default());
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = client_of(&serve);
    let directory = installation.directory.pid().unwrap();
    let (seen, ()) = watch(&client, || {
        for _ in 0..3 {
            sleep(Duration::from_millis(700));
            signal(directory, Signal::STOP);
            sleep(Duration::from_secs(1));
            signal(directory, Signal::CONT);
        }
        sleep(Duration::from_secs(1));
    });
    for sample in seen.requests.iter().chain(&seen.health) {
        assert_eq!(sample.answer.status, 200, "{:?}", sample.answer);
    }
    assert!(seen.slowest() > Duration::from_millis(900), "nothing met the pause");
    assert_eq!(count(&serve.log(), "directory.hang"), 0, "{}", serve.log());
}

/// A configuration with other directory servers than the usual one.
fn with_urls(installation: &Installation, urls: &[&str]) -> PathBuf {
    installation.config("hang.toml", &[("ldap.urls", &format!("{urls:?}"))])
}

fn one_slow_operation_is_no_hang(_: &World) {
    let installation = Installation::start(Setup::default());
    let gate = Gate::before(&installation.directory.url());
    let serve = start_serve(&with_urls(&installation, &[&gate.url()]), &[]);
    let client = client_of(&serve);
    put(&client, "slow").expect_success();
    let slow = Duration::from_secs(6);
    gate.hold("slow@example.com", slow);
    let path = "/v2/users/default/slow@example.com/maillists";
    let (seen, sample) = watch(&client, || sample(None, || client.get(path)));
    assert!(sample.is_done() && sample.took() >= slow, "{:?} after {:?}", sample.answer, sample.took());
    for sample in seen.requests.iter().chain(&seen.health) {
        assert_eq!(sample.answer.status, 200, "{:?}", sample.answer);
    }
    assert_eq!(count(&serve.log(), "directory.hang"), 0, "{}", serve.log());
}

fn the_next_server_is_used_when_the_first_hangs(_: &World) {
    let installation = Installation::start(Setup::default());
    let gate = Gate::before(&installation.directory.url());
    let urls = [gate.url(), installation.directory.url()];
    let serve = start_serve(&with_urls(&installation, &urls.each_ref().map(String::as_str)), &[]);
    let client = client_of(&serve);
    let (seen, hung) = watch(&client, || {
        sleep(Duration::from_secs(1));
        gate.shut();
        let hung = Instant::now();
        sleep(Duration::from_secs(8));
        gate.open();
        sleep(Duration::from_secs(2));
        hung
    });
    // Reads in progress are sent to the other server; the outcome of a write is unknown.
    let reads = seen.requests.iter().filter(|sample| sample.user.is_none());
    for sample in reads.chain(&seen.health) {
        assert_eq!(sample.answer.status, 200, "{:?}", sample.answer);
    }
    assert!(seen.slowest() < KNOWN, "{:?}", seen.slowest());
    let late: Vec<_> = seen.requests.iter().filter(|sample| sample.began > hung + KNOWN).collect();
    assert!(late.len() > 50, "hardly a request of the second server: {}", late.len());
    for sample in late {
        assert!(sample.is_done() && sample.took() < AT_ONCE, "{:?} after {:?}", sample.answer, sample.took());
    }
    assert_writes_are_as_said(&installation, &seen);
    let log = serve.log();
    assert_eq!((count(&log, "directory.hang.began"), count(&log, "directory.hang.ended")), (1, 1), "{log}");
}

fn a_backup_survives_a_short_hang_and_says_so(_: &World) {
    let installation = Installation::start(Setup::default());
    let directory = installation.directory.pid().unwrap();
    let file = installation.file("all.ldif");
    signal(directory, Signal::STOP);
    let since = Instant::now();
    let mut backup = Running::pbm(&installation, &["backup", "--output", file.to_str().unwrap()]);
    backup.wait_for("directory.hang.began");
    assert!(since.elapsed() < KNOWN, "said after {:?}", since.elapsed());
    sleep(Duration::from_secs(1));
    signal(directory, Signal::CONT);
    backup.expect_success();
    assert!(fs::read_to_string(&file).unwrap().contains("# pbm backup: sha256"));
}

fn a_restore_survives_a_short_hang(_: &World) {
    const USERS: usize = 3000;
    let installation = Installation::start(Setup::default());
    let (probe, directory) = (installation.probe(), installation.directory.pid().unwrap());
    let entries =
        (0..USERS).map(|number| user_ldif(&probe.root, "default", &format!("u{number}"), "Restored"));
    let ldif: String = entries.map(|entry| entry.replace("changetype: add\n", "") + "\n").collect();
    let file = installation.file("users.ldif");
    fs::write(&file, ldif).unwrap();
    // By DN: on Berkeley DB an index search concurrent with many adds can hang the server permanently.
    let hundredth = format!("mail=u100@example.com,ou=default,ou=People,{}", probe.root);
    let mut restore = Running::pbm(&installation, &["restore", file.to_str().unwrap()]);
    assert!(within(PATIENCE, || probe.entry(&hundredth).is_some()), "it does not begin: {}", restore.log());
    signal(directory, Signal::STOP);
    assert!(restore.child.try_wait().unwrap().is_none(), "it was over before the hang: {}", restore.log());
    restore.wait_for("directory.hang.began");
    sleep(Duration::from_secs(2));
    signal(directory, Signal::CONT);
    restore.expect_success();
    assert_eq!(probe.find("(sn=Restored)").len(), USERS);
}

fn a_command_ends_where_nothing_answers(_: &World) {
    let installation = Installation::start(Setup::default());
    let directory = installation.directory.pid().unwrap();
    let config = installation.config("patient.toml", &[("ldap.operation_timeout", "\"1s\"")]);
    signal(directory, Signal::STOP);
    for command in [&["purge"][..], &["check"], &["tenant", "create", "acme", "--domain", "acme.example"]] {
        let since = Instant::now();
        let done = installation.pbm(&config, command).expect_failure();
        assert!(since.elapsed() < Duration::from_secs(10), "{command:?}: {:?}", since.elapsed());
        assert!(done.output().contains("the server hangs"), "{command:?}: {done:?}");
    }
    signal(directory, Signal::CONT);
    installation.pbm(&config, &["check"]).expect_success();
}

fn the_benchmark_ends_on_a_signal_while_the_directory_hangs(_: &World) {
    let [folder, logs] =
        ["servers", "logs"].map(|_| tempfile::Builder::new().prefix("pbm-tests-").tempdir().unwrap());
    let arguments = ["--users", "100", "--only", "read", "--seconds", "1", "--rounds", "1000"];
    let mut command = Command::new(program("setpriv"));
    command.args(["--pdeathsig", "TERM", "--"]).arg(bench()).args(arguments).arg("--pbm").arg(pbm());
    command.env("TMPDIR", folder.path());
    let mut benchmark = Running::start(&mut command, logs.path().join("bench.log"));
    benchmark.wait_for("round 1, ours");
    let directory = pid_of("ns-slapd", folder.path()).expect("389-ds runs");
    signal(directory, Signal::STOP);
    sleep(Duration::from_millis(500));
    signal(benchmark.child.id(), Signal::TERM);
    let ended = within(Duration::from_secs(10), || benchmark.child.try_wait().unwrap().is_some());
    signal(directory, Signal::CONT);
    assert!(ended, "it does not end: {}", benchmark.log());
    assert!(!benchmark.child.wait().unwrap().success());
    assert_eq!(harness::alive(folder.path()), [""; 0]);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|left| left.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
