//! `pbm dev`: everything from one command, and nothing left behind.

use harness::{BUSY, Client, Serve, Signal, alive, program, run_program, within};
use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("it_serves_what_it_prints_and_ends_within_5_s_without_a_process_left", whole_life),
    ("it_goes_on_where_an_earlier_run_was_killed", after_a_kill),
    ("the_password_may_come_from_the_environment", given_password),
    ("another_domain_needs_another_folder", other_domain),
];

/// A folder for `pbm dev`, deleted with its contents at the end.
pub(crate) struct Dev {
    folder: TempDir,
}

impl Dev {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("pbm-tests-").tempdir().unwrap() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn start(&self, more: &[&str], environment: &[(&str, &str)]) -> Serve {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let data = self.data();
        let arguments = ["dev", "--data", data.to_str().unwrap(), "--listen", &address];
        let demo: &[&str] = if more.contains(&"--demo") { &[] } else { &["--demo", "5"] };
        let serve =
            Serve::start(&[&arguments, demo, more].concat(), environment, self.folder.path().join("log"));
        assert_eq!(serve.url(), format!("http://{address}"));
        serve
    }

    fn password(&self) -> String {
        let file = self.data().join("admin-password");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }
}

fn log_in(serve: &Serve, login: &str, password: &str) -> Client {
    let answer = serve.client().log_in(login, password).expect(200).json();
    assert_eq!(answer["role"], 3);
    serve.client().with_token(answer["access_token"].as_str().unwrap())
}

#[track_caller]
fn assert_ends(serve: &mut Serve, folder: &Path, signal: Signal) {
    let since = Instant::now();
    serve.signal(signal);
    assert_eq!(serve.wait(BUSY), Some(0), "it goes on after {:?}", since.elapsed());
    assert_eq!(alive(folder), Vec::<String>::new());
}

fn whole_life() {
    let dev = Dev::new();
    let since = Instant::now();
    let mut serve = dev.start(&[], &[]);
    assert!(since.elapsed() < Duration::from_secs(10) + BUSY, "{:?}", since.elapsed());
    let client = log_in(&serve, "admin@example.com", &dev.password());
    let users = client.get("/v2/users/default").expect(200).json();
    assert_eq!(users["count"], 6);
    let has_cyrillic = |name: &str| name.chars().any(|c| ('а'..='я').contains(&c));
    let names: Vec<_> =
        users["users"].as_array().unwrap().iter().map(|user| user["cn"].as_str().unwrap()).collect();
    assert!(
        names.iter().any(|name| has_cyrillic(name)) && names.iter().any(|name| name.is_ascii()),
        "{names:?}"
    );
    let known = dev.password();
    assert!(!serve.greeting.contains(&known) && !serve.log().contains(&known), "the password is printed");
    printed_lines_work(&serve.greeting);
    client.get("/v2/users/default/vera@example.com").expect(200);
    assert_eq!(alive(dev.folder.path()).len(), 2, "{:?}", alive(dev.folder.path()));
    assert_ends(&mut serve, dev.folder.path(), Signal::TERM);
    // Everything is kept for the next run, which ends at Ctrl-C.
    let mut serve = dev.start(&[], &[]);
    assert_eq!(dev.password(), known);
    log_in(&serve, "admin@example.com", &known).get("/v2/users/default/vera@example.com").expect(200);
    assert_ends(&mut serve, dev.folder.path(), Signal::INT);
}

/// Runs all five curl lines in one shell.
fn printed_lines_work(greeting: &str) {
    let lines: Vec<_> = greeting.lines().filter(|line| line.contains("curl ")).collect();
    assert_eq!(lines.len(), 5, "{greeting}");
    let output =
        run_program(&program("bash"), ["-c", &lines.join("\necho\n")], &[], "").expect_success().stdout;
    let answers: Vec<serde_json::Value> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {output}")))
        .collect();
    assert_eq!(answers.len(), 4, "{output}");
    assert_eq!(answers[0]["count"], 6);
    assert_eq!((&answers[1]["success"], &answers[2]["success"]), (&true.into(), &true.into()));
    assert_eq!((&answers[3]["cn"], &answers[3]["ou"]), (&"Вера".into(), &"Development".into()));
}

fn after_a_kill() {
    let dev = Dev::new();
    let mut serve = dev.start(&[], &[]);
    let password = dev.password();
    let client = log_in(&serve, "admin@example.com", &password);
    client.patch("/v2/users/default/admin@example.com", "title=Kept").expect_success();
    serve.signal(Signal::KILL);
    assert!(serve.wait(BUSY).is_some());
    // At once: its servers may still be stopping.
    let serve = dev.start(&[], &[]);
    let client = log_in(&serve, "admin@example.com", &password);
    assert_eq!(client.get("/v2/users/default/admin@example.com").expect(200).json()["title"], "Kept");
    assert_eq!(client.get("/v2/users/default").expect(200).json()["count"], 6);
    drop(serve);
    assert!(
        within(Duration::from_secs(5), || alive(dev.folder.path()).is_empty()),
        "{:?}",
        alive(dev.folder.path())
    );
}

fn given_password() {
    let dev = Dev::new();
    let given = [("PBM_ADMIN_PASSWORD", "Given-Secret-1")];
    let mut serve = dev.start(&[], &given);
    log_in(&serve, "admin@example.com", "Given-Secret-1");
    assert!(!serve.greeting.contains("Given-Secret-1"));
    assert_ends(&mut serve, dev.folder.path(), Signal::TERM);
    let serve = dev.start(&[], &[("PBM_ADMIN_PASSWORD", "Given-Secret-2")]);
    log_in(&serve, "admin@example.com", "Given-Secret-2");
    serve.client().log_in("admin@example.com", "Given-Secret-1").expect(401);
}

fn other_domain() {
    let dev = Dev::new();
    let serve = dev.start(&["--domain", "firma.test"], &[]);
    let client = log_in(&serve, "admin@firma.test", &dev.password());
    assert_eq!(client.get("/v2/users/default").expect(200).json()["count"], 6);
    drop(serve);
    let data = dev.data();
    let arguments =
        ["dev", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--domain", "other.test"];
    let refused = run_program(harness::pbm(), arguments, &[], "").expect_failure();
    assert!(refused.stderr.contains("firma.test") && refused.stderr.contains("--data"), "{refused:?}");
}
