//! The tree of the directory: the DNs of tenants, users and folders, which only this module builds. It also finds the
//! entry that a DN stands for.

use crate::{address::MailAddress, contact::Kind, names, resource::group::GroupName, tenant::TenantId};
use ldap_text::dn::Dn;

/// The tree of one installation, rooted at `root`.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Dn,
    domains: Dn,
    people: Dn,
    groups: Dn,
    resources: Dn,
    contacts: Dn,
    system: Dn,
}

/// The names of the folders below the root, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderNames {
    /// Tenants; `Domains` by default.
    pub domains: String,
    /// Users; `People` by default.
    pub people: String,
    /// Mailing lists; `Groups` by default.
    pub groups: String,
    /// Resources; `Resources` by default.
    pub resources: String,
    /// Contacts from outside; `CAB` by default.
    pub contacts: String,
    /// The service account; `System` by default.
    pub system: String,
}

impl Default for FolderNames {
    fn default() -> Self {
        Self {
            domains: "Domains".into(),
            people: "People".into(),
            groups: "Groups".into(),
            resources: "Resources".into(),
            contacts: "CAB".into(),
            system: "System".into(),
        }
    }
}

/// The properties of an entry that follow from its DN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The kind of entry.
    pub kind: Kind,
    /// The tenant.
    pub tenant: TenantId,
    /// The address, if it is in the DN.
    pub mail: Option<&'a str>,
    /// The group of a resource.
    pub group: Option<&'a str>,
}

impl Tree {
    /// A tree with the default folder names.
    #[must_use]
    pub fn new(root: Dn) -> Self {
        Self::with_folders(root, &FolderNames::default())
    }

    /// A tree with other folder names.
    #[must_use]
    pub fn with_folders(root: Dn, names: &FolderNames) -> Self {
        let folder = |name: &str| root.child(names::OU, name);
        Self {
            domains: folder(&names.domains),
            people: folder(&names.people),
            groups: folder(&names.groups),
            resources: folder(&names.resources),
            contacts: folder(&names.contacts),
            system: folder(&names.system),
            root,
        }
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> &Dn {
        &self.root
    }

    /// The folder of tenants.
    #[must_use]
    pub fn domains(&self) -> &Dn {
        &self.domains
    }

    /// The folder of all users.
    #[must_use]
    pub fn people(&self) -> &Dn {
        &self.people
    }

    /// The folder of service accounts.
    #[must_use]
    pub fn system(&self) -> &Dn {
        &self.system
    }

    /// The folders directly below the root.
    #[must_use]
    pub fn folders(&self) -> [&Dn; 6] {
        [&self.domains, &self.people, &self.groups, &self.resources, &self.contacts, &self.system]
    }

    /// A tenant's entry.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Dn {
        self.domains.child(names::OU, tenant.as_str())
    }

    /// The folders of a tenant's entries: users, lists, resources, outside contacts.
    #[must_use]
    pub fn tenant_folders(&self, tenant: &TenantId) -> [Dn; 4] {
        [&self.people, &self.groups, &self.resources, &self.contacts]
            .map(|dn| dn.child(names::OU, tenant.as_str()))
    }

    /// The folder of a tenant's users.
    #[must_use]
    pub fn users(&self, tenant: &TenantId) -> Dn {
        self.people.child(names::OU, tenant.as_str())
    }

    /// The folder of a tenant's mailing lists.
    #[must_use]
    pub fn lists(&self, tenant: &TenantId) -> Dn {
        self.groups.child(names::OU, tenant.as_str())
    }

    /// A mailing list's entry.
    #[must_use]
    pub fn list(&self, tenant: &TenantId, mail: &MailAddress) -> Dn {
        self.lists(tenant).child(names::MAIL, mail.as_str())
    }

    /// The folder of all tenants' contacts from outside.
    #[must_use]
    pub fn contacts(&self) -> &Dn {
        &self.contacts
    }

    /// The folder of a tenant's contacts from outside.
    #[must_use]
    pub fn contacts_of(&self, tenant: &TenantId) -> Dn {
        self.contacts.child(names::OU, tenant.as_str())
    }

    /// The folder of a tenant's resource groups.
    #[must_use]
    pub fn resource_groups(&self, tenant: &TenantId) -> Dn {
        self.resources.child(names::OU, tenant.as_str())
    }

    /// A resource group's entry.
    #[must_use]
    pub fn resource_group(&self, tenant: &TenantId, group: &GroupName) -> Dn {
        self.resource_groups(tenant).child(names::OU, group.as_str())
    }

    /// A resource's entry.
    #[must_use]
    pub fn resource(&self, tenant: &TenantId, group: &GroupName, mail: &MailAddress) -> Dn {
        self.resource_group(tenant, group).child(names::MAIL, mail.as_str())
    }

    /// The folder of stored answers.
    #[must_use]
    pub fn answers(&self) -> Dn {
        self.system.child(names::OU, "Answers")
    }

    /// The folder of synchronizations.
    #[must_use]
    pub fn runs(&self) -> Dn {
        self.system.child(names::OU, "Runs")
    }

    /// The folders whose entries backups leave out: stored answers, and reports of synchronizations.
    #[must_use]
    pub fn passing(&self) -> [Dn; 2] {
        [self.answers(), self.runs()]
    }

    /// A user's entry.
    #[must_use]
    pub fn user(&self, tenant: &TenantId, mail: &MailAddress) -> Dn {
        self.users(tenant).child(names::MAIL, mail.as_str())
    }

    /// The tenant and address of the user with this DN.
    #[must_use]
    pub fn user_of(&self, dn: &Dn) -> Option<(TenantId, MailAddress)> {
        let mail = MailAddress::parse(dn.rdn()?.value_of(&names::MAIL)?).ok()?;
        let folder = dn.parent()?;
        let tenant = TenantId::parse(folder.rdn()?.value_of(&names::OU)?).ok()?;
        (folder.parent()? == self.people).then_some((tenant, mail))
    }

    /// The tenant whose entry has this DN.
    #[must_use]
    pub fn tenant_of(&self, dn: &Dn) -> Option<TenantId> {
        let tenant = TenantId::parse(dn.rdn()?.value_of(&names::OU)?).ok()?;
        (dn.parent()? == self.domains).then_some(tenant)
    }

    /// The properties of an entry that follow from its DN: its kind, its tenant, and, if the DN contains them, its
    /// address and group. `None` for a place where entries have no address.
    #[must_use]
    pub fn place_of<'a>(&self, dn: &'a Dn) -> Option<Place<'a>> {
        let kinds = [
            (&self.people, Kind::User),
            (&self.groups, Kind::List),
            (&self.resources, Kind::Resource),
            (&self.contacts, Kind::Contact),
        ];
        let (folder, kind) = kinds.into_iter().find(|(folder, _)| dn.is_within(folder))?;
        let below = dn.rdns().len().checked_sub(folder.rdns().len())?;
        // The tenant's folder is the last RDN; the RDNs within the folder come before it.
        let (tenant, own) = dn.rdns().get(..below)?.split_last()?;
        let tenant = TenantId::parse(tenant.value_of(&names::OU)?).ok()?;
        let mail = own.first().and_then(|rdn| rdn.value_of(&names::MAIL));
        match (kind, own) {
            (Kind::User | Kind::List, [_]) => Some(Place { kind, tenant, mail: Some(mail?), group: None }),
            (Kind::Resource, [_, group]) => {
                Some(Place { kind, tenant, mail: Some(mail?), group: Some(group.value_of(&names::OU)?) })
            }
            (Kind::Contact, [_, ..]) => Some(Place { kind, tenant, mail: None, group: None }),
            _ => None,
        }
    }

    /// The tenant of an entry: the folder directly below the folder of the kind.
    #[must_use]
    pub fn owner_of(&self, dn: &Dn) -> Option<TenantId> {
        let kinds = [&self.people, &self.groups, &self.resources, &self.contacts];
        let kind = kinds.into_iter().find(|kind| dn.is_within(kind))?;
        let place = dn.rdns().len().checked_sub(kind.rdns().len() + 1)?;
        TenantId::parse(dn.rdns().get(place)?.value_of(&names::OU)?).ok()
    }

    /// The account that binds with unknown logins are tried on: nobody knows its password.
    #[must_use]
    pub fn decoy(&self) -> Dn {
        self.system.child(names::UID, "decoy")
    }

    /// The account for backups and restores, which, unlike the service account, may read passwords.
    #[must_use]
    pub fn backup_account(&self) -> Dn {
        self.system.child(names::UID, "pbm-backup")
    }

    /// The password policy of the accounts that pbm binds as.
    #[must_use]
    pub fn account_policy(&self) -> Dn {
        self.system.child(names::CN, "nsPwPolicyContainer").child(names::CN, "pbm")
    }

    /// Whether an entry of any kind belongs to a tenant.
    #[must_use]
    pub fn is_of_tenant(&self, dn: &Dn, tenant: &TenantId) -> bool {
        self.tenant_folders(tenant).iter().any(|folder| dn.is_within(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=example,dc=com").unwrap())
    }

    #[test]
    fn a_user_stands_below_its_tenant_below_people() {
        let dn =
            tree().user(&TenantId::parse("t1").unwrap(), &MailAddress::parse("a+b=c#d@example.com").unwrap());
        assert_eq!(dn.to_string(), "mail=a\\+b\\=c#d@example.com,ou=t1,ou=People,dc=example,dc=com");
    }

    #[test]
    fn a_user_is_read_back_from_its_dn() {
        let tenant = TenantId::parse("t1").unwrap();
        let mail = MailAddress::parse("a+b@example.com").unwrap();
        let dn = tree().user(&tenant, &mail);
        assert!(tree().is_of_tenant(&dn, &tenant));
        assert!(!tree().is_of_tenant(&dn, &TenantId::default_tenant()));
        assert_eq!(tree().user_of(&dn), Some((tenant, mail)));
        assert_eq!(tree().owner_of(&dn), Some(TenantId::parse("t1").unwrap()));
        assert_eq!(tree().owner_of(tree().people()), None);
        assert_eq!(tree().user_of(tree().people()), None);
        assert_eq!(tree().user_of(&Dn::parse("mail=a@b.cc,ou=t1,ou=People,dc=other").unwrap()), None);
    }
}
