//! Disables the hashing of passwords. 389-ds spends most of the time of a creation on it, for every client; with
//! passwords stored in clear text, only its other work and the cost of pbm remain.

use crate::{raw, world::World};

const CONFIG: &str = "cn=config";
const SCHEME: &str = "passwordStorageScheme";

/// Measures with passwords stored in clear text.
pub(super) fn without<T>(world: &World, measure: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let usual = world.manager.once(async |ldap| raw::value(ldap, CONFIG, SCHEME).await)?;
    set(world, "CLEAR")?;
    let measured = measure()?;
    set(world, &usual)?;
    Ok(measured)
}

fn set(world: &World, scheme: &str) -> anyhow::Result<()> {
    world.manager.once(async |ldap| raw::set(ldap, CONFIG, SCHEME, scheme).await)
}
