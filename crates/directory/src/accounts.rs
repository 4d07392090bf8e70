//! Accounts: who a login or a token belongs to, and whether a password is right.

use crate::{Directory, Entry, Scope, error::DirectoryError, error::Unreachable};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    names,
    user::{self, account::Account, command::Password},
};
use secrecy::ExposeSecret;

impl Directory {
    /// The account of a login: a user that is neither deleted nor blocked.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn account_of_login(&self, login: &MailAddress) -> Result<Option<Account>, DirectoryError> {
        self.account(Filter::equal(names::MAIL, login.as_str())).await
    }

    /// The account that a token was made for.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn account_of_id(&self, id: &str) -> Result<Option<Account>, DirectoryError> {
        self.account(Filter::equal(names::NS_UNIQUE_ID, id)).await
    }

    async fn account(&self, who: Filter) -> Result<Option<Account>, DirectoryError> {
        let filter = Filter::all([who, user::live_filter()]);
        let people = self.tree().people();
        let entry = self.find(people, Scope::Subtree, &filter, user::account::READ_ATTRIBUTES).await?;
        match entry.and_then(|entry| self.account_from(&entry)) {
            // What a deleted tenant has follows it entry by entry; its accounts end at once.
            Some(account) if !self.is_live_tenant(&account.tenant).await? => Ok(None),
            account => Ok(account),
        }
    }

    fn account_from(&self, entry: &Entry) -> Option<Account> {
        let (tenant, mail) = self.tree().user_of(&entry.dn()?)?;
        Account::from_entry(tenant, mail, entry)
    }

    /// Whether a password is an account's, decided by a bind as it. Without an account the same bind is
    /// made as the decoy, whose password nobody knows: it fails after the same work, so the time
    /// tells nobody which logins exist.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`] when the directory does not answer.
    pub async fn is_password_of(
        &self,
        account: Option<&Account>,
        password: &Password,
    ) -> Result<bool, DirectoryError> {
        let dn = match account {
            Some(account) => self.tree().user(&account.tenant, &account.mail),
            None => self.tree().decoy(),
        };
        let accepted = self.accepts_bind(&dn, password).await?;
        Ok(accepted && account.is_some())
    }

    async fn accepts_bind(&self, dn: &Dn, password: &Password) -> Result<bool, DirectoryError> {
        let mut connection = self.passwords().check_out().await?;
        let (dn, password) = (dn.to_string(), password.secret().expose_secret());
        let result = connection.run(async |ldap| ldap.simple_bind(&dn, password).await).await;
        let result = result.map_err(|error| DirectoryError::from(Unreachable::Connection(error)))?;
        match result.rc {
            0 => Ok(true),
            // invalidCredentials, noSuchObject, inappropriateAuthentication (no password set),
            // unwillingToPerform (locked), constraintViolation (too many failures)
            49 | 32 | 48 | 53 | 19 => Ok(false),
            code => Err(Unreachable::Declined { code, diagnostic: result.text }.into()),
        }
    }
}
