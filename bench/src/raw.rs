//! The raw side: LDAP clients with one connection and one request in flight each, with which 389-ds is fastest.

use crate::load::Client;
use anyhow::{Context, bail, ensure};
use ldap_text::ldif::{Change, ChangeRecord, Value};
use ldap3::{Ldap, LdapConnAsync, Mod, Scope, SearchEntry};
use std::collections::HashSet;
use tokio::runtime;

const ANYTHING: &str = "(objectClass=*)";
/// Requests no attributes (RFC 4511 section 4.5.1.8).
const NO_ATTRIBUTES: &str = "1.1";
/// The result code of an operation on an entry that does not exist (RFC 4511 appendix A.2).
const NO_SUCH_OBJECT: u32 = 32;

/// A server and an account to bind as.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) url: String,
    pub(crate) dn: String,
    pub(crate) password: String,
}

impl Login {
    /// An unbound connection.
    pub(crate) async fn connect(&self) -> anyhow::Result<Ldap> {
        let (connection, ldap) = LdapConnAsync::new(&self.url).await.context("cannot connect to 389-ds")?;
        tokio::spawn(async move { connection.drive().await });
        Ok(ldap)
    }

    /// A bound connection.
    pub(crate) async fn bind(&self) -> anyhow::Result<Ldap> {
        let mut ldap = self.connect().await?;
        ldap.simple_bind(&self.dn, &self.password).await?.success().context("cannot bind")?;
        Ok(ldap)
    }

    /// Runs a function on a connection of its own, outside of any measurement.
    pub(crate) fn once<T>(
        &self,
        work: impl AsyncFnOnce(&mut Ldap) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { work(&mut self.bind().await?).await })
    }
}

/// Reads an entry without decoding it.
pub(crate) async fn read(ldap: &mut Ldap, dn: &str, attributes: &[&str]) -> anyhow::Result<()> {
    let mut search = ldap.streaming_search(dn, Scope::Base, ANYTHING, attributes).await?;
    let found = search.next().await?.is_some();
    while search.next().await?.is_some() {}
    search.finish().await.success()?;
    ensure!(found, "no entry {dn}");
    Ok(())
}

/// Whether an entry exists.
pub(crate) async fn is_there(ldap: &mut Ldap, dn: &str) -> anyhow::Result<bool> {
    let found = ldap.search(dn, Scope::Base, ANYTHING, [NO_ATTRIBUTES]).await?;
    if found.1.rc == NO_SUCH_OBJECT {
        return Ok(false);
    }
    found.success()?;
    Ok(true)
}

/// Adds an entry.
pub(crate) async fn add(ldap: &mut Ldap, record: &ChangeRecord) -> anyhow::Result<()> {
    let Change::Add(attributes) = &record.change else { bail!("not the change that adds an entry") };
    let attributes = attributes.iter().map(|attribute| {
        let values: HashSet<&[u8]> = attribute.values.iter().map(Value::as_bytes).collect();
        (attribute.name.as_str().as_bytes(), values)
    });
    ldap.add(&record.dn.to_string(), attributes.collect()).await?.success()?;
    Ok(())
}

/// The first value of an attribute.
pub(crate) async fn value(ldap: &mut Ldap, dn: &str, attribute: &str) -> anyhow::Result<String> {
    let found = ldap.search(dn, Scope::Base, ANYTHING, [attribute]).await?.success()?.0;
    let value = found
        .into_iter()
        .next()
        .and_then(|entry| SearchEntry::construct(entry).attrs.into_values().next()?.into_iter().next());
    value.with_context(|| format!("{dn} has no {attribute}"))
}

/// Adds values to an attribute.
pub(crate) async fn add_values(
    ldap: &mut Ldap,
    dn: &str,
    attribute: &str,
    values: &[&str],
) -> anyhow::Result<()> {
    let values = values.iter().copied().collect();
    ldap.modify(dn, vec![Mod::Add(attribute, values)]).await?.success()?;
    Ok(())
}

/// Removes a value from an attribute.
pub(crate) async fn remove_value(
    ldap: &mut Ldap,
    dn: &str,
    attribute: &str,
    value: &str,
) -> anyhow::Result<()> {
    ldap.modify(dn, vec![Mod::Delete(attribute, HashSet::from([value]))]).await?.success()?;
    Ok(())
}

/// Sets an attribute to one value.
pub(crate) async fn set(ldap: &mut Ldap, dn: &str, attribute: &str, value: &str) -> anyhow::Result<()> {
    ldap.modify(dn, vec![Mod::Replace(attribute, HashSet::from([value]))]).await?.success()?;
    Ok(())
}

/// Removes an entry.
pub(crate) async fn delete(ldap: &mut Ldap, dn: &str) -> anyhow::Result<()> {
    ldap.delete(dn).await?.success()?;
    Ok(())
}

/// A client that adds the entries of `next` until there are no more.
pub(crate) struct Adding<F> {
    pub(crate) ldap: Ldap,
    pub(crate) next: F,
}

impl<F: FnMut() -> anyhow::Result<Option<ChangeRecord>> + Send + 'static> Client for Adding<F> {
    async fn once(&mut self) -> anyhow::Result<()> {
        match (self.next)()? {
            Some(record) => add(&mut self.ldap, &record).await,
            None => Ok(()),
        }
    }
}

/// A client that binds repeatedly.
pub(crate) struct Binding {
    pub(crate) ldap: Ldap,
    pub(crate) login: Login,
}

impl Client for Binding {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.ldap.simple_bind(&self.login.dn, &self.login.password).await?.success()?;
        Ok(())
    }
}
