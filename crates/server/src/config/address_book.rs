//! The sections `redis` and `address_book`: whether and where the projection is kept, and how long it may be used. A
//! URL of Redis may contain a password by mistake, so no message repeats the given value.

use super::source::Source;
use address_book::settings::{BookSettings, RedisAddress, RedisPlace, RedisSettings, RedisTls};
use directory::settings::trust;
use std::path::PathBuf;
use url::Url;
use visible_text::chain;

/// The port of Redis.
const REDIS_PORT: u16 = 6379;
/// The port of its sentinels.
const SENTINEL_PORT: u16 = 26379;
/// The name of the master in the default configuration of Redis Sentinel.
const MASTER: &str = "mymaster";
/// The prefix of key names.
const PREFIX: &str = "pbm";
/// The maximum length of the prefix in bytes: it is part of every key name.
const MAX_PREFIX: usize = 64;
/// The highest database number: some sixty times the default number of databases in Redis.
const MAX_DATABASE: i64 = 999;

/// The address book.
pub(super) fn address_book(source: &mut Source) -> BookSettings {
    let is_used = source.flag("address_book.cache.enabled", true);
    let lifetime = source.duration("address_book.cache.lifetime", 60_000);
    // Checked for mistakes even if it is not used, since it may be switched on later.
    BookSettings { redis: redis(source), is_used, lifetime }
}

/// The location of Redis according to the settings.
struct Found {
    place: RedisPlace,
    database: i64,
    is_tls: bool,
}

fn redis(source: &mut Source) -> Option<RedisSettings> {
    let found = place(source);
    let username = source.text("redis.username").filter(|name| !name.is_empty());
    let password = source.secret("redis.password", "redis.password_file");
    if username.is_some() {
        let reason = "needs a password: redis.password or redis.password_file";
        source.needs("redis.username", "redis.password", password.is_some(), reason);
    }
    let ca_file = source.text("redis.ca_file").filter(|file| !file.is_empty()).map(PathBuf::from);
    if let Some(file) = &ca_file
        && let Err(error) = trust(Some(file))
    {
        source.mistake("redis.ca_file", chain(&error));
    }
    let prefix = source.parsed("redis.prefix", prefix).unwrap_or_else(|| PREFIX.to_owned());
    source.default_is("redis.prefix", PREFIX);
    let timeout = source.duration("redis.timeout", 500);
    if timeout.is_zero() {
        source.mistake("redis.timeout", "must be longer than 0, such as 500ms");
    }
    let Some(Found { place, database, is_tls }) = found else {
        if password.is_some() {
            let reason = "is given without a Redis: set redis.url or redis.sentinels";
            source.incomplete("redis", "redis.password", reason);
        }
        return None;
    };
    if ca_file.is_some() && !is_tls {
        let hint = "needs TLS: write rediss:// in redis.url, or set redis.tls with redis.sentinels";
        source.mistake("redis.ca_file", hint);
    }
    let tls = is_tls.then_some(RedisTls { ca_file });
    Some(RedisSettings { place, database, username, password, tls, prefix, timeout })
}

fn place(source: &mut Source) -> Option<Found> {
    let sentinels = ["redis.sentinels", "redis.sentinel_master", "redis.database", "redis.tls"];
    source.prefer(&[&["redis.url"], &sentinels]);
    let url = source.text("redis.url").filter(|url| !url.trim().is_empty());
    let sentinels = source.list("redis.sentinels", |text| Ok(text.to_owned()));
    let sentinels = sentinels.filter(|sentinels| !sentinels.is_empty());
    let master = source.text("redis.sentinel_master").filter(|name| !name.is_empty());
    let database = source.parsed("redis.database", number_of_database);
    let is_tls = source.optional_flag("redis.tls");
    if sentinels.is_none() {
        let elsewhere = [
            ("redis.sentinel_master", master.is_some(), "needs redis.sentinels, which is not set"),
            (
                "redis.database",
                database.is_some(),
                "is only for redis.sentinels; redis.url has the number after the host: redis://host:6379/1",
            ),
            (
                "redis.tls",
                is_tls.is_some(),
                "is only for redis.sentinels; for TLS begin redis.url with rediss://",
            ),
        ];
        for (key, _, hint) in elsewhere.into_iter().filter(|(_, is_given, _)| *is_given) {
            source.mistake(key, hint);
        }
    }
    match (url, sentinels) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            source.mistake("redis.url", "is given together with redis.sentinels: set only one of them");
            None
        }
        (Some(url), None) => place_of_url(&url).map_err(|reason| source.mistake("redis.url", reason)).ok(),
        (None, Some(sentinels)) => {
            let sentinels: Option<_> = sentinels.iter().map(|text| sentinel(text)).collect();
            let wrong = "must be a list of host:port such as sentinel1.example.com:26379, without passwords";
            let sentinels = sentinels.or_else(|| {
                source.mistake("redis.sentinels", wrong);
                None
            })?;
            let master = master.unwrap_or_else(|| MASTER.to_owned());
            let place = RedisPlace::Sentinels { sentinels, master };
            Some(Found { place, database: database.unwrap_or(0), is_tls: is_tls.unwrap_or(false) })
        }
    }
}

/// Parses `redis://host:6379/0` or `rediss://…`.
fn place_of_url(text: &str) -> Result<Found, &'static str> {
    let wrong = "must be redis://host:6379/0, or rediss://host:6379/0 for TLS";
    let url = Url::parse(text.trim()).map_err(|_| wrong)?;
    let is_tls = match url.scheme() {
        "redis" => false,
        "rediss" => true,
        _ => return Err(wrong),
    };
    if url.password().is_some() {
        return Err(
            "contains a password: move it to redis.password_file (or redis.password), because URLs end up in logs",
        );
    }
    if !url.username().is_empty() {
        return Err("contains a user name: move it to redis.username");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong);
    }
    let database = match url.path().trim_start_matches('/') {
        "" => 0,
        number => number_of_database(number).map_err(|_| wrong)?,
    };
    let address = address(&url, REDIS_PORT).ok_or(wrong)?;
    Ok(Found { place: RedisPlace::Server(address), database, is_tls })
}

/// Parses `host:port`.
fn sentinel(text: &str) -> Option<RedisAddress> {
    let url = Url::parse(&format!("redis://{}", text.trim())).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.path().is_empty();
    if !is_plain || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    address(&url, SENTINEL_PORT)
}

fn address(url: &Url, usual_port: u16) -> Option<RedisAddress> {
    // The brackets of an IPv6 address are not part of it.
    let host = url.host_str()?.trim_matches(['[', ']']);
    let host = Some(host).filter(|host| !host.is_empty())?.to_owned();
    Some(RedisAddress { host, port: url.port().unwrap_or(usual_port) })
}

fn number_of_database(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (0..=MAX_DATABASE).contains(number));
    number.ok_or_else(|| format!("must be a whole number from 0 to {MAX_DATABASE}"))
}

fn prefix(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {MAX_PREFIX} of A-Z, a-z, 0-9, -, _, . and :"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::time::Duration;

    fn read(pairs: &[(&str, &str)]) -> (BookSettings, Vec<String>) {
        let variable = |key: &str| format!("PBM_{}", key.to_uppercase().replace('.', "__"));
        let environment = pairs.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
        let mut source = Source::read(None, environment);
        let settings = address_book(&mut source);
        (settings, source.into_mistakes().iter().map(ToString::to_string).collect())
    }

    fn right(pairs: &[(&str, &str)]) -> Option<RedisSettings> {
        let (settings, mistakes) = read(pairs);
        assert_eq!(mistakes, Vec::<String>::new());
        settings.redis
    }

    fn server(host: &str, port: u16) -> RedisPlace {
        RedisPlace::Server(RedisAddress { host: host.into(), port })
    }

    #[test]
    fn a_url_says_where_redis_is_and_whether_by_tls() {
        let redis = right(&[("redis.url", "redis://cache.example.com")]).unwrap();
        assert_eq!((redis.place, redis.database), (server("cache.example.com", 6379), 0));
        assert!(redis.tls.is_none() && redis.password.is_none());
        assert_eq!((redis.prefix.as_str(), redis.timeout), ("pbm", Duration::from_millis(500)));
        let redis = right(&[("redis.url", "rediss://[::1]:6380/3"), ("redis.password", "secret")]).unwrap();
        assert_eq!((redis.place, redis.database), (server("::1", 6380), 3));
        assert_eq!(redis.tls, Some(RedisTls { ca_file: None }));
        assert_eq!(redis.password.unwrap().expose_secret(), "secret");
    }

    #[test]
    fn sentinels_have_a_list_and_a_master() {
        let pairs = [("redis.sentinels", "a:1, b"), ("redis.database", "2"), ("redis.tls", "true")];
        let redis = right(&pairs).unwrap();
        let address = |host: &str, port| RedisAddress { host: host.into(), port };
        let sentinels = vec![address("a", 1), address("b", 26379)];
        assert_eq!(redis.place, RedisPlace::Sentinels { sentinels, master: "mymaster".into() });
        assert!(redis.database == 2 && redis.tls.is_some());
    }

    #[test]
    fn without_redis_there_is_none_and_it_may_be_switched_off() {
        let (settings, mistakes) = read(&[]);
        assert!(settings.redis.is_none() && mistakes.is_empty());
        assert_eq!(settings.lifetime, Duration::from_secs(60));
        let url = ("redis.url", "redis://localhost");
        let (settings, _) = read(&[url, ("address_book.cache.enabled", "false")]);
        assert!(settings.redis.is_some() && !settings.is_used);
        assert!(right(&[("redis.url", "")]).is_none());
    }

    #[test]
    fn mistakes_come_with_hints() {
        let url = ("redis.url", "redis://localhost");
        let cases: [(&[(&str, &str)], &str); 15] = [
            (&[("redis.url", "http://localhost")], "redis.url: must be redis://"),
            (&[("redis.url", "redis://localhost/x")], "redis.url: must be redis://"),
            (&[("redis.url", "redis://:secret@localhost")], "redis.url: contains a password"),
            (&[("redis.url", "redis://me@localhost")], "redis.url: contains a user name"),
            (&[url, ("redis.sentinels", "a:1")], "redis.url: is given together with redis.sentinels"),
            (&[("redis.sentinels", "a:b")], "redis.sentinels: must be a list of host:port"),
            (&[url, ("redis.sentinel_master", "m")], "redis.sentinel_master: needs redis.sentinels"),
            (&[url, ("redis.tls", "true")], "redis.tls: is only for redis.sentinels"),
            (&[url, ("redis.database", "1")], "redis.database: is only for redis.sentinels"),
            (&[("redis.password", "x")], "redis.password: is given without a Redis"),
            (&[url, ("redis.username", "x")], "redis.username: needs a password"),
            (&[url, ("redis.prefix", "{a b}")], "redis.prefix: \"{a b}\" must be 1 to 64"),
            (&[url, ("redis.timeout", "0s")], "redis.timeout: must be longer"),
            (&[url, ("redis.ca_file", "/no/such.pem")], "redis.ca_file: cannot read certificates"),
            (&[("address_book.cache.enabled", "yes")], "address_book.cache.enabled: \"yes\" must be true"),
        ];
        for (pairs, expected) in cases {
            let (_, mistakes) = read(pairs);
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(expected)), "{expected}: {mistakes:?}");
        }
    }

    #[test]
    fn no_mistake_repeats_a_password() {
        for key in ["redis.url", "redis.sentinels"] {
            for url in
                ["redis://a:secret@x", "http://:secret@x", "redis://:secret@", "a:secret@x:1", "://secret@"]
            {
                let (_, mistakes) = read(&[(key, url)]);
                assert!(
                    !mistakes.is_empty() && !mistakes.join(" ").contains("secret"),
                    "{url}: {mistakes:?}"
                );
            }
        }
    }
}
