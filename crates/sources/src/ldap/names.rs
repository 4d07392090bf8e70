//! The attributes that are read besides those of the mapping, and the object classes that are told apart.

use ldap_text::AttributeName;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: AttributeName = AttributeName::from_static($text);)*
    };
}

names! {
    OBJECT_CLASS = "objectClass";
    CN = "cn";
    MAIL = "mail";
    DISPLAY_NAME = "displayName";
    /// Addresses of any kind, with a scheme: `smtp:`, `SMTP:`, `x500:`, `SIP:` (Exchange).
    PROXY_ADDRESSES = "proxyAddresses";
    /// 16 bytes (MS-ADA3 2.44).
    OBJECT_GUID = "objectGUID";
    /// Of `FreeIPA` and ALD Pro.
    IPA_UNIQUE_ID = "ipaUniqueID";
    /// RFC 4530; of `OpenLDAP`, and of 389-ds with the plug-in for it.
    ENTRY_UUID = "entryUUID";
    /// Of 389-ds.
    NS_UNIQUE_ID = "nsUniqueId";
    /// A set of bits (MS-ADTS 2.2.16).
    USER_ACCOUNT_CONTROL = "userAccountControl";
    /// A time in units of 100 ns since 1601 (MS-ADA1 2.1).
    ACCOUNT_EXPIRES = "accountExpires";
    /// Whether Exchange hides the entry from address books.
    HIDDEN = "msExchHideFromAddressLists";
    /// Of 389-ds and `FreeIPA`: `true` for an inactivated account.
    NS_ACCOUNT_LOCK = "nsAccountLock";
    /// Of the password policy of `OpenLDAP`: since when the account is locked.
    PWD_ACCOUNT_LOCKED_TIME = "pwdAccountLockedTime";
    /// A JPEG of 100 KB at most.
    THUMBNAIL_PHOTO = "thumbnailPhoto";
    /// RFC 2798.
    JPEG_PHOTO = "jpegPhoto";
    MEMBER = "member";
    /// RFC 4519 section 2.40; its values may end in a bit string.
    UNIQUE_MEMBER = "uniqueMember";
    /// The last part of the SID of a group, of which the account is a member without being in `member`.
    PRIMARY_GROUP_ID = "primaryGroupID";
    /// The SID (MS-DTYP 2.4.2), whose last part tells the entries of a domain apart.
    OBJECT_SID = "objectSid";
    /// The number of the last change of an entry, by the count of one domain controller.
    USN_CHANGED = "uSNChanged";
    HIGHEST_COMMITTED_USN = "highestCommittedUSN";
    DS_SERVICE_NAME = "dsServiceName";
    DNS_HOST_NAME = "dnsHostName";
    CURRENT_TIME = "currentTime";
    SUPPORTED_CONTROL = "supportedControl";
    SUPPORTED_CAPABILITIES = "supportedCapabilities";
    /// Of the settings of a domain controller: changes when its database is restored from a backup.
    INVOCATION_ID = "invocationId";
}

/// The classes of groups: of Active Directory, and RFC 4519 sections 3.5 and 3.6.
pub(super) const GROUP_CLASSES: [&str; 3] = ["group", "groupOfNames", "groupOfUniqueNames"];
/// The class of computers, which are also users in Active Directory.
pub(super) const COMPUTER: &str = "computer";
