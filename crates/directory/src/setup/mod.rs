//! The setup of a server: schema, plug-ins, indexes, folders with access rules, service account, tenant `default`,
//! first super administrator. It compares the wanted state with the existing one and changes only the differences, so
//! it can be run at any time; a dry run makes the same plan and sends nothing.
//!
//! It needs the rights of the Directory Manager, as does replacing everything (`restore::Replacement`).

mod accounts;
mod desired;
mod indexes;
mod plugins;
#[cfg(test)]
mod rights;
pub mod schema;

use crate::{
    Directory, Entry, Lookup, Scope, backup::every_entry, error::DirectoryError, product::Product,
    settings::Credentials,
};
use accounts::random_password;
use desired::{attribute_names, difference, entries, in_url};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    ldif::{Attribute, Change, ChangeRecord, Value},
};
use mail_model::{
    address::Domain,
    names,
    revision::FreshRevision,
    tenant::{self, TenantId},
    tree::Tree,
    user::{self, command::NewUser, plan},
};
use secrecy::ExposeSecret;

const SETTINGS: &str = include_str!("../../../../schema/settings.ldif");
const TREE: &str = include_str!("../../../../schema/tree.ldif");

/// What to set up.
#[derive(Debug)]
pub struct SetupRequest {
    /// The account that pbm binds as. Its password is set if a bind with it fails.
    pub service: Credentials,
    /// The account that backs up and restores, if there should be one.
    pub backup: Option<Credentials>,
    /// A domain that the tenant `default` serves.
    pub domain: Domain,
    /// The first super administrator, if one should be created; see [`crate::Lookup::has_super_administrator`].
    pub administrator: Option<NewUser>,
    /// Whether to enable the plug-in memberOf, which pbm does not need, and to index its attribute.
    pub with_member_of: bool,
}

/// A step of a setup, reported as it happens.
#[derive(Debug)]
pub enum SetupEvent<'a> {
    /// A change, made or (in a dry run) only planned.
    Change(&'a ChangeRecord),
    /// The index task runs; this many entries of the task's log have been seen.
    Indexing,
    /// The first super administrator was created.
    AdministratorMade,
}

/// What a setup did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetupReport {
    /// The number of changes.
    pub changes: usize,
    /// Whether the plug-in memberOf is on; pbm does not need it.
    pub member_of_is_on: bool,
    /// Whether the plug-in memberOf was enabled by this setup and works only after 389-ds has been restarted.
    pub member_of_waits: bool,
    /// Plug-ins that work only after 389-ds has been restarted, by this setup or one before.
    pub waiting: Vec<String>,
    /// Plug-ins that would wait in the same way after a real run; filled by a dry run only.
    pub would_wait: Vec<String>,
    /// Referential integrity was on before and searches the whole tree, so each rename costs more the more people
    /// there are.
    pub renames_search_everything: bool,
    /// The other account that may write hashed passwords, if the account that restores may not.
    pub other_password_admin: Option<String>,
    /// Version and configuration of the server.
    pub product: Product,
}

/// Why a setup stopped.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No back end of the server contains the root.
    #[error(
        "the server has no back end for {root}; make one first, e.g.: dsconf INSTANCE backend create --suffix {root} --be-name userRoot"
    )]
    NoBackend {
        /// The root DN.
        root: Dn,
    },
    /// The root is below the suffix of a back end, its entry does not exist, and pbm can't create an entry of that
    /// kind.
    #[error("{root} does not exist and can't be created: the name of a root must begin with dc, o or ou")]
    Root {
        /// The root DN.
        root: Dn,
    },
    /// An index task ended with an error.
    #[error("the index task of the server failed with code {0}; see the error log of 389-ds")]
    IndexTask(String),
    /// A step failed in the directory.
    #[error("{step}")]
    Directory {
        /// The step that failed.
        step: &'static str,
        /// The error.
        #[source]
        source: DirectoryError,
    },
}

/// A setup in progress.
struct Setup<'a, F> {
    directory: &'a Directory,
    dry_run: bool,
    report: SetupReport,
    on_event: F,
}

impl Lookup {
    /// Whether there is a super administrator; `false` if nothing has been set up yet.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn has_super_administrator(&self) -> Result<bool, DirectoryError> {
        let users = self.tree().users(&TenantId::default_tenant());
        let is_super = Filter::all([user::live_filter(), Filter::equal(names::EMPLOYEE_NUMBER, "3")]);
        let found = self.find(&users, Scope::Children, &is_super, &[names::NO_ATTRIBUTES]).await?;
        Ok(found.is_some())
    }
}

impl Directory {
    /// Sets a server up. `self` must be bound with the rights of the Directory Manager.
    ///
    /// # Errors
    /// [`SetupError`]; what was changed until then stays changed, and another run continues from there.
    pub async fn set_up(
        &self,
        request: &SetupRequest,
        dry_run: bool,
        on_event: impl FnMut(SetupEvent<'_>),
    ) -> Result<SetupReport, SetupError> {
        let mut setup = Setup { directory: self, dry_run, report: SetupReport::default(), on_event };
        setup.run(request).await?;
        setup.report.product = self.product().await.map_err(failed("reading what the server is"))?;
        Ok(setup.report)
    }
}

impl<F: FnMut(SetupEvent<'_>)> Setup<'_, F> {
    async fn run(&mut self, request: &SetupRequest) -> Result<(), SetupError> {
        let backend = self.backend().await?;
        self.schema().await?;
        self.settings(request).await?;
        self.plugins(request.with_member_of).await?;
        self.indexes(&backend, request.with_member_of).await?;
        self.tree(&request.service).await?;
        if let Some(account) = &request.backup {
            self.backup_account(account).await?;
        }
        self.default_tenant(&request.domain).await?;
        match &request.administrator {
            Some(administrator) => self.administrator(administrator).await,
            None => Ok(()),
        }
    }

    /// The name of the back end that contains the root.
    async fn backend(&self) -> Result<String, SetupError> {
        let step = "reading the back ends (cn=mapping tree,cn=config)";
        let found = self.directory.back_end_of_root().await.map_err(failed(step))?;
        let root = || self.directory.tree().root().clone();
        found.map(|back_end| back_end.name).ok_or_else(|| SetupError::NoBackend { root: root() })
    }

    async fn schema(&mut self) -> Result<(), SetupError> {
        let step = "extending the schema";
        let Some(wanted) = schema::wanted() else { return Ok(()) };
        let current = self
            .read(&wanted.dn, &[schema::ATTRIBUTE_TYPES, schema::OBJECT_CLASSES])
            .await
            .map_err(failed(step))?;
        match current.and_then(|current| schema::difference(&wanted, &current)) {
            Some(change) => self.apply(&change).await.map_err(failed(step)),
            None => Ok(()),
        }
    }

    async fn settings(&mut self, request: &SetupRequest) -> Result<(), SetupError> {
        for entry in entries(SETTINGS, &[("service_url", in_url(&request.service.dn))]) {
            self.ensure(entry).await.map_err(failed("changing the server's settings"))?;
        }
        Ok(())
    }

    async fn tree(&mut self, service: &Credentials) -> Result<(), SetupError> {
        let step = "creating the folders and accounts";
        self.root().await?;
        let tree = self.directory.tree().clone();
        for entry in tree_entries(&tree, &service.dn) {
            let is_service = entry.dn == service.dn;
            let is_account = is_service || entry.dn == tree.decoy();
            let exists = self.read(&entry.dn, &[names::NO_ATTRIBUTES]).await.map_err(failed(step))?.is_some();
            let password = || {
                if is_service {
                    Value::secret(service.password.expose_secret())
                } else {
                    Value::secret(random_password())
                }
            };
            let entry = if is_account && !exists {
                desired::with(entry, names::USER_PASSWORD, password())
            } else {
                entry
            };
            self.ensure(entry).await.map_err(failed(step))?;
            if is_service && exists {
                self.service_password(service).await.map_err(failed(step))?;
            }
        }
        Ok(())
    }

    async fn root(&mut self) -> Result<(), SetupError> {
        let step = "creating the root entry";
        let root = self.directory.tree().root().clone();
        if self.read(&root, &[names::NO_ATTRIBUTES]).await.map_err(failed(step))?.is_some() {
            return Ok(());
        }
        let kinds = [(names::DC, "domain"), (names::O, "organization"), (names::OU, "organizationalUnit")];
        let named = kinds.into_iter().find_map(|(name, class)| {
            let value = root.rdn()?.value_of(&name)?.to_owned();
            Some((name, class, value))
        });
        let (name, class, value) = named.ok_or_else(|| SetupError::Root { root: root.clone() })?;
        let classes = Attribute { name: names::OBJECT_CLASS, values: vec!["top".into(), class.into()] };
        let attributes = vec![classes, Attribute { name, values: vec![value.into()] }];
        self.apply(&ChangeRecord { dn: root, change: Change::Add(attributes) }).await.map_err(failed(step))
    }

    async fn default_tenant(&mut self, domain: &Domain) -> Result<(), SetupError> {
        let step = "creating the tenant default";
        for change in tenant::plan::creation(self.directory.tree(), &TenantId::default_tenant(), domain) {
            if let Change::Add(attributes) = change.change {
                let entry = ldap_text::ldif::Entry { dn: change.dn, attributes };
                self.ensure(entry).await.map_err(failed(step))?;
            }
        }
        Ok(())
    }

    async fn administrator(&mut self, administrator: &NewUser) -> Result<(), SetupError> {
        let step = "creating the first super administrator";
        if self.directory.has_super_administrator().await.map_err(failed(step))? {
            return Ok(());
        }
        let tenant = TenantId::default_tenant();
        let revision = FreshRevision::from_random(rand::random());
        self.apply(&plan::creation(self.directory.tree(), &tenant, administrator, revision))
            .await
            .map_err(failed(step))?;
        (self.on_event)(SetupEvent::AdministratorMade);
        Ok(())
    }

    /// Brings an entry to the wanted state; `true` if that took a change.
    async fn ensure(&mut self, wanted: ldap_text::ldif::Entry) -> Result<bool, DirectoryError> {
        let current = self.read(&wanted.dn, &attribute_names(&wanted)).await?;
        match difference(&wanted, current.as_ref()) {
            Some(change) => self.apply(&change).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn read(&self, dn: &Dn, attributes: &[AttributeName]) -> Result<Option<Entry>, DirectoryError> {
        self.directory.find(dn, Scope::Base, &every_entry(), attributes).await
    }

    async fn apply(&mut self, change: &ChangeRecord) -> Result<(), DirectoryError> {
        if !self.dry_run {
            self.directory.apply(change).await?;
        }
        self.report.changes += 1;
        (self.on_event)(SetupEvent::Change(change));
        Ok(())
    }
}

/// The folders, their access rules, and the accounts, as they should be.
fn tree_entries(tree: &Tree, service: &Dn) -> Vec<ldap_text::ldif::Entry> {
    let [domains, people, groups, resources, contacts, system] = tree.folders().map(ToString::to_string);
    let placeholders = [
        ("domains", domains),
        ("people", people),
        ("groups", groups),
        ("resources", resources),
        ("contacts", contacts),
        ("system", system),
        ("service", service.to_string()),
        ("service_url", in_url(service)),
        ("answers", tree.answers().to_string()),
        ("runs", tree.runs().to_string()),
        ("decoy", tree.decoy().to_string()),
        ("policy", tree.account_policy().to_string()),
    ];
    entries(TREE, &placeholders)
}

/// The access rules that a folder should have, for a service account.
pub(crate) fn rules_of(folder: &Dn, tree: &Tree, service: &Dn) -> Vec<Value> {
    let entry = tree_entries(tree, service).into_iter().find(|entry| entry.dn == *folder);
    entry.map(|entry| entry.values(&names::ACI).to_vec()).unwrap_or_default()
}

fn failed(step: &'static str) -> impl Fn(DirectoryError) -> SetupError {
    move |source| SetupError::Directory { step, source }
}

/// An entry below `cn=config`, leaf first.
fn config(path: &[&str]) -> Dn {
    path.iter().rev().fold(Dn::empty().child(names::CN, "config"), |dn, name| dn.child(names::CN, name))
}

#[cfg(test)]
mod tests {
    use super::{accounts::BACKUP, *};
    use ldap_text::ldif::{LdifReader, Record};

    #[test]
    fn every_file_of_the_schema_folder_reads_as_entries() {
        for (file, count) in [
            (SETTINGS, 3),
            (plugins::PLUGINS, 4),
            (desired::MEMBER_OF, 2),
            (indexes::INDEXES, 14),
            (TREE, 12),
            (BACKUP, 3),
            (schema::SCHEMA, 1),
        ] {
            let folders =
                ["domains", "people", "groups", "resources", "contacts", "system", "answers", "runs"];
            let mut filled = folders.map(|name| (name, format!("ou={name},dc=x"))).to_vec();
            filled.extend([
                ("service", "uid=service,dc=x".to_owned()),
                ("decoy", "uid=decoy,dc=x".to_owned()),
                ("account", "uid=backup,dc=x".to_owned()),
                ("account_url", "uid=backup".to_owned()),
                ("root", "dc=x".to_owned()),
                ("backend", "b".to_owned()),
                ("policy", "cn=policy,dc=x".to_owned()),
                ("service_url", "uid=pbm".to_owned()),
            ]);
            let text = filled
                .iter()
                .fold(file.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            for record in LdifReader::new(text.as_bytes()) {
                assert!(matches!(record, Ok(Record::Entry(_))), "{record:?}");
            }
            assert_eq!(entries(file, &filled).len(), count);
        }
    }

    #[test]
    fn a_path_below_the_configuration_is_written_leaf_first() {
        assert_eq!(config(&["a", "tasks"]).to_string(), "cn=a,cn=tasks,cn=config");
    }
}
