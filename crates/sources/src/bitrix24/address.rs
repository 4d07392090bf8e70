//! The URL of a portal. Its path holds the code of the webhook, so no error and no log shows more of it than the host.

use super::settings::Bitrix24Settings;
use crate::{SourceError, shown::shown};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use url::{Host, Url};

/// Longest identifier of a user, in digits.
const MAX_USER: usize = 18;
/// Longest code of a webhook; the portal makes 16 characters.
const MAX_CODE: usize = 128;

/// Where a portal answers.
pub(super) struct Address {
    portal: Url,
    host: String,
    user: String,
    code: SecretString,
}

impl Address {
    /// The address that settings name.
    ///
    /// # Errors
    /// [`SourceError::Refused`], which names the setting.
    pub(super) fn new(settings: &Bitrix24Settings) -> Result<Self, SourceError> {
        let wrong = |reason: &str| SourceError::Refused(format!("the settings of Bitrix24: {reason}"));
        let host = host(&settings.url).map_err(wrong)?;
        let user = settings.admin_userid.trim().to_owned();
        if !is_user(&user) {
            return Err(wrong("`admin_userid` is the number of the user in the webhook's URL, such as 1"));
        }
        if !is_code(settings.webhook.expose_secret()) {
            return Err(wrong(
                "`webhook` is the code in the webhook's URL: the letters and digits after /rest/1/",
            ));
        }
        Ok(Self { portal: settings.url.clone(), host, user, code: settings.webhook.clone() })
    }

    /// The host, with its port if it is not the usual one.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.portal.scheme() == "https"
    }

    /// The URL of a method. It is a secret.
    pub(super) fn method(&self, name: &str) -> SecretString {
        let origin = self.portal.as_str().trim_end_matches('/');
        format!("{origin}/rest/{}/{}/{name}.json", self.user, self.code.expose_secret()).into()
    }

    /// The URL of a file, if the portal's own host serves it.
    pub(super) fn file(&self, text: &str) -> Option<Url> {
        let url = self.portal.join(text).ok()?;
        let is_own = url.origin() == self.portal.origin() && url.username().is_empty();
        (is_own && url.password().is_none()).then_some(url)
    }

    /// A text of the portal for a message: short, of one line, and without the code.
    pub(super) fn quoted(&self, text: &str) -> String {
        let text = text.replace(self.code.expose_secret(), "…");
        let words = text.split(|char: char| char.is_control() || char.is_whitespace());
        shown(&words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
    }
}

/// The host and port of the URL of a portal.
fn host(url: &Url) -> Result<String, &'static str> {
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !is_bare || url.fragment().is_some() || url.path() != "/" {
        return Err("`url` is the address of the portal alone, such as https://example.bitrix24.ru");
    }
    let host = url.host().ok_or("`url` has no host")?;
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&host) => {}
        _ => return Err("`url` must begin with https://, because it is sent with a secret"),
    }
    Ok(url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}")))
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

fn is_user(text: &str) -> bool {
    (1..=MAX_USER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    (1..=MAX_CODE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{bitrix24::Patience, mapping};
    use std::time::Duration;

    pub(crate) fn settings(url: &str) -> Bitrix24Settings {
        Bitrix24Settings {
            url: url.parse().unwrap(),
            admin_userid: "1".to_owned(),
            webhook: "s3cretC0de".into(),
            ca_file: None,
            mapping: mapping::Mapping::new(mapping::BITRIX24, &std::collections::BTreeMap::new()),
            surname_field: None,
            photos: false,
            timeout: Duration::from_secs(5),
            patience: Patience::default(),
        }
    }

    pub(crate) fn address() -> Address {
        Address::new(&settings("https://portal.example:8443")).unwrap()
    }

    #[test]
    fn the_url_of_a_method_is_put_together() {
        let address = address();
        assert_eq!(address.host(), "portal.example:8443");
        let url = address.method("user.get");
        assert_eq!(url.expose_secret(), "https://portal.example:8443/rest/1/s3cretC0de/user.get.json");
    }

    #[test]
    fn settings_that_would_send_the_secret_elsewhere_are_refused() {
        for url in [
            "http://portal.example",
            "ftp://portal.example",
            "https://user@portal.example",
            "https://portal.example/rest/1/s3cretC0de/",
            "https://portal.example/?s3cretC0de",
            "data:s3cretC0de",
        ] {
            let error = Address::new(&settings(url)).err().unwrap().to_string();
            assert!(error.contains("`url`") && !error.contains("s3cretC0de"), "{error}");
        }
        assert!(Address::new(&settings("http://127.0.0.1:8080/")).is_ok());
        assert!(Address::new(&settings("http://[::1]")).is_ok());
    }

    #[test]
    fn codes_and_users_are_no_paths() {
        for (user, code) in
            [("1/2", "abc"), ("", "abc"), ("1", "a/../b"), ("1", ""), ("1", "a?b"), ("я", "a")]
        {
            let settings = Bitrix24Settings {
                admin_userid: user.to_owned(),
                webhook: code.into(),
                ..settings("https://portal.example")
            };
            assert!(Address::new(&settings).is_err(), "{user} {code}");
        }
    }

    #[test]
    fn files_are_of_the_portal_alone() {
        let address = address();
        for text in ["/upload/main/1.jpg", "https://portal.example:8443/upload/1.jpg"] {
            assert!(address.file(text).is_some(), "{text}");
        }
        for text in [
            "https://cdn.example/1.jpg",
            "//cdn.example/1.jpg",
            "http://portal.example:8443/1.jpg",
            "https://portal.example/1.jpg",
            "https://a:b@portal.example:8443/1.jpg",
            "file:///etc/passwd",
        ] {
            assert!(address.file(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_the_portal_says_is_quoted_without_the_code() {
        let text = format!("no\nroute  /rest/1/s3cretC0de/x {}", "я".repeat(300));
        let quoted = address().quoted(&text);
        assert!(quoted.starts_with("no route /rest/1/…/x я"), "{quoted}");
        assert_eq!(quoted.chars().count(), 201);
    }
}
