//! What there is to say about an endpoint besides its summary.

use crate::http::endpoint::Endpoint;

/// What the whole document begins with.
pub(super) const INTRODUCTION: &str = "\
Administration of a mail system: tenants, users, mailing lists, resources.

**Parameters** are shown in the place where they usually stand. They are taken from the query, from a form or a flat \
JSON object in the body on any method, and behind the first raw `&` of the path's last segment; the path wins over the \
body, the body over the query. What a request does not know changes nothing and is named in `X-Ignored-Parameters`. An \
empty value (`null` in JSON) clears an optional field.

**Access**: a token from `POST /v2/auth`. Addresses that the administrator of the server has allowed need none and act \
as a super administrator.

**Answers** are JSON, unless said otherwise, and carry `X-Request-Id`: the one that was sent, or a new one. Failures \
have a `message`: a sentence, or a reason for each parameter that is wrong. `HEAD` answers as `GET` without the body; \
other methods of a path get 405, other paths 404.";

/// More about an endpoint; empty where there is no more.
pub(super) fn about(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Authenticate => {
            "Log in with `login` and `password`; renew the access token with `refresh_token`, where login and password \
             may be sent along and must then be right."
        }
        Endpoint::Ready => "503 while the directory is out of reach.",
        Endpoint::ReadUser => "Every field that is set; never the password.",
        Endpoint::PatchUser => {
            "Changes what is given. A user with a new address keeps its password, other addresses and memberships."
        }
        Endpoint::DeleteUser => {
            "The user is hidden and cannot log in; its addresses stay taken until it is removed for good."
        }
        Endpoint::RestoreUser => "A user that was blocked before stays blocked.",
        Endpoint::ImportUsers => {
            "Rows are done while they come, and answered in their order; one that is wrong stops no other. What is done \
             stays done: the same rows again finish it."
        }
        Endpoint::ListMemberships => "Directly and through other lists; dynamic lists count.",
        Endpoint::CreateTenantOfDomain => {
            "The name is the first label of the domain, with a number where that is taken; the answer has it."
        }
        Endpoint::DeleteTenant => "Everything in it goes along. The tenant `default` stays.",
        Endpoint::RestoreTenant => "What was deleted with it comes back; what was deleted before does not.",
        Endpoint::AddDomain => "A domain that it has already is a success.",
        Endpoint::RemoveDomain => "Neither the last one nor one that an address of the tenant uses.",
        Endpoint::ListMailLists => {
            "A list shows at most its first 1000 members, and in `members` how many it has. A dynamic list shows its `filter`."
        }
        Endpoint::CreateMailList => "With members (`alias`) or conditions (`filter`).",
        Endpoint::PatchMailList => {
            "Changes what is given: members come (`alias`) and go (`remove`), or the whole list is set (`members`), or it \
             becomes a dynamic one (`filter`)."
        }
        Endpoint::DeleteMailList | Endpoint::DeleteResource => "At once: there is no way back.",
        Endpoint::DeleteResourceGroup => "At once. A deletion that was cut off is ended by asking again.",
        Endpoint::RenameResourceGroup => "Its resources move along.",
        Endpoint::BackUp => {
            "Everything, or with `tenant-id` one tenant; administrators name theirs. The hashes of passwords are in it."
        }
        Endpoint::Restore => {
            "The body is a backup, or LDIF from elsewhere, of any size; with `tenant-id` only this tenant's entries count, and \
             administrators name theirs. What is missing is added. A file that is cut, was altered or can't be read changes \
             nothing; an entry that is wrong stops no other. Safe to send again."
        }
        Endpoint::ListContacts => {
            "Users, mailing lists, resources and contacts from outside, in the views that each is to be seen in; never \
             who is deleted or blocked. Ask again with `If-None-Match`: it costs little where nothing has changed."
        }
        Endpoint::SuggestContacts => {
            "Best first, out of the view `suggestions`. Letter case, and ё or е, do not count; where nobody is found, \
             the text is read as typed with the other keyboard layout, and names are found by Latin letters."
        }
        Endpoint::ListContactChanges => {
            "One loop keeps a copy: apply the changes in their order, keep `since` with them, ask again with it; at \
             once while `more` is true. The same change may come twice. 410: forget the copy, and begin without `since`. \
             503: there is no feed now; ask again later, from where you are."
        }
        Endpoint::ExportContacts => "In the order of the addresses, sent while it is written.",
        Endpoint::ReadContact => "In whichever view it is. Mailing lists name their members.",
        Endpoint::Live
        | Endpoint::ListUsers
        | Endpoint::CreateUser
        | Endpoint::ListTenants
        | Endpoint::CreateTenant
        | Endpoint::ReadTenant
        | Endpoint::PatchTenant
        | Endpoint::ReadMailList
        | Endpoint::ListResourceGroups
        | Endpoint::CreateResourceGroup
        | Endpoint::ReadResourceGroup
        | Endpoint::ListResources
        | Endpoint::CreateResource
        | Endpoint::ReadResource
        | Endpoint::PatchResource
        | Endpoint::ReadDocument
        | Endpoint::ReadDocs
        | Endpoint::ReadDocsFile => "",
    }
}
