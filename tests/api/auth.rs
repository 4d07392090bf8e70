//! Log-in, tokens, their expiry, and the limit on failed log-ins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use harness::{Answer, Client, PASSWORD, Tenant, User, World, form, start_serve, within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

harness::trials! { "auth":
    a_log_in_grants_what_the_guide_says,
    a_refresh_token_renews_the_access_token,
    a_refresh_token_with_what_does_not_belong_to_it_is_refused,
    an_expired_token_is_called_so,
    tokens_end_within_ten_seconds_in_every_process,
    a_lost_role_is_lost_within_ten_seconds_in_every_process,
    tokens_that_are_not_ours_count_for_nothing,
    a_wrong_login_and_a_wrong_password_look_alike,
    a_wrong_login_and_a_wrong_password_take_equally_long,
    too_many_failures_of_a_login_from_an_address_are_refused_there_alone,
    too_many_failures_from_an_address_are_refused_for_every_login,
    a_login_is_counted_in_any_letter_case,
    missing_credentials_are_named_all_at_once,
    an_empty_password_lets_nobody_in,
}

fn log_in(client: &Client, user: &User<'_>) -> (String, String) {
    let answer = client.log_in(&user.mail, &user.password).expect(200).json();
    let token = |name: &str| answer[name].as_str().unwrap().to_owned();
    (token("access_token"), token("refresh_token"))
}

fn refresh(client: &Client, pairs: &[(&str, &str)]) -> Answer {
    client.post("/v2/auth", &form(pairs))
}

fn a_log_in_grants_what_the_guide_says(world: &World) {
    let tenant = world.tenant();
    for (role, name) in [(1, "chief"), (2, "plain")] {
        let user = tenant.user(name).role(role).create();
        let answer = user.try_log_in().expect(200).json();
        let known = json!({"access_token": answer["access_token"], "refresh_token": answer["refresh_token"],
            "expire": 3600, "tenant-id": tenant.id, "role": role});
        assert_eq!(answer, known);
        let client = world.nobody().with_token(answer["access_token"].as_str().unwrap());
        client.get(&user).expect(200);
        // Schemes are case-insensitive (RFC 9110).
        let lower = format!("bearer {}", client.token());
        world.nobody().with_header("Authorization", &lower).get(&user).expect(200);
    }
}

fn a_refresh_token_renews_the_access_token(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let (_, token) = log_in(&world.nobody(), &ivan);
    let (login, password, token) =
        (("login", ivan.mail.as_str()), ("password", PASSWORD), ("refresh_token", &*token));
    for pairs in [&[login, password, token][..], &[login, token], &[token]] {
        let answer = refresh(&world.nobody(), pairs).expect(200).json();
        assert_eq!((&answer["expire"], &answer["role"]), (&json!(3600), &json!(2)));
        assert_eq!(answer["refresh_token"], token.1);
        world.nobody().with_token(answer["access_token"].as_str().unwrap()).get(&ivan).expect(200);
    }
    // Another process with the same directory and key accepts it too.
    refresh(&world.short_lived().client(), &[token]).expect(200);
}

fn a_refresh_token_with_what_does_not_belong_to_it_is_refused(world: &World) {
    let tenant = world.tenant();
    let (ivan, olga) = (tenant.user("ivan").create(), tenant.user("olga").create());
    let (access, token) = log_in(&world.nobody(), &ivan);
    let client = world.nobody().behind(&world.fresh_address());
    let right = [("login", ivan.mail.as_str()), ("password", PASSWORD)];
    let cut = &token[..token.len() - 1];
    refresh(&client, &[right[0], right[1], ("refresh_token", &access)]).expect(401);
    refresh(&client, &[right[0], right[1], ("refresh_token", cut)]).expect(401);
    refresh(&client, &[right[0], right[1], ("refresh_token", "x")]).expect(401);
    refresh(&client, &[("login", &olga.mail), right[1], ("refresh_token", &token)]).expect(401);
    refresh(&client, &[("login", "nobody"), right[1], ("refresh_token", &token)]).expect(401);
    refresh(&client, &[right[0], ("password", "wrong"), ("refresh_token", &token)]).expect(401);
    // A refresh token is not an access token.
    world.nobody().with_token(&token).get(&ivan).expect(401);
    refresh(&client, &[right[0], right[1], ("refresh_token", &token)]).expect(200);
}

fn an_expired_token_is_called_so(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let short_lived = world.short_lived().client();
    let answer = short_lived.log_in(&ivan.mail, PASSWORD).expect(200).json();
    assert_eq!(answer["expire"], 1);
    let token = answer["access_token"].as_str().unwrap();
    std::thread::sleep(Duration::from_millis(2100));
    for client in [short_lived, world.nobody()] {
        let refused = client.with_token(token).get(&ivan).expect(401);
        assert_eq!(refused.json(), json!({"message": "TOKEN EXPIRED"}));
    }
    // A truncated token is not another token.
    let refused = world.nobody().with_token(&token[..token.len() - 2]).get(&ivan).expect(401);
    assert_ne!(refused.message(), "TOKEN EXPIRED");
}

/// Users whose tokens must end, each with the event that ends them.
fn tokens_end_within_ten_seconds_in_every_process(world: &World) {
    let tenant = world.tenant();
    let other = tenant.admin().at(&world.short_lived().client());
    let ends: [fn(&Client, &User<'_>) -> Answer; 4] = [
        |by, user| by.patch(user, "userPassword=Other-Horse-8"),
        |by, user| by.patch(user, "inetUserStatus=0"),
        |by, user| by.patch(user, "inetUserStatus=2"),
        |by, user| by.delete(user),
    ];
    let users: Vec<_> = (0..ends.len()).map(|number| tenant.user(&format!("u{number}")).create()).collect();
    let tokens: Vec<_> = users.iter().map(|user| log_in(&world.nobody(), user)).collect();
    let still = |number: usize| {
        let client = world.nobody().with_token(&tokens[number].0);
        client.get(&users[number]).status == 200
    };
    assert!((0..users.len()).all(still));
    for (end, user) in ends.iter().zip(&users) {
        end(&other, user).expect_success();
    }
    assert!(within(Duration::from_secs(10), || !(0..users.len()).any(still)), "tokens go on");
    for ((access, token), user) in tokens.iter().zip(&users) {
        world.nobody().with_token(access).get(user).expect(401);
        refresh(&world.nobody(), &[("refresh_token", token)]).expect(401);
    }
}

fn a_lost_role_is_lost_within_ten_seconds_in_every_process(world: &World) {
    let tenant = world.tenant();
    let chief = tenant.user("chief").role(1).create();
    let client = chief.log_in();
    client.get(tenant.users()).expect(200);
    tenant.admin().at(&world.short_lived().client()).patch(&chief, "employeeNumber=2").expect_success();
    assert!(within(Duration::from_secs(10), || client.get(tenant.users()).status == 403));
}

fn tokens_that_are_not_ours_count_for_nothing(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let (token, _) = log_in(&world.nobody(), &ivan);
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encode = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let none = encode(json!({"alg": "none", "typ": "JWT"}));
    let mut forged: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    forged["exp"] = json!(9_999_999_999_u64);
    let forged = encode(forged);
    let mut wrong = vec![
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{none}.{claims}"),
        format!("{}.{claims}.", encode(json!({"alg": "NONE"}))),
        format!("{}.{claims}.{signature}", encode(json!({"alg": "HS512", "typ": "JWT"}))),
        format!("{}.{claims}.{signature}", encode(json!({"alg": "RS256", "typ": "JWT"}))),
        format!("{header}.{forged}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{token}x"),
        format!("{token}.{signature}"),
        format!(" {token} {token}"),
        "x".repeat(7000),
    ];
    wrong.extend((1..40).map(|cut| token[..token.len() - cut].to_owned()));
    let config = world.installation().usual_config();
    let foreign = start_serve(&config, &[("PBM_AUTH__TOKEN_KEY", "another key that is 32 octets long")]);
    wrong.push(log_in(&foreign.client(), &ivan).0);
    for token in wrong {
        let answer = world.nobody().with_token(&token).get(&ivan).expect(401);
        assert_ne!(answer.message(), "TOKEN EXPIRED");
    }
    world.nobody().with_token(&token).get(&ivan).expect(200);
    foreign.client().with_token(&token).get(&ivan).expect(401);
}

/// Logins that fail with the password `wrong`: one that has another password, and some that can never log in.
fn refused_logins(tenant: &Tenant<'_>) -> Vec<String> {
    tenant.user("ivan").create();
    tenant.user("blocked").with("inetUserStatus", "0").create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    let logins = ["ivan", "blocked", "gone", "missing"].map(|name| tenant.address(name));
    let odd = ["no address", "*", "юзер@пример.рф", "ivan@nowhere.example", "\0", "cn=Directory Manager"];
    logins.into_iter().chain(odd.map(str::to_owned)).collect()
}

fn a_wrong_login_and_a_wrong_password_look_alike(world: &World) {
    let tenant = world.tenant();
    let answers: Vec<_> = refused_logins(&tenant)
        .iter()
        .map(|login| world.nobody().behind(&world.fresh_address()).log_in(login, "wrong").expect(401))
        .collect();
    for answer in &answers {
        assert_eq!(answer.text(), answers[0].text());
        let names =
            |answer: &Answer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        assert_eq!(names(answer), names(&answers[0]));
    }
    // The right password of a blocked or deleted user reveals nothing either.
    for name in ["blocked", "gone"] {
        assert_eq!(tenant.named(name).try_log_in().expect(401).text(), answers[0].text());
    }
}

fn a_wrong_login_and_a_wrong_password_take_equally_long(world: &World) {
    let tenant = world.tenant();
    let logins = refused_logins(&tenant);
    let mut times = vec![Vec::new(); logins.len()];
    for _ in 0..15 {
        for (login, times) in logins.iter().zip(&mut times) {
            let client = world.nobody().behind(&world.fresh_address());
            let since = Instant::now();
            client.log_in(login, "wrong").expect(401);
            times.push(since.elapsed());
        }
    }
    let medians: Vec<_> = times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .collect();
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(*most < *least * 3, "{:?}", logins.iter().zip(&medians).collect::<Vec<_>>());
}

#[track_caller]
fn assert_too_many(answer: Answer) {
    let answer = answer.expect(429);
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
}

fn too_many_failures_of_a_login_from_an_address_are_refused_there_alone(world: &World) {
    let tenant = world.tenant();
    let (ivan, olga) = (tenant.user("ivan").create(), tenant.user("olga").create());
    let here = world.nobody().behind(&world.fresh_address());
    for _ in 0..5 {
        here.log_in(&ivan.mail, "wrong").expect(401);
    }
    assert_too_many(here.log_in(&ivan.mail, "wrong"));
    assert_too_many(here.log_in(&ivan.mail, PASSWORD));
    here.log_in(&olga.mail, PASSWORD).expect(200);
    world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, PASSWORD).expect(200);
    assert_too_many(here.log_in(&ivan.mail, PASSWORD));
    // Any client can write the left part of the header.
    let hidden = format!("198.51.100.1, {}", world.fresh_address());
    let hidden = world.nobody().behind(&hidden);
    let hider = world.nobody().behind(&hidden_address(&hidden));
    for _ in 0..5 {
        hidden.log_in(&olga.mail, "wrong").expect(401);
    }
    assert_too_many(hider.log_in(&olga.mail, PASSWORD));
}

/// The last address of a client's header.
fn hidden_address(client: &Client) -> String {
    client.header("X-Forwarded-For").rsplit(", ").next().unwrap().to_owned()
}

fn too_many_failures_from_an_address_are_refused_for_every_login(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let here = world.nobody().behind(&world.fresh_address());
    let statuses: Vec<_> =
        (0..60).map(|number| here.log_in(&tenant.address(&format!("x{number}")), "wrong").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 50, "{statuses:?}");
    assert!(statuses[50..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_too_many(here.log_in(&ivan.mail, PASSWORD));
    world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, PASSWORD).expect(200);
}

fn a_login_is_counted_in_any_letter_case(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let here = world.nobody().behind(&world.fresh_address());
    for login in
        [ivan.mail.clone(), ivan.mail.to_uppercase(), ivan.mail.replace("iv", "IV")].iter().cycle().take(5)
    {
        here.log_in(login, "wrong").expect(401);
    }
    assert_too_many(here.log_in(&ivan.mail.replace("ivan", "ivaN"), PASSWORD));
    // A success clears the earlier failures.
    let there = world.nobody().behind(&world.fresh_address());
    for _ in 0..3 {
        for _ in 0..4 {
            there.log_in(&ivan.mail, "wrong").expect(401);
        }
        there.log_in(&ivan.mail, PASSWORD).expect(200);
    }
}

fn missing_credentials_are_named_all_at_once(world: &World) {
    let answer = world.nobody().post("/v2/auth", "").expect_wrong(&["login", "password"]);
    let expected = json!({"login": "login is a required value", "password": "password is a required value"});
    assert_eq!(answer.message(), expected);
    world.nobody().post("/v2/auth", "login=x&password=").expect_wrong(&["password"]);
    world.nobody().post("/v2/auth", "password=x").expect_wrong(&["login"]);
}

fn an_empty_password_lets_nobody_in(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = world.nobody().behind(&world.fresh_address());
    client.log_in(&ivan.mail, "").expect_wrong(&["password"]);
    for odd in ["\0", " ", &"x".repeat(513), &"x".repeat(15_000)] {
        world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, odd).expect(401);
    }
    world.nobody().behind(&world.fresh_address()).log_in(&ivan.mail, &"x".repeat(60_000)).expect(413);
}
