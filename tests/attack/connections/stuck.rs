//! Clients that stop half way, in every possible way: they are disconnected within the documented time, and other
//! clients are served normally.

use super::{ATTACKER, OTHER, SECOND, ask, serve};
use harness::{Client, Serve, Tenant, World};
use rustix::net::{AddressFamily, SocketType, bind, connect as connect_socket, socket, sockopt};
use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Whether the full sizes are requested.
pub(super) static FULL: LazyLock<bool> =
    LazyLock::new(|| std::env::var("PBM_ATTACK").is_ok_and(|is| is == "full"));

/// Responses about this many users are larger than the system buffers for a client that does not read.
const USERS: usize = 300;
/// The memory that a process may use for stuck clients, beyond its usual memory.
const MOST_MEMORY: u64 = 64 << 20;

/// A connection from an address, with the smallest possible receive buffer.
pub(super) fn connect(server: SocketAddr, from: Ipv4Addr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
    bind(&socket, &SocketAddrV4::new(from, 0)).unwrap();
    connect_socket(&socket, &server).unwrap();
    TcpStream::from(socket)
}

/// The number of client connections that a server has open.
pub(super) fn held(server: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // With the address: clients elsewhere on the loopback network may have the same port.
    let SocketAddr::V4(own) = server else { panic!("{server} is not an address of IPv4") };
    let own = format!("{:08X}:{:04X}", u32::from_le_bytes(own.ip().octets()), own.port());
    let is_held = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [local, state, inode] = [1, 3, 9].map(|field| fields.get(field).copied().unwrap_or_default());
        // Listeners are not connections, and an entry without an inode belongs to no process.
        local == own && state != "0A" && inode != "0"
    };
    table.lines().filter(is_held).count()
}

/// Memory of a process in bytes.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// The time limit that ends a connection.
#[derive(Clone, Copy)]
enum Limit {
    Head,
    Idle,
    Stall,
}

/// The settings in that order, with their seconds in the short run and in the full run.
const LIMITS: [(&str, [u32; 2]); 3] =
    [("http.head_timeout", [2, 10]), ("http.idle_timeout", [4, 75]), ("http.stall_timeout", [4, 60])];

impl Limit {
    fn time(self) -> Duration {
        let (_, seconds) = LIMITS[self as usize];
        SECOND * seconds[usize::from(*FULL)]
    }
}

/// A way to be stuck: its name, the limit that ends it, and the sent bytes.
struct Way {
    name: &'static str,
    limit: Limit,
    sent: Vec<u8>,
}

/// Each way, for clients without a token and for the administrator of a tenant.
fn ways(tenant: &Tenant<'_>) -> Vec<Way> {
    let way = |name, limit, sent: &str| Way { name, limit, sent: sent.as_bytes().to_vec() };
    let live = "GET /health/live HTTP/1.1\r\nHost: a\r\n";
    let log_in = "POST /v2/auth HTTP/1.1\r\nHost: a\r\n";
    let authorized =
        format!("Host: a\r\nConnection: close\r\nAuthorization: Bearer {}\r\n", tenant.admin().token());
    let reading = |path: &str| format!("GET {path} HTTP/1.1\r\n{authorized}\r\n");
    let export = reading(&format!("/v2/addressbook/{}/export?format=json", tenant.id));
    let backup = reading(&format!("/v2/backup/ldif?tenant-id={}", tenant.id));
    let rows = rows(tenant, "upsert");
    let import = format!(
        "POST {}/bulk?mode=upsert HTTP/1.1\r\n{authorized}Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n{rows}",
        tenant.users(),
        rows.len()
    );
    vec![
        way("nothing sent", Limit::Head, ""),
        way("half a head", Limit::Head, "GET /health/li"),
        way("a byte of a body", Limit::Head, &format!("{log_in}Content-Length: 100\r\n\r\nl")),
        way("half a chunk", Limit::Head, &format!("{log_in}Transfer-Encoding: chunked\r\n\r\n9\r\nl")),
        way("a line end after a request", Limit::Head, &format!("{live}\r\n\r\n")),
        way(
            "a byte after a chunked body",
            Limit::Head,
            &format!("{live}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
        ),
        way(
            "another protocol",
            Limit::Idle,
            &format!("{live}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
        ),
        way("nothing after a request", Limit::Idle, &format!("{live}\r\n")),
        way(
            "requests without reading",
            Limit::Stall,
            &"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100),
        ),
        way("an export that is not read", Limit::Stall, &export),
        way("a backup that is not read", Limit::Stall, &backup),
        way("a report that is not read", Limit::Stall, &import),
    ]
}

/// Rows of users, all valid; for an upsert, rows that are invalid and long, so that the report is long.
fn rows(tenant: &Tenant<'_>, mode: &str) -> String {
    let text = "я".repeat(250);
    let row = |number: usize| {
        let mail = tenant.address(&format!("u{number}"));
        let wrong =
            if mode == "upsert" { format!("{{\"mail\":\"{}\"}}\n", "x".repeat(8000)) } else { String::new() };
        format!(
            "{{\"mail\":\"{mail}\",\"userPassword\":\"Correct-Horse-7\",\"employeeNumber\":\"2\",\"cn\":\"{text}\",\"sn\":\"{text}\",\"ou\":\"{text}\",\"title\":\"{text}\",\"l\":\"{text}\",\"displayName\":\"{text}\",\"description\":\"{}\"}}\n{wrong}",
            "я".repeat(4000)
        )
        .replace(if mode == "upsert" { "\"userPassword\":\"Correct-Horse-7\"," } else { "\0" }, "")
    };
    (0..USERS).map(row).collect()
}

/// Creates the users that the clients request.
fn fill(tenant: &Tenant<'_>) {
    let client = tenant.admin().with_header("Content-Type", "application/x-ndjson");
    let report = client.post(format!("{}/bulk", tenant.users()), &rows(tenant, "create")).expect(200).text();
    assert!(report.contains(&format!("\"created\":{USERS}")), "{}", report.lines().last().unwrap());
}

/// Sends as much as possible without waiting, and keeps the connection.
fn get_stuck(server: SocketAddr, sent: &[u8]) -> TcpStream {
    let mut stream = connect(server, ATTACKER);
    // A refused client would notice when it reads, but it does not read.
    stream.set_write_timeout(Some(SECOND / 2)).unwrap();
    let _sent = stream.write_all(sent);
    stream
}

/// Another client is served while some are stuck, with the same requests too.
fn assert_served(server: &Serve, root: &Client, tenant: &Tenant<'_>) {
    let (status, took) = ask(server.address(), OTHER);
    assert_eq!(status, "HTTP/1.1 200");
    assert!(took < 10 * SECOND, "{took:?}");
    let began = Instant::now();
    root.get(format!("/v2/backup/ldif?tenant-id={}", tenant.id)).expect(200);
    root.get(format!("/v2/addressbook/{}/export?format=json", tenant.id)).expect(200);
    let row = format!("{{\"mail\":\"{}\",\"title\":\"x\"}}\n", tenant.address("administrator"));
    let rows = root.with_header("Content-Type", "application/x-ndjson");
    let report = rows.post(format!("{}/bulk?mode=upsert", tenant.users()), &row).expect(200).text();
    assert!(report.contains("\"errors\":0"), "{report}");
    assert!(began.elapsed() < 30 * SECOND, "{:?}", began.elapsed());
}

/// Two servers with the same limits, the second with TLS. In the full run they have the documented limits.
fn servers(world: &World) -> [Serve; 2] {
    let (certificate, key) = world.installation().make_certificate();
    let [certificate, key] = [certificate, key].map(|file| format!("\"{}\"", file.display()));
    let times = LIMITS.map(|(key, seconds)| (key, format!("\"{}s\"", seconds[usize::from(*FULL)])));
    let mut settings: Vec<_> = times.iter().map(|(key, time)| (*key, time.as_str())).collect();
    settings.extend([("http.connections", "15000"), ("http.connections_per_address", "3000")]);
    let plain = serve(world, &settings);
    settings.extend([("http.tls_certificate", certificate.as_str()), ("http.tls_key", &key)]);
    [plain, serve(world, &settings)]
}

/// Clients get stuck, and are disconnected in time.
fn attack(server: &Serve, ways: &[Way]) {
    let many = if *FULL { 2000 } else { 8 };
    let stuck: Vec<_> =
        ways.iter().flat_map(|way| (0..many).map(|_| get_stuck(server.address(), &way.sent))).collect();
    let limit = ways.iter().map(|way| way.limit.time()).max().unwrap_or_default();
    let gone = harness::within(limit, || held(server.address()) <= 1);
    let names: Vec<_> = ways.iter().map(|way| way.name).collect();
    assert!(gone, "{} connections are open of {names:?}", held(server.address()));
    drop(stuck);
}

pub(super) fn stuck_connections_end_and_others_are_served() {
    let world = World::start();
    let tenant = world.tenant();
    fill(&tenant);
    let [plain, tls] = servers(&world);
    let root = world.root().at(&plain.client());
    // Objects that are created at the first request exist now.
    assert_served(&plain, &root, &tenant);
    let (idle_memory, ways) = (memory(plain.pid()), ways(&tenant));
    let hello = [("no TLS hello", ""), ("half a TLS hello", "\x16\x03\x01\x02\x00\x01")];
    let hello = hello.map(|(name, sent)| Way { name, limit: Limit::Head, sent: sent.into() });
    std::thread::scope(|scope| {
        let of_tls = scope.spawn(|| attack(&tls, &hello));
        // One after the other in the full run: all at once would be too much for one machine.
        for ways in ways.chunks(if *FULL { 1 } else { ways.len() }) {
            let attacked = scope.spawn(|| attack(&plain, ways));
            std::thread::sleep(SECOND / 2);
            while !attacked.is_finished() {
                assert_served(&plain, &root, &tenant);
            }
            attacked.join().expect("they end");
            let more = memory(plain.pid()).saturating_sub(idle_memory);
            assert!(more < if *FULL { 8 * MOST_MEMORY } else { MOST_MEMORY }, "{more} bytes more");
        }
        of_tls.join().expect("they end");
    });
    assert_served(&plain, &root, &tenant);
    drop((plain, tls));
    assert_eq!(world.stop(), Vec::<String>::new());
}
