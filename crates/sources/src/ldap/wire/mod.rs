//! The guard between a server that nobody vouches for and the library that speaks LDAP.
//!
//! `ldap3` keeps a message in memory until it is complete, however large it was announced to be; its parser calls itself
//! for each level, which ends the process when a message has many; it panics at answers that lack a part; and it queues
//! answers without a limit. So pbm makes the connection itself (`connect`), reads each message whole (`frame`), checks
//! its structure (`ber`) and its shape (`message`), and passes it on by a pair of sockets (`relay`), while not too many
//! wait (`window`).
//!
//! Not checked here: what the answers say.

mod ber;
mod connect;
mod fault;
mod frame;
mod message;
mod relay;
mod window;

pub use fault::NotLdap;
pub use message::Message;

pub(super) use fault::Fault;
pub(super) use relay::Shared;

use super::settings::LdapSourceSettings;
use rustls::ClientConfig;
use std::{os::unix::net::UnixStream, sync::Arc};
use tokio::task::JoinSet;

/// Connects to a server, with encryption if there are authorities to trust. Returns the socket that the library speaks to, and starts the task that passes messages on.
///
/// # Errors
/// [`Fault`].
pub(super) async fn open(
    settings: &LdapSourceSettings,
    trust: Option<Arc<ClientConfig>>,
    tasks: &mut JoinSet<()>,
) -> Result<(UnixStream, Arc<Shared>), Fault> {
    let server = connect::connect(settings, trust).await?;
    let (ours, library) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let ours = tokio::net::UnixStream::from_std(ours)?;
    let shared = Arc::new(Shared::new());
    let known = Arc::clone(&shared);
    tasks.spawn(async move { relay::relay(server, ours, &known).await });
    Ok((library, shared))
}

/// Whether the bytes have the structure that the library's parser needs: few levels, and no element larger than the one
/// that it is in.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    ber::measured(bytes).is_ok()
}
