//! Uploads that try to cost more than they may.

use super::acme::{Acme, ROOT, lines, restore, summary, user};
use harness::{Context, Installation, Setup, exchange, start_serve_with_small_files, within};
use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// The memory that a process may use beyond its idle memory, in bytes.
const MOST: u64 = 64 << 20;

fn is_full() -> bool {
    std::env::var("PBM_ATTACK").is_ok_and(|size| size == "full")
}

/// A memory figure from the process's own status, in bytes.
fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().unwrap() * 1024
}

fn packed(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// Uploads that once made a process use too much memory, with the expected status.
fn uploads() -> Vec<(&'static str, Vec<u8>, u16)> {
    let many = if is_full() { 300_000 } else { 30_000 };
    let one = user("mail=new@acme.test", "new@acme.test");
    let elsewhere = "dn: dc=x\n\n".repeat(many);
    let inside = |dn: &str| format!("dn: {dn},ou=acme,ou=People,{ROOT}\nobjectClass: top\n\n");
    let mut distinct = String::new();
    for number in 0..many {
        distinct.push_str(&inside(&format!("mail=a{number}")));
    }
    let member = |number: usize| format!("member: mail=m{number}@acme.test,ou=acme,ou=People,{ROOT}\n");
    let classes = ["groupOfNames", "groupOfURLs", "mailGroup", "pbmMailList"];
    let classes: String = classes.map(|class| format!("objectClass: {class}\n")).concat();
    let mut lists = String::new();
    for number in 0..if is_full() { 40 } else { 8 } {
        let mail = format!("l{number}@acme.test");
        let own = format!("mail: {mail}\ncn: L\ndisplayName: L\n");
        writeln!(lists, "dn: mail={mail},ou=acme,ou=Groups,{ROOT}\n{classes}{own}").unwrap();
        lists.truncate(lists.len() - 1);
        lists.extend((0..20_000).map(member));
        lists.push('\n');
    }
    let long =
        format!("dn: {}ou=acme,ou=People,{ROOT}\nobjectClass: top\n\n", "a=b,".repeat(10_000)).repeat(100);
    let wide = format!("dn: {}a=b,ou=acme,ou=People,{ROOT}\nobjectClass: top\n\n", "a=b+".repeat(10_000))
        .repeat(100);
    let comment = format!("# {}\n", "a".repeat(4000)).repeat(if is_full() { 250_000 } else { 18_000 });
    let line = [b"dn: dc=x\ndescription: ".as_slice(), &vec![b'a'; 15 << 20]].concat();
    let mut window = zstd::Encoder::new(Vec::new(), 3).unwrap();
    window.window_log(27).unwrap();
    window.write_all(one.as_bytes()).unwrap();
    vec![
        ("records of another directory", packed(elsewhere.as_bytes()), 400),
        (
            "records of another directory, and one of ours",
            packed(format!("{one}\n{elsewhere}").as_bytes()),
            200,
        ),
        ("the same record again and again", packed(format!("{one}\n").repeat(many).as_bytes()), 200),
        ("different records that are wrong", packed(distinct.as_bytes()), 200),
        ("large lists", packed(lists.as_bytes()), 200),
        ("long names", packed(long.as_bytes()), 200),
        ("wide names", packed(wide.as_bytes()), 200),
        ("comments", packed(comment.as_bytes()), 413),
        ("a long line", packed(&line), 400),
        ("a large window", window.finish().unwrap(), 400),
    ]
}

pub(super) fn uploads_cost_little() {
    let acme = Acme::start();
    // Allocations that every first restore makes.
    restore(&acme.admin, "tenant-id=acme&dry-run=1", acme.back_up().as_bytes()).expect(200);
    let pid = acme.serve.pid();
    for (what, file, status) in uploads() {
        let _case = Context::new(what);
        fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        let idle = memory(pid, "VmRSS:");
        let answer = restore(&acme.admin, "tenant-id=acme&dry-run=1", &file);
        let most = memory(pid, "VmHWM:");
        assert_eq!(answer.status, status, "{what}: {}", answer.text().chars().take(500).collect::<String>());
        assert!(most.saturating_sub(idle) < MOST, "{what}: {} MB", (most - idle) >> 20);
        if status == 200 {
            let counts = summary(&answer);
            let refused = counts["refused"].as_u64().unwrap();
            let told = lines(&answer).iter().filter(|line| line["result"] == "refused").count() as u64;
            // Fewer very long names are kept.
            let is_long = what.contains("names");
            assert!(told == refused.min(1000) || (is_long && (1..100).contains(&told)), "{what}: {counts}");
            assert_eq!(counts["unlisted"].as_u64().unwrap_or_default(), refused - told, "{what}: {counts}");
        }
    }
}

/// Files in a folder.
fn files(folder: &std::path::Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

pub(super) fn room() {
    let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
    let folder = installation.file("uploads");
    fs::create_dir(&folder).unwrap();
    let environment = [("TMPDIR", folder.to_str().unwrap())];
    let acme =
        Acme::served(installation, |config| start_serve_with_small_files(config, &environment, 1 << 20));
    let before = acme.entries();
    let large = format!("{}\n", user("mail=new@acme.test", "new@acme.test")).repeat(10_000);
    let full = restore(&acme.admin, "tenant-id=acme", large.as_bytes()).expect(507);
    assert!(full.message().as_str().unwrap().contains("no room"), "{}", full.text());
    assert!(within(Duration::from_secs(5), || files(&folder) == 0), "something is left behind");

    // The client announces the length before it sends the body.
    let head = format!(
        "POST /v2/restore/ldif?tenant-id=acme HTTP/1.1\r\nHost: {0}\r\nConnection: close\r\n\
         Authorization: {1}\r\nContent-Type: text/x-ldif\r\nContent-Length: 300000000\r\n\r\n",
        acme.serve.address(),
        acme.admin.header("Authorization"),
    );
    let refused = exchange(acme.serve.address(), head.as_bytes()).unwrap().expect(413);
    assert!(refused.message().as_str().unwrap().contains("too large"), "{}", refused.text());
    assert!(acme.entries() == before, "something was written");
    // Both have released their permits.
    let small = user("mail=new@acme.test", "new@acme.test");
    assert_eq!(summary(&restore(&acme.admin, "tenant-id=acme", small.as_bytes()))["added"], 1);
    assert!(within(Duration::from_secs(5), || files(&folder) == 0), "something is left behind");
}

/// Begins to send a file to restore.
fn begin(acme: &Acme, length: usize, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(acme.serve.address()).unwrap();
    let head = format!(
        "POST /v2/restore/ldif?tenant-id=acme HTTP/1.1\r\nHost: {0}\r\nConnection: close\r\n\
         Authorization: {1}\r\nContent-Type: text/x-ldif\r\nContent-Length: {length}\r\n\r\n",
        acme.serve.address(),
        acme.admin.header("Authorization"),
    );
    stream.write_all(&[head.as_bytes(), first].concat()).unwrap();
    stream
}

/// Whether a response has arrived.
fn was_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).unwrap();
    answered
}

pub(super) fn turns() {
    let acme = Acme::start();
    let file = user("mail=new@acme.test", "new@acme.test");
    let (first, rest) = file.as_bytes().split_at(20);
    let mut slow = begin(&acme, file.len(), first);
    let mut answer = None;
    let is_refused = within(Duration::from_secs(20), || {
        // If the other one had the permit, this one was refused.
        if was_answered(&slow) {
            slow = begin(&acme, file.len(), first);
        }
        let second = restore(&acme.admin, "tenant-id=acme&dry-run=1", file.as_bytes());
        let is_refused = second.status == 429;
        answer = Some(second);
        is_refused
    });
    let answer = answer.unwrap();
    assert!(is_refused && answer.header("retry-after").is_some(), "{}", answer.text());
    // A backup, and another tenant, do not have to wait.
    acme.back_up();
    let other = acme.administrator_of("victim", "deputy@victim.test");
    restore(&other, "tenant-id=victim", file.as_bytes()).expect(400);
    slow.write_all(rest).unwrap();
    let mut text = String::new();
    slow.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("\"added\":1"), "{text}");
    assert!(within(Duration::from_secs(5), || {
        restore(&acme.admin, "tenant-id=acme", file.as_bytes()).status == 200
    }));
}

pub(super) fn abandoned() {
    let acme = Acme::start();
    // A new user after 60 MB of other records: if the work had continued, the user would exist at the end.
    let mut text = "dn: cn=somebody,ou=elsewhere,ou=People,dc=other\ncn: somebody\n\n".repeat(1_000_000);
    text.push_str(&user("mail=last@acme.test", "last@acme.test"));
    let file = packed(text.as_bytes());
    let stream = begin(&acme, file.len(), &file);
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    // The permit ends with it.
    let small = user("mail=new@acme.test", "new@acme.test");
    let is_over = || restore(&acme.admin, "tenant-id=acme", small.as_bytes()).status == 200;
    assert!(within(Duration::from_secs(3), is_over), "the work goes on");
    let processor = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", acme.serve.pid())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = processor();
    std::thread::sleep(Duration::from_secs(2));
    // In hundredths of a second.
    assert!(processor() - before < 50, "it still reads: {}", processor() - before);
    assert!(acme.installation.probe().find("(mail=last@acme.test)").is_empty());
}
