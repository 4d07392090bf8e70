//! Owns the configuration file of a domain controller. It replaces the one that the provisioning writes, because in
//! such a file the last value of a repeated option counts.

use std::net::Ipv4Addr;
use std::path::Path;

/// The file for a domain controller with its files in a folder and one address. Only what LDAP needs is started.
pub(super) fn text(folder: &Path, address: Ipv4Addr) -> String {
    let folder = folder.display();
    format!(
        "[global]
netbios name = DC1
realm = EXAMPLE.TEST
workgroup = EXAMPLE
server role = active directory domain controller
private dir = {folder}/s/private
state directory = {folder}/s/state
cache directory = {folder}/s/cache
lock directory = {folder}/s
binddns dir = {folder}/s/bind-dns
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
winbindd socket directory = {folder}/run/winbindd
ntp signd socket directory = {folder}/run/ntp
log file = {folder}/log/log.%m
logging = file
log level = 1
interfaces = {address}/8
bind interfaces only = yes
server services = ldap, cldap, kdc, drepl, rpc
dcerpc endpoint servers = -winreg -srvsvc
ldap server require strong auth = no
usershare path =
vfs objects = dfs_samba4 acl_xattr
[sysvol]
path = {folder}/s/state/sysvol
read only = No
"
    )
}
