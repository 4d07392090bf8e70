//! The keys of the guide: one row for each that is one setting, and the reasons why others have no effect.

use super::forms::Form;

/// A key that is one setting.
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) setting: &'static str,
    pub(super) form: Form,
}

const fn row(key: &'static str, setting: &'static str, form: Form) -> Row {
    Row { key, setting, form }
}

/// The rows. If several keys give one setting, the first that is present wins. A row whose setting this version of pbm
/// does not have is reported as unused.
pub(super) const ROWS: &[Row] = &[
    row("pbm/auth/allowed_subnets", "auth.allowed_subnets", Form::List),
    row("pbm/auth/refresh_token_exp_time", "auth.refresh_token_seconds", Form::Seconds),
    row("pbm/auth/enc_salt", "auth.token_key", Form::Secret),
    row("psn/ldap/bind_dn", "ldap.bind_dn", Form::Text),
    row("psn/cab/bind_dn", "ldap.bind_dn", Form::Text),
    row("psn/ldap/password", "ldap.bind_password", Form::Secret),
    row("psn/cab/password", "ldap.bind_password", Form::Secret),
    row("psn/cab/web_cache/enabled", "address_book.cache.enabled", Form::Flag),
    row("psn/ldap/web_cache/enabled", "address_book.cache.enabled", Form::Flag),
    row("psn/cab/web_cache/lifetime", "address_book.cache.lifetime", Form::Span),
    row("psn/ldap/web_cache/time", "address_book.cache.lifetime", Form::Span),
    row("services/redis/password", "redis.password", Form::Secret),
    row("psn/common/photo_size_limit", "users.photo_limit", Form::Text),
    row("psn/web/defaults/lang", "users.default_language", Form::Language),
    // Sources of contacts, and the mail server.
    row("pbm/common/b24_attr_to_surname", "sync.bitrix24.surname_field", Form::Text),
    row("services/ad/enabled", "sync.ad.enabled", Form::Flag),
    row("services/ad/host", "sync.ad.host", Form::Text),
    row("services/ad/port", "sync.ad.port", Form::Text),
    row("services/ad/ssl", "sync.ad.ssl", Form::Flag),
    // An extension: the guide has a password, but no login.
    row("services/ad/login", "sync.ad.login", Form::Text),
    row("services/ad/password", "sync.ad.password", Form::Secret),
    row("services/ad/base_dn", "sync.ad.base_dn", Form::Text),
    row("services/ad/groups_dn", "sync.ad.groups_dn", Form::Text),
    row("services/ad/users_filter", "sync.ad.users_filter", Form::Text),
    row("services/ad/groups_filter", "sync.ad.groups_filter", Form::Text),
    row("services/bitrix24/enabled", "sync.bitrix24.enabled", Form::Flag),
    row("services/bitrix24/url", "sync.bitrix24.url", Form::Text),
    row("services/bitrix24/webhook", "sync.bitrix24.webhook", Form::Secret),
    row("services/bitrix24/admin_userid", "sync.bitrix24.admin_userid", Form::Text),
    row("services/doveadm/url", "doveadm.url", Form::Text),
    row("services/doveadm/login", "doveadm.login", Form::Text),
    // An extension: the guide has a login, but no password.
    row("services/doveadm/password", "doveadm.password", Form::Secret),
];

/// The keys of the guide without effect, by the beginning of their names, and why.
const WITHOUT_EFFECT: [(&str, &str); 13] = [
    ("pbm/common/haar_cascade_tmpl", "photos are scaled without looking for faces"),
    ("pbm/common/log_path", "pbm logs to standard error"),
    ("pbm/firebase/", "pbm sends no notifications to phones"),
    ("psn/cab/enabled", "it concerns the web client"),
    ("psn/cab/ldapusers_ou", "contacts from outside are in the folder psn/cab/cab_ou"),
    ("psn/cab/port", "it needs psn/cab/host"),
    ("psn/common/photo_path", "photos are in the directory"),
    ("psn/common/", "it concerns other services of PSN"),
    ("psn/ldap/blocked_ou", "a blocked user stays in its folder"),
    ("psn/ldap/port", "it needs psn/ldap/host"),
    ("psn/web/defaults/tz", "it concerns the web client"),
    ("services/redis/port", "it needs services/redis/host"),
    ("services/redis/sentinel_enabled", "it needs services/redis/host"),
];

/// Why a key has no effect.
pub(super) fn reason_against(name: &str) -> &'static str {
    let known = WITHOUT_EFFECT.iter().find(|(beginning, _)| name.starts_with(beginning));
    known.map_or("pbm does not know it", |(_, reason)| reason)
}
