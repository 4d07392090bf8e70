//! Contacts from sources, and the cards of users.

use crate::{
    Directory, Entry, Scope,
    changing::{AddressTaken, Attempts, WriteError},
    error::DirectoryError,
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    entry::EntryView,
    names,
    revision::Precondition,
    source::{
        SourceId,
        card::{Card, Part},
        plan::{self, Picture, source_ids},
        print::{Print, Target},
    },
    tenant::TenantId,
    user::{self, LiveUser},
};
use std::sync::LazyLock;

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(|| {
    user::read_attributes().into_iter().chain([names::SOURCE, names::SOURCE_PHOTO]).collect()
});

impl Directory {
    /// Creates a contact.
    ///
    /// # Errors
    /// [`WriteError::Taken`] if another entry has the address.
    pub async fn create_contact(
        &self,
        tenant: &TenantId,
        card: &Card,
        picture: Picture<'_>,
    ) -> Result<(), WriteError> {
        let creation = plan::contact_creation(self.tree(), tenant, card, picture);
        self.apply(&creation).await.map_err(|error| taken(error, card))
    }

    /// Makes a contact as its card is. A part that is as it should be is not written.
    ///
    /// # Errors
    /// [`WriteError::NotFound`] if it is gone; [`WriteError::Taken`] if another entry has the new address.
    pub async fn update_contact(
        &self,
        tenant: &TenantId,
        dn: &Dn,
        card: &Card,
        picture: Picture<'_>,
    ) -> Result<(), WriteError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        let entry = self.find(dn, Scope::Base, &anything, &READ_ATTRIBUTES).await?;
        let entry = entry.ok_or(WriteError::NotFound)?;
        let mail = entry.first(&names::MAIL).unwrap_or_default().to_lowercase();
        let parts = stale_parts(&mail, &entry, card, Target::Contact);
        let ids: Vec<SourceId> = source_ids(&entry).collect();
        let changes = plan::contact_update(self.tree(), tenant, dn, card, &ids, &parts, picture);
        self.apply_in_turn(&changes).await.map_err(|error| taken(error, card))
    }

    /// Takes a further address from a contact; a success also if it has not got it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn take_further_address(&self, dn: Dn, address: &MailAddress) -> Result<(), DirectoryError> {
        match self.apply(&plan::further_address_removal(dn, address)).await {
            Err(DirectoryError::Stale | DirectoryError::NotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Removes a contact; a success also if it is gone.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_contact(&self, dn: Dn) -> Result<(), DirectoryError> {
        self.remove(&plan::contact_removal(dn)).await
    }

    /// Updates the card of a user. `may_touch` gets the same state that the change is planned on.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn update_card(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        card: &Card,
        picture: Picture<'_>,
        may_touch: impl Fn(&LiveUser) -> bool,
    ) -> Result<(), WriteError> {
        let no_condition = Precondition::None;
        let mut attempts = Attempts::under(&no_condition);
        let (dn, anything) = (self.tree().user(tenant, mail), Filter::present(names::OBJECT_CLASS));
        loop {
            let entry = self.find(&dn, Scope::Base, &anything, &READ_ATTRIBUTES).await?;
            let entry = entry.ok_or(WriteError::NotFound)?;
            let current = LiveUser::from_entry(mail.clone(), tenant.clone(), &entry);
            let current = current.ok_or(WriteError::NotFound)?;
            if !may_touch(&current) {
                return Err(WriteError::Forbidden);
            }
            let parts = stale_parts(mail.as_str(), &entry, card, Target::User);
            let ids: Vec<SourceId> = source_ids(&entry).collect();
            let change = plan::user_update(self.tree(), &current, card, &ids, &parts, picture);
            let Some(change) = change else { return Ok(()) };
            if attempts.judge(self.apply(&change).await)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn stale_parts(mail: &str, entry: &Entry, card: &Card, target: Target) -> Vec<Part> {
    Print::of_entry(mail, entry).stale_parts(card, target)
}

/// Whose an address is stays untold: it may be another tenant's.
fn taken(error: DirectoryError, card: &Card) -> WriteError {
    match error {
        DirectoryError::Exists | DirectoryError::NotUnique => {
            WriteError::Taken(AddressTaken { address: card.mail.to_string(), owner_deleted_since: None })
        }
        error => error.into(),
    }
}
