//! The people of a portal, page by page.
//!
//! A page is asked for by the identifier of the last person of the one before (`FILTER[>ID]`), so nobody is skipped when
//! others are dismissed meanwhile, as happens with pages by number. Pages are read until one is empty: a short page may
//! have been thinned out by the portal.

use super::{
    answer::{Answer, Row},
    card::{self, Template},
    departments::Departments,
    photo::{self, Photo, Photos},
    portal::Portal,
    settings::Bitrix24Settings,
};
use crate::{Passed, Read, SourceError, mapping::Mapping, read::Ending, shown::shown};
use mail_model::source::{
    SourceId, SourceKind,
    card::{Card, CardTexts, NoCard, Part, Unusable},
};
use tokio::sync::mpsc;

/// Most people that are read.
const MAX_PEOPLE: u32 = 1_000_000;
/// Most pages that are asked for: a page has 50 people, and the last page nobody.
const MAX_PAGES: u32 = MAX_PEOPLE / 50 + 1;

/// Reads all people.
///
/// # Errors
/// [`SourceError`].
pub(super) fn read(settings: &Bitrix24Settings, out: &mpsc::Sender<Read>) -> Result<Ending, SourceError> {
    let mut portal = Portal::new(settings, out)?;
    let departments =
        if needs_departments(settings) { Departments::read(&mut portal)? } else { Departments::unread() };
    let surname_field = settings.surname_field.as_deref().filter(|field| !field.is_empty());
    let template = Template { mapping: &settings.mapping, surname_field, departments };
    let photos = settings.photos.then(Photos::default);
    let mut people = People { portal, template, photos, last: 0, found: Found::default() };
    while people.page()? {}
    people.end()?;
    Ok(Ending { is_whole: true, position: None })
}

/// Reads one page of people and of departments, and returns what is missing without which a run works all the same.
///
/// # Errors
/// [`SourceError`], also if a run would find nobody, or no addresses.
pub(super) fn probe(
    settings: &Bitrix24Settings,
    out: &mpsc::Sender<Read>,
) -> Result<Vec<Passed>, SourceError> {
    let mut portal = Portal::new(settings, out)?;
    let rows = portal.call("user.get", &after(0))?.result.unwrap_or_default().0;
    let mut found = Found::default();
    rows.iter().try_for_each(|row| found.add(row, None))?;
    found.check()?;
    let missing = if needs_departments(settings) { Departments::probe(&mut portal)? } else { None };
    Ok(missing.into_iter().collect())
}

fn needs_departments(settings: &Bitrix24Settings) -> bool {
    settings.mapping.iter().any(|(_, name)| name == card::DEPARTMENTS)
}

/// A run through all pages.
struct People<'a> {
    portal: Portal<'a>,
    template: Template<'a>,
    /// `None` if photos are not read.
    photos: Option<Photos>,
    /// The identifier of the last person.
    last: u64,
    found: Found,
}

/// What the people so far have had.
#[derive(Default)]
struct Found {
    pages: u32,
    people: u32,
    /// Whether anybody had the field for the address, and the one for the last name.
    address_field: bool,
    surname_field: bool,
}

impl Found {
    /// Counts a person.
    fn add(&mut self, row: &Row, surname_field: Option<&str>) -> Result<(), SourceError> {
        self.people += 1;
        if is_employee(row) {
            self.address_field |= row.has("EMAIL");
            self.surname_field |= surname_field.is_some_and(|field| row.has(field));
        }
        if self.people > MAX_PEOPLE {
            return Err(SourceError::Refused(format!("the portal has more than {MAX_PEOPLE} people")));
        }
        Ok(())
    }

    /// Looks at the whole: a portal has at least the user who made the webhook, and they have an address.
    fn check(&self) -> Result<(), SourceError> {
        if self.people == 0 {
            return Err(SourceError::Refused(NOBODY.to_owned()));
        }
        if self.address_field { Ok(()) } else { Err(SourceError::Refused(NO_ADDRESSES.to_owned())) }
    }
}

const NOBODY: &str = "the portal answered with nobody, not even the user of the webhook: check whether that user may see \
                      the employees";
const NO_ADDRESSES: &str = "the portal gives no addresses (EMAIL): give the webhook the right `user` or `user_basic`, \
                            because `user_brief` has no addresses";

impl People<'_> {
    /// Reads a page, and returns whether there may be another.
    fn page(&mut self) -> Result<bool, SourceError> {
        self.found.pages += 1;
        if self.found.pages > MAX_PAGES {
            return Err(SourceError::Refused(format!(
                "the portal has more than {MAX_PAGES} pages of people"
            )));
        }
        let Answer { result, .. } = self.portal.call("user.get", &after(self.last))?;
        let rows = result.unwrap_or_default().0;
        for row in &rows {
            let id = self.next_id(row)?;
            if is_employee(row) {
                self.person(id, row)?;
            }
        }
        Ok(!rows.is_empty())
    }

    /// The identifier of a row, which must be larger than that of the one before; otherwise the portal does not sort or
    /// filter as asked, and the run might not end, or miss people.
    fn next_id(&mut self, row: &Row) -> Result<u64, SourceError> {
        let id = row.id().ok_or_else(|| unusable("a person without an identifier"))?;
        if id <= self.last {
            return Err(unusable("people in another order than asked for"));
        }
        self.last = id;
        self.found.add(row, self.template.surname_field)?;
        Ok(id)
    }

    fn person(&mut self, id: u64, row: &Row) -> Result<(), SourceError> {
        let source = SourceId::new(SourceKind::Bitrix24, &id.to_string())
            .map_err(|_| unusable("an identifier that is not one"))?;
        let mut texts = self.template.texts(row);
        if texts.mail.is_empty() {
            let why = "has no address (EMAIL) in the portal";
            return self.portal.pass(&card::called(row, id), why, Some(source));
        }
        self.add_photo(row, &mut texts)?;
        match Card::new(source.clone(), texts) {
            Ok((card, parts)) => self.card(card, parts),
            Err(NoCard::Address(mail, error)) => {
                let why = format!("the address {:?} {error}", shown(&mail));
                self.portal.pass(&card::called(row, id), &why, Some(source))
            }
        }
    }

    fn add_photo(&mut self, row: &Row, texts: &mut CardTexts) -> Result<(), SourceError> {
        let Some(photos) = &mut self.photos else { return Ok(()) };
        let photo = photos.read(&mut self.portal, row)?;
        let have_just_ended = matches!(photo, Photo::Untold(_)) && photos.have_just_ended();
        match photo {
            Photo::None => return Ok(()),
            Photo::Image(image) => {
                texts.photo = Some(image);
                return Ok(());
            }
            Photo::Untold(why) => self.portal.pass(&texts.mail, &why, None)?,
            Photo::Skipped => {}
        }
        texts.untold.insert(Part::Photo);
        if have_just_ended { self.portal.pass("the photos", &photo::ended(), None) } else { Ok(()) }
    }

    fn card(&self, card: Card, parts: Vec<Unusable>) -> Result<(), SourceError> {
        for part in parts {
            self.portal.pass(card.mail.as_str(), &left_out(part, self.template.mapping), None)?;
        }
        self.portal.send(Read::Person(Box::new(card)))
    }

    fn end(&self) -> Result<(), SourceError> {
        self.found.check()?;
        match self.template.surname_field {
            Some(field) if !self.found.surname_field => self.without_surname_field(field),
            _ => Ok(()),
        }
    }

    fn without_surname_field(&self, field: &str) -> Result<(), SourceError> {
        let why = "no person has this field, which would be added to the last name: check its name, and whether the \
                   webhook has the right `user`";
        self.portal.pass(&format!("the field {field}"), why, None)
    }
}

/// Whether a row is what was asked for: old portals do not know the filter `USER_TYPE`.
fn is_employee(row: &Row) -> bool {
    !row.denies("ACTIVE") && row.text("USER_TYPE").is_none_or(|kind| kind == "employee")
}

/// The parameters of the page after a person.
fn after(last: u64) -> serde_json::Value {
    serde_json::json!({
        "sort": "ID",
        "order": "ASC",
        "FILTER": {">ID": last, "ACTIVE": true, "USER_TYPE": "employee"},
        // Without counting all people.
        "start": -1,
    })
}

fn unusable(what: &str) -> SourceError {
    SourceError::Refused(format!("the portal answered with {what}"))
}

/// The part of a card that was left out, in words.
fn left_out(part: Unusable, mapping: &Mapping) -> String {
    match part {
        Unusable::Field(field, reason) => {
            let name =
                mapping.iter().find(|(mapped, _)| *mapped == field).map_or("a field", |(_, name)| name);
            format!("{name} was left out: it {}", shown(&reason))
        }
        Unusable::Alias(alias) => format!("the address {:?} was left out", shown(&alias)),
        Unusable::Photo => "the photo was left out: it is too large".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::answer::tests::row, *};
    use serde_json::json;

    #[test]
    fn a_filter_that_the_portal_ignores_is_applied_here() {
        assert!(is_employee(&row(&json!({"ID": "1"}))));
        assert!(is_employee(&row(&json!({"ACTIVE": true, "USER_TYPE": "employee"}))));
        assert!(!is_employee(&row(&json!({"ACTIVE": false, "USER_TYPE": "employee"}))));
        assert!(!is_employee(&row(&json!({"ACTIVE": "Y", "USER_TYPE": "extranet"}))));
    }
}
