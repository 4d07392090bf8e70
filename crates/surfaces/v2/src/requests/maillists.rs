//! Mailing lists (guide, 3.13), and, beyond the guide, reading one list with everyone it reaches, the removal of
//! members, and dynamic lists.

use super::{done, find_tenant};
use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{And, Answer, Declared, kinds, new_address, page as page_parameters, tenant_parameter},
    endpoint::{Access, Document, Endpoint, Particulars, Takes, TenantParameter, Verb},
    errors::ParameterErrors,
    listed::Listed,
    names::{MAIL, of_list},
    orders::MAIL_LISTS,
    parameters::{once, page_alone, switch},
};
use administration::policy::Action;
use directory::lists::Page;
use mail_model::{
    address::MailAddress,
    field::{Kind, ListField},
    maillist::{
        command::{ListTexts, MAX_MEMBERS, MailListPatch, NewMailList},
        conditions::{Conditions, FIELDS, MAX_CONDITIONS},
        summary::MailListSummary,
    },
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use web::answer::Reply;
use web::form::Parameters;

const WHAT: &str = "mailing list";
const LISTS_PATH: &str = "/v2/maillists";
/// The guide's other name for the list's address (3.13.4).
const OTHER_MAIL: &str = "mmail";

/// A mailing list.
#[derive(Serialize, ToSchema)]
#[schema(as = MailList)]
pub(super) struct ShownList {
    /// The address.
    mail: String,
    /// The name in address books.
    #[serde(rename = "displayName")]
    display_name: String,
    /// The tenant; only in the answer for a single list.
    #[serde(rename = "tenant-id", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<String>,
    /// The addresses of the members; in a page of lists at most the first 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alias: Option<Vec<String>>,
    /// The number of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<usize>,
    /// The conditions of a dynamic list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    filter: Option<Vec<String>>,
    /// Everyone that the list reaches, with `expand=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expanded: Option<Vec<String>>,
}

impl ShownList {
    fn row(list: MailListSummary) -> Self {
        Self::new(list.mail, list.display_name, list.members, list.count, list.conditions.as_ref())
    }

    /// A dynamic list shows its filter, and members only if it has some.
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

pub(super) const LIST: Endpoint = Endpoint {
    name: "listMailLists",
    method: Verb::Get,
    path: LISTS_PATH,
    access: Access::For(Action::AdministerMailLists),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars {
        takes: Takes::Nothing,
        tenant: TenantParameter::Required,
        ..Particulars::NONE
    },
    document: Document {
        summary: "Mailing lists of a tenant",
        about: "A list has at most its first 1000 members in `alias`, and their number in `members`. A dynamic list \
                shows its `filter`.",
        parameters: || vec![tenant_parameter()].and(page_parameters(&MAIL_LISTS, "the address or the name")),
        answer: || Answer::page_of::<ShownList>("maillists"),
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let request = page_alone(&mut call.parameters, &MAIL_LISTS)?;
    let tenant = find_tenant(call).await?;
    let page = call.directory.mail_lists(&tenant.id, &request).await?;
    let items = page.items.into_iter().map(ShownList::row).collect();
    as_json(&Listed::new("maillists", Page { items, count: page.count }, &request))
}

pub(super) const READ: Endpoint = Endpoint {
    name: "readMailList",
    method: Verb::Get,
    path: "/v2/maillists/{tenant}/{mail}",
    access: Access::For(Action::AdministerMailLists),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One mailing list",
        parameters: || {
            let about = "1: also everyone that the list reaches, through nested lists too.";
            vec![Declared::optional("expand", about, kinds::switch())]
        },
        answer: || Answer::of::<ShownList>().with_version(),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let expand = switch(&mut call.parameters, "expand", &mut errors);
    errors.none()?;
    let (tenant, mail) = (find_tenant(call).await?, call.mail_of(WHAT)?);
    let list = call.directory.mail_list(&tenant.id, &mail).await?.ok_or_else(|| Failure::not_found(WHAT))?;
    let members = call.directory.member_addresses(&list).await?;
    let expanded = if expand { Some(call.directory.expanded(&list).await?) } else { None };
    let count = members.len();
    let (mail, name) = (list.mail.to_string(), list.display_name.clone());
    let shown = ShownList::new(mail, name, members, count, list.conditions.as_ref());
    let shown = ShownList { tenant: Some(tenant.id.to_string()), expanded, ..shown };
    Ok(as_json(&shown)?.with_tag(&list.version.tag()))
}

pub(super) const CREATE: Endpoint = Endpoint {
    name: "createMailList",
    method: Verb::Post,
    path: LISTS_PATH,
    access: Access::For(Action::AdministerMailLists),
    handler: |call| Box::pin(create(call)),
    particulars: Particulars {
        takes: Takes::IdempotencyKey,
        tenant: TenantParameter::Required,
        ..Particulars::NONE
    },
    document: Document {
        summary: "Create a mailing list",
        about: "With members (`alias`) or conditions (`filter`).",
        parameters: creation_parameters,
        example: Some(|| {
            json!({
                "tenant-id": "default", "mail": "sales@example.com", "displayName": "Sales", "alias": ["ivan@example.com"],
            })
        }),
        ..Document::BASE
    },
};

async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = ParameterErrors::default();
    let mut texts = list_texts(&mut call.parameters, &mut errors);
    texts.add = call.parameters.take_list(of_list(ListField::Added));
    let new = errors.and(NewMailList::parse(&texts, &tenant))?;
    done(call, WHAT, call.administration.create_mail_list(call.caller()?, &tenant, &new).await)
}

pub(super) const PATCH: Endpoint = Endpoint {
    name: "patchMailList",
    method: Verb::Put,
    path: LISTS_PATH,
    access: Access::For(Action::AdministerMailLists),
    handler: |call| Box::pin(patch(call)),
    particulars: Particulars {
        takes: Takes::IfMatch,
        tenant: TenantParameter::Required,
        ..Particulars::NONE
    },
    document: Document {
        summary: "Change a mailing list",
        about: "Changes the given fields: adds members (`alias`) and removes members (`remove`), or sets the whole \
                list (`members`), or makes the list dynamic (`filter`).",
        parameters: change_parameters,
        example: Some(|| {
            json!({
                "tenant-id": "default", "mail": "sales@example.com", "alias": ["anna@example.com"],
                "remove": ["ivan@example.com"],
            })
        }),
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = ParameterErrors::default();
    let mut texts = list_texts(&mut call.parameters, &mut errors);
    texts.new_mail = once(&mut call.parameters, of_list(ListField::NewMail), &mut errors);
    texts.add = call.parameters.take_list(of_list(ListField::Added));
    texts.remove = call.parameters.take_list(of_list(ListField::Removed));
    texts.members = call.parameters.take_list(of_list(ListField::Members));
    let mail = named(&texts)?;
    let patch = errors.and(MailListPatch::parse(&mail, &texts, &tenant))?;
    let (administration, caller) = (call.administration, call.caller()?);
    done(
        call,
        WHAT,
        administration.change_mail_list(caller, &tenant, &mail, &patch, &call.precondition).await,
    )
}

pub(super) const DELETE: Endpoint = Endpoint {
    name: "deleteMailList",
    method: Verb::Delete,
    path: LISTS_PATH,
    access: Access::For(Action::AdministerMailLists),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars {
        takes: Takes::IfMatch,
        tenant: TenantParameter::Required,
        ..Particulars::NONE
    },
    document: Document {
        summary: "Delete a mailing list",
        about: "The deletion is immediate and cannot be undone.",
        parameters: naming_parameters,
        ..Document::BASE
    },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mut errors = ParameterErrors::default();
    let texts = ListTexts { mail: mail_text(&mut call.parameters, &mut errors), ..ListTexts::default() };
    errors.none()?;
    let mail = named(&texts)?;
    let (administration, caller) = (call.administration, call.caller()?);
    done(call, WHAT, administration.delete_mail_list(caller, &tenant.id, &mail, &call.precondition).await)
}

/// The parameters that name a list.
fn naming_parameters() -> Vec<Declared> {
    vec![
        tenant_parameter(),
        Declared::optional(
            "mail",
            "The address of the list. Required as `mail` or `mmail`.",
            kinds::address_of_request(),
        ),
        Declared::optional(
            "mmail",
            "Another name for `mail`; one of the two is enough.",
            kinds::address_of_request(),
        ),
    ]
}

fn display_name(is_required: bool) -> Declared {
    let shape = kinds::of_request(Kind::Line, false);
    Declared::optional("displayName", "Name in address books.", shape).needed(is_required)
}

fn members(name: &'static str, about: &str) -> Declared {
    let about = format!("{about} Also accepted as `a,b`, `[a,b]` or `[\"a\",\"b\"]` in one value.");
    Declared::optional(name, about, kinds::list(kinds::address_of_request(), Some(MAX_MEMBERS)))
}

fn filter() -> Declared {
    let fields = FIELDS.iter().map(|(_, name)| *name).collect::<Vec<_>>();
    let pattern = format!("^({})=.+$", fields.join("|"));
    let about = format!(
        "Conditions of a dynamic list, `field=value`, that a member must all meet; the fields are {}. One condition \
         per value.",
        fields.join(", ")
    );
    Declared::optional(
        "filter",
        about,
        kinds::list(kinds::text().pattern(Some(pattern)), Some(MAX_CONDITIONS)),
    )
}

fn creation_parameters() -> Vec<Declared> {
    let alias = "Members: users, mailing lists and resources of the tenant, and addresses of domains that no tenant \
                 serves. Required without a filter.";
    naming_parameters().and([display_name(true), members("alias", alias), filter()])
}

fn change_parameters() -> Vec<Declared> {
    naming_parameters().and([
        display_name(false),
        new_address("newmail", "A new address of the list."),
        members("alias", "Members to add."),
        members("remove", "Members to remove; an address that is not a member is ignored."),
        members("members", "The whole list of members, at least one."),
        filter(),
    ])
}

/// The parameters that a creation and a change share.
fn list_texts(parameters: &mut Parameters, errors: &mut ParameterErrors) -> ListTexts {
    ListTexts {
        mail: mail_text(parameters, errors),
        display_name: once(parameters, of_list(ListField::DisplayName), errors),
        conditions: parameters.take_all(of_list(ListField::Conditions)),
        ..ListTexts::default()
    }
}

fn mail_text(parameters: &mut Parameters, errors: &mut ParameterErrors) -> Option<String> {
    let mail = once(parameters, MAIL, errors);
    let other = once(parameters, OTHER_MAIL, errors);
    if mail.is_some() && other.is_some() && mail != other {
        errors.add(OTHER_MAIL, &"is another name for mail and has a different value: send one of the two");
    }
    mail.or(other)
}

/// The list that a request names. An invalid address is answered as one that does not exist.
fn named(texts: &ListTexts) -> Result<MailAddress, Failure> {
    match texts.mail.as_deref().filter(|text| !text.is_empty()) {
        None => Err(Failure::missing(MAIL)),
        Some(text) => MailAddress::parse(text).map_err(|_| Failure::not_found(WHAT)),
    }
}
