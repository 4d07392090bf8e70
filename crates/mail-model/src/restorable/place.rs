//! The places of a tenant's entries in the tree.

use super::is_pair;
use crate::{names, resource::group::GroupName, tenant::TenantId, tree::Tree};
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
};

/// A kind of entry that belongs to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// One of the four folders of the tenant.
    Folder,
    /// A user.
    User,
    /// A mailing list.
    List,
    /// A resource group.
    Group,
    /// A resource.
    Resource,
    /// A contact from outside.
    Contact,
}

/// The kind of entry at a place of a tenant. Only the folders that the API creates have entries below them.
pub(super) fn belonging(tree: &Tree, tenant: &TenantId, dn: &Dn) -> Option<Belonging> {
    let kinds = [Belonging::User, Belonging::List, Belonging::Group, Belonging::Contact];
    let folders = tree.tenant_folders(tenant);
    let (folder, kind) = folders.iter().zip(kinds).find(|(folder, _)| dn.is_within(folder))?;
    match dn.rdns().get(..dn.rdns().len().checked_sub(folder.rdns().len())?)? {
        [] => Some(Belonging::Folder),
        [_] => Some(kind),
        [_, group] if kind == Belonging::Group && is_group(group) => Some(Belonging::Resource),
        _ => None,
    }
}

fn is_group(rdn: &Rdn) -> bool {
    let name = rdn.value_of(&names::OU).filter(|name| GroupName::parse(name).is_ok());
    name.is_some_and(|name| is_pair(rdn, &names::OU, name))
}

/// Whether an RDN is one pair with exactly this value. Addresses are ASCII, so only ASCII letter case is ignored for
/// them: other characters that fold to the same are different values to the server.
pub(super) fn is_name(rdn: &Rdn, naming: &AttributeName, value: &str) -> bool {
    let is_spelled = |text: &str| *naming != names::MAIL || text.eq_ignore_ascii_case(value);
    is_pair(rdn, naming, value) && rdn.value_of(naming).is_some_and(is_spelled)
}
