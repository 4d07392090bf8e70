//! Synchronization with stand-ins for Active Directory, with its limits, and for Bitrix24.

use crate::site::{Site, client_of};
use harness::{Client, Installation, Serve, Setup, World};
use serde_json::Value;
use stand_ins::{
    active_directory::{DomainController, Entry, Fault},
    bitrix24::{self, Company, Portal, PortalOptions},
};

harness::trials! { "sync_sources":
    two_and_a_half_thousand_people_of_active_directory,
    groups_of_active_directory_with_more_members_than_an_answer_has,
    a_portal_of_bitrix24,
}

const PEOPLE: &str = "/v2/actions/cabsync/default/ad";
const GROUPS: &str = "/v2/actions/groupsync/default/ad";
const BITRIX24: &str = "/v2/actions/cabsync?tenant-id=default";

struct Stage {
    client: Client,
    serve: Serve,
    site: Site,
}

impl Stage {
    fn start(changes: &[(&str, &str)]) -> Self {
        let (site, serve) = Site::of(Installation::start(Setup::default()), changes);
        Self { client: client_of(&serve), serve, site }
    }

    fn of_ad(ad: &DomainController) -> Self {
        let quoted = |text: &str| format!("{text:?}");
        let (staff, groups) = (DomainController::container("Staff"), DomainController::container("Groups"));
        Self::start(&[
            ("sync.ad.host", "\"127.0.0.1\""),
            ("sync.ad.port", &ad.port().to_string()),
            ("sync.ad.login", &quoted(DomainController::LOGIN)),
            ("sync.ad.password", &quoted(DomainController::PASSWORD)),
            ("sync.ad.base_dn", &quoted(&staff)),
            ("sync.ad.groups_dn", &quoted(&groups)),
        ])
    }

    fn run(&self, path: &str) -> Value {
        self.client.post(path, "").expect(200).json()
    }

    /// What `pbm check` says of the sources.
    fn checked(&self) -> String {
        let checked = self.site.installation.pbm(&self.site.config, &["check"]).stdout;
        checked.lines().filter(|line| line.starts_with("sync.")).collect::<Vec<_>>().join("\n")
    }

    fn count_of_contacts(&self) -> Value {
        self.client.get("/v2/addressbook/default?view=all&kind=contact").expect(200).json()["count"].clone()
    }
}

#[track_caller]
fn assert_counts(found: &Value, expected: [u64; 4]) {
    let counts = ["added", "updated", "unchanged", "removed"].map(|name| found[name].as_u64().unwrap());
    assert_eq!(counts, expected, "{found}");
}

fn person(number: usize) -> Entry {
    Entry::person("Staff", &format!("Person Number{number:04}"))
        .with("mail", &format!("p{number:04}@partner.test"))
        .with("title", "Engineer")
}

fn two_and_a_half_thousand_people_of_active_directory(_: &World) {
    let ad = DomainController::start();
    ad.put_all((0..2500).map(person));
    ad.put(person(7).with("userAccountControl", "514"));
    ad.put(person(8).with_all("proxyAddresses", &["SMTP:p0008@partner.test", "smtp:eight@partner.test"]));
    let stage = Stage::of_ad(&ad);
    assert_counts(&stage.run(PEOPLE), [2499, 0, 0, 0]);
    assert_eq!(stage.count_of_contacts(), 2499);
    let eight = stage.client.get("/v2/addressbook/default?view=all&search=p0008@").expect(200).json();
    assert_eq!(eight["contacts"][0]["alias"][0], "eight@partner.test");

    ad.fail(Fault::CutOnPage(3));
    ad.delete(person(9).dn());
    let answer = stage.client.post(PEOPLE, "").expect(502);
    assert!(!answer.text().contains(DomainController::PASSWORD), "{}", answer.text());
    ad.fail(Fault::FailOnPage(3));
    stage.client.post(PEOPLE, "").expect(502);
    assert_eq!(stage.count_of_contacts(), 2499, "a source that is cut off removes nobody");

    ad.fail(Fault::RefuseLogin("533"));
    let refused = stage.client.post(PEOPLE, "").expect(502).message();
    assert!(refused.as_str().unwrap().contains("disabled"), "{refused}");
    assert!(stage.checked().contains("disabled"), "{}", stage.checked());
    ad.fail(Fault::None);
    assert_eq!(stage.checked(), "sync.ad: connected and logged in");
    assert_counts(&stage.run(PEOPLE), [0, 0, 2498, 1]);

    // Renamed, moved and promoted; found by the identifier, in a run that reads nothing else.
    ad.rename(person(10).dn(), &format!("CN=Person Renamed,{}", DomainController::container("Moscow/Staff")));
    ad.change(&format!("CN=Person Renamed,{}", DomainController::container("Moscow/Staff")), |entry| {
        entry.with("mail", "renamed@partner.test").with("title", "Boss")
    });
    drop(ad.asked());
    let quick = stage.run(&format!("{PEOPLE}?quick=1"));
    assert_counts(&quick, [0, 1, 0, 0]);
    assert!(ad.asked().iter().any(|asked| asked.filter.to_lowercase().contains("usnchanged")));
    assert_counts(&stage.run(PEOPLE), [0, 0, 2498, 0]);
}

fn members(stage: &Stage, name: &str) -> Vec<Value> {
    let list = stage.client.get(format!("/v2/maillists/default/{name}@example.com")).expect(200);
    list.json()["alias"].as_array().unwrap().clone()
}

fn groups_of_active_directory_with_more_members_than_an_answer_has(_: &World) {
    let ad = DomainController::start();
    ad.put_all((0..1700).map(person));
    let everybody: Vec<_> = (0..1700).map(|number| person(number).dn().to_owned()).collect();
    let group = |name: &str| Entry::group("Groups", name).with("mail", &format!("{name}@example.com"));
    ad.put(group("all").with_members(&everybody));
    ad.put(group("inner").with_members(&everybody[..2]));
    ad.put(group("outer").with_members(&[group("inner").dn(), &everybody[5]]));
    let stage = Stage::of_ad(&ad);
    stage.run(PEOPLE);
    assert_counts(&stage.run(GROUPS), [3, 0, 0, 0]);
    assert_eq!(members(&stage, "all").len(), 1700);
    assert_eq!(members(&stage, "outer"), ["inner@example.com", "p0005@partner.test"]);
    assert_counts(&stage.run(GROUPS), [0, 0, 3, 0]);
    ad.delete(group("outer").dn());
    assert_counts(&stage.run(GROUPS), [0, 0, 2, 1]);
}

fn a_portal_of_bitrix24(_: &World) {
    let (options, company) = (PortalOptions::default(), Company::of(600));
    let (secret, employees) = (options.code.clone(), company.employees());
    let portal = Portal::start(options, company).unwrap();
    let all = employees.len() as u64;
    let quoted = |text: &str| format!("{text:?}");
    let stage = Stage::start(&[
        ("sync.bitrix24.url", &quoted(&portal.url())),
        ("sync.bitrix24.admin_userid", "\"1\""),
        ("sync.bitrix24.webhook", &quoted(&secret)),
    ]);
    assert_eq!(stage.checked(), "sync.bitrix24: connected and logged in");
    assert_counts(&stage.run(BITRIX24), [all, 0, 0, 0]);
    assert_counts(&stage.run(BITRIX24), [0, 0, all, 0]);

    portal.on_call(|call, _| (call.method == "user.get").then_some(bitrix24::Fault::Html(200)));
    let answer = stage.client.post(BITRIX24, "").expect(502);
    let runs = stage.client.get("/v2/actions/runs").expect(200);
    for text in [answer.text(), runs.text(), stage.serve.log()] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert_eq!(stage.count_of_contacts(), all);

    portal.on_call(|_, _| None);
    portal.company(|company| {
        company.dismiss(employees[3]);
        company.set(employees[4], "WORK_POSITION", "Boss".into());
    });
    assert_counts(&stage.run(BITRIX24), [0, 1, all - 2, 1]);

    // The URL of the webhook in place of that of the portal: nothing repeats its code.
    let installation = &stage.site.installation;
    let pasted = quoted(&format!("{}/rest/1/{secret}/", portal.url()));
    let pasted = installation.config("pasted.toml", &[("sync.bitrix24.url", &pasted)]);
    for command in [&["config", "show"][..], &["config", "etcd"], &["check"]] {
        let output = installation.pbm(&pasted, command).expect_failure().output();
        assert!(output.contains("webhook_file") && !output.contains(&secret), "{output}");
    }

    // A missing right to departments is a warning, one to addresses is not.
    for (scopes, words, is_sound) in [
        (["user"].as_slice(), "Warning: the names of the departments", true),
        (&["user_brief", "department"], "gives no addresses", false),
    ] {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let options = PortalOptions { scopes, ..PortalOptions::default() };
        let narrow = Portal::start(options, Company::of(10)).unwrap();
        let changes = [
            ("sync.bitrix24.url", quoted(&narrow.url())),
            ("sync.bitrix24.admin_userid", quoted("1")),
            ("sync.bitrix24.webhook", quoted(&secret)),
        ];
        let changes = changes.each_ref().map(|(key, value)| (*key, value.as_str()));
        let checked = installation.pbm(&installation.config("narrow.toml", &changes), &["check"]);
        let output = if is_sound { checked.expect_success() } else { checked.expect_failure() }.output();
        assert!(output.contains(words) && !output.contains(&secret), "{output}");
    }
}
