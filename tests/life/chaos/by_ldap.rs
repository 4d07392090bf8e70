//! Changes directly in the directory, as a synchronisation or an administrator makes them.

use super::things::{Kind, Outcome, State, Thing};
use harness::{Probe, ldif_line};
use rand::{RngExt, rngs::StdRng};

/// Applies one change record.
fn modify(probe: &Probe, dn: &str, change: &str) -> Outcome {
    let done = probe.try_modify(&format!("{}{change}", ldif_line("dn", dn)));
    match done.code {
        0 => Outcome::Made,
        // noSuchObject
        32 => Outcome::NotThere,
        // constraintViolation (the uniqueness of addresses), entryAlreadyExists
        19 | 68 => Outcome::Taken,
        // operationsError (the check of uniqueness, during another write), unwillingToPerform (the folder was just
        // removed), notAllowedOnNonLeaf
        1 | 53 | 66 => Outcome::Refused,
        _ => panic!("{dn}: {change}: {done:?}"),
    }
}

fn add(probe: &Probe, dn: &str, classes: &[&str], attributes: &[(&str, String)]) -> Outcome {
    let classes = classes.iter().map(|class| ldif_line("objectClass", class)).collect::<Vec<_>>().concat();
    let attributes: String = attributes.iter().map(|(name, value)| ldif_line(name, value)).collect();
    modify(probe, dn, &format!("changetype: add\n{classes}{attributes}"))
}

/// Replaces attributes; an empty value removes one.
fn replace(probe: &Probe, dn: &str, attributes: &[(&str, String)]) -> Outcome {
    let change = |(name, value): &(&str, String)| {
        let value = if value.is_empty() { String::new() } else { ldif_line(name, value) };
        format!("replace: {name}\n{value}-\n")
    };
    let changes: String = attributes.iter().map(change).collect();
    modify(probe, dn, &format!("changetype: modify\n{changes}"))
}

fn delete(probe: &Probe, dn: &str) -> Outcome {
    modify(probe, dn, "changetype: delete\n")
}

/// Gives an object its next name in the same folder.
fn rename(probe: &Probe, thing: Thing) -> Thing {
    let new = ldif_line("newrdn", &thing.rdn_at(thing.name + 1));
    let outcome =
        modify(probe, &thing.dn(&probe.root), &format!("changetype: modrdn\n{new}deleteoldrdn: 1\n"));
    thing.renamed_after(outcome)
}

/// Moves an object to the folder of the other tenant.
fn move_away(probe: &Probe, thing: Thing) -> Thing {
    let moved = thing.moved();
    let (rdn, place) = (
        ldif_line("newrdn", &thing.rdn_at(thing.name)),
        ldif_line("newsuperior", &moved.folder(&probe.root)),
    );
    let outcome =
        modify(probe, &thing.dn(&probe.root), &format!("changetype: modrdn\n{rdn}deleteoldrdn: 1\n{place}"));
    let state = thing.state;
    if outcome == Outcome::Made { moved.after(outcome, state) } else { thing.after(outcome, state) }
}

/// Makes a random change to an object.
pub(super) fn change(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    match thing.kind {
        Kind::User => user(probe, thing, random),
        Kind::List => list(probe, thing, random),
        Kind::Group => group(probe, thing, random),
        Kind::Room => room(probe, thing, random),
        Kind::Outside => outside(probe, thing, random),
    }
}

fn user(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    let (dn, value) = (thing.dn(&probe.root), random.random_range(0..1000));
    let set = |attributes: &[(&str, String)]| replace(probe, &dn, attributes);
    let (outcome, state) = match (thing.state, random.random_range(0..12)) {
        (State::Absent, choice) => {
            let own = [
                ("mail", thing.mail()),
                ("cn", format!("Имя{value}")),
                ("sn", "Жуков".to_owned()),
                ("inetUserStatus", "1".to_owned()),
                ("employeeNumber", "2".to_owned()),
                ("employeeType", (choice % 4).to_string()),
            ];
            (add(probe, &dn, &["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"], &own), State::Live)
        }
        (_, 0) => (delete(probe, &dn), State::Absent),
        (State::Deleted, _) => {
            (set(&[("pbmDeletedSince", String::new()), ("nsAccountLock", String::new())]), State::Live)
        }
        (_, 1) => {
            let since = "20260101000000Z".to_owned();
            (set(&[("pbmDeletedSince", since), ("nsAccountLock", "true".to_owned())]), State::Deleted)
        }
        (State::Blocked, _) => {
            (set(&[("inetUserStatus", "1".to_owned()), ("nsAccountLock", String::new())]), State::Live)
        }
        (State::Live, 2) => (set(&[("nsAccountLock", "true".to_owned())]), State::Blocked),
        (State::Live, 3) => (set(&[("inetUserStatus", "0".to_owned())]), State::Blocked),
        (State::Live, 4 | 5) => return rename(probe, thing),
        (State::Live, 6) => return move_away(probe, thing),
        (State::Live, 7) => (set(&[("employeeType", (value % 4).to_string())]), State::Live),
        (State::Live, 8) => {
            (set(&[("displayName", String::new()), ("sn", format!("Ким{value}"))]), State::Live)
        }
        (State::Live, _) => {
            (set(&[("displayName", format!("Ёж {value}")), ("l", "Омск".to_owned())]), State::Live)
        }
    };
    thing.after(outcome, state)
}

fn list(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    let (dn, value) = (thing.dn(&probe.root), random.random_range(0..1000));
    let (outcome, state) = match (thing.state, random.random_range(0..6)) {
        (State::Absent, _) => {
            let own =
                [("cn", "list".to_owned()), ("mail", thing.mail()), ("displayName", format!("Все {value}"))];
            (add(probe, &dn, &["groupOfNames", "mailGroup", "pbmMailList"], &own), State::Live)
        }
        (_, 0) => (delete(probe, &dn), State::Absent),
        (_, 1) => return rename(probe, thing),
        (_, 2) => {
            let member = format!("someone{value}@outside.example");
            (replace(probe, &dn, &[("mgrpRFC822MailMember", member)]), State::Live)
        }
        _ => (replace(probe, &dn, &[("displayName", format!("Все {value}"))]), State::Live),
    };
    thing.after(outcome, state)
}

fn group(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    let dn = thing.dn(&probe.root);
    let (outcome, state) = match (thing.state, random.random_range(0..5)) {
        (State::Absent, _) => {
            let own = [("ou", thing.group_at(thing.name))];
            (add(probe, &dn, &["organizationalUnit", "pbmResourceGroup"], &own), State::Live)
        }
        // Refused while the group has rooms.
        (_, 0) => (delete(probe, &dn), State::Absent),
        _ => return rename(probe, thing),
    };
    thing.after(outcome, state)
}

fn room(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    let (dn, value) = (thing.dn(&probe.root), random.random_range(0..1000));
    let (outcome, state) = match (thing.state, random.random_range(0..6)) {
        (State::Absent, _) => {
            let own =
                [("mail", thing.mail()), ("cn", "room".to_owned()), ("displayName", format!("Рим {value}"))];
            (add(probe, &dn, &["pbmResource"], &own), State::Live)
        }
        (_, 0) => (delete(probe, &dn), State::Absent),
        (_, 1) => return rename(probe, thing),
        (_, 2) => (replace(probe, &dn, &[("employeeType", (value % 3).to_string())]), State::Live),
        _ => (replace(probe, &dn, &[("displayName", format!("Рим {value}"))]), State::Live),
    };
    thing.after(outcome, state)
}

fn outside(probe: &Probe, thing: Thing, random: &mut StdRng) -> Thing {
    let (dn, value) = (thing.dn(&probe.root), random.random_range(0..1000));
    let (outcome, state) = match (thing.state, random.random_range(0..7)) {
        (State::Absent, _) => {
            let name = thing.rdn_at(thing.name).replace("cn=", "");
            let own = [("cn", name), ("sn", "Сидоров".to_owned()), ("mail", thing.mail())];
            (add(probe, &dn, &["inetOrgPerson"], &own), State::Live)
        }
        (_, 0) => (delete(probe, &dn), State::Absent),
        (_, 1) => return rename(probe, thing),
        (_, 2) => return move_away(probe, thing),
        // Without an address for a while, it is not a contact.
        (_, 3) => (replace(probe, &dn, &[("mail", String::new())]), State::Live),
        (_, 4 | 5) => (replace(probe, &dn, &[("mail", thing.mail())]), State::Live),
        _ => (replace(probe, &dn, &[("title", format!("t{value}"))]), State::Live),
    };
    thing.after(outcome, state)
}
