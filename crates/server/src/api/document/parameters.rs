//! The parameters of each endpoint: the one declaration of what it takes, besides the parts of its path. The
//! dispatcher of a debug build holds handlers to it.

use super::{
    fields::{about_resource, about_user},
    kinds::{
        Shape, address_of_request, choice, domain, group_name, line, list, number, of_request, password,
        switch, tenant_id, text,
    },
};
use crate::{
    api::{addressbook, backup::ExistingWord},
    bulk::Mode,
    http::endpoint::Endpoint,
};
use mail_model::{
    contact::{self, view::View},
    field::Kind,
    list::{DEFAULT_LIMIT, Listing, MAX_LIMIT, MAX_SEARCH, MAX_SEARCH_WORDS},
    maillist::{
        self,
        command::MAX_MEMBERS,
        conditions::{FIELDS, MAX_CONDITIONS},
    },
    resource::{self, field::ResourceField},
    tenant,
    user::{self, field::UserField},
};
use strum::VariantNames;

/// A parameter of an endpoint.
pub(super) struct Declared {
    pub(super) name: &'static str,
    pub(super) about: String,
    pub(super) is_required: bool,
    pub(super) shape: Shape,
}

impl Declared {
    fn optional(name: &'static str, about: impl Into<String>, shape: Shape) -> Self {
        Self { name, about: about.into(), is_required: false, shape }
    }

    fn required(name: &'static str, about: impl Into<String>, shape: Shape) -> Self {
        Self { is_required: true, ..Self::optional(name, about, shape) }
    }
}

/// What an endpoint takes.
pub(super) fn declared(endpoint: Endpoint) -> Vec<Declared> {
    match endpoint {
        Endpoint::Authenticate => log_in(),
        Endpoint::ListUsers => {
            page(&user::LISTING, "the address, the first or the last name").and(deleted("users"))
        }
        Endpoint::CreateUser => vec![in_path()].and(user_password(true)).and(user_fields(true)),
        Endpoint::PatchUser => vec![in_path(), new_address("mail", "A new address of the user.")]
            .and(user_password(false))
            .and(user_fields(false)),
        Endpoint::ImportUsers => import(),
        Endpoint::ListTenants => page(&tenant::LISTING, "the id or a domain").and(deleted("tenants")),
        Endpoint::CreateTenantOfDomain => vec![first_domain()],
        Endpoint::CreateTenant => vec![in_path(), first_domain()],
        Endpoint::PatchTenant => tenant_defaults(),
        Endpoint::ListMailLists => {
            vec![tenant_parameter()].and(page(&maillist::LISTING, "the address or the name"))
        }
        Endpoint::CreateMailList => new_mail_list(),
        Endpoint::PatchMailList => mail_list_changes(),
        Endpoint::DeleteMailList => named_mail_list(),
        Endpoint::ReadMailList => vec![expand()],
        Endpoint::ListMemberships => page(&maillist::LISTING, "the address or the name"),
        Endpoint::ListResourceGroups => page(&resource::group::LISTING, "the name"),
        Endpoint::CreateResourceGroup => vec![in_path()],
        Endpoint::RenameResourceGroup => {
            vec![in_path(), Declared::required("name", "The new name.", group_name())]
        }
        Endpoint::ListResources => page(&resource::LISTING, "the address or the name"),
        Endpoint::CreateResource => vec![in_path()].and(resource_fields(true)),
        Endpoint::PatchResource => vec![in_path()].and(resource_fields(false)),
        Endpoint::ListContacts => contacts(),
        Endpoint::SuggestContacts => suggestions(),
        Endpoint::ListContactChanges => changes(),
        Endpoint::ExportContacts => export(),
        Endpoint::BackUp => vec![optional_tenant()],
        Endpoint::Restore => restore(),
        Endpoint::Live
        | Endpoint::Ready
        | Endpoint::ReadUser
        | Endpoint::DeleteUser
        | Endpoint::RestoreUser
        | Endpoint::ReadTenant
        | Endpoint::DeleteTenant
        | Endpoint::RestoreTenant
        | Endpoint::AddDomain
        | Endpoint::RemoveDomain
        | Endpoint::ReadResourceGroup
        | Endpoint::DeleteResourceGroup
        | Endpoint::ReadResource
        | Endpoint::DeleteResource
        | Endpoint::ReadContact
        | Endpoint::ReadDocument
        | Endpoint::ReadDocs
        | Endpoint::ReadDocsFile => Vec::new(),
    }
}

/// Parameters one after the other.
trait And {
    fn and(self, more: impl IntoIterator<Item = Declared>) -> Self;
}

impl And for Vec<Declared> {
    fn and(mut self, more: impl IntoIterator<Item = Declared>) -> Self {
        self.extend(more);
        self
    }
}

fn log_in() -> Vec<Declared> {
    vec![
        Declared::optional("login", "The address; required without a refresh token.", text().into()),
        Declared::optional("password", "The password; required without a refresh token.", password()),
        Declared::optional("refresh_token", "A refresh token, to get a new access token.", text().into()),
    ]
}

fn page(listing: &Listing, searched: &str) -> Vec<Declared> {
    page_of(listing.orders, searched)
}

fn page_of(orders: &[&str], searched: &str) -> Vec<Declared> {
    let words = format!(
        "At most {MAX_SEARCH_WORDS} words that must all occur in {searched}, in any letter case; every character is \
         literal."
    );
    vec![
        Declared::optional("search", words, line(MAX_SEARCH)),
        Declared::optional("page", "Number of the page.", number(1, usize::MAX / MAX_LIMIT, 1)),
        Declared::optional("limit", "Entries a page.", number(1, MAX_LIMIT, DEFAULT_LIMIT)),
        Declared::optional(
            "orderby",
            "What the list is ordered by, without regard to letter case.",
            choice(orders, orders.first().copied()),
        ),
        Declared::optional("sort", "0 ascending, 1 descending.", switch()),
    ]
}

fn contacts() -> Vec<Declared> {
    let searched = "the names, addresses, department and title of a contact";
    page_of(addressbook::ORDERS, searched).and([view(View::NAMES), kinds()])
}

fn suggestions() -> Vec<Declared> {
    let typed = "What was typed so far: beginnings of words of names and addresses, in any order. Without letters and \
                 digits nobody is meant.";
    let limit = number(1, addressbook::MAX_SUGGESTIONS, addressbook::DEFAULT_SUGGESTIONS);
    vec![
        Declared::required("q", typed, text().max_length(Some(MAX_SEARCH)).into()),
        Declared::optional("limit", "Most contacts that are suggested.", limit),
    ]
}

fn changes() -> Vec<Declared> {
    let since = "The `since` of the page before; without it the feed begins with everybody who is there.";
    let limit = number(1, MAX_LIMIT, addressbook::DEFAULT_CHANGES);
    vec![
        Declared::optional("since", since, text().into()),
        Declared::optional("limit", "Most changes of a page.", limit),
    ]
}

fn export() -> Vec<Declared> {
    let formats = choice(addressbook::FORMATS, addressbook::FORMATS.first().copied());
    let about = "vCard 4.0 (RFC 6350), CSV (RFC 4180), LDIF (RFC 2849), or a JSON array of contacts.";
    vec![Declared::optional("format", about, formats), view(addressbook::EXPORT_VIEWS), kinds()]
}

fn view(names: &[&str]) -> Declared {
    let about =
        "Who is in it: the list of colleagues, those who are suggested, or whoever is in one of the two.";
    Declared::optional("view", about, choice(names, names.first().copied()))
}

fn kinds() -> Declared {
    let names: Vec<_> = contact::Kind::ALL.iter().map(|kind| kind.name()).collect();
    let about = "Of these kinds only; also taken as `user,list` in one value.";
    Declared::optional(addressbook::KIND, about, list(choice(&names, None), None))
}

fn deleted(what: &str) -> [Declared; 1] {
    [Declared::optional("deleted", format!("1: the deleted {what} instead."), switch())]
}

fn in_path() -> Declared {
    Declared::optional("tenant-id", "The tenant once more. The path counts.", text().into())
}

fn new_address(name: &'static str, about: &str) -> Declared {
    Declared::optional(name, about, address_of_request())
}

fn user_password(is_required: bool) -> [Declared; 1] {
    let about = "The password, of at most 512 bytes; the password policy of the directory may ask for more.";
    [Declared { is_required, ..Declared::optional("userPassword", about, password()) }]
}

fn user_fields(is_creation: bool) -> impl Iterator<Item = Declared> {
    UserField::ALL.into_iter().map(move |field| {
        let shape = of_request(field.kind(), !field.is_required());
        let is_required = is_creation && field.is_required();
        Declared { is_required, ..Declared::optional(field.api_name(), about_user(field), shape) }
    })
}

fn resource_fields(is_creation: bool) -> impl Iterator<Item = Declared> {
    ResourceField::ALL.into_iter().map(move |field| {
        let shape = of_request(field.kind(), !field.is_required());
        let is_required = is_creation && field.is_required();
        Declared { is_required, ..Declared::optional(field.api_name(), about_resource(field), shape) }
    })
}

fn optional_tenant() -> Declared {
    Declared::optional("tenant-id", "The tenant; without it, everything.", tenant_id())
}

fn restore() -> Vec<Declared> {
    let existing = "What is done with what is there and differs. keep: it stays, and is told. update: it becomes as in \
                    the file.";
    let words = ExistingWord::VARIANTS;
    vec![
        optional_tenant(),
        Declared::optional("existing", existing, choice(words, words.first().copied())),
        Declared::optional("dry-run", "1: nothing is written, and the answer says what would be.", switch()),
    ]
}

fn import() -> Vec<Declared> {
    let mode =
        "create: each row makes a user. upsert: it makes one, or changes the one that has its address.";
    vec![
        Declared::optional("mode", mode, choice(Mode::VARIANTS, Mode::VARIANTS.first().copied())),
        Declared::optional("dry-run", "1: nothing is written, and the answer says what would be.", switch()),
    ]
}

fn first_domain() -> Declared {
    Declared::required("domain", "The first domain of the tenant, in any script.", domain())
}

fn tenant_defaults() -> Vec<Declared> {
    let [quota, language] = [UserField::Quota, UserField::Language].map(UserField::kind);
    let languages = match language {
        Kind::Choice(all) => choice(&[all, &[""]].concat(), None),
        other => of_request(other, true),
    };
    vec![
        in_path(),
        Declared::optional(
            "quota",
            "Mailbox size of new users in megabytes; an empty one removes the default.",
            of_request(quota, true),
        ),
        Declared::optional("lang", "Language of new users; an empty one removes the default.", languages),
    ]
}

fn tenant_parameter() -> Declared {
    Declared::required("tenant-id", "The tenant.", tenant_id())
}

fn named_mail_list() -> Vec<Declared> {
    vec![
        tenant_parameter(),
        Declared::optional(
            "mail",
            "The address of the list. Required, here or as `mmail`.",
            address_of_request(),
        ),
        Declared::optional(
            "mmail",
            "Another name of `mail`; one of the two is enough.",
            address_of_request(),
        ),
    ]
}

fn display_name(is_required: bool) -> Declared {
    let shape = of_request(Kind::Line, false);
    Declared { is_required, ..Declared::optional("displayName", "Name in address books.", shape) }
}

fn members(name: &'static str, about: &str) -> Declared {
    let about = format!("{about} Also taken as `a,b`, `[a,b]` or `[\"a\",\"b\"]` in one value.");
    Declared::optional(name, about, list(address_of_request(), Some(MAX_MEMBERS)))
}

fn filter() -> Declared {
    let fields = FIELDS.iter().map(|field| field.api_name()).collect::<Vec<_>>();
    let pattern = format!("^({})=.+$", fields.join("|"));
    let about = format!(
        "Conditions of a dynamic list, `field=value`, that must all hold for a member; with a field of {}. One a value.",
        fields.join(", ")
    );
    Declared::optional("filter", about, list(text().pattern(Some(pattern)), Some(MAX_CONDITIONS)))
}

fn new_mail_list() -> Vec<Declared> {
    let alias = "Members: users, mailing lists and resources of the tenant, and addresses of domains that no tenant \
                 serves. Required without a filter.";
    named_mail_list().and([display_name(true), members("alias", alias), filter()])
}

fn mail_list_changes() -> Vec<Declared> {
    named_mail_list().and([
        display_name(false),
        new_address("newmail", "A new address of the list."),
        members("alias", "Members to be added."),
        members("remove", "Members to be taken out; an address that is none changes nothing."),
        members("members", "The whole list of members, at least one."),
        filter(),
    ])
}

fn expand() -> Declared {
    let about = "1: also everyone whom the list reaches, lists in it opened.";
    Declared::optional("expand", about, switch())
}
