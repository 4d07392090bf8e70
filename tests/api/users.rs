//! Users: their fields, defaults, names and ways to pass values.

use harness::{World, encoded, form};
use serde_json::{Value, json};

harness::trials! { "users":
    every_field_of_the_tables_round_trips,
    a_changed_field_changes_nothing_else,
    an_empty_value_clears_an_optional_field,
    the_defaults_stand_in_the_directory,
    an_address_is_one_in_any_letter_case,
    a_name_with_special_characters_round_trips,
    an_address_with_special_characters_is_found_again,
    parameters_come_from_the_query_the_body_and_the_tail_of_the_path,
    a_flat_json_object_is_a_form,
    unknown_parameters_change_nothing_and_are_named,
    aliases_are_replaced_and_an_empty_value_removes_them,
    an_alias_list_is_read_in_every_form,
    a_quota_is_megabytes_outside_and_bytes_inside,
    a_blocked_user_cannot_bind_and_an_unblocked_one_can,
    phones_have_digits_and_special_characters_only,
    a_language_is_one_of_the_table,
    the_password_is_never_shown,
}

/// Field, value as sent and shown, attribute in the directory, value there.
const FIELDS: [(&str, &str, &str, &str); 18] = [
    ("cn", "Анна-Мария", "cn", "Анна-Мария"),
    ("sn", "Ёлкина", "sn", "Ёлкина"),
    ("displayName", "Ёлкина Анна 😀", "displayName", "Ёлкина Анна 😀"),
    ("employeeNumber", "1", "employeeNumber", "1"),
    ("employeeType", "0", "employeeType", "0"),
    ("inetUserStatus", "1", "inetUserStatus", "1"),
    ("initials", "Игоревна", "initials", "Игоревна"),
    ("ou", "Отдел & партнёры", "ou", "Отдел & партнёры"),
    ("title", "Lead + 100% = «начальник»", "title", "Lead + 100% = «начальник»"),
    ("description", "first line\nвторая\tстрока", "description", "first line\nвторая\tстрока"),
    ("homePhone", "+7 (495) 123-45-67", "homePhone", "+7 (495) 123-45-67"),
    ("telephoneNumber", "8-800-555-35-35, 12/3", "telephoneNumber", "8-800-555-35-35, 12/3"),
    ("mobile", "+7 (900) 123-45-67", "mobile", "+7 (900) 123-45-67"),
    ("l", "Санкт-Петербург", "l", "Санкт-Петербург"),
    ("telegram", "@anna_ё", "telegram", "@anna_ё"),
    ("skype", "live:anna.1", "skype", "live:anna.1"),
    ("quota", "2048", "mailQuota", "2147483648"),
    ("lang", "tt-RU", "preferredLanguage", "tt-RU"),
];

/// Numbers are JSON numbers, everything else is text.
fn shown(field: &str, value: &str) -> Value {
    match field {
        "employeeNumber" | "employeeType" | "inetUserStatus" | "quota" => {
            json!(value.parse::<u64>().unwrap())
        }
        _ => json!(value),
    }
}

fn every_field_of_the_tables_round_trips(world: &World) {
    let tenant = world.tenant();
    let created = FIELDS.iter().fold(tenant.user("anna"), |new, (field, value, ..)| new.with(field, value));
    let aliases = [tenant.address("a1"), tenant.address("a2")];
    let created = created.with("alias", &aliases.join(",")).create();
    let bare = tenant.user("bare").create();
    let all: Vec<_> = FIELDS.iter().map(|(field, value, ..)| (*field, *value)).collect();
    tenant.admin().patch(&bare, &form(&all)).expect_success();
    for user in [&created, &bare] {
        let answer = tenant.admin().get(user).expect(200).json();
        let entry = world.probe().user(&user.mail);
        for (field, value, attribute, stored) in FIELDS {
            assert_eq!(answer[field], shown(field, value), "{field}");
            assert_eq!(entry.one(attribute), stored, "{attribute}");
        }
        assert_eq!(answer["mail"], user.mail.as_str());
        assert_eq!(answer["tenant-id"], tenant.id.as_str());
    }
    let answer = tenant.admin().get(&created).json();
    assert_eq!(answer["alias"], json!(aliases));
    assert_eq!(answer.as_object().unwrap().len(), FIELDS.len() + 3);
    // A list shows its users as they are shown alone.
    let list = tenant.list("search=anna");
    assert_eq!(list["users"], json!([answer]));
}

fn a_changed_field_changes_nothing_else(world: &World) {
    let tenant = world.tenant();
    let anna =
        FIELDS.iter().fold(tenant.user("anna"), |new, (field, value, ..)| new.with(field, value)).create();
    let mut expected = tenant.admin().get(&anna).json();
    for (field, value) in [("title", "Boss"), ("employeeType", "2"), ("quota", "0"), ("lang", "ba-RU")] {
        tenant.admin().patch(&anna, &form(&[(field, value)])).expect_success();
        expected[field] = shown(field, value);
        assert_eq!(tenant.admin().get(&anna).json(), expected);
    }
    tenant.admin().patch(&anna, "").expect_success();
    assert_eq!(tenant.admin().get(&anna).json(), expected);
    assert!(anna.can_bind());
}

fn an_empty_value_clears_an_optional_field(world: &World) {
    let tenant = world.tenant();
    let anna =
        FIELDS.iter().fold(tenant.user("anna"), |new, (field, value, ..)| new.with(field, value)).create();
    let optional = [
        "displayName",
        "initials",
        "ou",
        "title",
        "description",
        "homePhone",
        "telephoneNumber",
        "mobile",
        "l",
    ];
    for field in optional.into_iter().chain(["telegram", "skype", "quota"]) {
        tenant.admin().patch(&anna, &format!("{field}=")).expect_success();
        assert_eq!(tenant.admin().get(&anna).json().get(field), None, "{field}");
    }
    for field in ["cn", "sn", "employeeNumber", "employeeType", "inetUserStatus", "lang", "userPassword"] {
        tenant.admin().patch(&anna, &format!("{field}=")).expect_wrong(&[field]);
    }
    assert!(anna.can_bind());
}

fn the_defaults_stand_in_the_directory(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let entry = world.probe().user(&ivan.mail);
    let defaults =
        [("inetUserStatus", "1"), ("employeeType", "3"), ("preferredLanguage", "en-US"), ("mailQuota", "")];
    for (attribute, value) in defaults {
        assert_eq!(entry.one(attribute), value, "{attribute}");
    }
    assert_eq!(entry.one("displayName"), "");
    // The tenant's own defaults take precedence over the guide's.
    let dn = format!("ou={},ou=Domains,{}", tenant.id, world.probe().root);
    let change = "replace: pbmDefaultQuota\npbmDefaultQuota: 536870912\n-\nreplace: pbmDefaultLanguage\npbmDefaultLanguage: ru-RU\n";
    world.probe().modify(&format!("dn: {dn}\nchangetype: modify\n{change}"));
    let vera = tenant.user("vera").create();
    let answer = tenant.admin().get(&vera).json();
    assert_eq!((&answer["quota"], &answer["lang"]), (&json!(512), &json!("ru-RU")));
    let lena = tenant.user("lena").with("quota", "1").with("lang", "fr-FR").create();
    let answer = tenant.admin().get(&lena).json();
    assert_eq!((&answer["quota"], &answer["lang"]), (&json!(1), &json!("fr-FR")));
}

fn an_address_is_one_in_any_letter_case(world: &World) {
    let tenant = world.tenant();
    let path = format!("/v2/users/{}/Ivan.Petrov@{}", tenant.id.to_uppercase(), tenant.domain.to_uppercase());
    tenant.admin().put(&path, &tenant.user("x").form()).expect_success();
    let mail = tenant.address("ivan.petrov");
    assert_eq!(world.probe().user(&mail).one("mail"), mail);
    assert_eq!(tenant.admin().get(&path).expect(200).json()["mail"], mail.as_str());
    tenant.admin().get(tenant.named("ivan.petrov")).expect(200);
    let mut login = tenant.named("ivan.petrov");
    login.mail = "IVAN.Petrov@".to_owned() + &tenant.domain;
    login.try_log_in().expect(200);
    tenant.user("IVAN.PETROV").put().expect(409);
}

fn a_name_with_special_characters_round_trips(world: &World) {
    let tenant = world.tenant();
    let names =
        [",+\"\\<>;=#*()", " leading", "  #two", "trailing ", "\\2c", "a&b=c%41+d", "-", "{BASE64}x", ": x"];
    for (number, name) in names.into_iter().enumerate() {
        let user = tenant.user(&format!("u{number}"));
        let user = user.with("cn", name).with("sn", name).with("title", name).create();
        tenant
            .admin()
            .patch(&user, &form(&[("displayName", name), ("ou", name), ("l", name)]))
            .expect_success();
        let answer = tenant.admin().get(&user).json();
        let entry = world.probe().user(&user.mail);
        for field in ["cn", "sn", "title", "displayName", "ou", "l"] {
            assert_eq!(answer[field], name, "{field}");
            // The LDAP tools print a value with surrounding blanks in base64.
            assert_eq!(entry.one(field), name, "{field}");
        }
    }
}

fn an_address_with_special_characters_is_found_again(world: &World) {
    let tenant = world.tenant();
    for name in
        ["a+b", "a=b", "#a", "a*b", "o'neil", "a/b", "a%b", "a&b", "a?b", "{a}", "a|b", "~`^_$!", "a\u{2d}b"]
    {
        let user = tenant.user(name).create();
        assert_eq!(tenant.admin().get(&user).expect(200).json()["mail"], user.mail.as_str());
        tenant.admin().patch(&user, "title=Boss").expect_success();
        assert_eq!(world.probe().user(&user.mail).one("title"), "Boss");
        user.log_in().get(&user).expect(200);
        tenant.admin().delete(&user).expect_success();
        tenant.admin().get(&user).expect(404);
        tenant.admin().restore(&user).expect_success();
    }
    assert_eq!(tenant.listed("search=*"), ["a*b"]);
}

fn parameters_come_from_the_query_the_body_and_the_tail_of_the_path(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let title = |path: &str, body: &str| {
        tenant.admin().patch(path, body).expect_success();
        tenant.admin().get(&ivan).json()["title"].clone()
    };
    let path = ivan.as_ref();
    assert_eq!(title(&format!("{path}?title=query"), ""), "query");
    assert_eq!(title(path, "title=body"), "body");
    assert_eq!(title(&format!("{path}&title=tail"), ""), "tail");
    assert_eq!(title(&format!("{path}?title=query+2"), "title=body+%D1%8F"), "body я");
    assert_eq!(title(&format!("{path}&l=Omsk"), "&&title=empty pairs&"), "empty pairs");
    assert_eq!(tenant.admin().get(&ivan).json()["l"], "Omsk");
    // The names in the path take precedence over every parameter.
    tenant.admin().patch(&ivan, "tenant-id=default&title=here").expect_success();
    let page = tenant.admin().send("GET", &tenant.users(), "&limit=1&page=2").expect(200).json();
    assert_eq!(page["users"][0]["mail"], ivan.mail.as_str());
    tenant.admin().send("DELETE", ivan.as_ref(), "x=1").expect_success();
    tenant.admin().get(&ivan).expect(404);
}

fn a_flat_json_object_is_a_form(world: &World) {
    let tenant = world.tenant();
    let client = tenant.admin().with_header("Content-Type", "application/json; charset=utf-8");
    let ivan = tenant.named("ivan");
    let alias = [tenant.address("a"), tenant.address("b")];
    let body = json!({"userPassword": harness::PASSWORD, "employeeNumber": 2, "cn": "Иван", "sn": "Q", "alias": alias,
        "quota": 7, "title": null});
    client.put(&ivan, &body.to_string()).expect_success();
    let answer = client.get(&ivan).json();
    assert_eq!(
        (&answer["cn"], &answer["quota"], &answer["alias"]),
        (&json!("Иван"), &json!(7), &json!(alias))
    );
    client.patch(&ivan, r#"{"alias": [], "quota": ""}"#).expect_success();
    let answer = client.get(&ivan).json();
    assert_eq!((answer.get("alias"), answer.get("quota")), (None, None));
    for wrong in ["[]", "1", "{", "{\"cn\":{}}", "{\"cn\":[[\"x\"]]}", "cn=x", "{\"cn\":\"\\ud800\"}"] {
        client.patch(&ivan, wrong).expect(400);
    }
}

fn unknown_parameters_change_nothing_and_are_named(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let before = world.probe().user(&ivan.mail);
    let answer =
        tenant.admin().patch(&ivan, "shoeSize=44&nsAccountLock=true&x%0D%0Ay=1&я=2&CN=z").expect_success();
    let names = answer.header("x-ignored-parameters").unwrap();
    let mut names: Vec<_> = names.split(", ").collect();
    names.sort_unstable();
    assert_eq!(names, ["%D1%8F", "CN", "nsAccountLock", "shoeSize", "x%0D%0Ay"]);
    assert_eq!(world.probe().user(&ivan.mail), before);
    assert_eq!(tenant.admin().patch(&ivan, "title=x").header("x-ignored-parameters"), None);
    assert_eq!(
        tenant.admin().get(format!("{}?nope", tenant.users())).header("x-ignored-parameters"),
        Some("nope")
    );
}

fn aliases_are_replaced_and_an_empty_value_removes_them(world: &World) {
    let tenant = world.tenant();
    let [a, b, c] = ["a", "b", "c"].map(|name| tenant.address(name));
    let ivan = tenant.user("ivan").with("alias", &format!("{a},{b}")).create();
    let aliases = || tenant.admin().get(&ivan).json().get("alias").cloned();
    assert_eq!(aliases(), Some(json!([a, b])));
    tenant.admin().patch(&ivan, &form(&[("alias", format!("{c},{a}"))])).expect_success();
    assert_eq!(aliases(), Some(json!([a, c])));
    tenant.user("b").create();
    tenant.user("a").put().expect(409);
    tenant.admin().patch(&ivan, &form(&[("alias", &b)])).expect(409);
    assert_eq!(aliases(), Some(json!([a, c])));
    tenant.admin().patch(&ivan, "title=x").expect_success();
    assert_eq!(aliases(), Some(json!([a, c])));
    tenant.admin().patch(&ivan, "alias=").expect_success();
    assert_eq!(aliases(), None);
    tenant.user("a").create();
}

fn an_alias_list_is_read_in_every_form(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let [a, b] = ["a", "b"].map(|name| tenant.address(name));
    let texts = [
        format!("{a},{b}"),
        format!("[\"{a}\",\"{b}\"]"),
        format!("[{a},{b}]"),
        format!("\\[\"{a}\",\"{b}\"\\]"),
        format!("\\[\"{a}\",\"\\{b}\"\\]"),
        format!(" {a} , {b} ,"),
        format!("{},{b},{b}", a.to_uppercase()),
    ];
    let bodies = texts.iter().flat_map(|text| [format!("alias={}", encoded(text)), format!("alias={text}")]);
    for body in bodies.chain([format!("alias={a}&alias={b}")]) {
        tenant.admin().patch(&ivan, "alias=").expect_success();
        tenant.admin().patch(&ivan, &body).expect_success();
        assert_eq!(tenant.admin().get(&ivan).json()["alias"], json!([a, b]), "{body}");
    }
}

fn a_quota_is_megabytes_outside_and_bytes_inside(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for (quota, bytes) in [("0", "0"), ("1", "1048576"), ("1024", "1073741824"), ("007", "7340032")] {
        tenant.admin().patch(&ivan, &format!("quota={quota}")).expect_success();
        assert_eq!(world.probe().user(&ivan.mail).one("mailQuota"), bytes);
        assert_eq!(tenant.admin().get(&ivan).json()["quota"], quota.parse::<u64>().unwrap());
    }
    for wrong in ["-1", "1.5", "1GB", "%2B1", "99999999999999999999", "%D9%A3", "0x10", "1 0"] {
        tenant.admin().patch(&ivan, &format!("quota={wrong}")).expect_wrong(&["quota"]);
    }
    assert_eq!(world.probe().user(&ivan.mail).one("mailQuota"), "7340032");
    // A blank, a no-break space and a zero-width space around it.
    tenant.admin().patch(&ivan, "quota=%C2%A0 2%E2%80%8B").expect_success();
    assert_eq!(world.probe().user(&ivan.mail).one("mailQuota"), "2097152");
}

fn a_blocked_user_cannot_bind_and_an_unblocked_one_can(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    for status in ["0", "2"] {
        tenant.admin().patch(&ivan, &format!("inetUserStatus={status}")).expect_success();
        assert!(!ivan.can_bind());
        client.get(&ivan).expect(401);
        ivan.try_log_in().expect(401);
        let entry = world.probe().user(&ivan.mail);
        assert_eq!(entry.one("nsAccountLock").to_lowercase(), "true");
        tenant.admin().patch(&ivan, "inetUserStatus=1").expect_success();
        assert!(ivan.can_bind());
        assert_eq!(world.probe().user(&ivan.mail).one("nsAccountLock"), "");
    }
    // A blocked user stays blocked, and unblocking does not make an earlier token valid again.
    client.get(&ivan).expect(401);
    for status in ["0", "2"] {
        let blocked = tenant.user(&format!("blocked{status}")).with("inetUserStatus", status).create();
        assert!(!blocked.can_bind());
        blocked.try_log_in().expect(401);
    }
}

fn phones_have_digits_and_special_characters_only(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for field in ["homePhone", "telephoneNumber", "mobile"] {
        for right in ["1", "+7(495)1234567", "8 800 555-35-35", "1.2/3,4"] {
            tenant.admin().patch(&ivan, &form(&[(field, right)])).expect_success();
            assert_eq!(tenant.admin().get(&ivan).json()[field], right);
        }
        // Whether or not these count as special characters: they are stored, or refused with a message.
        for special in ["*100#", "#1", "1*"] {
            let answer = tenant.admin().patch(&ivan, &form(&[(field, special)]));
            if answer.status == 200 {
                assert_eq!(tenant.admin().get(&ivan).json()[field], special);
            } else {
                answer.expect_wrong(&[field]);
            }
        }
        tenant.admin().patch(&ivan, &form(&[(field, "1.2/3,4")])).expect_success();
        for wrong in ["call me", "123a", "٣٤٥", "+", "---", "1\n2", "1;2"] {
            tenant.admin().patch(&ivan, &form(&[(field, wrong)])).expect_wrong(&[field]);
        }
        assert_eq!(tenant.admin().get(&ivan).json()[field], "1.2/3,4");
    }
}

fn a_language_is_one_of_the_table(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for lang in ["ru-RU", "es-PA", "fr-FR", "it-IT", "pt-BR", "ba-RU", "tt-RU", "en-US"] {
        tenant.admin().patch(&ivan, &format!("lang={lang}")).expect_success();
        assert_eq!(world.probe().user(&ivan.mail).one("preferredLanguage"), lang);
    }
    for wrong in ["de-DE", "ru", "ru_RU", "en-US,ru-RU"] {
        let answer = tenant.admin().patch(&ivan, &format!("lang={wrong}")).expect_wrong(&["lang"]);
        assert!(answer.message()["lang"].as_str().unwrap().contains("ru-RU"));
    }
}

fn the_password_is_never_shown(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("userPassword", "Пароль & = % 😀").create();
    assert!(ivan.can_bind());
    ivan.log_in();
    let texts = [
        tenant.admin().get(&ivan).text(),
        tenant.admin().get(tenant.users()).text(),
        tenant.admin().patch(&ivan, "userPassword=Other-Horse-8").text(),
        world.serve().log(),
    ];
    for text in texts {
        for secret in ["userPassword", "PBKDF2", "Пароль", "Other-Horse-8"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
