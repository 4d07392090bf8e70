//! Reading LDAP directories: a stand-in for Active Directory, a real `OpenLDAP`, a real 389-ds; and a real Samba, which
//! needs root and more packages (`make ad-check`).

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod failures;
mod fixture;
mod groups;
mod hostile;
mod openldap;
mod people;
mod product_389;
mod quick;
mod samba;
