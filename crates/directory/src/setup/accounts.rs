//! The accounts that pbm binds as: their entries, passwords and rights.

use super::{
    Setup, SetupError, SetupEvent, SetupReport, config,
    desired::{self, entries, in_url},
    failed,
};
use crate::{Directory, connection::Connection, error::DirectoryError, settings::Credentials};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, Modification, ModifyKind, Value},
};
use mail_model::{entry::EntryView, names};
use secrecy::ExposeSecret;
use std::sync::atomic::AtomicUsize;

pub(super) const BACKUP: &str = include_str!("../../../../schema/backup.ldif");
const PASSWORD_ADMIN: AttributeName = AttributeName::from_static("passwordAdminDN");

impl Directory {
    /// Brings the folders, their access rules and the accounts of pbm to the wanted state, as [`Self::set_up`] does, and
    /// leaves everything else. Returns the number of changes.
    ///
    /// # Errors
    /// [`SetupError`]; what was changed until then stays changed, and another run continues from there.
    pub async fn set_up_accounts(
        &self,
        service: &Credentials,
        backup: Option<&Credentials>,
    ) -> Result<usize, SetupError> {
        let (report, on_event) = (SetupReport::default(), |_: SetupEvent<'_>| {});
        let mut setup = Setup { directory: self, dry_run: false, report, on_event };
        setup.tree(service).await?;
        if let Some(account) = backup {
            setup.backup_account(account).await?;
        }
        Ok(setup.report.changes)
    }
}

impl<F: FnMut(SetupEvent<'_>)> Setup<'_, F> {
    /// Creates the account that backs up and restores, with its rights.
    pub(super) async fn backup_account(&mut self, account: &Credentials) -> Result<(), SetupError> {
        let step = "creating the account that backs up and restores";
        let root = self.directory.tree().root().to_string();
        let placeholders = [
            ("root", root),
            ("account", account.dn.to_string()),
            ("account_url", in_url(&account.dn)),
            ("policy", self.directory.tree().account_policy().to_string()),
        ];
        // An account that has all rights already, such as the Directory Manager, is not in pbm's tree.
        let is_ours = account.dn.is_within(self.directory.tree().root());
        for entry in entries(BACKUP, &placeholders).into_iter().filter(|_| is_ours) {
            let is_account = entry.dn == account.dn;
            let exists = self.read(&entry.dn, &[names::NO_ATTRIBUTES]).await.map_err(failed(step))?.is_some();
            let entry = if is_account && !exists {
                let password = Value::secret(account.password.expose_secret());
                desired::with(entry, names::USER_PASSWORD, password)
            } else {
                entry
            };
            self.ensure(entry).await.map_err(failed(step))?;
            if is_account && exists {
                self.service_password(account).await.map_err(failed(step))?;
            }
        }
        let settings = self.read(&config(&[]), &[PASSWORD_ADMIN]).await.map_err(failed(step))?;
        let admin = settings.and_then(|entry| entry.first(&PASSWORD_ADMIN).map(str::to_owned));
        let is_other =
            |admin: &String| !admin.is_empty() && Dn::parse(admin).ok().as_ref() != Some(&account.dn);
        self.report.other_password_admin = admin.filter(is_other).filter(|_| is_ours);
        Ok(())
    }

    /// Sets the service account's password if the account cannot bind with the configured one.
    pub(super) async fn service_password(&mut self, service: &Credentials) -> Result<(), DirectoryError> {
        match Connection::open(self.directory.settings(), service, &AtomicUsize::new(0)).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_of_account() => {
                let values = vec![Value::secret(service.password.expose_secret())];
                let attribute = Attribute { name: names::USER_PASSWORD, values };
                let change = Change::Modify(vec![Modification { kind: ModifyKind::Replace, attribute }]);
                self.apply(&ChangeRecord { dn: service.dn.clone(), change }).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn random_password() -> String {
    use rand::distr::{Alphanumeric, SampleString};
    Alphanumeric.sample_string(&mut rand::rng(), 43)
}
