//! Owns the text of `dovecot.conf` (Dovecot 2.3).

use std::fs;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::{DovecotServer, USERS};
use crate::error::SandboxError;

/// The configuration of a server. A sandbox's folder has no character that has a meaning in it, but a `%` would have.
pub(super) fn text(server: &DovecotServer) -> Result<String, SandboxError> {
    let folder = server.folder.path().display().to_string();
    if folder.contains(char::is_whitespace) {
        return Err(SandboxError::UnusablePath { path: server.folder.path().to_path_buf() });
    }
    let DovecotServer { imap_port, http_port, password, identity, options, .. } = server;
    let (user, group, prefix) = (&identity.user, &identity.group, &options.prefix);
    let (password, shared) =
        (password.expose_secret(), if options.shared { shared(&folder) } else { String::new() });
    Ok(format!(
        "base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
doveadm_password = {password}
mail_home = {folder}/mail/%Lu
mail_location = maildir:~/Maildir
auth_mechanisms = plain login
mail_fsync = never
passdb {{
  driver = passwd-file
  args = username_format=%Lu {folder}/{USERS}
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {folder}/{USERS}
}}
namespace inbox {{
  inbox = yes
  separator = /
  prefix = {prefix}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service doveadm {{
  inet_listener http {{
    port = {http_port}
  }}
}}
{shared}"
    ))
}

/// Users may share their mailboxes with others, who see them below `shared/ADDRESS/`; and there is a public namespace.
/// With both, doveadm searches the shared mailboxes too.
fn shared(folder: &str) -> String {
    format!(
        "mail_plugins = acl
namespace shared {{
  type = shared
  separator = /
  prefix = shared/%%u/
  location = maildir:{folder}/mail/%%u/Maildir:INDEXPVT=~/shared/%%u
  list = children
  subscriptions = no
}}
namespace public {{
  type = public
  separator = /
  prefix = public/
  location = maildir:{folder}/mail/public:INDEXPVT=~/public
  list = children
  subscriptions = no
}}
plugin {{
  acl = vfile
  acl_shared_dict = file:{folder}/mail/shared-mailboxes.db
}}
"
    )
}

/// The ports of IMAP and of the HTTP API in the run that wrote this file.
pub(super) fn last_ports(config: &Path) -> Option<[u16; 2]> {
    let config = fs::read_to_string(config).ok()?;
    let ports = config.lines().filter_map(|line| line.trim().strip_prefix("port = ")?.parse().ok());
    let ports: Vec<u16> = ports.filter(|port| *port != 0).collect();
    ports.try_into().ok()
}
