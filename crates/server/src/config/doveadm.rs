//! The section `doveadm`: the mail server that messages are recalled from. A URL may contain a password by mistake, so
//! no message repeats the given value.

use super::source::Source;
use mail_store::settings::{
    CONCURRENCY, DoveadmSettings, DoveadmUrl, LOGIN, MailboxPattern, TIMEOUT, TrustedCas,
};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;
use visible_text::chain;

/// The most boxes at a time: Dovecot runs as many processes of doveadm.
const MAX_CONCURRENCY: usize = 64;

/// The mail server; `None` if there is none.
pub(super) fn doveadm(source: &mut Source) -> Option<DoveadmSettings> {
    let url = source.text("doveadm.url").filter(|url| !url.trim().is_empty());
    let is_given = url.is_some();
    let url = url.and_then(|text| {
        text.parse::<DoveadmUrl>().map_err(|error| source.mistake("doveadm.url", error.to_string())).ok()
    });
    let login = source.text("doveadm.login").filter(|login| !login.is_empty());
    if login.as_ref().is_some_and(|login| login.contains(':') || login.chars().any(char::is_control)) {
        source.mistake("doveadm.login", "must not contain a colon or a control character");
    }
    let password = password(source);
    let ca_file = source.text("doveadm.ca_file").filter(|file| !file.is_empty());
    let trusted = ca_file.as_ref().and_then(|file| {
        let read = TrustedCas::read(Path::new(file));
        read.map_err(|error| source.mistake("doveadm.ca_file", format!("{file} {}", chain(&error)))).ok()
    });
    let timeout = source.seconds("doveadm.timeout", TIMEOUT);
    let concurrency = source.number("doveadm.concurrency", CONCURRENCY, &(1..=MAX_CONCURRENCY));
    let mailboxes = mailboxes(source);
    if !is_given && password.is_some() {
        source.incomplete("doveadm", "doveadm.password", "is given without a mail server: set doveadm.url");
    }
    let url = url?;
    if ca_file.is_some() && !url.is_tls() {
        source.mistake("doveadm.ca_file", "needs TLS: begin doveadm.url with https://");
    }
    let password = source.required_by("doveadm", "doveadm.password", password)?;
    let login = login.unwrap_or_else(|| LOGIN.to_owned());
    Some(DoveadmSettings { url, login, password, trusted, timeout, concurrency, mailboxes })
}

fn password(source: &mut Source) -> Option<SecretString> {
    let password = source.secret("doveadm.password", "doveadm.password_file")?;
    let text = password.expose_secret();
    if text.is_empty() || text.chars().any(char::is_control) {
        source.mistake("doveadm.password", "is empty or contains a control character");
    }
    Some(password)
}

fn mailboxes(source: &mut Source) -> Vec<MailboxPattern> {
    let parse = |text: &str| text.parse().map_err(|error: mail_store::settings::NoPattern| error.to_string());
    match source.list("doveadm.mailboxes", parse) {
        Some(patterns) if patterns.is_empty() => {
            source.mistake("doveadm.mailboxes", "is empty: no message could be recalled");
            patterns
        }
        Some(patterns) => patterns,
        None => MailboxPattern::usual(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(pairs: &[(&str, &str)]) -> (Option<DoveadmSettings>, Vec<String>) {
        let variable = |key: &str| format!("PBM_{}", key.to_uppercase().replace('.', "__"));
        let environment = pairs.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
        let mut source = Source::read(None, environment);
        let settings = doveadm(&mut source);
        (settings, source.into_mistakes().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_url_and_a_password_are_enough() {
        let pairs = [("doveadm.url", "http://dovecot:2222"), ("doveadm.password", "secret")];
        let (settings, mistakes) = read(&pairs);
        assert_eq!(mistakes, Vec::<String>::new());
        let settings = settings.unwrap();
        assert_eq!(settings.url.to_string(), "http://dovecot:2222/doveadm/v1");
        assert_eq!((settings.login.as_str(), settings.concurrency), ("doveadm", 8));
        assert_eq!(settings.timeout, Duration::from_secs(30));
        assert_eq!(settings.mailboxes, MailboxPattern::usual());
    }

    #[test]
    fn without_a_url_there_is_none() {
        for pairs in [&[][..], &[("doveadm.url", "")]] {
            let (settings, mistakes) = read(pairs);
            assert!(settings.is_none() && mistakes.is_empty(), "{mistakes:?}");
        }
    }

    #[test]
    fn mistakes_come_with_hints_and_without_the_password() {
        let (url, password) = (("doveadm.url", "http://dovecot:2222"), ("doveadm.password", "secret"));
        let cases: [(&[(&str, &str)], &str); 10] = [
            (&[password, ("doveadm.url", "dovecot:2222")], "doveadm.url: must be a URL"),
            (&[password, ("doveadm.url", "http://a:secret@dovecot")], "doveadm.url: contains a login"),
            (&[url], "doveadm.password: is missing"),
            (&[password], "doveadm.password: is given without a mail server"),
            (&[url, ("doveadm.password", "")], "doveadm.password: is empty"),
            (&[url, password, ("doveadm.login", "a:b")], "doveadm.login: must not contain"),
            (
                &[url, password, ("doveadm.ca_file", "/no/such.pem")],
                "doveadm.ca_file: /no/such.pem cannot read",
            ),
            (&[url, password, ("doveadm.timeout", "0s")], "doveadm.timeout: \"0s\" must be at least"),
            (&[url, password, ("doveadm.concurrency", "0")], "doveadm.concurrency: \"0\" must be a whole"),
            (&[url, password, ("doveadm.mailboxes", ",")], "doveadm.mailboxes: is empty"),
        ];
        for (pairs, expected) in cases {
            let (_, mistakes) = read(pairs);
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(expected)), "{expected}: {mistakes:?}");
            assert!(!mistakes.join(" ").contains("secret"));
        }
    }
}
