//! The section `backup`: the account for backups and restores, and scheduled backups.

use super::source::Source;
use directory::settings::Credentials;
use ldap_text::dn::Dn;
use mail_model::tree::Tree;
use secrecy::ExposeSecret;
use std::{path::PathBuf, time::Duration};
use visible_text::chain;

/// Backups.
#[derive(Clone, Debug, Default)]
pub struct BackupSettings {
    /// The account for backups and restores; `None` if there is none.
    pub account: Option<Credentials>,
    /// The scheduled backups.
    pub schedule: Option<Schedule>,
}

/// Scheduled backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The interval.
    pub every: Duration,
    /// The folder of the backup files.
    pub folder: PathBuf,
    /// Which backups are kept.
    pub keep: Keep,
}

/// Which backups are kept: the newest of each of so many days, weeks and months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days.
    pub daily: usize,
    /// Weeks, which begin on Monday.
    pub weekly: usize,
    /// Months.
    pub monthly: usize,
}

/// The default numbers of days, weeks and months.
const KEEP: Keep = Keep { daily: 7, weekly: 4, monthly: 12 };
/// An upper bound far above practical use: thirty years of days.
const MOST: usize = 11_000;

pub(super) fn backup(source: &mut Source, tree: Option<&Tree>, service: Option<&Dn>) -> BackupSettings {
    let dn = source.parsed("backup.bind_dn", |text| Dn::parse(text).map_err(|error| chain(&error)));
    let is_named = dn.is_some();
    let dn = dn.or_else(|| tree.map(Tree::backup_account));
    if let Some(dn) = &dn {
        source.default_is("backup.bind_dn", dn);
    }
    let password = source.secret("backup.bind_password", "backup.bind_password_file");
    if password.as_ref().is_some_and(|password| password.expose_secret().is_empty()) {
        source.mistake("backup.bind_password", "is empty: an LDAP bind without a password is anonymous");
    }
    if is_named && password.is_none() {
        source
            .mistake("backup.bind_dn", "needs a password: backup.bind_password_file or backup.bind_password");
    }
    if password.is_some() && dn.as_ref().is_some_and(|dn| Some(dn) == service) {
        source.mistake(
            "backup.bind_dn",
            "is the same as ldap.bind_dn, which must not read passwords: use another account",
        );
    }
    let account = dn.zip(password).map(|(dn, password)| Credentials { dn, password });
    let every = source.seconds("backup.every", Duration::from_secs(24 * 3600));
    let folder = source.text("backup.folder").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let keep = Keep {
        daily: source.number("backup.keep.daily", KEEP.daily, &(0..=MOST)),
        weekly: source.number("backup.keep.weekly", KEEP.weekly, &(0..=MOST)),
        monthly: source.number("backup.keep.monthly", KEEP.monthly, &(0..=MOST)),
    };
    if keep.daily + keep.weekly + keep.monthly == 0 {
        source.mistake(
            "backup.keep.daily",
            "is 0, as are the weekly and monthly ones: no backup would be kept",
        );
    }
    if folder.is_some() && account.is_none() {
        source.mistake(
            "backup.folder",
            "needs an account that may read passwords: set backup.bind_password_file and run pbm init",
        );
    }
    let schedule = folder.map(|folder| Schedule { every, folder, keep });
    BackupSettings { account, schedule }
}
