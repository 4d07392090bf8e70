//! Mailing lists of 10,000 and 50,000 members, made in every way, with right and timely answers.

use crate::site::client_of;
use harness::{BUSY, Client, Installation, Serve, Setup, World, form, ldif_line, start_serve};
use std::{
    fmt::Write,
    fs,
    ops::Range,
    path::PathBuf,
    time::{Duration, Instant},
};

harness::trials! { "large_lists":
    lists_of_10_000_and_50_000_made_in_every_way_are_right_and_timely,
}

const PEOPLE: usize = 50_000;
/// Members of one request.
const AT_ONCE: usize = 5000;
/// Every request on a large list, except those that make it.
const LIMIT: Duration = Duration::from_secs(2);
const LISTS: &str = "/v2/maillists?tenant-id=default";

fn mail(number: usize) -> String {
    format!("u{number:05}@example.com")
}

fn dn(root: &str, number: usize) -> String {
    format!("mail={},ou=default,ou=People,{root}", mail(number))
}

/// The installation, a process, and the members that every list has now.
struct Stage {
    _serve: Serve,
    installation: Installation,
    client: Client,
    root: String,
    /// The lists, each with the numbers of its first and last member.
    lists: Vec<(&'static str, Range<usize>)>,
}

impl Stage {
    fn start() -> Self {
        let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
        installation.import(&people(&installation.probe().root));
        // Deleted users are due for the purge at once.
        let config = installation.config("purge.toml", &[("deletion.retention", "\"0s\"")]);
        let serve = start_serve(&config, &[]);
        let client = client_of(&serve).with_patience(Duration::from_secs(120));
        let root = installation.probe().root;
        Self { _serve: serve, installation, client, root, lists: Vec::new() }
    }

    /// Makes a list by requests, each with as many members as one may have.
    fn make_by_api(&mut self, name: &'static str, members: usize) {
        let began = Instant::now();
        for first in (0..members).step_by(AT_ONCE) {
            let mut fields = vec![("mail", address(name)), ("displayName", name.to_owned())];
            fields.extend((first..members.min(first + AT_ONCE)).map(|number| ("alias", mail(number))));
            let body = form(&fields);
            let answer =
                if first == 0 { self.client.post(LISTS, &body) } else { self.client.put(LISTS, &body) };
            answer.expect_success();
        }
        self.made(name, members, began);
    }

    fn make_by_restore(&mut self, name: &'static str, members: usize) {
        let file = self.installation.file("list.ldif");
        fs::write(&file, self.list_ldif(name, 0..members)).unwrap();
        let began = Instant::now();
        let restored = self.installation.pbm(&self.config(), &["restore", file.to_str().unwrap()]);
        assert!(restored.expect_success().stderr.contains("1 added"));
        self.made(name, members, began);
        let again = self.installation.pbm(&self.config(), &["restore", file.to_str().unwrap()]);
        assert!(again.expect_success().stderr.contains("1 the same"), "restored again");
    }

    /// Makes a list by `ldapadd` and `ldapmodify`, in parts that 389-ds accepts.
    fn make_by_ldap(&mut self, name: &'static str, members: usize) {
        let began = Instant::now();
        let first = members.min(20_000);
        self.installation.probe().modify(&self.list_ldif(name, 0..first).replacen(
            '\n',
            "\nchangetype: add\n",
            1,
        ));
        for start in (first..members).step_by(first) {
            let part = start..members.min(start + first);
            let dn = self.list_dn(name);
            let modify = format!("dn: {dn}\nchangetype: modify\nadd: member\n{}", self.member_lines(part));
            self.installation.probe().modify(&modify);
        }
        self.made(name, members, began);
    }

    fn made(&mut self, name: &'static str, members: usize, began: Instant) {
        eprintln!("{name}: {members} members in {:.1} s", began.elapsed().as_secs_f64());
        self.lists.push((name, 0..members));
    }

    fn config(&self) -> PathBuf {
        self.installation.usual_config()
    }

    fn list_dn(&self, name: &str) -> String {
        format!("mail={},ou=default,ou=Groups,{}", address(name), self.root)
    }

    fn member_lines(&self, members: Range<usize>) -> String {
        let lines: Vec<_> = members.map(|number| format!("member: {}\n", dn(&self.root, number))).collect();
        lines.concat()
    }

    fn list_ldif(&self, name: &str, members: Range<usize>) -> String {
        let classes = ["groupOfNames", "groupOfURLs", "mailGroup", "pbmMailList"];
        let classes: String = classes.iter().map(|class| ldif_line("objectClass", class)).collect();
        let names = format!("mail: {}\ncn: {name}\ndisplayName: {name}\n", address(name));
        format!("dn: {}\n{classes}{names}{}", self.list_dn(name), self.member_lines(members))
    }

    /// Makes a request, which must be timely.
    fn timely<T>(&self, what: &str, request: impl FnOnce(&Client) -> T) -> T {
        let began = Instant::now();
        let answer = request(&self.client);
        let took = began.elapsed();
        eprintln!("{what}: {} ms", took.as_millis());
        assert!(took < LIMIT + BUSY, "{what}: {took:?}");
        answer
    }

    fn put(&self, what: &str, name: &str, field: (&str, &str)) {
        let body = form(&[("mail", address(name).as_str()), field]);
        self.timely(&format!("{name}, {what}"), |client| client.put(LISTS, &body)).expect_success();
    }

    /// Requires the members of every list: all of its range, except some, and one more.
    fn assert_members(&self, without: &[usize], more: Option<&str>) {
        for (name, range) in &self.lists {
            let expected = range.clone().filter(|number| !without.contains(number)).map(mail);
            let mut expected: Vec<_> = expected.chain(more.map(str::to_owned)).collect();
            expected.sort_unstable();
            let path = format!("/v2/maillists/default/{}", address(name));
            let shown = self.timely(&format!("{name}, read"), |client| client.get(&path)).expect(200).json();
            assert_eq!(shown["members"], expected.len(), "{name}");
            assert!(shown["alias"] == serde_json::json!(expected), "{name}: other members");
            let path = format!("{path}?expand=1");
            let shown =
                self.timely(&format!("{name}, expanded"), |client| client.get(&path)).expect(200).json();
            assert!(shown["expanded"] == serde_json::json!(expected), "{name}: other recipients");
        }
    }
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

/// LDIF of all users, for an import.
fn people(root: &str) -> String {
    let mut ldif = String::new();
    for number in 0..PEOPLE {
        let classes = "objectClass: inetOrgPerson\nobjectClass: inetUser\nobjectClass: mailRecipient\nobjectClass: pbmUser\n";
        let own = "cn: User\nsn: User\ninetUserStatus: 1\nemployeeNumber: 2\nemployeeType: 3\n";
        writeln!(ldif, "dn: {}\n{classes}mail: {}\n{own}", dn(root, number), mail(number)).unwrap();
    }
    ldif
}

fn lists_of_10_000_and_50_000_made_in_every_way_are_right_and_timely(_: &World) {
    let mut stage = Stage::start();
    stage.make_by_api("api10", 10_000);
    stage.make_by_api("api50", PEOPLE);
    stage.make_by_restore("restore10", 10_000);
    stage.make_by_restore("restore50", PEOPLE);
    stage.make_by_ldap("ldap10", 10_000);
    stage.make_by_ldap("ldap50", PEOPLE);
    stage.assert_members(&[], None);

    // The time for a rename grows with all lists, so two of them stay.
    for (name, _) in stage.lists.split_off(4) {
        let path = format!("{LISTS}&mail={}", address(name));
        stage.timely(&format!("{name}, removed"), |client| client.delete(&path)).expect_success();
    }
    stage.lists.drain(..2);
    members_come_and_go(&stage);
    members_are_renamed_and_removed(&stage);
    restored_over(&stage);
    replaced(&stage);
}

fn members_come_and_go(stage: &Stage) {
    for (name, _) in &stage.lists {
        stage.put("one member added", name, ("alias", "guest@outside.example"));
        stage.put("one member removed", name, ("remove", &mail(4)));
    }
    stage.assert_members(&[4], Some("guest@outside.example"));
    for (name, _) in &stage.lists {
        stage.put("an outside member removed", name, ("remove", "guest@outside.example"));
    }
}

fn members_are_renamed_and_removed(stage: &Stage) {
    let user = |number: usize| format!("/v2/users/default/{}", mail(number));
    let renamed = form(&[("mail", "renamed@example.com")]);
    stage.timely("a member of all lists renamed", |client| client.patch(user(1), &renamed)).expect_success();
    stage.assert_members(&[1, 4], Some("renamed@example.com"));
    stage.timely("a member of all lists deleted", |client| client.delete(user(2))).expect_success();
    stage.assert_members(&[1, 2, 4], Some("renamed@example.com"));
    // Deletion times are whole seconds.
    std::thread::sleep(Duration::from_millis(1100));
    let purge = |_: &Client| {
        stage.installation.pbm(&stage.installation.file("purge.toml"), &["purge"]).expect_success()
    };
    let purged = stage.timely("a member of all lists purged", purge);
    assert!(purged.stdout.contains("1 user(s) removed"), "{purged:?}");
    for (name, range) in &stage.lists {
        let list = stage.installation.probe().entry(&stage.list_dn(name)).unwrap();
        assert_eq!(list.all("member").len(), range.len() - 2, "{name}");
        assert!(!list.all("member").contains(&dn(&stage.root, 2).as_str()), "{name}");
    }
}

/// The members of a large list are replaced, by several operations.
fn replaced(stage: &Stage) {
    let some: Vec<_> = (10..15).map(mail).collect();
    let body = form(&[("mail", address("restore50").as_str()), ("members", &some.join(","))]);
    let began = Instant::now();
    stage.client.put(LISTS, &body).expect_success();
    eprintln!("restore50, all members replaced: {} ms", began.elapsed().as_millis());
    let shown = stage.client.get("/v2/maillists/default/restore50@example.com").expect(200).json();
    assert_eq!(shown["alias"], serde_json::json!(some));
}

/// A large list is brought back to the state in a file, by several operations.
fn restored_over(stage: &Stage) {
    let file = stage.installation.file("other.ldif");
    fs::write(&file, stage.list_ldif("restore50", 20_000..PEOPLE)).unwrap();
    let update = ["restore", file.to_str().unwrap(), "--existing", "update"];
    let done = stage.installation.pbm(&stage.config(), &update).expect_success();
    assert!(done.stderr.contains("1 updated"), "{done:?}");
    let list = stage.installation.probe().entry(&stage.list_dn("restore50")).unwrap();
    assert_eq!(list.all("member").len(), PEOPLE - 20_000);
    let again = stage.installation.pbm(&stage.config(), &update).expect_success();
    assert!(again.stderr.contains("1 the same"), "{again:?}");
}
