//! The guide's own curl lines (2.4.1, 3.3 to 3.10), run by bash as a person would paste them: each in one line,
//! with the host and the placeholders filled in and nothing else changed.

use crate::shell::{Shell, success};
use harness::{PASSWORD, World};
use serde_json::{Value, json};

harness::trials! { "guide":
    the_line_of_2_4_1_logs_in,
    the_line_of_2_4_1_renews_a_token,
    the_line_of_3_3_2_creates_a_user,
    the_line_of_3_4_2_lists_users,
    the_line_of_3_4_2_shows_one_user,
    the_line_of_3_5_2_changes_department_and_language,
    the_line_of_3_6_blocks_a_user,
    the_line_of_3_7_2_deletes_a_user,
    the_line_of_3_8_2_sets_the_quota,
    the_line_of_3_9_2_sets_aliases,
    the_line_of_3_10_2_changes_the_password,
}

const LOG_IN: &str = r#"curl -X POST "https://<pbm_url>/v2/auth" -d "login=<login>"
-d "password=<password>""#;

const RENEW: &str = r#"curl -X POST "https://<pbm_url>/v2/auth" -d "login=<login>" -d
"password=<password>" -d "refresh_token=<refresh_token>""#;

const CREATE: &str = r#"curl -X PUT "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-d "userPassword=<password>" -d "employeeNumber=1" -d "cn=<name>"
-d "sn=<surname>" -H "accept: application/json" -H "Authorization:
Bearer <access_token>""#;

const LIST: &str = r#"curl -X GET "https://<pbm_url>/v2/users/<tenant-id>" -d
"&page=1&orderby=mail" -H "Authorization: Bearer <access_token>""#;

const READ: &str = r#"curl -X GET "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-H "Authorization: Bearer <access_token>""#;

const PATCH: &str = r#"curl -X PATCH "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-d "ou=Development&lang=en-US" -H "Authorization: Bearer <access_token>""#;

const BLOCK: &str = r#"curl -X PATCH "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-d "inetUserStatus=0" -H "Authorization: Bearer <access_token>""#;

const DELETE: &str = r#"curl -X DELETE "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-H "Authorization: Bearer <access_token>""#;

const QUOTA: &str = r#"curl -X PATCH "https://<pbm_url/v2/users/<tenant-id>/<mail>"
-d "quota=1024" -H "Authorization: Bearer <access_token>""#;

const ALIAS: &str = r#"curl -X PATCH "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-d "alias=<alias>" -H "Authorization: Bearer <access_token>""#;

const SET_PASSWORD: &str = r#"curl -X PATCH "https://<pbm_url>/v2/users/<tenant-id>/<mail>"
-d "userPassword=<password>" -H "Authorization: Bearer <access_token>""#;

#[track_caller]
fn assert_granted(answer: &Value, tenant: &str, role: u8) {
    let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_token", "expire", "refresh_token", "role", "tenant-id"]);
    assert_eq!(answer["tenant-id"], tenant);
    assert_eq!(answer["role"], role);
    assert_eq!(answer["expire"], 3600);
    assert_ne!(answer["access_token"], answer["refresh_token"]);
}

fn the_line_of_2_4_1_logs_in(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let shell = Shell::new(world).fill("<login>", &ivan.mail).fill("<password>", PASSWORD);
    let answer = shell.run(LOG_IN);
    assert_granted(&answer, &tenant.id, 2);
    let client = world.nobody().with_token(answer["access_token"].as_str().unwrap());
    client.get(&ivan).expect(200);
}

fn the_line_of_2_4_1_renews_a_token(world: &World) {
    let login = World::root_login();
    let shell = Shell::new(world).fill("<login>", &login).fill("<password>", World::root_password());
    let first = shell.run(LOG_IN);
    assert_granted(&first, "default", 3);
    let renewed = shell.fill("<refresh_token>", first["refresh_token"].as_str().unwrap()).run(RENEW);
    assert_granted(&renewed, "default", 3);
    assert_eq!(renewed["refresh_token"], first["refresh_token"]);
    let client = world.nobody().with_token(renewed["access_token"].as_str().unwrap());
    client.get("/v2/users/default").expect(200);
}

fn the_line_of_3_3_2_creates_a_user(world: &World) {
    let tenant = world.tenant();
    let vera = tenant.named("vera");
    let shell = Shell::about(world, &tenant).fill("<mail>", &vera.mail).fill("<password>", PASSWORD);
    assert_eq!(shell.fill("<name>", "Вера").fill("<surname>", "Новикова").run(CREATE), success());
    let shown = tenant.admin().get(&vera).expect(200).json();
    assert_eq!((&shown["cn"], &shown["sn"]), (&json!("Вера"), &json!("Новикова")));
    assert_eq!(shown["employeeNumber"], 1);
    let entry = world.probe().user(&vera.mail);
    assert_eq!(
        (entry.dn.as_str(), entry.one("cn"), entry.one("sn")),
        (vera.dn().as_str(), "Вера", "Новикова")
    );
    assert!(entry.one("userPassword").starts_with("{PBKDF2"), "{entry:?}");
    assert!(vera.can_bind());
}

fn the_line_of_3_4_2_lists_users(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let answer = Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(LIST);
    let mails: Vec<_> = answer["users"].as_array().unwrap().iter().map(|user| user["mail"].clone()).collect();
    assert_eq!(mails, [tenant.address("administrator"), tenant.address("ivan")]);
    let expected = json!({"count": 2, "page": 1, "pages": 1, "per_page": 50, "users": answer["users"]});
    assert_eq!(answer, expected);
}

fn the_line_of_3_4_2_shows_one_user(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let expected = json!({
        "mail": ivan.mail, "tenant-id": tenant.id, "cn": "ivan", "sn": "Tester", "employeeNumber": 2,
        "employeeType": 3, "inetUserStatus": 1, "lang": "en-US",
    });
    assert_eq!(Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(READ), expected);
}

fn the_line_of_3_5_2_changes_department_and_language(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("lang", "ru-RU").create();
    assert_eq!(Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(PATCH), success());
    let entry = world.probe().user(&ivan.mail);
    assert_eq!((entry.one("ou"), entry.one("preferredLanguage")), ("Development", "en-US"));
}

fn the_line_of_3_6_blocks_a_user(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    assert_eq!(Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(BLOCK), success());
    let entry = world.probe().user(&ivan.mail);
    assert_eq!(
        (entry.one("inetUserStatus"), entry.one("nsAccountLock").to_lowercase().as_str()),
        ("0", "true")
    );
    assert!(!ivan.can_bind());
}

fn the_line_of_3_7_2_deletes_a_user(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    assert_eq!(Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(DELETE), success());
    tenant.admin().get(&ivan).expect(404);
    assert_eq!(tenant.listed(""), ["administrator"]);
    assert!(!ivan.can_bind());
}

fn the_line_of_3_8_2_sets_the_quota(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    assert_eq!(Shell::about(world, &tenant).fill("<mail>", &ivan.mail).run(QUOTA), success());
    assert_eq!(world.probe().user(&ivan.mail).one("mailQuota"), "1073741824");
    assert_eq!(tenant.admin().get(&ivan).json()["quota"], 1024);
}

fn the_line_of_3_9_2_sets_aliases(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let [first, second] = ["boss", "sales"].map(|name| tenant.address(name));
    let forms = [
        (format!("{first},{second}"), vec![first.clone(), second.clone()]),
        // The shell removes the inner quotation marks, and curl sends the brackets.
        (format!("[\"{second}\"]"), vec![second.clone()]),
        (format!("\\[\"{first}\",\"{second}\"\\]"), vec![first, second]),
        (String::new(), vec![]),
    ];
    for (alias, expected) in forms {
        assert_eq!(
            Shell::about(world, &tenant).fill("<mail>", &ivan.mail).fill("<alias>", &alias).run(ALIAS),
            success()
        );
        let entry = world.probe().user(&ivan.mail);
        let mut aliases = entry.all("mailAlternateAddress");
        aliases.sort_unstable();
        assert_eq!(aliases, expected, "{alias}");
    }
}

fn the_line_of_3_10_2_changes_the_password(world: &World) {
    let tenant = world.tenant();
    let mut ivan = tenant.user("ivan").create();
    let shell = Shell::about(world, &tenant).fill("<mail>", &ivan.mail).fill("<password>", "Other-Horse-8");
    assert_eq!(shell.run(SET_PASSWORD), success());
    assert!(!ivan.can_bind());
    ivan.password = "Other-Horse-8".into();
    assert!(ivan.can_bind());
    ivan.log_in();
}
