//! Guessing passwords, and information about people in responses.

use harness::{
    Answer, Client, Context, Installation, PASSWORD, Setup, Tenant, User, World, exchange, form, start_serve,
};
use serde_json::Value;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_dry_run_of_an_import_compares_no_password", dry_run),
    ("comparisons_of_an_import_count_as_log_ins", import),
    ("spellings_and_subnets_count_together", spellings),
    ("many_names_of_parameters_are_refused_before_anything_else", parameters),
    ("the_service_account_reads_no_password_of_today_or_before", service_account),
    ("a_renamed_user_changes_its_own_password_and_no_other", renamed),
    ("answers_are_kept_by_no_cache_and_guessed_at_by_no_browser", headers),
    ("a_list_in_a_vcard_names_whom_its_reader_sees", members),
];

fn world() -> World {
    World::of(Installation::start(Setup { without_redis: true, ..Setup::default() }))
}

/// Makes the directory itself lock accounts, remember passwords and refuse simple ones.
fn set_policy(world: &World) {
    let settings = [
        ("passwordLockout", "on"),
        ("passwordMaxFailure", "10"),
        ("passwordHistory", "on"),
        ("passwordCheckSyntax", "on"),
        ("passwordMinLength", "8"),
    ];
    for (name, value) in settings {
        world.probe().replace("cn=config", name, &[value]);
    }
}

/// How often the directory has recently refused a user's password.
fn failures(world: &World, user: &User<'_>) -> u32 {
    let found = world.probe().search_with(&["passwordRetryCount"], &user.dn(), "base", "(objectClass=*)");
    found[0].one("passwordRetryCount").parse().unwrap_or(0)
}

fn upsert(client: &Client, tenant: &Tenant<'_>, more: &str, rows: &[String]) -> Vec<Value> {
    let client = client.with_header("Content-Type", "text/csv");
    let body = format!("mail;userPassword;title\n{}\n", rows.join("\n"));
    let answer = client.post(format!("{}/bulk?mode=upsert{more}", tenant.users()), &body).expect(200);
    let lines = answer.text();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn results(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["result"].as_str()).collect()
}

fn dry_run() {
    let world = world();
    set_policy(&world);
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("title", "Chief").create();
    let guess = |password: &str| format!("{};{password};Chief", ivan.mail);
    let mut rows: Vec<_> = (0..200).map(|number| guess(&format!("Guess-{number}-x"))).collect();
    rows.insert(100, guess(PASSWORD));
    let lines = upsert(tenant.admin(), &tenant, "&dry-run=1", &rows);
    let results = results(&lines);
    assert_eq!(results.len(), 201);
    // Nothing distinguishes the right password.
    assert!(results.iter().all(|result| *result == "updated"), "{results:?}");
    assert_eq!(lines.last().unwrap()["summary"]["updated"], 201);
    assert_eq!(failures(&world, &ivan), 0);
    assert!(ivan.can_bind());
    // Changes without a password are reported as before.
    let lines = upsert(tenant.admin(), &tenant, "&dry-run=1", &[format!("{};;Chief", ivan.mail)]);
    assert_eq!(self::results(&lines), ["unchanged"]);
}

fn import() {
    let world = world();
    set_policy(&world);
    let tenant = world.tenant();
    let users: Vec<_> = (0..60).map(|number| tenant.user(&format!("u{number}")).create()).collect();
    let here = world.fresh_address();
    let admin = tenant.admin().behind(&here);
    let rows = |password: &str| users.iter().map(|u| format!("{};{password};", u.mail)).collect::<Vec<_>>();
    // Repeating the same passwords changes nothing, for any number of users, and ends no token.
    let client = users[0].log_in();
    let same = upsert(&admin, &tenant, "", &rows(PASSWORD));
    assert!(results(&same).iter().all(|result| *result == "unchanged"), "{same:?}");
    client.get(&users[0]).expect(200);
    // New passwords are written, and other clients at the same address may still log in.
    let changed = upsert(&admin, &tenant, "", &rows("Other-Horse-8"));
    assert!(results(&changed).iter().all(|result| *result == "updated"), "{changed:?}");
    assert_eq!(failures(&world, &users[0]), 0);
    world.nobody().behind(&here).log_in(&users[1].mail, "Other-Horse-8").expect(200);
    // Guesses that the policy prevents from being written are counted, and stop.
    let ivan = &users[0];
    for _ in 0..9 {
        let refused = upsert(&admin, &tenant, "", &[format!("{};short;", ivan.mail)]);
        assert_eq!(results(&refused), ["error"], "{refused:?}");
    }
    assert_eq!(failures(&world, ivan), 5);
    world.nobody().behind(&here).log_in(&ivan.mail, "Other-Horse-8").expect(429);
    world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, "Other-Horse-8").expect(200);
    // Beyond the limit a password is written without a comparison, even the same one.
    let again = upsert(&admin, &tenant, "", &[format!("{};Third-Horse-9;", ivan.mail)]);
    assert_eq!(results(&again), ["updated"]);
}

fn spellings() {
    let world = world();
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let wide = |text: &str| -> String {
        let wide = |c: char| {
            if c.is_ascii_alphanumeric() { char::from_u32(u32::from(c) + 0xfee0).unwrap() } else { c }
        };
        text.chars().map(wide).collect()
    };
    let (_, domain) = ivan.mail.split_once('@').unwrap();
    let mut spelt = vec![
        ivan.mail.to_uppercase(),
        format!("ivan@{}", wide(domain)),
        ivan.mail.replace(".test", "。test"),
    ];
    for at in 1..domain.len() {
        for hidden in ['\u{ad}', '\u{200b}', '\u{2060}', '\u{fe0f}'] {
            let (before, after) = domain.split_at(at);
            spelt.push(format!("ivan@{before}{hidden}{after}"));
        }
    }
    let client = world.nobody().behind(&world.fresh_address());
    let statuses: Vec<_> = spelt.iter().map(|login| client.log_in(login, "wrong").status).collect();
    assert!(statuses.len() > 20);
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    client.log_in(&ivan.mail, PASSWORD).expect(429);
    // Logins that are not addresses share one limit too.
    let client = world.nobody().behind(&world.fresh_address());
    let statuses: Vec<_> =
        (0..20).map(|n| client.log_in(&format!("no address {n}"), "wrong").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    subnets(&world, &ivan);
}

/// A /64 counts as an address, and a /56 as four.
fn subnets(world: &World, ivan: &User<'_>) {
    let from = |subnet: u16, host: u16| world.nobody().behind(&format!("2001:db8:7:{subnet:x}::{host:x}"));
    let statuses: Vec<_> = (0..10).map(|host| from(0, host).log_in(&ivan.mail, "wrong").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    let statuses: Vec<_> = (1..40).map(|subnet| from(subnet, 1).log_in(&ivan.mail, "wrong").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 15, "{statuses:?}");
    from(0x100, 1).log_in(&ivan.mail, PASSWORD).expect(200);
}

fn parameters() {
    let world = world();
    let many: Vec<_> = (0..5000).map(|number| format!("p{number}=&")).collect();
    let many = many.concat();
    assert!(many.len() > 30_000);
    world.nobody().post("/v2/auth", &many).expect(413);
    let refused = world.nobody().post("/v2/auth", &many[..15_000]).expect(400);
    assert!(refused.text().contains("too many parameters"), "{}", refused.text());
    let refused = world.root().post("/v2/tenants", &many).expect(400);
    assert!(refused.text().contains("too many parameters"), "{}", refused.text());
    let json: Vec<_> = (0..5000).map(|number| format!("\"p{number}\":0,")).collect();
    let json = json.concat();
    let client = world.nobody().with_header("Content-Type", "application/json");
    client.post("/v2/auth", &format!("{{{json}\"login\":\"a\"}}")).expect(413);
    client
        .post("/v2/auth", &format!("{{{}\"login\":\"a\"}}", &json[..=json[..15_000].rfind(',').unwrap()]))
        .expect(400);
    world.nobody().get(format!("/v2/auth?{}", &many[..20_000])).expect(405);
    world.nobody().send("POST", &format!("/v2/auth?{}", &many[..20_000]), "").expect(400);
    // A few unknown parameters are named, as always.
    let known = world.nobody().post("/v2/auth", "login=a@b.example&password=x&colour=red").expect(401);
    assert_eq!(known.header("x-ignored-parameters"), None);
    let ignored = world.root().get("/v2/users/default?colour=red").expect(200);
    assert_eq!(ignored.header("x-ignored-parameters"), Some("colour"));
}

fn service_account() {
    let world = world();
    set_policy(&world);
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.admin().patch(&ivan, "userPassword=Other-Horse-8").expect_success();
    let more = ["passwordHistory", "userPassword"];
    let entry = world.probe().search_with(&more, &ivan.dn(), "base", "(objectClass=*)").remove(0);
    assert!(!entry.one("passwordHistory").is_empty() && !entry.one("userPassword").is_empty());
    let installation = world.installation();
    let read = |filter: &str| {
        let service = format!("uid=pbm,ou=System,{}", installation.probe().root);
        installation.probe().read_everything_as(&service, "service-password", &ivan.dn(), filter)
    };
    let seen = read("(objectClass=*)").expect_success().stdout;
    assert!(seen.contains(&format!("mail: {}", ivan.mail)) && seen.contains("pbmTokensValidFrom"), "{seen}");
    let names: Vec<_> = seen.lines().filter_map(|line| line.split(':').next()).collect();
    for secret in [
        "passwordHistory",
        "userPassword",
        "passwordRetryCount",
        "retryCountResetTime",
        "aci",
        "modifiersName",
    ] {
        assert!(names.iter().all(|name| !name.eq_ignore_ascii_case(secret)), "{secret} is read: {seen}");
    }
    assert!(!seen.contains("PBKDF2"), "{seen}");
    for filter in ["(passwordHistory=*)", "(userPassword=*)", "(passwordHistory=2*)"] {
        assert_eq!(read(filter).expect_success().stdout.trim(), "", "{filter}");
    }
    // The rights under the rules of earlier versions end with the next `pbm init`.
    let people = format!("ou=People,{}", installation.probe().root);
    let old = format!(
        "(targetattr != \"userPassword\")(version 3.0; acl \"pbm: read users\"; allow (read, search, compare) userdn = \"ldap:///uid=pbm,ou=System,{}\";)",
        installation.probe().root
    );
    installation.probe().replace(&people, "aci", &[old.as_str()]);
    assert!(read("(objectClass=*)").expect_success().stdout.contains("passwordHistory"));
    installation.init(&[]).expect_success();
    let seen = read("(objectClass=*)").expect_success().stdout;
    assert!(seen.contains("pbmRevision") && !seen.contains("passwordHistory"), "{seen}");
    ivan_still_works(&world, &tenant);
}

fn ivan_still_works(world: &World, tenant: &Tenant<'_>) {
    let mut user = tenant.named("ivan");
    user.password = "Other-Horse-8".into();
    user.log_in().get(&user).expect(200);
    assert_eq!(world.root().get(&user).expect(200).json()["mail"], user.mail.as_str());
}

fn renamed() {
    let world = world();
    let tenant = world.tenant();
    let other = start_serve(&world.installation().config("other.toml", &[]), &[]);
    let ivan = tenant.user("ivan").create();
    let token = ivan.log_in();
    let client = token.at(&other.client());
    // The other process caches the account for some seconds under its old address.
    client.get(&ivan).expect(200);
    tenant.admin().patch(&ivan, &form(&[("mail", tenant.address("ivan-ii"))])).expect_success();
    let mut successor = tenant.user("ivan").with("userPassword", "Successor-Horse-8").create();
    successor.password = "Successor-Horse-8".into();
    client.patch(&successor, "userPassword=Stolen-Horse-8").expect(403);
    client.get(&successor).expect(403);
    client.get(format!("{}/maillists", successor.as_ref())).expect(403);
    assert!(successor.can_bind());
    // The user's own entry is accessible at once under the present name.
    let mut own = tenant.named("ivan-ii");
    assert_eq!(client.get(&own).expect(200).json()["mail"], own.mail.as_str());
    client.patch(&own, "title=Boss").expect(403);
    client.patch(&own, "userPassword=Other-Horse-8").expect_success();
    own.password = "Other-Horse-8".into();
    assert!(own.can_bind() && successor.can_bind());
    // The difference between two responses must not reveal which other users exist.
    let client = own.log_in();
    for name in ["administrator", "missing"] {
        client.get(tenant.named(name)).expect(403);
        client.patch(tenant.named(name), "userPassword=Other-Horse-8").expect(403);
        client.patch(tenant.named(name), "userPassword=").expect(403);
    }
    client.get(format!("{}/no-address", tenant.users())).expect(403);
}

#[track_caller]
fn assert_private(what: &str, answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}: {answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer:?}");
}

fn headers() {
    let world = world();
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.mail_list("list").members(&[&ivan.mail]).create();
    let admin = tenant.admin();
    let rooms = tenant.group("rooms").create();
    let id = tenant.book().contact(&ivan.mail)["id"].as_str().unwrap().to_owned();
    let book = format!("/v2/addressbook/{}", tenant.id);
    for path in [
        tenant.users(),
        ivan.as_ref().to_owned(),
        format!("{}/maillists", ivan.as_ref()),
        format!("{}?deleted=1", tenant.users()),
        tenant.maillists(),
        tenant.groups(),
        rooms.resources(),
        book.clone(),
        format!("{book}/suggest?q=i"),
        format!("{book}/export"),
        format!("{book}/export?format=json"),
        format!("{book}/{id}.vcf"),
        format!("/v2/backup/ldif?tenant-id={}", tenant.id),
        "/health/live".to_owned(),
        "/health/ready".to_owned(),
    ] {
        let _case = Context::new(&path);
        assert_private(&path, &admin.get(&path).expect(200));
        assert_private(&path, &admin.send("HEAD", &path, ""));
    }
    assert_private("a log-in", &ivan.try_log_in().expect(200));
    assert_private(
        "a failed log-in",
        &world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, "x").expect(401),
    );
    assert_private("a write", &admin.patch(&ivan, "title=Boss"));
    assert_private(
        "an import",
        &admin
            .with_header("Content-Type", "text/csv")
            .post(format!("{}/bulk?dry-run=1&mode=upsert", tenant.users()), "mail;title\n"),
    );
    for (path, status) in
        [("/v2/users/other", 403), ("/nowhere", 404), ("/v2/users/%ff", 400), ("/v2/auth", 405)]
    {
        assert_private(path, &admin.get(path).expect(status));
    }
    assert_private("nobody", &world.nobody().get(&ivan).expect(401));
    let address = world.serve().address();
    for head in
        ["GARBAGE\r\n\r\n".to_owned(), format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(200))]
    {
        assert_private("a head", &exchange(address, head.as_bytes()).unwrap());
    }
    for path in ["/docs", "/docs/start.js", "/openapi.json"] {
        let answer = world.nobody().get(path).expect(200);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), None, "{path}");
    }
}

/// The members that a vCard names.
fn named(card: &Answer) -> Vec<String> {
    let text = card.clone().expect(200).text().replace("\r\n ", "");
    let member = |line: &str| line.strip_prefix("MEMBER:mailto:").map(str::to_owned);
    text.lines().filter_map(member).collect()
}

fn members() {
    let world = world();
    let tenant = world.tenant();
    let reader = tenant.user("reader").create().log_in();
    tenant.user("shown").create();
    tenant.user("suggested").with("employeeType", "0").create();
    tenant.user("colleague").with("employeeType", "2").create();
    tenant.user("blocked").with("inetUserStatus", "0").create();
    let gone = tenant.user("gone").create();
    tenant.add_outside("Partner", "partner@elsewhere.example", "");
    let names = ["shown", "suggested", "colleague", "blocked", "gone"];
    let mut addresses: Vec<_> = names.iter().map(|name| tenant.address(name)).collect();
    addresses.extend(["partner@elsewhere.example".to_owned(), "stranger@elsewhere.example".to_owned()]);
    let list = tenant.mail_list("list").with("alias", &addresses.join(",")).create();
    tenant.admin().delete(&gone).expect_success();
    let id = tenant.book().contact(&list.mail)["id"].as_str().unwrap().to_owned();
    let of = |names: &[&str], outside: &[&str]| {
        let inside = names.iter().map(|name| tenant.address(name));
        let mut all: Vec<_> =
            inside.chain(outside.iter().map(|name| format!("{name}@elsewhere.example"))).collect();
        all.sort_unstable();
        all
    };
    let book = format!("/v2/addressbook/{}", tenant.id);
    let seen = |client: &Client, path: &str| named(&client.get(format!("{book}/{path}")));
    let all = of(&["shown", "suggested", "colleague"], &["partner"]);
    assert_eq!(seen(&reader, &format!("{id}.vcf")), all);
    assert_eq!(seen(&reader, "export"), all);
    assert_eq!(seen(&reader, "export?view=colleagues"), of(&["shown", "colleague"], &["partner"]));
    assert_eq!(seen(&reader, "export?view=suggestions&kind=list"), of(&["shown", "suggested"], &["partner"]));
    // Administrators read the list itself, too.
    let all = of(&["shown", "suggested", "colleague"], &["partner", "stranger"]);
    assert_eq!(seen(tenant.admin(), &format!("{id}.vcf")), all);
    assert_eq!(seen(tenant.admin(), "export?view=suggestions"), all);
}
