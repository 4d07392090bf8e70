//! Accounts: which account a login or a token belongs to, and whether a password is right.

use crate::{
    Entry, Lookup, Scope,
    error::{DirectoryError, Operation, Unreachable, trimmed},
};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    names,
    user::{self, account::Account, command::Password},
};
use secrecy::{ExposeSecret, SecretString};

impl Lookup {
    /// The account of a login: a user that is neither deleted nor blocked.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn account_of_login(&self, login: &MailAddress) -> Result<Option<Account>, DirectoryError> {
        self.account(Filter::equal(names::MAIL, login.as_str())).await
    }

    /// The account that a token was issued for.
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
            // The entries of a deleted tenant follow one by one; its accounts must stop working at once.
            Some(account) if !self.is_live_tenant(&account.tenant).await? => Ok(None),
            account => Ok(account),
        }
    }

    /// Those of some accounts whose own password policy does not exist, each with the name of the missing policy.
    /// Their passwords follow the policy of the server or of a folder. The directory must be bound as an account that
    /// may read them.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn without_their_policy<'a>(
        &self,
        accounts: &[&'a Dn],
    ) -> Result<Vec<(&'a Dn, String)>, DirectoryError> {
        let mut found = Vec::new();
        for account in accounts {
            let Some(entry) = self.read_whole(account).await? else { continue };
            for policy in entry.values(&names::PASSWORD_POLICY) {
                let name = String::from_utf8_lossy(policy.as_bytes()).into_owned();
                let is_there = match Dn::parse(&name) {
                    Ok(dn) => self.read_whole(&dn).await?.is_some(),
                    Err(_) => false,
                };
                if !is_there {
                    found.push((*account, name));
                }
            }
        }
        Ok(found)
    }

    fn account_from(&self, entry: &Entry) -> Option<Account> {
        let (tenant, mail) = self.tree().user_of(&entry.dn()?)?;
        Account::from_entry(tenant, mail, entry)
    }

    /// Checks the password of an account by a bind. If there is no account, the same binds are made as a decoy
    /// account, whose password nobody knows: they fail after the same work, so the response time does not reveal which
    /// logins exist. A wrong password takes a second bind if the client sent it in a form other than the one that is
    /// set today; that depends only on what was sent.
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
        for candidate in password.candidates() {
            if self.accepts_bind(&dn, candidate).await? {
                return Ok(account.is_some());
            }
        }
        Ok(false)
    }

    async fn accepts_bind(&self, dn: &Dn, password: &SecretString) -> Result<bool, DirectoryError> {
        let mut connection = self.passwords().check_out().await?;
        let (dn, password) = (dn.to_string(), password.expose_secret());
        let result = connection.run(async |ldap| ldap.simple_bind(&dn, password).await).await;
        let result = result.map_err(|error| connection.failure(Operation::Read, error))?;
        match result.rc {
            0 => Ok(true),
            // invalidCredentials, noSuchObject, inappropriateAuthentication (no password set),
            // unwillingToPerform (locked), constraintViolation (too many failures)
            49 | 32 | 48 | 53 | 19 => Ok(false),
            code => Err(Unreachable::Declined { code, diagnostic: trimmed(result.text) }.into()),
        }
    }
}
