//! Every endpoint, and who may use it: the one table of methods, paths and rights. Routes are made from
//! it, each request is checked against it, and an endpoint without its row does not compile.

use super::call::PathPart;
use actix_web::http::Method;
use std::{borrow::Cow, sync::LazyLock};
use strum::{EnumMessage, VariantArray};

/// A request that the API knows. The comments are what the API's document says in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumMessage, VariantArray)]
pub enum Endpoint {
    /// Log in, or renew a token.
    Authenticate,
    /// The process runs.
    Live,
    /// The directory answers.
    Ready,
    /// Users of a tenant; with `deleted=1` the deleted ones.
    ListUsers,
    /// Make a user.
    CreateUser,
    /// One user.
    ReadUser,
    /// Change a user.
    PatchUser,
    /// Delete a user softly.
    DeleteUser,
    /// Undo a deletion.
    RestoreUser,
    /// Make and change many users.
    ImportUsers,
    /// The mailing lists that a user is in.
    ListMemberships,
    /// Tenants; with `deleted=1` the deleted ones.
    ListTenants,
    /// Make a tenant whose name is given by the server.
    CreateTenantOfDomain,
    /// Make a tenant.
    CreateTenant,
    /// One tenant.
    ReadTenant,
    /// Change a tenant.
    PatchTenant,
    /// Delete a tenant softly.
    DeleteTenant,
    /// Undo the deletion of a tenant.
    RestoreTenant,
    /// Give a tenant a domain.
    AddDomain,
    /// Take a domain from a tenant.
    RemoveDomain,
    /// Mailing lists of a tenant.
    ListMailLists,
    /// Make a mailing list.
    CreateMailList,
    /// Change a mailing list.
    PatchMailList,
    /// Delete a mailing list.
    DeleteMailList,
    /// One mailing list.
    ReadMailList,
    /// Resource groups of a tenant.
    ListResourceGroups,
    /// Make a resource group.
    CreateResourceGroup,
    /// One resource group.
    ReadResourceGroup,
    /// Rename a resource group.
    RenameResourceGroup,
    /// Delete a resource group with its resources.
    DeleteResourceGroup,
    /// Resources of a group.
    ListResources,
    /// Make a resource.
    CreateResource,
    /// One resource.
    ReadResource,
    /// Change a resource.
    PatchResource,
    /// Delete a resource.
    DeleteResource,
    /// Contacts of a tenant.
    ListContacts,
    /// Contacts that a text may mean, while it is being typed.
    SuggestContacts,
    /// What has changed among the contacts.
    ListContactChanges,
    /// All contacts as a file.
    ExportContacts,
    /// One contact as a vCard.
    ReadContact,
    /// A tenant, or everything, as LDIF with the hashes of passwords.
    BackUp,
    /// Restore from LDIF.
    Restore,
    /// This document.
    ReadDocument,
    /// A page to read this document and to try it out.
    ReadDocs,
    /// A file of that page.
    ReadDocsFile,
}

/// What a request may carry besides parameters; elsewhere it is refused rather than ignored, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// `If-Match` (RFC 9110 section 13.1.1): it changes what is there.
    IfMatch,
    /// `If-None-Match` (section 13.1.2): the client may have what it reads already. Elsewhere it is ignored.
    IfNoneMatch,
    /// `Idempotency-Key`: it makes something.
    IdempotencyKey,
}

/// Whether a request names its tenant by a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantParameter {
    /// The path names it, or there is none.
    None,
    /// It does.
    Required,
    /// It does, unless it is about everything.
    Optional,
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// By role, and by whether the tenant in the path is one's own.
    ByRole(Rights),
}

/// What each role may do, in its own tenant and in others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Role 3 in the tenant `default`.
    pub super_own: Right,
    /// Role 3 elsewhere.
    pub super_foreign: Right,
    /// Role 1 in its tenant.
    pub administrator_own: Right,
    /// Role 1 elsewhere.
    pub administrator_foreign: Right,
    /// Role 2 in its tenant.
    pub user_own: Right,
    /// Role 2 elsewhere.
    pub user_foreign: Right,
}

/// What one may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everything that the endpoint does.
    All,
    /// The same, but neither make nor touch a super administrator.
    AllButSuper,
    /// To itself only.
    Itself,
    /// Its own password only.
    OwnPassword,
    /// Nothing.
    None,
}

use Right::{All, AllButSuper, Itself, None, OwnPassword};

const fn rights(
    super_own: Right,
    super_foreign: Right,
    administrator: [Right; 2],
    user: [Right; 2],
) -> Access {
    Access::ByRole(Rights {
        super_own,
        super_foreign,
        administrator_own: administrator[0],
        administrator_foreign: administrator[1],
        user_own: user[0],
        user_foreign: user[1],
    })
}

const USERS: &str = "/v2/users/{tenant}";
const USER: &str = "/v2/users/{tenant}/{mail}";
const RESTORE_USER: &str = "/v2/users/{tenant}/{mail}/restore";
const BULK: &str = "/v2/users/{tenant}/bulk";
const MEMBERSHIPS: &str = "/v2/users/{tenant}/{mail}/maillists";
const TENANTS: &str = "/v2/tenants";
const TENANT: &str = "/v2/tenants/{tenant}";
const RESTORE_TENANT: &str = "/v2/tenants/{tenant}/restore";
const DOMAIN: &str = "/v2/tenants/{tenant}/domains/{domain}";
const MAIL_LISTS: &str = "/v2/maillists";
const MAIL_LIST: &str = "/v2/maillists/{tenant}/{mail}";
const GROUPS: &str = "/v2/resourcegroups/{tenant}";
const GROUP: &str = "/v2/resourcegroups/{tenant}/{group}";
const RESOURCES: &str = "/v2/resources/{tenant}/{group}";
const RESOURCE: &str = "/v2/resources/{tenant}/{group}/{mail}";
const CONTACTS: &str = "/v2/addressbook/{tenant}";
const SUGGEST: &str = "/v2/addressbook/{tenant}/suggest";
const CHANGES: &str = "/v2/addressbook/{tenant}/changes";
const EXPORT: &str = "/v2/addressbook/{tenant}/export";
const CONTACT: &str = "/v2/addressbook/{tenant}/{file}";
const BACKUP: &str = "/v2/backup/ldif";
const RESTORE: &str = "/v2/restore/ldif";

/// Super administrators only.
const SUPER: Access = rights(All, All, [None, None], [None, None]);
/// Super administrators, and administrators in their own tenant.
const ADMINISTRATION: Access = rights(All, All, [All, None], [None, None]);
/// The same, but role 3 is out of reach for administrators.
const BUT_SUPER: Access = rights(All, All, [AllButSuper, None], [None, None]);
/// Super administrators, and whoever is of the tenant.
const OF_TENANT: Access = rights(All, All, [All, None], [All, None]);

impl Endpoint {
    /// Method, path, rights, and what it takes. Columns of rights: super administrator in its own tenant and in
    /// others; administrator in its own and in others; user in its own and in others.
    #[rustfmt::skip]
    fn row(self) -> (Method, &'static str, Access, Takes) {
        use Takes::{IdempotencyKey, IfMatch, IfNoneMatch, Nothing};
        match self {
            Self::Authenticate => (Method::POST, "/v2/auth", Access::Open, Nothing),
            Self::Live    => (Method::GET, "/health/live", Access::Open, Nothing),
            Self::Ready   => (Method::GET, "/health/ready", Access::Open, Nothing),
            Self::ListUsers   => (Method::GET,    USERS,        ADMINISTRATION, Nothing),
            Self::CreateUser  => (Method::PUT,    USER,         BUT_SUPER, IdempotencyKey),
            Self::ReadUser    => (Method::GET,    USER,         rights(All, All, [All,         None], [Itself,      None]), Nothing),
            Self::PatchUser   => (Method::PATCH,  USER,         rights(All, All, [AllButSuper, None], [OwnPassword, None]), IfMatch),
            Self::DeleteUser  => (Method::DELETE, USER,         BUT_SUPER, IfMatch),
            Self::RestoreUser => (Method::POST,   RESTORE_USER, BUT_SUPER, Nothing),
            Self::ImportUsers => (Method::POST,   BULK,         BUT_SUPER, Nothing),
            Self::ListMemberships => (Method::GET, MEMBERSHIPS, rights(All, All, [All,         None], [Itself,      None]), Nothing),
            Self::ListTenants          => (Method::GET,    TENANTS,        SUPER, Nothing),
            Self::CreateTenantOfDomain => (Method::POST,   TENANTS,        SUPER, IdempotencyKey),
            Self::CreateTenant         => (Method::PUT,    TENANT,         SUPER, IdempotencyKey),
            Self::ReadTenant           => (Method::GET,    TENANT,         SUPER, Nothing),
            Self::PatchTenant          => (Method::PATCH,  TENANT,         SUPER, IfMatch),
            Self::DeleteTenant         => (Method::DELETE, TENANT,         SUPER, IfMatch),
            Self::RestoreTenant        => (Method::POST,   RESTORE_TENANT, SUPER, Nothing),
            Self::AddDomain            => (Method::PUT,    DOMAIN,         SUPER, Nothing),
            Self::RemoveDomain         => (Method::DELETE, DOMAIN,         SUPER, Nothing),
            Self::ListMailLists  => (Method::GET,    MAIL_LISTS, ADMINISTRATION, Nothing),
            Self::CreateMailList => (Method::POST,   MAIL_LISTS, ADMINISTRATION, IdempotencyKey),
            Self::PatchMailList  => (Method::PUT,    MAIL_LISTS, ADMINISTRATION, IfMatch),
            Self::DeleteMailList => (Method::DELETE, MAIL_LISTS, ADMINISTRATION, IfMatch),
            Self::ReadMailList   => (Method::GET,    MAIL_LIST,  ADMINISTRATION, Nothing),
            Self::ListResourceGroups  => (Method::GET,    GROUPS, ADMINISTRATION, Nothing),
            Self::CreateResourceGroup => (Method::PUT,    GROUP,  ADMINISTRATION, IdempotencyKey),
            Self::ReadResourceGroup   => (Method::GET,    GROUP,  ADMINISTRATION, Nothing),
            Self::RenameResourceGroup => (Method::PATCH,  GROUP,  ADMINISTRATION, IfMatch),
            Self::DeleteResourceGroup => (Method::DELETE, GROUP,  ADMINISTRATION, IfMatch),
            Self::ListResources  => (Method::GET,    RESOURCES, ADMINISTRATION, Nothing),
            Self::CreateResource => (Method::PUT,    RESOURCE,  ADMINISTRATION, IdempotencyKey),
            Self::ReadResource   => (Method::GET,    RESOURCE,  ADMINISTRATION, Nothing),
            Self::PatchResource  => (Method::PATCH,  RESOURCE,  ADMINISTRATION, IfMatch),
            Self::DeleteResource => (Method::DELETE, RESOURCE,  ADMINISTRATION, IfMatch),
            Self::ListContacts       => (Method::GET, CONTACTS, OF_TENANT, IfNoneMatch),
            Self::SuggestContacts    => (Method::GET, SUGGEST,  OF_TENANT, Nothing),
            Self::ListContactChanges => (Method::GET, CHANGES,  OF_TENANT, Nothing),
            Self::ExportContacts     => (Method::GET, EXPORT,   OF_TENANT, Nothing),
            Self::ReadContact        => (Method::GET, CONTACT,  OF_TENANT, Nothing),
            Self::BackUp  => (Method::GET,  BACKUP,  BUT_SUPER, Nothing),
            Self::Restore => (Method::POST, RESTORE, BUT_SUPER, Nothing),
            Self::ReadDocument => (Method::GET, "/openapi.json", Access::Open, Nothing),
            Self::ReadDocs     => (Method::GET, "/docs",         Access::Open, Nothing),
            Self::ReadDocsFile => (Method::GET, "/docs/{file}",  Access::Open, Nothing),
        }
    }

    /// Whether the tenant stands in the parameter `tenant-id` and not in the path, as the guide has it for mailing
    /// lists (3.13).
    #[must_use]
    pub fn tenant_parameter(self) -> TenantParameter {
        match self.path() {
            MAIL_LISTS => TenantParameter::Required,
            BACKUP | RESTORE => TenantParameter::Optional,
            _ => TenantParameter::None,
        }
    }

    /// Whether its body is not parameters but rows, read while they come.
    #[must_use]
    pub fn takes_rows(self) -> bool {
        matches!(self, Self::ImportUsers | Self::Restore)
    }

    /// Whether what others read may be another once it was answered. Imports end later than their answers begin, and
    /// see to it themselves.
    #[must_use]
    pub fn may_change_something(self) -> bool {
        self.method() != Method::GET && self != Self::Authenticate && !self.takes_rows()
    }

    /// What a request may carry besides parameters.
    #[must_use]
    pub fn takes(self) -> Takes {
        self.row().3
    }

    /// Its method.
    #[must_use]
    pub fn method(self) -> Method {
        self.row().0
    }

    /// Its path, with names in braces for the parts that vary.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.row().1
    }

    /// What it is for, in short.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.get_documentation().unwrap_or_default().trim_end_matches('.')
    }

    /// Who may use it.
    #[must_use]
    pub fn access(self) -> Access {
        self.row().2
    }

    /// The endpoint of a request. `HEAD` is `GET` without the body (RFC 9110 section 9.3.2).
    ///
    /// # Errors
    /// [`NoEndpoint`] when the path is unknown, or known with other methods.
    pub fn find(method: &Method, segments: &[Cow<'_, str>]) -> Result<Self, NoEndpoint> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = ROUTES.iter().find(|route| route.is_at(segments)).ok_or(NoEndpoint::UnknownPath)?;
        if let Some((_, endpoint)) = route.methods.iter().find(|(known, _)| known == method) {
            return Ok(*endpoint);
        }
        let mut allowed: Vec<Method> = route.methods.iter().map(|(method, _)| method.clone()).collect();
        if allowed.contains(&Method::GET) {
            allowed.push(Method::HEAD);
        }
        Err(NoEndpoint::OtherMethods(allowed))
    }

    /// The parts of its path.
    pub(super) fn parts(self) -> &'static [Part] {
        static PARTS: LazyLock<Vec<Vec<Part>>> =
            LazyLock::new(|| Endpoint::VARIANTS.iter().map(|endpoint| parts_of(endpoint.path())).collect());
        // The variants stand in the order of their numbers.
        PARTS.get(self as usize).map_or(&[], Vec::as_slice)
    }
}

fn parts_of(path: &'static str) -> Vec<Part> {
    let part = |part| PathPart::of_pattern(part).map_or(Part::Text(part), Part::Name);
    path.split('/').skip(1).map(part).collect()
}

/// A path of the table, taken apart once.
struct Route {
    path: &'static str,
    parts: Vec<Part>,
    methods: Vec<(Method, Endpoint)>,
}

/// A part of a path.
pub(super) enum Part {
    /// Written out.
    Text(&'static str),
    /// A name stands in its place.
    Name(PathPart),
}

/// Every path. One that is written out goes before one with a name in that place, as in `OpenAPI`.
static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let mut routes: Vec<Route> = Vec::new();
    for endpoint in Endpoint::VARIANTS {
        let (method, path, ..) = endpoint.row();
        match routes.iter_mut().find(|route| route.path == path) {
            Some(route) => route.methods.push((method, *endpoint)),
            Option::None => routes.push(Route::new(path, method, *endpoint)),
        }
    }
    routes.sort_by_key(|route| route.parts.iter().filter(|part| matches!(part, Part::Name(_))).count());
    routes
});

impl Route {
    fn new(path: &'static str, method: Method, endpoint: Endpoint) -> Self {
        Self { path, parts: parts_of(path), methods: vec![(method, endpoint)] }
    }

    fn is_at(&self, segments: &[Cow<'_, str>]) -> bool {
        let fits = |(part, segment): (&Part, &Cow<'_, str>)| match part {
            Part::Text(text) => text == segment,
            Part::Name(_) => !segment.is_empty(),
        };
        self.parts.len() == segments.len() && self.parts.iter().zip(segments).all(fits)
    }
}

/// Why a request has no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEndpoint {
    /// There is no such path.
    UnknownPath,
    /// The path takes these methods.
    OtherMethods(Vec<Method>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &Method, path: &str) -> Result<Endpoint, NoEndpoint> {
        let segments: Vec<_> = path.split('/').skip(1).map(Cow::from).collect();
        Endpoint::find(method, &segments)
    }

    #[test]
    fn a_path_and_method_find_their_endpoint() {
        assert_eq!(find(&Method::GET, "/v2/users/t/a@b.c"), Ok(Endpoint::ReadUser));
        assert_eq!(find(&Method::HEAD, "/v2/users/t"), Ok(Endpoint::ListUsers));
        assert_eq!(find(&Method::POST, "/v2/users/t/a@b.c/restore"), Ok(Endpoint::RestoreUser));
        assert_eq!(find(&Method::POST, "/v2/users/t/bulk"), Ok(Endpoint::ImportUsers));
        assert_eq!(find(&Method::GET, "/v2/resources/t/a b/a@b.c"), Ok(Endpoint::ReadResource));
        assert_eq!(find(&Method::GET, "/docs"), Ok(Endpoint::ReadDocs));
        assert_eq!(find(&Method::GET, "/v2/addressbook/t/suggest"), Ok(Endpoint::SuggestContacts));
        assert_eq!(find(&Method::GET, "/v2/addressbook/t/suggest.vcf"), Ok(Endpoint::ReadContact));
    }

    #[test]
    fn every_name_in_a_path_is_known() {
        for endpoint in Endpoint::VARIANTS {
            let names = endpoint.parts().iter().filter(|part| matches!(part, Part::Name(_))).count();
            assert_eq!(names, endpoint.path().matches('{').count(), "{endpoint:?}");
        }
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for path in [
            "/",
            "/v2",
            "/v2/users",
            "/v2/users/",
            "/v2/users/t/",
            "/v2/users/t/m/x",
            "/v2/users/t/m/restore/y",
            "/v2/resources/t",
            "/v2/tenants/t/domains",
        ] {
            assert_eq!(find(&Method::GET, path), Err(NoEndpoint::UnknownPath), "{path}");
        }
        assert_eq!(find(&Method::GET, "/v2/auth"), Err(NoEndpoint::OtherMethods(vec![Method::POST])));
        assert_eq!(find(&Method::GET, "/v2/users/t/bulk"), Err(NoEndpoint::OtherMethods(vec![Method::POST])));
        let allowed = vec![Method::GET, Method::HEAD];
        assert_eq!(find(&Method::PUT, "/v2/users/t"), Err(NoEndpoint::OtherMethods(allowed)));
    }
}
