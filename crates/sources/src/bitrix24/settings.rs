//! How a portal is reached and read.

use crate::mapping::Mapping;
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// How to reach and read a portal.
#[derive(Clone, Debug)]
pub struct Bitrix24Settings {
    /// The URL of the portal, such as `https://example.bitrix24.ru`. Without encryption only on this machine.
    pub url: url::Url,
    /// The identifier of the user who made the webhook: a number.
    pub admin_userid: String,
    /// The code of the webhook: letters and digits.
    pub webhook: SecretString,
    /// Certificates of the authorities that are trusted instead of the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Which fields of the portal become which fields of a card.
    pub mapping: Mapping,
    /// The field whose value is added to the last name, to tell namesakes apart.
    pub surname_field: Option<String>,
    /// Whether photos are read, with a request each. Only photos that the portal's own host serves are.
    pub photos: bool,
    /// How long an answer may take. The portal allows itself 60 seconds.
    pub timeout: Duration,
    /// How long the limits of the portal are waited for.
    pub patience: Patience,
}

/// How long limits are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first wait; each further one is twice as long, up to 32 times the first. After a limit, requests are sent
    /// half of it apart.
    pub first_wait: Duration,
    /// The longest time that one call waits in all. Longer than the 10 minutes in which the portal counts.
    pub longest: Duration,
}

impl Default for Patience {
    /// One second at first, because then requests are half a second apart, which is the pace of the cloud; and 15
    /// minutes in all.
    fn default() -> Self {
        Self { first_wait: Duration::from_secs(1), longest: Duration::from_secs(15 * 60) }
    }
}
