//! Who is a person of the source, and who is not.

use super::{entry::Entry, names, root::Root};
use ldap_text::AttributeName;

/// The attributes that decide.
pub(super) const DECISIVE: [AttributeName; 6] = [
    names::OBJECT_CLASS,
    names::USER_ACCOUNT_CONTROL,
    names::ACCOUNT_EXPIRES,
    names::HIDDEN,
    names::NS_ACCOUNT_LOCK,
    names::PWD_ACCOUNT_LOCKED_TIME,
];

/// The bits of `userAccountControl`: disabled, and an account of a person.
const DISABLED: i64 = 0x2;
const NORMAL: i64 = 0x200;
/// The time of a lock by an administrator, which does not end by itself (draft-behera-ldap-password-policy 5.3.3).
const LOCKED_FOR_GOOD: &str = "000001010000Z";
/// Between 1601 and 1970, in seconds.
const EPOCH_GAP: i64 = 11_644_473_600;
/// The units of `accountExpires` in a second.
const UNITS: i64 = 10_000_000;

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Someone whom an address book shows.
    Person,
    /// Someone who gets mail, but whom address books do not show.
    Hidden,
    /// Someone whose account is disabled or has expired.
    Left,
    /// A computer, or an account that servers use among themselves.
    Machine,
}

impl Standing {
    /// What an entry stands for at the time of the server.
    pub(super) fn of(entry: &Entry, root: &Root) -> Self {
        let control: Option<i64> = entry.number(&names::USER_ACCOUNT_CONTROL);
        let is_machine = control.is_some_and(|bits| bits & NORMAL == 0);
        if is_machine || entry.has(&names::OBJECT_CLASS, names::COMPUTER) {
            Self::Machine
        } else if control.is_some_and(|bits| bits & DISABLED != 0)
            || is_locked(entry)
            || has_expired(entry, root)
        {
            Self::Left
        } else if entry.is_true(&names::HIDDEN) {
            Self::Hidden
        } else {
            Self::Person
        }
    }

    /// Whether mail to a group reaches the entry.
    pub(super) const fn gets_mail(self) -> bool {
        matches!(self, Self::Person | Self::Hidden)
    }
}

fn is_locked(entry: &Entry) -> bool {
    entry.is_true(&names::NS_ACCOUNT_LOCK) || entry.has(&names::PWD_ACCOUNT_LOCKED_TIME, LOCKED_FOR_GOOD)
}

/// Whether the account has expired. 0 and the largest number mean never. A server that does not tell its time has no
/// such attribute.
fn has_expired(entry: &Entry, root: &Root) -> bool {
    let expires: Option<i64> = entry.number(&names::ACCOUNT_EXPIRES).filter(|expires| *expires > 0);
    let seconds = expires.map(|expires| expires / UNITS - EPOCH_GAP);
    seconds.zip(root.time).is_some_and(|(end, now)| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_053_800;

    fn standing(attributes: &[(&str, &[&str])]) -> Standing {
        let root = Root { time: Some(NOW), ..Root::default() };
        Standing::of(&Entry::new("", attributes), &root)
    }

    #[test]
    fn the_bits_of_an_account_decide() {
        for (bits, expected) in [
            ("512", Standing::Person),
            ("66048", Standing::Person),
            ("514", Standing::Left),
            ("4096", Standing::Machine),
            ("532480", Standing::Machine),
            ("2080", Standing::Machine),
            ("-2147483136", Standing::Person),
        ] {
            assert_eq!(standing(&[("userAccountControl", &[bits])]), expected, "{bits}");
        }
        assert_eq!(standing(&[("objectClass", &["top", "person", "contact"])]), Standing::Person);
        let computer = [("objectClass", &["user", "Computer"][..]), ("userAccountControl", &["512"])];
        assert_eq!(standing(&computer), Standing::Machine);
    }

    #[test]
    fn an_account_expires_at_its_time() {
        let at = |seconds: i64| ((seconds + EPOCH_GAP) * UNITS).to_string();
        for (text, expected) in [
            ("0".to_owned(), Standing::Person),
            (i64::MAX.to_string(), Standing::Person),
            (at(NOW + 1), Standing::Person),
            (at(NOW), Standing::Left),
            (at(0), Standing::Left),
            ("-1".to_owned(), Standing::Person),
            ("99999999999999999999".to_owned(), Standing::Person),
        ] {
            assert_eq!(standing(&[("accountExpires", &[&text])]), expected, "{text}");
        }
    }

    #[test]
    fn other_directories_have_other_locks() {
        assert_eq!(standing(&[("nsaccountlock", &["true"])]), Standing::Left);
        assert_eq!(standing(&[("nsaccountlock", &["FALSE"])]), Standing::Person);
        assert_eq!(standing(&[("pwdAccountLockedTime", &["000001010000Z"])]), Standing::Left);
        assert_eq!(standing(&[("pwdAccountLockedTime", &["20261130155000Z"])]), Standing::Person);
    }

    #[test]
    fn who_is_hidden_gets_mail() {
        let hidden = standing(&[("msExchHideFromAddressLists", &["TRUE"])]);
        assert!(hidden == Standing::Hidden && hidden.gets_mail() && !Standing::Left.gets_mail());
    }
}
