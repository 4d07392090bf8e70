//! Synchronization with a real domain controller, by Samba: two thousand people in organizational units, nested groups, a
//! primary group, people who are renamed, moved, disabled and deleted. Only with `PBM_SAMBA` (`make ad-check`): it needs
//! root, and packages that `make test` does not install.

use crate::site::{Site, client_of};
use harness::{Client, Installation, Serve, Setup, World, form};
use sandbox::SambaServer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::fmt::Write;
use tempfile::TempDir;

harness::trials! { "sync_samba":
    a_domain_becomes_an_address_book_and_mailing_lists,
}

const PEOPLE: usize = 2000;
const CABSYNC: &str = "/v2/actions/cabsync/acme/ad";
const GROUPSYNC: &str = "/v2/actions/groupsync/acme/ad";
const DOMAIN: &str = "DC=example,DC=test";

fn person(number: usize) -> String {
    let place = if number.is_multiple_of(2) { "Moscow" } else { "Tula" };
    format!("CN=Person {number},OU={place},OU=Staff,{DOMAIN}")
}

fn group(name: &str) -> String {
    format!("CN={name},OU=Groups,{DOMAIN}")
}

fn entries() -> String {
    let mut ldif = String::new();
    for unit in ["OU=Staff", "OU=Groups", "OU=Moscow,OU=Staff", "OU=Tula,OU=Staff"] {
        writeln!(ldif, "dn: {unit},{DOMAIN}\nchangetype: add\nobjectClass: organizationalUnit\n").unwrap();
    }
    for number in 0..PEOPLE {
        writeln!(
            ldif,
            "dn: {}\nchangetype: add\nobjectClass: user\nsAMAccountName: p{number}\nuserAccountControl: 544\n\
             givenName: Person\nsn: Number{number}\ndisplayName: Person {number}\nmail: p{number}@example.test\n\
             title: Engineer\n",
            person(number)
        )
        .unwrap();
    }
    for (name, members) in [
        ("moscow", vec![person(0), person(2)]),
        ("primary", vec![person(4)]),
        ("staff", vec![group("moscow"), group("primary"), person(1)]),
    ] {
        let members: Vec<_> = members.iter().map(|dn| format!("member: {dn}\n")).collect();
        writeln!(
            ldif,
            "dn: {}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\ndisplayName: The {name}\n\
             mail: {name}@example.test\n{}",
            group(name),
            members.concat()
        )
        .unwrap();
    }
    ldif
}

struct Stage {
    client: Client,
    server: SambaServer,
    _serve: Serve,
    _site: Site,
    _folder: TempDir,
}

impl Stage {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let server = SambaServer::in_folder(folder.path()).start().unwrap();
        server.change(&entries()).unwrap();
        let quoted = |text: &str| format!("{text:?}");
        let changes = [
            ("sync.ad.host", quoted(&server.address().to_string())),
            ("sync.ad.login", quoted(server.administrator())),
            ("sync.ad.password", quoted(server.password().unwrap().expose_secret())),
            ("sync.ad.base_dn", quoted(&format!("OU=Staff,{DOMAIN}"))),
            ("sync.ad.groups_dn", quoted(&format!("OU=Groups,{DOMAIN}"))),
        ];
        let changes: Vec<_> = changes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let installation = Installation::start(Setup::default());
        installation.create_tenant("acme", "example.test");
        let (site, serve) = Site::of(installation, &changes);
        Self { client: client_of(&serve), server, _serve: serve, _site: site, _folder: folder }
    }

    #[track_caller]
    fn assert_run(&self, path: &str, expected: [u64; 4]) {
        let outcome = self.client.post(path, "").expect(200).json();
        let counts = ["added", "updated", "unchanged", "removed"].map(|name| outcome[name].as_u64().unwrap());
        assert_eq!(counts, expected, "{outcome}");
    }

    fn found(&self, text: &str) -> Vec<Value> {
        let path = format!("/v2/addressbook/acme?view=all&search={text}");
        self.client.get(path).expect(200).json()["contacts"].as_array().unwrap().clone()
    }

    fn members(&self, list: &str) -> Value {
        let path = format!("/v2/maillists/acme/{list}@example.test");
        self.client.get(path).expect(200).json()["alias"].clone()
    }
}

fn a_domain_becomes_an_address_book_and_mailing_lists(_: &World) {
    let stage = Stage::start();
    let fields = [("userPassword", "Correct-Horse-7"), ("employeeNumber", "2"), ("cn", "A"), ("sn", "B")];
    stage.client.put("/v2/users/acme/p7@example.test", &form(&fields)).expect_success();
    stage.server.tool(&["user", "setprimarygroup", "p4", "primary"]).unwrap();
    stage.assert_run(CABSYNC, [PEOPLE as u64 - 1, 1, 0, 0]);
    stage.assert_run(CABSYNC, [0, 0, PEOPLE as u64, 0]);
    let user = stage.client.get("/v2/users/acme/p7@example.test").expect(200).json();
    assert_eq!((&user["sn"], &user["title"]), (&json!("Number7"), &json!("Engineer")));
    stage.assert_run(GROUPSYNC, [3, 0, 0, 0]);
    stage.assert_run(GROUPSYNC, [0, 0, 3, 0]);
    assert_eq!(stage.members("primary"), json!(["p4@example.test"]), "who has it as the primary group");
    let staff = json!(["moscow@example.test", "p1@example.test", "primary@example.test"]);
    assert_eq!(stage.members("staff"), staff);

    let before = stage.found("p14@")[0]["id"].clone();
    stage.server.tool(&["user", "disable", "p10"]).unwrap();
    stage.server.tool(&["user", "delete", "p12"]).unwrap();
    let moved = format!("CN=Renamed,OU=Tula,OU=Staff,{DOMAIN}");
    let changes = format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: CN=Renamed\ndeleteoldrdn: 1\nnewsuperior: OU=Tula,OU=Staff,{DOMAIN}\n\n\
         dn: {moved}\nchangetype: modify\nreplace: mail\nmail: renamed@example.test\n\n\
         dn: {}\nchangetype: modify\nreplace: title\ntitle: Boss\n",
        person(14),
        person(0)
    );
    stage.server.change(&changes).unwrap();
    stage.assert_run(&format!("{CABSYNC}?quick=1"), [0, 2, 0, 0]);
    stage.assert_run(CABSYNC, [0, 0, PEOPLE as u64 - 2, 2]);
    assert_eq!(stage.found("renamed@")[0]["id"], before, "found again by the identifier");
    assert_eq!(stage.found("p10@").len() + stage.found("p12@").len() + stage.found("p14@").len(), 0);
    assert_eq!(stage.found("p0@")[0]["title"], "Boss");
}
