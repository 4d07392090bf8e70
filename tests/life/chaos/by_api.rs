//! Changes through `pbm`, which may be dead: a change is repeated until a process responds.

use super::things::{Kind, Outcome, State, Thing};
use harness::{Client, form};
use rand::{RngExt, rngs::StdRng};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// The longest time without a response.
const PATIENCE: Duration = Duration::from_secs(30);

fn send(client: &Client, method: &str, path: &str, body: &str) -> Outcome {
    let since = Instant::now();
    let answer = loop {
        match client.try_send(method, path, body.as_bytes()) {
            Ok(answer) => break answer,
            Err(error) => assert!(since.elapsed() < PATIENCE, "{method} {path}: {error}"),
        }
        sleep(Duration::from_millis(5));
    };
    match answer.status {
        200 => Outcome::Made,
        404 => Outcome::NotThere,
        409 => Outcome::Taken,
        // While a folder is renamed, 389-ds refuses changes below it for internal reasons, such as a lack of rights.
        500 | 503 => Outcome::Unclear,
        _ => panic!("{method} {path} {body}: {answer:?}"),
    }
}

/// Makes a random change to an object.
pub(super) fn change(client: &Client, thing: Thing, random: &mut StdRng) -> Thing {
    match thing.kind {
        Kind::User => user(client, thing, random),
        Kind::List => list(client, thing, random),
        Kind::Group => group(client, thing, random),
        Kind::Room => room(client, thing, random),
        Kind::Outside => thing,
    }
}

fn user(client: &Client, thing: Thing, random: &mut StdRng) -> Thing {
    let path = thing.path();
    let value = random.random_range(0..1000);
    let set = |body: &str| send(client, "PATCH", &path, body);
    let (outcome, state) = match (thing.state, random.random_range(0..10)) {
        (State::Absent, choice) => {
            let (cn, kind) = (format!("Имя{value}"), (choice % 4).to_string());
            let fields = [
                ("userPassword", harness::PASSWORD),
                ("employeeNumber", "2"),
                ("cn", &cn),
                ("sn", "Ёлкин"),
                ("employeeType", &kind),
            ];
            (send(client, "PUT", &path, &form(&fields)), State::Live)
        }
        (State::Deleted, _) => (send(client, "POST", &format!("{path}/restore"), ""), State::Live),
        (State::Blocked, 0..7) => (set("inetUserStatus=1"), State::Live),
        (_, 0) => (send(client, "DELETE", &path, ""), State::Deleted),
        (State::Blocked, _) => (set(&format!("title=t{value}")), State::Blocked),
        (State::Live, 1) => (set(&format!("inetUserStatus={}", value % 2 * 2)), State::Blocked),
        (State::Live, 2) if thing.is_at_home() => {
            let outcome = set(&form(&[("mail", thing.mail_at(thing.name + 1))]));
            return thing.renamed_after(outcome);
        }
        (State::Live, 3) => (set(&format!("employeeType={}", value % 4)), State::Live),
        (State::Live, 4) => (set("displayName="), State::Live),
        (State::Live, 5) => (set(&form(&[("sn", format!("Фамилия{value}"))])), State::Live),
        (State::Live, _) => (set(&form(&[("displayName", format!("Имя {value}"))])), State::Live),
    };
    thing.after(outcome, state)
}

fn list(client: &Client, thing: Thing, random: &mut StdRng) -> Thing {
    let value = random.random_range(0..1000);
    let put = |pairs: &[(&str, String)]| send(client, "PUT", &thing.path(), &form(pairs));
    let (outcome, state) = match (thing.state, random.random_range(0..6)) {
        (State::Absent, _) => {
            let (tenant, mail) = (thing.tenant_id().to_owned(), thing.mail());
            let pairs = [("tenant-id", tenant), ("mail", mail), ("displayName", format!("Список {value}"))];
            let pairs = [&pairs[..], &[("alias", "member@outside.example".to_owned())]].concat();
            (send(client, "POST", "/v2/maillists", &form(&pairs)), State::Live)
        }
        (_, 0) => (send(client, "DELETE", &thing.path(), ""), State::Absent),
        (_, 1) => {
            let outcome = put(&[("newmail", thing.mail_at(thing.name + 1))]);
            return thing.renamed_after(outcome);
        }
        (_, 2 | 3) => (put(&[("alias", format!("member{}@outside.example", value % 10))]), State::Live),
        _ => (put(&[("displayName", format!("Список {value}"))]), State::Live),
    };
    thing.after(outcome, state)
}

fn group(client: &Client, thing: Thing, random: &mut StdRng) -> Thing {
    let path = thing.path();
    let (outcome, state) = match (thing.state, random.random_range(0..4)) {
        (State::Absent, _) => (send(client, "PUT", &path, ""), State::Live),
        (_, 0) => (send(client, "DELETE", &path, ""), State::Absent),
        _ => {
            let outcome = send(client, "PATCH", &path, &form(&[("name", thing.group_at(thing.name + 1))]));
            return thing.renamed_after(outcome);
        }
    };
    thing.after(outcome, state)
}

fn room(client: &Client, thing: Thing, random: &mut StdRng) -> Thing {
    let path = thing.path();
    let value = random.random_range(0..1000);
    let (outcome, state) = match (thing.state, random.random_range(0..6)) {
        (State::Absent, _) => {
            (send(client, "PUT", &path, &form(&[("displayName", format!("Зал {value}"))])), State::Live)
        }
        (_, 0) => (send(client, "DELETE", &path, ""), State::Absent),
        (_, 1 | 2) => (send(client, "PATCH", &path, &format!("employeeType={}", value % 3)), State::Live),
        _ => (send(client, "PATCH", &path, &form(&[("displayName", format!("Зал {value}"))])), State::Live),
    };
    thing.after(outcome, state)
}
