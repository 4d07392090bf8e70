//! The entries of a tenant that have an address, in little memory: what a source is compared with.

use crate::{Entry, Lookup, Scope, error::DirectoryError};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{
    contact::Kind,
    deletion::is_hidden,
    entry::EntryView,
    names,
    source::{SourceId, card::CARD_FIELDS, plan::source_ids, print::Print},
    tenant::TenantId,
    user::field::UserField,
};
use std::{collections::HashMap, sync::LazyLock};

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(|| {
    let marks = [
        names::MAIL,
        names::MAIL_ALTERNATE_ADDRESS,
        names::SOURCE,
        names::SOURCE_PHOTO,
        names::DELETED_SINCE,
        names::PURGING,
    ];
    CARD_FIELDS.iter().map(|field: &UserField| field.attribute()).chain(marks).collect()
});

/// An entry of the tenant with an address.
#[derive(Clone, Debug)]
pub struct OwnEntry {
    /// What it is.
    pub kind: Kind,
    /// Its name, as the server spells it.
    pub dn: Box<str>,
    /// Its address.
    pub mail: Box<str>,
    /// The identifiers that it carries.
    pub ids: Vec<SourceId>,
    /// What it shows.
    pub print: Print,
}

impl OwnEntry {
    fn of(kind: Kind, entry: &Entry) -> Option<(Self, Vec<String>)> {
        let mail = entry.first(&names::MAIL)?.to_lowercase();
        if is_hidden(entry) {
            return None;
        }
        let addresses = entry.values(&names::MAIL_ALTERNATE_ADDRESS).iter().map(|alias| alias.to_lowercase());
        let addresses = addresses.chain([mail.clone()]).collect();
        let own = Self {
            kind,
            dn: entry.dn_text().into(),
            print: Print::of_entry(&mail, entry),
            mail: mail.into(),
            ids: source_ids(entry).collect(),
        };
        Some((own, addresses))
    }

    /// Its name; `None` if the server's spelling cannot be read.
    #[must_use]
    pub fn name(&self) -> Option<Dn> {
        Dn::parse(&self.dn).ok()
    }
}

/// The entries of a tenant with an address, deleted ones excepted.
#[derive(Clone, Debug, Default)]
pub struct OwnEntries {
    entries: Vec<OwnEntry>,
    by_address: HashMap<Box<str>, usize>,
    by_id: HashMap<SourceId, Vec<usize>>,
}

impl OwnEntries {
    fn add(&mut self, (entry, addresses): (OwnEntry, Vec<String>)) {
        let place = self.entries.len();
        self.by_address.extend(addresses.into_iter().map(|address| (address.into_boxed_str(), place)));
        for id in &entry.ids {
            self.by_id.entry(id.clone()).or_default().push(place);
        }
        self.entries.push(entry);
    }

    /// All entries, each with its place.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &OwnEntry)> {
        self.entries.iter().enumerate()
    }

    /// The entry at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&OwnEntry> {
        self.entries.get(place)
    }

    /// The place of the entry with an address, its own or a further one.
    #[must_use]
    pub fn with_address(&self, address: &str) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    /// The places of the entries with an identifier of a source.
    #[must_use]
    pub fn with_id(&self, id: &SourceId) -> &[usize] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }
}

impl Lookup {
    /// Reads the entries of a tenant that have an address.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn own_entries(&self, tenant: &TenantId) -> Result<OwnEntries, DirectoryError> {
        let kinds = [Kind::User, Kind::List, Kind::Resource, Kind::Contact];
        let mut own = OwnEntries::default();
        for (kind, folder) in kinds.into_iter().zip(self.tree().tenant_folders(tenant)) {
            let anything = Filter::present(names::OBJECT_CLASS);
            let mut scan = self.scan(&folder, Scope::Subtree, &anything, &READ_ATTRIBUTES).await?;
            while let Some(entry) = scan.next().await? {
                if let Some(found) = OwnEntry::of(kind, &entry) {
                    own.add(found);
                }
            }
        }
        Ok(own)
    }
}
