//! The names of the domain.

/// The naming context.
pub(crate) const DOMAIN: &str = "DC=example,DC=test";
/// The account that may read, and its password.
pub(crate) const LOGIN: &str = "reader@example.test";
pub(crate) const PASSWORD: &str = "Passw0rd-reader";

/// The DN of a container: `Moscow/Staff` is within `Staff`.
pub(crate) fn container(path: &str) -> String {
    let parts: Vec<_> = path.split('/').map(|name| format!("OU={name}")).collect();
    format!("{},{DOMAIN}", parts.join(","))
}
