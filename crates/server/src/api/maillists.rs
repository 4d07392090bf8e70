//! Mailing lists (guide, 3.13), and beyond the guide one list with everyone it reaches, the removal of members, and
//! dynamic lists.

use super::{
    find_tenant,
    listed::Listed,
    parameters::{once, page, switch},
};
use crate::http::{
    answer::{Failure, Reply},
    call::Call,
    form::Parameters,
};
use directory::{changing::WriteError, lists::Page};
use mail_model::{
    address::MailAddress,
    field::FieldErrors,
    maillist::{
        LISTING,
        command::{
            ALL_MEMBERS_PARAMETER, DISPLAY_NAME_PARAMETER, ListTexts, MAIL_PARAMETER, MEMBERS_PARAMETER,
            MailListPatch, NEW_MAIL_PARAMETER, NewMailList, REMOVE_PARAMETER,
        },
        conditions::{Conditions, FILTER_PARAMETER},
        summary::MailListSummary,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

const LIST: &str = "mailing list";
/// The guide's other name for the list's address (3.13.4).
const OTHER_MAIL_PARAMETER: &str = "mmail";

/// A mailing list.
#[derive(Serialize, ToSchema)]
#[schema(as = MailList)]
pub(super) struct Shown {
    /// Its address.
    mail: String,
    /// Its name in address books.
    #[serde(rename = "displayName")]
    display_name: String,
    /// Its tenant, of a list on its own.
    #[serde(rename = "tenant-id", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<String>,
    /// The members' addresses; in a list of lists at most the first 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alias: Option<Vec<String>>,
    /// How many members it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<usize>,
    /// The conditions of a dynamic list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    filter: Option<Vec<String>>,
    /// Everyone whom it reaches, with `expand=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expanded: Option<Vec<String>>,
}

impl Shown {
    fn row(list: MailListSummary) -> Self {
        Self::new(list.mail, list.display_name, list.members, list.count, list.conditions.as_ref())
    }

    /// A dynamic list shows its filter, and members only where it has some besides.
    fn new(
        mail: String,
        display_name: String,
        members: Vec<String>,
        count: usize,
        conditions: Option<&Conditions>,
    ) -> Self {
        let has_members = conditions.is_none() || count > 0;
        Self {
            mail,
            display_name,
            tenant: None,
            alias: has_members.then_some(members),
            members: has_members.then_some(count),
            filter: conditions.map(Conditions::texts),
            expanded: None,
        }
    }
}

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &LISTING, &mut errors);
    errors.none()?;
    let tenant = find_tenant(call).await?;
    let page = call.directory.mail_lists(&tenant.id, &request).await?;
    let items = page.items.into_iter().map(Shown::row).collect();
    Reply::json(&Listed::new("maillists", Page { items, count: page.count }, &request))
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let expand = switch(&mut call.parameters, "expand", &mut errors);
    errors.none()?;
    let (tenant, mail) = (find_tenant(call).await?, call.mail_of(LIST)?);
    let list = call.directory.mail_list(&tenant.id, &mail).await?.ok_or_else(|| Failure::not_found(LIST))?;
    let members = call.directory.member_addresses(&list).await?;
    let expanded = if expand { Some(call.directory.expanded(&list).await?) } else { None };
    let count = members.len();
    let (mail, name) = (list.mail.to_string(), list.display_name.clone());
    let shown = Shown::new(mail, name, members, count, list.conditions.as_ref());
    let shown = Shown { tenant: Some(tenant.id.to_string()), expanded, ..shown };
    Ok(Reply::json(&shown)?.with_version(&list.version))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = FieldErrors::default();
    let mut texts = list_texts(&mut call.parameters, &mut errors);
    texts.add = call.parameters.take_list(MEMBERS_PARAMETER);
    let new = NewMailList::parse(&texts, &tenant, errors)?;
    done(call, call.directory.create_mail_list(&tenant, &new).await)
}

pub(super) async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = FieldErrors::default();
    let mut texts = list_texts(&mut call.parameters, &mut errors);
    texts.new_mail = once(&mut call.parameters, NEW_MAIL_PARAMETER, &mut errors);
    texts.add = call.parameters.take_list(MEMBERS_PARAMETER);
    texts.remove = call.parameters.take_list(REMOVE_PARAMETER);
    texts.members = call.parameters.take_list(ALL_MEMBERS_PARAMETER);
    let mail = named(&texts)?;
    let patch = MailListPatch::parse(&mail, &texts, &tenant, errors)?;
    let change = call.directory.patch_mail_list(&tenant, &mail, &patch, &call.precondition, rand::random);
    let outcome = change.await;
    done(call, outcome)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = FieldErrors::default();
    let texts = ListTexts { mail: mail_text(&mut call.parameters, &mut errors), ..ListTexts::default() };
    errors.none()?;
    let mail = named(&texts)?;
    done(call, call.directory.delete_mail_list(&tenant.id, &mail, &call.precondition).await)
}

/// The parameters that a creation and a change have in common.
fn list_texts(parameters: &mut Parameters, errors: &mut FieldErrors) -> ListTexts {
    ListTexts {
        mail: mail_text(parameters, errors),
        display_name: once(parameters, DISPLAY_NAME_PARAMETER, errors),
        filter: parameters.take_all(FILTER_PARAMETER),
        ..ListTexts::default()
    }
}

fn mail_text(parameters: &mut Parameters, errors: &mut FieldErrors) -> Option<String> {
    let mail = once(parameters, MAIL_PARAMETER, errors);
    let other = once(parameters, OTHER_MAIL_PARAMETER, errors);
    if mail.is_some() && other.is_some() && mail != other {
        errors.add(OTHER_MAIL_PARAMETER, &"is another name for mail, and says something else");
    }
    mail.or(other)
}

/// The list that a request is about; an impossible address is no list's.
fn named(texts: &ListTexts) -> Result<MailAddress, Failure> {
    match texts.mail.as_deref().filter(|text| !text.is_empty()) {
        None => Err(Failure::missing(MAIL_PARAMETER)),
        Some(text) => MailAddress::parse(text).map_err(|_| Failure::not_found(LIST)),
    }
}

fn done(call: &Call<'_>, outcome: Result<(), WriteError>) -> Result<Reply, Failure> {
    outcome.map_err(|error| Failure::of_write(LIST, error, call.services.retention))?;
    Ok(Reply::success())
}
