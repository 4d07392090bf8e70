//! What a server says when it refuses, in words (RFC 4511 appendix A.2; codes of Active Directory: MS-ERREF 2.2).

use super::shown::shown;
use crate::SourceError;
use ldap3::LdapResult;

/// The result of a search that found more than the server returns.
pub(super) const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;

/// The error of a refused bind.
pub(super) fn of_bind(result: &LdapResult) -> SourceError {
    let why = match result.rc {
        8 | 13 => "it needs encryption: turn on TLS (usually port 636)".to_owned(),
        34 => {
            "the login is not a name that it knows: give a DN, or user@domain for Active Directory".to_owned()
        }
        49 => of_credentials(&result.text).to_owned(),
        53 => "it does nothing for this account: the account may be disabled or locked".to_owned(),
        code => format!("result code {code}"),
    };
    log(result, "");
    SourceError::Login(why)
}

/// The reason of `invalidCredentials`. Active Directory says `data 52e` in its diagnostic message.
fn of_credentials(diagnostic: &str) -> &'static str {
    match data_code(diagnostic).as_deref() {
        Some("525") => "there is no such account",
        Some("52e") => "the password is wrong, or there is no such account",
        Some("530") => "the account may not log in at this time",
        Some("531") => "the account may not log in from this computer",
        Some("532") => "the password has expired: set a new one, or one that never expires",
        Some("533") => "the account is disabled",
        Some("701") => "the account has expired",
        Some("773") => "the password must be changed before the first login",
        Some("775") => "the account is locked, after too many wrong passwords",
        _ => "the login or the password is wrong",
    }
}

/// The code after `data` in a message such as `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error,
/// data 52e, v2580`.
fn data_code(diagnostic: &str) -> Option<String> {
    let (_, rest) = diagnostic.split_once("data ")?;
    let code: String = rest.chars().take_while(char::is_ascii_hexdigit).take(8).collect();
    Some(code.to_ascii_lowercase())
}

/// The error of a search that did not end in a success.
pub(super) fn of_search(result: &LdapResult, base: &str, is_paged: bool) -> SourceError {
    let base = shown(base);
    let why = match result.rc {
        3 => "the server's time limit was exceeded: raise it for the account".to_owned(),
        SIZE_LIMIT_EXCEEDED if is_paged => {
            "the server returns no more entries to this account, although they were asked for in pages: raise its \
             limit for the account"
                .to_owned()
        }
        SIZE_LIMIT_EXCEEDED => {
            "there are more entries than the server returns at once, and it has no paging: raise its size limit for \
             the account"
                .to_owned()
        }
        11 => "the server's limit for administrators was exceeded: raise it for the account".to_owned(),
        REFERRAL => "this server does not have it, and refers to another: use that one as the host".to_owned(),
        32 => "there is no such entry, or the account may not see it".to_owned(),
        50 => "the account may not read it".to_owned(),
        code => format!("result code {code}"),
    };
    log(result, &base);
    SourceError::Refused(format!("the source does not answer a search of its containers: {why}"))
}

/// Where a server refused what, and its own words, are for the log: administrators of tenants need not know them.
fn log(result: &LdapResult, base: &str) {
    let diagnostic = shown(result.text.trim_end_matches('\0'));
    tracing::warn!(code = result.rc, base, diagnostic, "source.refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult { rc, matched: String::new(), text: text.to_owned(), refs: vec![], ctrls: vec![] }
    }

    #[test]
    fn the_codes_of_active_directory_are_told_in_words() {
        let said = |code: &str| {
            format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v2580\0"
            )
        };
        for (code, word) in [
            ("525", "no such account"),
            ("52e", "password is wrong"),
            ("52E", "password is wrong"),
            ("530", "at this time"),
            ("531", "from this computer"),
            ("532", "has expired"),
            ("533", "disabled"),
            ("701", "account has expired"),
            ("773", "must be changed"),
            ("775", "locked"),
            ("999", "login or the password"),
        ] {
            let text = of_bind(&result(49, &said(code))).to_string();
            assert!(text.contains(word), "{code}: {text}");
        }
        assert!(of_bind(&result(49, "")).to_string().ends_with("the login or the password is wrong"));
    }

    #[test]
    fn a_server_that_wants_encryption_is_told_from_others() {
        for code in [8, 13] {
            assert!(of_bind(&result(code, "")).to_string().contains("encryption"));
        }
    }

    #[test]
    fn a_size_limit_is_explained() {
        let text = of_search(&result(SIZE_LIMIT_EXCEEDED, ""), "dc=x", false).to_string();
        assert!(text.contains("no paging"), "{text}");
        let text = of_search(&result(SIZE_LIMIT_EXCEEDED, "x"), "dc=x", true).to_string();
        assert!(text.contains("in pages") && !text.contains("(x)"), "{text}");
    }
}
