//! `pbm addressbook follow`: its output and its state file for all responses of the server, which this test plays.

use harness::{BUSY, Finished, Signal, pbm, program, run_program, signal, within};
use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("the_first_run_walks_through_everything_and_the_next_goes_on", first_walk),
    ("a_server_that_is_busy_is_waited_for", busy),
    ("a_token_that_is_gone_starts_over", gone),
    ("broken_answers_are_asked_for_again_and_leave_nothing", broken),
    ("a_server_that_is_not_there_yet_is_waited_for", refused_connections),
    ("tokens_are_had_by_login_and_replaced", tokens),
    ("what_asking_again_does_not_help_ends_it", lasting),
    ("changes_are_printed_as_they_come_until_a_signal", signals),
    ("a_request_that_hangs_does_not_hold_up_a_signal", hanging),
    ("nobody_reading_ends_it_quietly", broken_pipe),
    ("https_is_trusted_by_the_ca_file_only", https),
    ("wrong_commands_are_told_in_words", wrong_commands),
];

/// A page that leads to a token.
fn page(changes: &[&str], since: &str, more: bool) -> String {
    ok(&format!(r#"{{"changes":[{}],"since":"{since}","more":{more}}}"#, changes.join(",")))
}

fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const IVAN: &str =
    r#"{"op":"put","contact":{"id":"1","kind":"user","mail":"ivan@x.ru","displayName":"Иван"}}"#;
const ANNA: &str = r#"{"op":"put", "contact":{"id":"2","mail":"anna@x.ru","displayName":"\u0410нна\n"}}"#;
const GONE: &str = r#"{"op":"delete","id":"1"}"#;
const RESET: &str = r#"{"op":"reset"}"#;

/// Gives its answers one by one, one for each connection, and then none.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: impl IntoIterator<Item = String>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    fn on(listener: TcpListener, answers: impl IntoIterator<Item = String>) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read_request(&stream) else { continue };
                noted.lock().unwrap().push(request);
                if let Some(answer) = answers.pop_front() {
                    // A client may close the connection early.
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Self { url, requests }
    }

    /// The requests, one per line: method and path, token, body.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        head.iter().find_map(|line| line.to_lowercase().starts_with(name).then(|| line[name.len()..].trim()))
    };
    let length = header("content-length:").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let token = header("authorization:").map_or_else(String::new, |token| format!(" {token}"));
    let asked = head[0].trim_end_matches(" HTTP/1.1");
    Some(format!("{asked}{token} {}", String::from_utf8(body).unwrap()).trim_end().to_owned())
}

/// A folder with a state file.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> String {
        fs::read_to_string(self.file("state")).unwrap()
    }

    fn arguments(&self, url: &str, more: &[&str]) -> Vec<String> {
        let state = self.file("state");
        let usual =
            ["addressbook", "follow", "--tenant", "acme", "--url", url, "--interval", "50ms", "--state"];
        [&usual[..], &[state.to_str().unwrap()], more].concat().into_iter().map(str::to_owned).collect()
    }

    fn once(&self, server: &Server, more: &[&str]) -> Finished {
        run_program(pbm(), self.arguments(&server.url, &[&["--once"], more].concat()), &[], "")
    }

    fn start(&self, url: &str) -> Child {
        Command::new(pbm())
            .args(self.arguments(url, &[]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn lines(lines: &[&str]) -> String {
    [&lines.join("\n"), "\n"].concat()
}

/// Requests for changes after these tokens.
fn since(tokens: &[&str]) -> Vec<String> {
    let path = |token| format!("GET /v2/addressbook/acme/changes?since={token}&limit=500");
    tokens.iter().map(path).collect()
}

fn first_walk() {
    let fixture = Fixture::new();
    let server = Server::start([
        page(&[IVAN], "a-1", true),
        page(&[ANNA, GONE], "a_2.~/+=", true),
        page(&[], "a3", false),
        page(&[IVAN], "a4", false),
    ]);
    let done = fixture.once(&server, &[]).expect_success();
    assert_eq!(done.stdout, lines(&[IVAN, ANNA, GONE]));
    assert_eq!(done.stderr, "");
    assert_eq!(fixture.state(), "a3\n");
    let done = fixture.once(&server, &["--limit", "500"]).expect_success();
    assert_eq!((done.stdout, fixture.state()), (lines(&[IVAN]), "a4\n".to_owned()));
    assert_eq!(server.requests(), since(&["", "a%2D1", "a%5F2%2E%7E%2F%2B%3D", "a3"]));
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 1, "only the state is left");
}

fn busy() {
    let fixture = Fixture::new();
    let server = Server::start([
        answer("503 Service Unavailable", "Retry-After: 1\r\n", r#"{"message":"is being filled."}"#),
        answer("429 Too Many Requests", "", ""),
        answer("502 Bad Gateway", "", "<html>"),
        page(&[IVAN], "a", false),
    ]);
    let start = Instant::now();
    let done = fixture.once(&server, &[]).expect_success();
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After is honoured");
    assert_eq!(done.stdout, lines(&[IVAN]));
    assert_eq!(
        done.stderr,
        "pbm: the server answers 503: is being filled; trying again\n\
         pbm: the server answers 429; trying again\n\
         pbm: the server answers 502; trying again\n\
         pbm: the server answers again\n"
    );
}

fn gone() {
    let fixture = Fixture::new();
    fs::write(fixture.file("state"), "old\n").unwrap();
    let server = Server::start([
        answer("410 Gone", "", r#"{"message":"start over without since"}"#),
        answer("410 Gone", "", ""),
        page(&[ANNA], "new", false),
    ]);
    let done = fixture.once(&server, &[]).expect_success();
    assert_eq!(done.stdout, lines(&[RESET, ANNA]));
    assert!(done.stderr.contains("410 to a request without a token; trying again"), "{done:?}");
    assert_eq!(fixture.state(), "new\n");
    assert_eq!(server.requests(), since(&["old", "", ""]));

    // Killed between the two: the state file has the older token.
    fs::write(fixture.file("state"), "old\n").unwrap();
    let server = Server::start([answer("410 Gone", "", ""), answer("404 Not Found", "", "")]);
    let done = fixture.once(&server, &[]).expect_failure();
    assert_eq!((done.stdout, fixture.state()), (lines(&[RESET]), "\n".to_owned()));
}

fn broken() {
    let fixture = Fixture::new();
    fs::write(fixture.file("state"), "kept").unwrap();
    let whole = page(&[IVAN, ANNA], "a", false);
    let half = &whole[..whole.len() / 2];
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"changes\":[],\"s";
    let server = Server::start([
        half.to_owned(),
        String::new(),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n".to_owned(),
        chunked.to_owned(),
        ok("<html>"),
        ok("{}"),
        ok(r#"{"changes":[{}],"since":"","more":true}"#),
        whole.clone(),
    ]);
    let done = fixture.once(&server, &[]).expect_success();
    assert_eq!(done.stdout, lines(&[IVAN, ANNA]));
    assert_eq!(fixture.state(), "a\n");
    assert_eq!(server.requests(), since(&["kept"; 9]));
    assert!(done.stderr.contains("the answer is broken: "), "{done:?}");
}

fn refused_connections() {
    let fixture = Fixture::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut follower = fixture.start(&format!("http://{address}"));
    std::thread::sleep(Duration::from_millis(300));
    let _server = Server::on(TcpListener::bind(address).unwrap(), [page(&[IVAN], "a", false)]);
    let mut first = String::new();
    BufReader::new(follower.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, lines(&[IVAN]));
    follower.kill().unwrap();
    let said = String::from_utf8(follower.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(said.matches("trying again").count(), 1, "the same is told once: {said}");
}

fn tokens() {
    let fixture = Fixture::new();
    let password = "Correct-Horse & 7";
    fs::write(fixture.file("password"), format!("{password}\n")).unwrap();
    let file = fixture.file("password");
    let login = ["--login", "reader@x.ru", "--password-file", file.to_str().unwrap()];
    let granted = |token: &str| ok(&format!(r#"{{"access_token":"{token}","expire":3600,"role":3}}"#));
    let expired = || answer("401 Unauthorized", "", r#"{"message":"TOKEN EXPIRED"}"#);
    let server = Server::start([
        answer("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        granted("t1"),
        page(&[IVAN], "a", true),
        expired(),
        granted("t2"),
        page(&[ANNA], "b", true),
        expired(),
        granted("t3"),
        expired(),
        expired(),
        granted("t4"),
        page(&[], "c", false),
    ]);
    let done = fixture.once(&server, &login).expect_success();
    assert_eq!(done.stdout, lines(&[IVAN, ANNA]));
    let auth = "POST /v2/auth login=reader%40x.ru&password=Correct-Horse+%26+7";
    let changes =
        |since, token| format!("GET /v2/addressbook/acme/changes?since={since}&limit=500 Bearer {token}");
    let asked = [
        auth.to_owned(),
        auth.to_owned(),
        changes("", "t1"),
        changes("a", "t1"),
        auth.to_owned(),
        changes("a", "t2"),
        changes("b", "t2"),
        auth.to_owned(),
        changes("b", "t3"),
        changes("b", "t3"),
        auth.to_owned(),
        changes("b", "t4"),
    ];
    assert_eq!(server.requests(), asked);
    for secret in [password, "t1", "t4"] {
        assert!(!done.output().contains(secret), "{done:?}");
    }

    let server = Server::start([answer("401 Unauthorized", "", r#"{"message":"is wrong"}"#)]);
    let arguments = fixture.arguments(&server.url, &login[..2]);
    let refused = run_program(pbm(), arguments, &[("PBM_PASSWORD", "other")], "");
    assert_eq!(refused.code, 1);
    assert_eq!(refused.stderr, "pbm: the log-in was refused: the server answers 401: is wrong\n");
    assert_eq!(server.requests(), ["POST /v2/auth login=reader%40x.ru&password=other"]);
}

fn lasting() {
    for (status, said) in [
        ("400 Bad Request", "pbm: the server answers 400: so it is\n"),
        ("403 Forbidden", "pbm: the server answers 403: so it is\n"),
        ("404 Not Found", "pbm: the server answers 404: so it is\n"),
        ("302 Found", "pbm: the server answers 302: so it is, a redirect: is --url right?\n"),
        (
            "401 Unauthorized",
            "pbm: the server answers 401: so it is; use --login, or put this machine's address into auth.allowed_subnets\n",
        ),
    ] {
        let fixture = Fixture::new();
        let refusal = answer(status, "Location: /v2/elsewhere\r\n", r#"{"message":"so it is"}"#);
        let server = Server::start([page(&[IVAN], "a", true), refusal]);
        let done = run_program(pbm(), fixture.arguments(&server.url, &[]), &[], "");
        assert_eq!((done.code, done.stdout, done.stderr), (1, lines(&[IVAN]), said.to_owned()));
        assert_eq!(fixture.state(), "a\n");
    }
}

fn signals() {
    for name in [Signal::TERM, Signal::INT] {
        let fixture = Fixture::new();
        let server = Server::start([
            page(&[IVAN], "a", false),
            page(&[], "a", false),
            page(&[], "a", true),
            page(&[ANNA], "b", false),
            answer("503 Service Unavailable", "Retry-After: 100\r\n", ""),
        ]);
        let mut follower = fixture.start(&server.url);
        let mut printed = BufReader::new(follower.stdout.take().unwrap()).lines();
        assert_eq!(printed.next().unwrap().unwrap(), IVAN);
        assert_eq!(printed.next().unwrap().unwrap(), ANNA);
        assert!(within(Duration::from_secs(5), || server.requests().len() == 5), "{:?}", server.requests());
        assert_ends(&mut follower, name);
        assert_eq!(fixture.state(), "b\n");
        assert!(printed.next().is_none());
    }
}

#[track_caller]
fn assert_ends(follower: &mut Child, name: Signal) {
    let since = Instant::now();
    signal(follower.id(), name);
    assert_eq!(follower.wait().unwrap().code(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(3) + BUSY, "{:?}", since.elapsed());
}

fn hanging() {
    let fixture = Fixture::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut follower = fixture.start(&format!("http://{}", listener.local_addr().unwrap()));
    let (stream, _) = listener.accept().unwrap();
    assert!(read_request(&stream).is_some());
    assert_ends(&mut follower, Signal::TERM);
}

fn broken_pipe() {
    let fixture = Fixture::new();
    let server = Server::start((0..100).map(|number| page(&[], &format!("a{number}"), false)));
    let mut follower = fixture.start(&server.url);
    assert!(within(Duration::from_secs(5), || !server.requests().is_empty()));
    drop(follower.stdout.take());
    assert_eq!(follower.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    follower.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");

    // In the middle of a page, which then counts as not printed.
    let long = IVAN.replace("Иван", &"И".repeat(500_000));
    let server = Server::start([page(&[&long], "b", false)]);
    fs::write(fixture.file("state"), "before\n").unwrap();
    let mut follower = fixture.start(&server.url);
    let mut beginning = [0; 10];
    let mut stdout = follower.stdout.take().unwrap();
    stdout.read_exact(&mut beginning).unwrap();
    drop(stdout);
    assert_eq!(follower.wait().unwrap().code(), Some(0));
    assert_eq!(fixture.state(), "before\n");
}

fn https() {
    let fixture = Fixture::new();
    let [key, certificate] =
        ["key.pem", "certificate.pem"].map(|name| fixture.file(name).display().to_string());
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pbm -addext \
                     subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout";
    let arguments = arguments.split_whitespace().chain([key.as_str(), "-out", &certificate]);
    run_program(&program("openssl"), arguments, &[], "").expect_success();
    // Serves files, each as a complete response.
    let folder = fixture.file("v2/addressbook/acme");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("changes?since=&limit=500"), page(&[IVAN], "a", false)).unwrap();
    let mut server = TlsServer::start(fixture.folder.path());
    let ended = |more: &[&str]| {
        run_program(pbm(), fixture.arguments(&server.url, &[more, &["--once"]].concat()), &[], "")
    };
    let done = ended(&["--ca-file", &certificate]).expect_success();
    assert_eq!((done.stdout, fixture.state()), (lines(&[IVAN]), "a\n".to_owned()));
    assert!(ended(&["--ca-file", &key]).expect_failure().stderr.contains("has no certificate in it"));

    let mut follower = fixture.start(&server.url);
    let mut said = String::new();
    BufReader::new(follower.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("certificate") && said.contains("trying again"), "{said}");
    assert_ends(&mut follower, Signal::TERM);
    server.stop();
}

/// `openssl s_server`.
struct TlsServer {
    url: String,
    child: Child,
}

impl TlsServer {
    fn start(folder: &Path) -> Self {
        let arguments =
            ["s_server", "-HTTP", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "certificate.pem"];
        let mut child = Command::new(program("openssl"))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = said.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
        // Its output about each connection must be consumed.
        std::thread::spawn(move || said.for_each(drop));
        Self { url: format!("https://{address}"), child }
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn wrong_commands() {
    let fixture = Fixture::new();
    let run = |url: &str, more: &[&str]| run_program(pbm(), fixture.arguments(url, more), &[], "");
    let url = "http://127.0.0.1:9";
    for (more, said) in [
        (&["--password-file", "/x"][..], "--login"),
        (&["--limit", "0"], "0 is not in 1..=1000"),
        (&["--limit", "1001"], "1001 is not in 1..=1000"),
    ] {
        let refused = run(url, more);
        assert!(refused.code == 2 && refused.stderr.contains(said), "{refused:?}");
    }
    for (url, more, said) in [
        ("ldap://x", &[][..], "--url: must begin with http:// or https://"),
        ("http://a:secret@x", &[], "holds a login: use --login and --password-file"),
        (url, &["--ca-file", "/x"], "--ca-file is for a --url with https"),
        ("https://x", &["--ca-file", "/nowhere"], "--ca-file /nowhere"),
        (
            url,
            &["--login", "a@x.ru"],
            "--login needs a password: use --password-file FILE or set PBM_PASSWORD",
        ),
        (url, &["--login", "a@x.ru", "--password-file", "/nowhere"], "cannot read /nowhere"),
    ] {
        let refused = run(url, more);
        assert!(refused.code == 1 && refused.stderr.contains(said), "{refused:?}");
        assert!(!refused.stderr.contains("secret"), "{refused:?}");
    }
    fs::write(fixture.file("state"), "no token").unwrap();
    let refused = run(url, &[]);
    assert!(refused.code == 1 && refused.stderr.contains("does not hold a valid token"), "{refused:?}");
    fs::remove_file(fixture.file("state")).unwrap();
    fs::create_dir(fixture.file("state")).unwrap();
    let refused = run(url, &[]);
    assert!(refused.code == 1 && refused.stderr.contains("cannot read "), "{refused:?}");
}
