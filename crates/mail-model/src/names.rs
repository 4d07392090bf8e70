//! Attribute and object class names of the directory. No other module, inside or outside this crate, spells one. The
//! stock names come from 389-ds's own schema, the others from `schema/`.

use ldap_text::attribute::AttributeName;

macro_rules! attributes {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: AttributeName = AttributeName::from_static($name);)*

        /// All attributes that this project reads or writes, for the test that finds each in a schema.
        pub const ALL_ATTRIBUTES: &[AttributeName] = &[$($constant),*];
    };
}

attributes! {
    /// Classes of an entry (RFC 4512).
    OBJECT_CLASS = "objectClass";
    /// Mail address, lower case; names the entries of users (RFC 4524).
    MAIL = "mail";
    /// First name, as in the guide (tables 1 and 2).
    CN = "cn";
    /// Last name.
    SN = "sn";
    /// Password, hashed by the server (RFC 4519).
    USER_PASSWORD = "userPassword";
    /// Role: 1, 2 or 3 (the attribute is from RFC 2798, its use from the guide).
    EMPLOYEE_NUMBER = "employeeNumber";
    /// Visibility in the address book.
    EMPLOYEE_TYPE = "employeeType";
    /// Middle name.
    INITIALS = "initials";
    /// Department of a user; name of an organizational unit.
    OU = "ou";
    /// Position.
    TITLE = "title";
    /// Aliases of a user.
    MAIL_ALTERNATE_ADDRESS = "mailAlternateAddress";
    /// Free text.
    DESCRIPTION = "description";
    /// Home phone.
    HOME_PHONE = "homePhone";
    /// Work phone.
    TELEPHONE_NUMBER = "telephoneNumber";
    /// Mobile phone.
    MOBILE = "mobile";
    /// City.
    L = "l";
    /// Telegram name.
    TELEGRAM = "telegram";
    /// Skype name.
    SKYPE = "skype";
    /// Mailbox quota in bytes.
    MAIL_QUOTA = "mailQuota";
    /// Photo of a user, a JPEG (RFC 2798).
    JPEG_PHOTO = "jpegPhoto";
    /// Name shown in the address book.
    DISPLAY_NAME = "displayName";
    /// 0 blocked, 1 active, 2 blocked until the agreement is accepted.
    INET_USER_STATUS = "inetUserStatus";
    /// Language of the user's interface.
    PREFERRED_LANGUAGE = "preferredLanguage";
    /// `true` makes 389-ds refuse binds; operational, so it is asked for by name.
    NS_ACCOUNT_LOCK = "nsAccountLock";
    /// Identifier that 389-ds gives an entry; survives renames.
    NS_UNIQUE_ID = "nsUniqueId";
    /// Set by replication on conflict entries; operational.
    REPLICATION_CONFLICT = "nsds5ReplConflict";
    /// Count of changes that the server keeps (plug-in USN); operational.
    ENTRY_USN = "entryusn";
    /// Access rules of 389-ds for an entry and everything below; operational.
    ACI = "aci";
    /// When the entry was last changed; operational.
    MODIFY_TIMESTAMP = "modifyTimestamp";
    /// Number of direct children; operational.
    NUM_SUBORDINATES = "numSubordinates";
    /// Members of a mailing list that have an entry, as DNs.
    MEMBER = "member";
    /// Lists with the entry as a member, maintained by the server's plug-in.
    MEMBER_OF = "memberOf";
    /// Outside members of a mailing list, as addresses.
    OUTSIDE_MEMBER = "mgrpRFC822MailMember";
    /// The search for the members of a dynamic list, for other programs.
    MEMBER_URL = "memberURL";
    /// Mail domains of a tenant.
    ASSOCIATED_DOMAIN = "associatedDomain";
    /// Name of an account entry.
    UID = "uid";
    /// Domain component; names the root.
    DC = "dc";
    /// Organization; names the root if the root is one.
    O = "o";
    /// When the entry was deleted softly; present on deleted entries only.
    DELETED_SINCE = "pbmDeletedSince";
    /// The password policy of an account, if it has its own.
    PASSWORD_POLICY = "pwdpolicysubentry";
    /// `TRUE` if the entry was deleted with its tenant, and is restored with it.
    DELETED_WITH_TENANT = "pbmDeletedWithTenant";
    /// `TRUE` once a purge has claimed the entry; only such entries can be removed.
    PURGING = "pbmPurging";
    /// Revision; each write replaces the exact value that it was planned on.
    REVISION = "pbmRevision";
    /// Tokens issued before this time are not valid.
    TOKENS_VALID_FROM = "pbmTokensValidFrom";
    /// Quota in bytes for new users of a tenant.
    DEFAULT_QUOTA = "pbmDefaultQuota";
    /// Language for new users of a tenant.
    DEFAULT_LANGUAGE = "pbmDefaultLanguage";
    /// Conditions of a dynamic list, `field=value` each, which must all hold.
    LIST_FILTER = "pbmListFilter";
    /// Identifiers of the entry in the sources that it comes from, one of each kind at most.
    SOURCE = "pbmSource";
    /// Digest of the image of the source that the photo was made from.
    SOURCE_PHOTO = "pbmSourcePhoto";
    /// State and outcome of a synchronization.
    RUN_REPORT = "pbmRunReport";
    /// Keyed digest of a request with an idempotency key.
    REQUEST_DIGEST = "pbmRequestDigest";
    /// HTTP status of the stored answer.
    ANSWER_STATUS = "pbmAnswerStatus";
    /// Body of the stored answer.
    ANSWER_BODY = "pbmAnswerBody";
    /// When the request began.
    ANSWER_BEGAN = "pbmAnswerBegan";
}

/// Whether an attribute is the password of an account, with or without options. 389-ds hashes and checks only the one
/// without options, and stores the others unchanged.
#[must_use]
pub fn is_password(name: &AttributeName) -> bool {
    name.is_kind_of(&USER_PASSWORD)
}

/// Requests all attributes except operational ones (RFC 4511 section 4.5.1.8).
pub const ALL_USER_ATTRIBUTES: &str = "*";

/// Operational attributes that people set and a backup contains: access rules, locks, limits of accounts, and the
/// applicable password policy. The server generates all others.
pub const KEPT_OPERATIONAL: &[AttributeName] = &[
    ACI,
    NS_ACCOUNT_LOCK,
    AttributeName::from_static("nsRoleDN"),
    PASSWORD_POLICY,
    AttributeName::from_static("nsSizeLimit"),
    AttributeName::from_static("nsTimeLimit"),
    AttributeName::from_static("nsLookThroughLimit"),
    AttributeName::from_static("nsIDListScanLimit"),
    AttributeName::from_static("nsIdleTimeout"),
    AttributeName::from_static("nsPagedSizeLimit"),
    AttributeName::from_static("nsPagedLookThroughLimit"),
    AttributeName::from_static("nsPagedIDListScanLimit"),
];

/// Classes of entries with members. Such entries are restored last, because the server's plug-in writes to the members
/// when one is added.
pub const GROUP_CLASSES: &[&str] = &["groupOfNames", "groupOfUniqueNames"];

/// The attributes of such entries that contain the DNs of members.
pub const MEMBER_ATTRIBUTES: &[AttributeName] = &[MEMBER, AttributeName::from_static("uniqueMember")];

/// The class that the server's plug-in adds to members.
pub const MEMBER_CLASS: &str = "nsMemberOf";

/// The class of entries that 389-ds returns only if the filter names it, such as password policies of subtrees.
pub const HIDDEN_CLASS: &str = "ldapsubentry";

/// The class of tombstones, the remains of removed entries for replication.
pub const TOMBSTONE_CLASS: &str = "nsTombstone";

/// Requests no attributes (RFC 4511 section 4.5.1.8).
pub const NO_ATTRIBUTES: AttributeName = AttributeName::from_static("1.1");

/// Classes of a user's entry.
pub const USER_CLASSES: &[&str] =
    &["top", "person", "organizationalPerson", "inetOrgPerson", "inetUser", "mailRecipient", USER_CLASS];

/// The class that marks an entry as a user of this project.
pub const USER_CLASS: &str = "pbmUser";

/// Classes of a tenant's entry.
pub const TENANT_CLASSES: &[&str] = &["top", "organizationalUnit", "domainRelatedObject", TENANT_CLASS];

/// The class that marks an entry as a tenant.
pub const TENANT_CLASS: &str = "pbmTenant";

/// Classes of a mailing list's entry. All lists have `groupOfURLs`, which dynamic lists need, so that any list can
/// become dynamic.
pub const MAIL_LIST_CLASSES: &[&str] = &["top", "groupOfNames", "groupOfURLs", "mailGroup", MAIL_LIST_CLASS];

/// The class that marks an entry as a mailing list.
pub const MAIL_LIST_CLASS: &str = "pbmMailList";

/// Classes of a contact that comes from a source.
pub const CONTACT_CLASSES: &[&str] =
    &["top", "person", "organizationalPerson", "inetOrgPerson", "mailRecipient", CONTACT_CLASS];

/// The class that marks an entry as a contact of this project.
pub const CONTACT_CLASS: &str = "pbmContact";

/// Classes of a resource group's entry.
pub const RESOURCE_GROUP_CLASSES: &[&str] = &["top", "organizationalUnit", RESOURCE_GROUP_CLASS];

/// The class that marks an entry as a resource group.
pub const RESOURCE_GROUP_CLASS: &str = "pbmResourceGroup";

/// Classes of a resource's entry.
pub const RESOURCE_CLASSES: &[&str] = &["top", RESOURCE_CLASS];

/// The class of a resource.
pub const RESOURCE_CLASS: &str = "pbmResource";

/// Classes of a stored answer.
pub const ANSWER_CLASSES: &[&str] = &["top", "account", ANSWER_CLASS];

/// The class that marks an entry as a stored answer.
pub const ANSWER_CLASS: &str = "pbmAnswer";

/// Classes of the entry of a synchronization.
pub const RUN_CLASSES: &[&str] = &["top", "account", RUN_CLASS];

/// The class that marks an entry as a synchronization.
pub const RUN_CLASS: &str = "pbmRun";

/// Classes of a plain folder of the tree.
pub const UNIT_CLASSES: &[&str] = &["top", "organizationalUnit"];

/// Classes of an account that only binds: the service account and the decoy.
pub const ACCOUNT_CLASSES: &[&str] = &["top", "account", "simpleSecurityObject"];
