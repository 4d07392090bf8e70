//! Synchronization with another directory: a second 389-ds, whose people become contacts and cards of users, and whose
//! groups become mailing lists.

use crate::site::{Site, client_of};
use harness::{Answer, Client, Installation, Probe, Serve, Setup, World, form, soon, within};
use sandbox::DirectoryServer;
use serde_json::{Value, json};
use std::{
    fmt::Write,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

harness::trials! { "sync":
    people_become_contacts_and_cards_of_users,
    an_address_that_passes_to_another_person_takes_the_user_along,
    a_further_address_yields_to_whoever_has_it_as_the_address,
    what_a_user_cannot_have_is_told,
    no_group_gets_an_address_of_another_tenant,
    a_source_that_cannot_be_read_changes_nothing,
    contacts_give_way_to_users_and_other_tenants_keep_their_domains,
    many_removals_need_leave,
    a_dry_run_tells_the_plan_and_writes_nothing,
    groups_become_lists_with_lists_in_them,
    one_run_a_tenant_takes_place_at_a_time,
    a_schedule_is_one_for_all_replicas,
    the_command_line_does_the_same,
    who_may_not_is_refused,
}

const PEOPLE: &str = "/v2/actions/cabsync/default/ad";
const GROUPS: &str = "/v2/actions/groupsync/default/ad";

/// The source, and an installation that reads it.
struct Stage {
    client: Client,
    _serve: Serve,
    site: Site,
    source: Option<DirectoryServer>,
    _folder: TempDir,
}

impl Stage {
    /// Starts both, with some people in the source.
    fn start(people: usize) -> Self {
        Self::start_with(people, &[])
    }

    /// Starts both, with more settings.
    fn start_with(people: usize, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("pbm-source-").tempdir().unwrap();
        let source = DirectoryServer::in_folder(folder.path().join("source")).start().unwrap();
        let (suffix, password) = (source.suffix().to_owned(), source.manager_password_file());
        let changes = [
            ("sync.ad.host", "\"127.0.0.1\"".to_owned()),
            ("sync.ad.port", source.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned()),
            ("sync.ad.login", format!("{:?}", source.manager_dn())),
            ("sync.ad.password_file", format!("\"{}\"", password.display())),
            ("sync.ad.base_dn", format!("\"ou=Staff,{suffix}\"")),
            ("sync.ad.groups_dn", format!("\"ou=Teams,{suffix}\"")),
            ("sync.ad.fields.ou", "\"ou\"".to_owned()),
        ];
        let changes = changes.iter().map(|(key, value)| (*key, value.as_str()));
        let changes: Vec<_> = changes.chain(more.iter().copied()).collect();
        let installation = Installation::start(Setup::default());
        let (site, serve) = Site::of(installation, &changes);
        let stage =
            Self { client: client_of(&serve), _serve: serve, site, source: Some(source), _folder: folder };
        stage.add(&format!("{}\n{}", folder_ldif("Staff", &suffix), folder_ldif("Teams", &suffix)));
        stage.add_people(0..people);
        stage
    }

    fn source(&self) -> Probe {
        Probe::new(self.source.as_ref().unwrap())
    }

    fn suffix(&self) -> String {
        self.source().root
    }

    fn add(&self, ldif: &str) {
        self.source().modify(ldif);
    }

    fn add_people(&self, numbers: std::ops::Range<usize>) {
        let mut ldif = String::new();
        for number in numbers {
            writeln!(ldif, "{}", self.person_ldif(number)).unwrap();
        }
        if !ldif.is_empty() {
            self.add(&ldif);
        }
    }

    fn person_ldif(&self, number: usize) -> String {
        format!(
            "dn: {}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: p{number}\ncn: Person {number}\n\
             givenName: Anna{number}\nsn: Kim{number}\nmail: p{number}@partner.test\ntitle: Engineer\nou: Sales\n\
             telephoneNumber: +7 495 {number}\n",
            self.person(number)
        )
    }

    fn person(&self, number: usize) -> String {
        format!("uid=p{number},ou=Staff,{}", self.suffix())
    }

    fn group_ldif(&self, name: &str, members: &[String]) -> String {
        let members = members.iter().map(|dn| format!("member: {dn}\n")).collect::<Vec<_>>().concat();
        format!(
            "dn: {}\nchangetype: add\nobjectClass: groupOfNames\nobjectClass: mailGroup\ncn: {name}\n\
             mail: {name}@example.com\n{members}",
            self.group(name)
        )
    }

    fn group(&self, name: &str) -> String {
        format!("cn={name},ou=Teams,{}", self.suffix())
    }

    fn run(&self, path: &str) -> Value {
        self.client.post(path, "").expect(200).json()
    }

    /// The contacts from outside, by address.
    fn contacts(&self) -> Vec<Value> {
        let page = self.client.get("/v2/addressbook/default?view=all&kind=contact&limit=1000&orderby=mail");
        page.expect(200).json()["contacts"].as_array().unwrap().clone()
    }

    fn contact(&self, mail: &str) -> Option<Value> {
        self.contacts().into_iter().find(|contact| contact["mail"] == mail)
    }

    /// Everything that is written by runs, without their reports.
    fn written(&self) -> Vec<(String, String)> {
        let filter = "(&(|(pbmSource=*)(objectClass=pbmMailList))(!(objectClass=pbmRun)))";
        let probe = self.site.installation.probe();
        let entries = probe.search_with(&["entryusn"], &probe.root, "sub", filter);
        entries.iter().map(|entry| (entry.dn.clone(), entry.one("entryusn").to_owned())).collect()
    }
}

fn folder_ldif(name: &str, suffix: &str) -> String {
    format!("dn: ou={name},{suffix}\nchangetype: add\nobjectClass: organizationalUnit\nou: {name}\n")
}

#[track_caller]
fn assert_counts(found: &Value, expected: [u64; 4]) {
    let counts = ["added", "updated", "unchanged", "removed"].map(|name| found[name].as_u64().unwrap());
    assert_eq!(counts, expected, "{found}");
    assert_eq!(found["success"], true);
}

fn people_become_contacts_and_cards_of_users(_: &World) {
    let stage = Stage::start(9);
    let ivan = [
        ("userPassword", "Correct-Horse-7"),
        ("employeeNumber", "2"),
        ("cn", "Ivan"),
        ("sn", "Old"),
        ("l", "Tula"),
    ];
    stage.client.put("/v2/users/default/ivan@example.com", &form(&ivan)).expect_success();
    let source = stage.source();
    source.replace(&stage.person(0), "mail", &["ivan@example.com"]);
    let first = stage.run(PEOPLE);
    assert_counts(&first, [8, 1, 0, 0]);

    let user = stage.client.get("/v2/users/default/ivan@example.com").expect(200).json();
    assert_eq!(
        (&user["cn"], &user["sn"], &user["title"]),
        (&json!("Anna0"), &json!("Kim0"), &json!("Engineer"))
    );
    assert_eq!(
        (&user["l"], &user["employeeNumber"]),
        (&json!("Tula"), &json!(2)),
        "what the source lacks stays"
    );
    let contact = stage.contact("p3@partner.test").unwrap();
    assert_eq!(
        (&contact["cn"], &contact["sn"], &contact["ou"]),
        (&json!("Anna3"), &json!("Kim3"), &json!("Sales"))
    );
    assert_eq!(contact["telephoneNumber"], "+7 495 3");
    assert_eq!(stage.contacts().len(), 8);

    let before = stage.written();
    assert_counts(&stage.run(PEOPLE), [0, 0, 9, 0]);
    assert_eq!(stage.written(), before, "a run without changes writes nothing");

    source.replace(&stage.person(3), "mail", &["new.name@partner.test"]);
    source.replace(&stage.person(3), "title", &[]);
    source.replace(&stage.person(0), "title", &["Boss"]);
    source.delete(&stage.person(4));
    stage.add_people(20..21);
    assert_counts(&stage.run(PEOPLE), [1, 2, 6, 1]);
    let renamed = stage.contact("new.name@partner.test").unwrap();
    assert_eq!(renamed["id"], contact["id"], "a contact survives a new address");
    assert_eq!(renamed["title"], Value::Null);
    assert!(stage.contact("p3@partner.test").is_none() && stage.contact("p4@partner.test").is_none());
    let user = stage.client.get("/v2/users/default/ivan@example.com").expect(200).json();
    assert_eq!(user["title"], "Boss");
    source.delete(&stage.person(0));
    assert_counts(&stage.run(PEOPLE), [0, 0, 8, 0]);
    stage.client.get("/v2/users/default/ivan@example.com").expect(200);
}

fn an_address_that_passes_to_another_person_takes_the_user_along(_: &World) {
    let stage = Stage::start(2);
    let desk =
        [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", "Front"), ("sn", "Desk")];
    stage.client.put("/v2/users/default/desk@example.com", &form(&desk)).expect_success();
    let surname = || stage.client.get("/v2/users/default/desk@example.com").expect(200).json()["sn"].clone();
    stage.source().replace(&stage.person(0), "mail", &["desk@example.com"]);
    assert_counts(&stage.run(PEOPLE), [1, 1, 0, 0]);
    assert_eq!(surname(), "Kim0");
    // Whoever is read first: in one round the old person, in the next one the new.
    for (old, new) in [(0, 1), (1, 0)] {
        let private = format!("p{old}@partner.test");
        stage.source().replace(&stage.person(old), "mail", &[&private]);
        stage.source().replace(&stage.person(new), "mail", &["desk@example.com"]);
        // The contact of the new person is removed, since the user stands for them now; the old person gets one.
        assert_counts(&stage.run(PEOPLE), [1, 1, 0, 1]);
        assert_eq!(surname(), format!("Kim{new}"));
        assert_eq!(stage.contact(&private).unwrap()["sn"], format!("Kim{old}"));
        assert_eq!(stage.contacts().len(), 1);
        assert_counts(&stage.run(PEOPLE), [0, 0, 2, 0]);
    }
    // Without another person, the user stays the one whose address has changed.
    stage.source().replace(&stage.person(0), "mail", &["elsewhere@partner.test"]);
    assert_counts(&stage.run(PEOPLE), [0, 0, 2, 0]);
    assert_eq!(surname(), "Kim0");
}

/// What a run has left out.
fn left_out(run: &Value) -> Vec<String> {
    let refused = run["refused"].as_array().unwrap().iter();
    refused
        .map(|one| format!("{}: {}", one["what"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect()
}

fn a_further_address_yields_to_whoever_has_it_as_the_address(_: &World) {
    let stage = Stage::start(4);
    let (source, mail) = (stage.source(), |name: &str| format!("{name}@partner.test"));
    // Within the first run, in either order of reading.
    source.replace(&stage.person(0), "mail", &[&mail("p0"), &mail("p1")]);
    source.replace(&stage.person(3), "mail", &[&mail("p3"), &mail("p2")]);
    let first = stage.run(PEOPLE);
    assert_counts(&first, [4, 0, 0, 0]);
    assert_eq!(left_out(&first).len(), 2, "{first}");
    let before = stage.written();
    let again = stage.run(PEOPLE);
    assert_counts(&again, [0, 0, 4, 0]);
    assert!(left_out(&again)[0].contains("the further address p1@partner.test was left out"), "{again}");
    assert_eq!(stage.written(), before);
    // Later: another person gets it as the address, with a contact and without one.
    source.replace(&stage.person(0), "mail", &[&mail("p0"), &mail("shared"), &mail("new")]);
    assert_counts(&stage.run(PEOPLE), [0, 1, 3, 0]);
    let owner = stage.contact(&mail("p0")).unwrap();
    source.replace(&stage.person(1), "mail", &[&mail("shared")]);
    stage.add_people(9..10);
    source.replace(&stage.person(9), "mail", &[&mail("new")]);
    assert_counts(&stage.run(PEOPLE), [1, 1, 3, 0]);
    assert_eq!(stage.contact(&mail("p0")).unwrap()["id"], owner["id"], "nobody takes the contact over");
    assert_eq!(stage.contact(&mail("shared")).unwrap()["sn"], "Kim1");
    assert_eq!(stage.contact(&mail("new")).unwrap()["sn"], "Kim9");
    let before = stage.written();
    assert_counts(&stage.run(PEOPLE), [0, 0, 5, 0]);
    assert_eq!(stage.written(), before);
}

fn what_a_user_cannot_have_is_told(_: &World) {
    let stage = Stage::start(1);
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", "A"), ("sn", "Old")];
    stage.client.put("/v2/users/default/u@example.com", &form(&fields)).expect_success();
    stage.source().replace(&stage.person(0), "mail", &["u@example.com"]);
    // The first letter is Cyrillic.
    stage.source().replace(&stage.person(0), "sn", &["Сmith"]);
    let run = stage.run(PEOPLE);
    assert_counts(&run, [0, 1, 0, 0]);
    assert!(left_out(&run)[0].starts_with("u@example.com: sn was left out: it "), "{run}");
}

fn no_group_gets_an_address_of_another_tenant(_: &World) {
    let stage = Stage::start(1);
    stage.site.installation.create_tenant("acme", "acme.test");
    stage.run(PEOPLE);
    let team = stage.group_ldif("team", &[stage.person(0)]);
    stage.add(&team);
    assert_counts(&stage.run(GROUPS), [1, 0, 0, 0]);
    for address in ["invoices@acme.test", "invoices@elsewhere.test"] {
        stage.source().replace(&stage.group("team"), "mail", &[address]);
        let run = stage.run(GROUPS);
        assert_counts(&run, [0, 0, 0, 0]);
        assert!(left_out(&run)[0].contains("its address is in no domain of the tenant"), "{run}");
        assert_eq!(members(&stage, "team"), ["p0@partner.test"], "the list stays as it was");
    }
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", "A"), ("sn", "B")];
    stage.client.put("/v2/users/acme/invoices@acme.test", &form(&fields)).expect_success();
}

fn a_source_that_cannot_be_read_changes_nothing(_: &World) {
    let mut stage = Stage::start(5);
    assert_counts(&stage.run(PEOPLE), [5, 0, 0, 0]);
    let before = stage.written();
    drop(stage.source.take());
    let answer = stage.client.post(PEOPLE, "").expect(502);
    let message = answer.message();
    assert!(message.as_str().unwrap().contains("cannot reach"), "{message}");
    assert_eq!(stage.written(), before);
    let runs = stage.client.get("/v2/actions/runs").expect(200).json();
    let states: Vec<_> = runs["runs"].as_array().unwrap().iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["failed", "done"], "{runs}");
}

fn contacts_give_way_to_users_and_other_tenants_keep_their_domains(_: &World) {
    let stage = Stage::start(3);
    stage.site.installation.create_tenant("acme", "acme.test");
    stage.source().replace(&stage.person(0), "mail", &["future@example.com"]);
    stage.source().replace(&stage.person(1), "mail", &["boss@acme.test"]);
    let run = stage.run(PEOPLE);
    assert_counts(&run, [2, 0, 0, 0]);
    assert_eq!(run["refused"][0]["what"], "boss@acme.test", "{run}");
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", "A"), ("sn", "B")];
    stage.client.put("/v2/users/default/future@example.com", &form(&fields)).expect_success();
    stage.client.put("/v2/users/acme/boss@acme.test", &form(&fields)).expect_success();
    assert!(stage.contact("future@example.com").is_none());
    assert_counts(&stage.run(PEOPLE), [0, 1, 1, 0]);
    let user = stage.client.get("/v2/users/default/future@example.com").expect(200).json();
    assert_eq!(user["sn"], "Kim0");
    // A tenant that gets a domain later gets the addresses of the contacts in it as well.
    stage.source().replace(&stage.person(2), "mail", &["early@later.test"]);
    stage.source().replace(&stage.person(1), "mail", &["second@later.test"]);
    assert_counts(&stage.run(PEOPLE), [1, 1, 1, 0]);
    stage.site.installation.create_tenant("later", "later.test");
    stage.client.put("/v2/users/later/early@later.test", &form(&fields)).expect_success();
    assert!(stage.contact("early@later.test").is_none());
    // Contacts in it that nobody has claimed go with the next run.
    let run = stage.run(PEOPLE);
    assert_counts(&run, [0, 0, 1, 1]);
    assert!(stage.contact("second@later.test").is_none(), "{run}");
    // So it is with a domain that a tenant gets, and with more contacts than a run may remove otherwise.
    stage.add_people(100..130);
    for number in 100..130 {
        stage.source().replace(&stage.person(number), "mail", &[&format!("k{number}@more.test")]);
    }
    assert_counts(&stage.run(PEOPLE), [30, 0, 1, 0]);
    stage.client.put("/v2/tenants/acme/domains/more.test", "").expect_success();
    stage.client.put("/v2/users/acme/k100@more.test", &form(&fields)).expect_success();
    assert_counts(&stage.run(PEOPLE), [0, 0, 1, 29]);
    stage.client.put("/v2/users/acme/k129@more.test", &form(&fields)).expect_success();
}

fn many_removals_need_leave(_: &World) {
    let stage = Stage::start(30);
    assert_counts(&stage.run(PEOPLE), [30, 0, 0, 0]);
    for number in 0..25 {
        stage.source().delete(&stage.person(number));
    }
    let refused = stage.run(PEOPLE);
    assert_counts(&refused, [0, 0, 5, 0]);
    assert!(refused["message"].as_str().unwrap().contains("force=1"), "{refused}");
    assert_eq!(stage.contacts().len(), 30);
    assert_counts(&stage.run(&format!("{PEOPLE}?force=1")), [0, 0, 5, 25]);
    assert_eq!(stage.contacts().len(), 5);
    // Nobody at all: the more suspicious.
    for number in 25..30 {
        stage.source().delete(&stage.person(number));
    }
    assert_counts(&stage.run(PEOPLE), [0, 0, 0, 0]);
    assert_eq!(stage.contacts().len(), 5);
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn a_dry_run_tells_the_plan_and_writes_nothing(_: &World) {
    let stage = Stage::start(4);
    assert_counts(&stage.run(PEOPLE), [4, 0, 0, 0]);
    stage.source().replace(&stage.person(1), "title", &["Boss"]);
    stage.source().delete(&stage.person(2));
    stage.add_people(7..8);
    let before = stage.written();
    let answer = stage.client.post(format!("{PEOPLE}?dry-run=1"), "").expect(200);
    let mut lines = lines(&answer);
    let end = lines.pop().unwrap();
    assert_eq!((&end["dry-run"], &end["summary"]["added"]), (&json!(true), &json!(1)), "{end}");
    let mut told: Vec<_> = lines.iter().map(|line| format!("{} {}", line["op"], line["mail"])).collect();
    told.sort();
    let expected =
        [r#""add" "p7@partner.test""#, r#""remove" "p2@partner.test""#, r#""update" "p1@partner.test""#];
    assert_eq!(told, expected);
    let update = lines.iter().find(|line| line["op"] == "update").unwrap();
    assert_eq!(update["changes"], json!(["title"]));
    assert_eq!(stage.written(), before);
    assert_counts(&stage.run(PEOPLE), [1, 1, 2, 1]);
}

fn members(stage: &Stage, name: &str) -> Vec<String> {
    let list = stage.client.get(format!("/v2/maillists/default/{name}@example.com")).expect(200);
    list.json()["alias"].as_array().unwrap().iter().map(|mail| mail.as_str().unwrap().to_owned()).collect()
}

fn groups_become_lists_with_lists_in_them(_: &World) {
    let stage = Stage::start(4);
    stage.run(PEOPLE);
    let own = [("mail", "own@example.com"), ("displayName", "Own"), ("alias", "x@elsewhere.test")];
    stage.client.post("/v2/maillists?tenant-id=default", &form(&own)).expect_success();
    // The outer group comes before the inner one.
    let inner = stage.group_ldif("inner", &[stage.person(0), stage.person(1)]);
    stage.add(&inner);
    let outer = stage.group_ldif("all", &[stage.group("inner"), stage.person(2)]);
    stage.add(&outer);
    assert_counts(&stage.run(GROUPS), [2, 0, 0, 0]);
    assert_eq!(members(&stage, "inner"), ["p0@partner.test", "p1@partner.test"]);
    assert_eq!(members(&stage, "all"), ["inner@example.com", "p2@partner.test"]);

    let before = stage.written();
    assert_counts(&stage.run(GROUPS), [0, 0, 2, 0]);
    assert_eq!(stage.written(), before, "a run without changes writes nothing");

    stage.source().replace(&stage.group("inner"), "member", &[&stage.person(1), &stage.person(3)]);
    assert_counts(&stage.run(GROUPS), [0, 1, 1, 0]);
    assert_eq!(members(&stage, "inner"), ["p1@partner.test", "p3@partner.test"]);

    stage.source().delete(&stage.group("all"));
    let taken = stage.group_ldif("own", &[stage.person(0)]);
    stage.add(&taken);
    let last = stage.run(GROUPS);
    assert_counts(&last, [0, 0, 1, 1]);
    assert_eq!(last["refused"][0]["what"], "own@example.com", "a list that was made here is not touched");
    assert_eq!(members(&stage, "own"), ["x@elsewhere.test"]);
}

fn one_run_a_tenant_takes_place_at_a_time(_: &World) {
    let stage = Stage::start(300);
    let second = stage.site.serve();
    let other = client_of(&second);
    let ids: Vec<_> = [&stage.client, &other, &stage.client, &other]
        .iter()
        .map(|client| client.post(format!("{PEOPLE}?wait=0"), "").expect(200).json()["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let path = format!("/v2/actions/runs/{}", ids[0].as_str().unwrap());
    soon("the run ends", || other.get(&path).expect(200).json()["state"] == "done");
    assert_eq!(other.get(&path).json()["added"], 300);
    let both: Vec<_> = thread::scope(|scope| {
        let runs =
            [&stage.client, &other].map(|client| scope.spawn(|| client.post(PEOPLE, "").expect(200).json()));
        runs.map(|run| run.join().unwrap()).into()
    });
    for run in &both {
        assert_counts(run, [0, 0, 300, 0]);
    }
}

fn a_schedule_is_one_for_all_replicas(_: &World) {
    const EVERY: Duration = Duration::from_secs(4);
    let began = Instant::now();
    let stage = Stage::start_with(2, &[("sync.every", "\"4s\""), ("sync.tenants", "[\"default\"]")]);
    let _second = stage.site.serve();
    let runs = || stage.client.get("/v2/actions/runs").expect(200).json()["runs"].as_array().unwrap().clone();
    let of_people = || runs().iter().filter(|run| run["subject"] == "people").count();
    assert!(within(EVERY * 10, || of_people() >= 3), "{:?}", runs());
    let elapsed = began.elapsed();
    let most = elapsed.as_secs() / EVERY.as_secs() + 1;
    assert!(of_people() as u64 <= most, "in {elapsed:?}: {:?}", runs());
    assert!(runs().iter().all(|run| run["state"] != "failed"), "{:?}", runs());
    assert_eq!(stage.contacts().len(), 2);
}

fn the_command_line_does_the_same(_: &World) {
    let stage = Stage::start(3);
    let inner = stage.group_ldif("team", &[stage.person(0)]);
    stage.add(&inner);
    let pbm = |more: &[&str]| {
        let arguments = [&["sync", "ad", "--tenant", "default"], more].concat();
        stage.site.installation.pbm(&stage.site.config, &arguments)
    };
    let dry = pbm(&["--dry-run", "--users"]).expect_success().stdout;
    assert!(dry.contains("add p0@partner.test") && dry.contains("would be 3 added"), "{dry}");
    assert_eq!(stage.contacts().len(), 0);
    let done = pbm(&[]).expect_success().stdout;
    assert!(done.contains("people: 3 read; 3 added") && done.contains("groups: 1 read; 1 added"), "{done}");
    soon("the contacts are shown", || stage.contacts().len() == 3);
    let unknown =
        stage.site.installation.pbm(&stage.site.config, &["sync", "bitrix24", "--tenant", "default"]);
    assert!(unknown.expect_failure().stderr.contains("not set up"));
}

fn who_may_not_is_refused(_: &World) {
    let stage = Stage::start(1);
    stage.site.installation.create_tenant("acme", "acme.test");
    let admin = |tenant: &str, mail: &str, role: &str| {
        let fields =
            [("userPassword", "Correct-Horse-7"), ("employeeNumber", role), ("cn", "A"), ("sn", "B")];
        stage.client.put(format!("/v2/users/{tenant}/{mail}"), &form(&fields)).expect_success();
        let answer = stage.client.log_in(mail, "Correct-Horse-7").expect(200);
        stage.client.with_token(answer.json()["access_token"].as_str().unwrap())
    };
    let (theirs, user) = (admin("acme", "boss@acme.test", "1"), admin("default", "plain@example.com", "2"));
    for client in [&theirs, &user] {
        for path in [PEOPLE, GROUPS, "/v2/actions/cabsync?tenant-id=default"] {
            client.post(path, "").expect(403);
        }
        client.get("/v2/actions/runs?tenant-id=default").expect(403);
    }
    let run = stage.run(PEOPLE);
    let path = format!("/v2/actions/runs/{}", run["id"].as_str().unwrap());
    theirs.get(&path).expect(404);
    user.get(&path).expect(403);
    assert_eq!(theirs.get("/v2/actions/runs").expect(200).json()["count"], 0);
    stage.client.get(&path).expect(200);
    let unset = stage.client.post("/v2/actions/cabsync?tenant-id=default", "").expect(503);
    assert!(unset.text().contains("not set up"), "{}", unset.text());
}
