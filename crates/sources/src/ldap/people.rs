//! Reading people.

use super::{
    conflict,
    connection::Session,
    entry::Entry,
    identity::id,
    person,
    position::Position,
    root::Root,
    search::{Search, texts},
    settings::Plan,
    shown::shown,
    standing::Standing,
};
use crate::{Passed, Read, SourceError, Sweep, read::Ending};
use mail_model::source::card::{Card, Unusable};
use tokio::sync::mpsc::Sender;

/// Most parts of one person that are reported.
const MAX_REPORTED: usize = 20;

/// Reads the people: all, or those who have changed.
///
/// A quick run sends who is a person and has changed. Who has meanwhile been disabled, hidden, moved away or deleted is
/// not sent, and nothing says so until the next whole run.
///
/// # Errors
/// [`SourceError`]; what was sent is then not all.
pub(super) async fn read(
    session: &mut Session,
    root: &Root,
    plan: &Plan,
    sweep: &Sweep,
    out: &Sender<Read>,
) -> Result<Ending, SourceError> {
    let position = root.count.as_ref().map(|count| Position::new(count, plan));
    let changes = match (sweep, &position) {
        (Sweep::Since(earlier), Some(position)) => position.changes_since(earlier),
        _ => None,
    };
    let filter = plan.users.and(changes.as_ref());
    let attributes = texts(&person::attributes(plan));
    let mut search = Search::below(session, root, &plan.base, filter, attributes);
    while let Some(entry) = search.next().await? {
        if Standing::of(&entry, root) == Standing::Person {
            for read in found(&entry, plan) {
                out.send(read).await.map_err(|_| SourceError::Ended)?;
            }
        }
    }
    Ok(Ending { is_whole: changes.is_none(), position: position.map(|position| position.to_string()) })
}

/// What is sent of an entry: the person and the parts that were left out, or that all of it was.
fn found(entry: &Entry, plan: &Plan) -> Vec<Read> {
    if let Some(conflict) = conflict::report(entry.dn()) {
        return vec![Read::Passed(conflict)];
    }
    let passed =
        |why: &str, keeps| vec![Read::Passed(Passed { what: shown(entry.dn()), why: why.to_owned(), keeps })];
    let Some(id) = id(entry) else {
        return passed(
            "it has no objectGUID, ipaUniqueID, entryUUID or nsUniqueId that the account may read",
            None,
        );
    };
    let texts = person::texts(entry, plan);
    if texts.mail.is_empty() {
        return passed("it has no address", Some(id));
    }
    match Card::new(id.clone(), texts) {
        Err(error) => passed(&shown(&error.to_string()), Some(id)),
        Ok((card, unusable)) => {
            let what = card.mail.to_string();
            let parts = unusable.iter().take(MAX_REPORTED).map(|part| Passed {
                what: what.clone(),
                why: reason(part, plan),
                keeps: None,
            });
            let parts: Vec<_> = parts.map(Read::Passed).collect();
            std::iter::once(Read::Person(Box::new(card))).chain(parts).collect()
        }
    }
}

fn reason(part: &Unusable, plan: &Plan) -> String {
    match part {
        Unusable::Field(field, why) => {
            let name = plan.mapping.iter().find(|(mapped, _)| mapped == field);
            let name = name.map_or_else(String::new, |(_, name)| name.to_string());
            format!("{name} was left out: it {}", shown(why))
        }
        Unusable::Alias(text) => {
            format!("the further address {:?} was left out: it is not usable", shown(text))
        }
        Unusable::Photo => "the photo was left out: it is too large".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::settings::tests::settings;

    fn reads(attributes: &[(&str, &[&str])]) -> Vec<Read> {
        found(&Entry::new("cn=a,dc=x", attributes), &Plan::new(&settings()).unwrap())
    }

    #[test]
    fn who_has_no_identifier_or_address_is_passed_over() {
        let [Read::Passed(passed)] = &reads(&[("mail", &["a@x.ru"])])[..] else { panic!() };
        assert_eq!((passed.what.as_str(), &passed.keeps), ("cn=a,dc=x", &None));
        for mail in ["", "a", "анна@x.ru"] {
            let [Read::Passed(passed)] = &reads(&[("entryUUID", &["1-2"]), ("mail", &[mail])])[..] else {
                panic!()
            };
            assert_eq!(passed.keeps.as_ref().map(ToString::to_string).as_deref(), Some("ldap:1-2"), "{mail}");
        }
    }

    #[test]
    fn a_part_that_is_not_usable_is_reported_beside_the_person() {
        let reads = reads(&[
            ("entryUUID", &["1-2"]),
            ("mail", &["a@x.ru"]),
            ("proxyAddresses", &["smtp:b"]),
            ("homePhone", &["спросить"]),
        ]);
        let [Read::Person(card), Read::Passed(first), Read::Passed(second)] = &reads[..] else {
            panic!("{reads:?}")
        };
        assert_eq!(card.mail.as_str(), "a@x.ru");
        assert!(
            first.why.contains("\"b\"") && second.why.starts_with("homePhone was left out: it "),
            "{reads:?}"
        );
        assert_eq!((&first.keeps, &second.keeps, second.what.as_str()), (&None, &None, "a@x.ru"));
    }
}
