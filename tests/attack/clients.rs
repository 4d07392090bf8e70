//! Requests without a token: forged client addresses, other sites in a browser on a trusted machine.

use harness::{
    ALLOWED_ADDRESS, Answer, Client, Context, Installation, PASSWORD, Serve, Setup, World, exchange,
    start_serve,
};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_client_is_whom_the_last_trusted_proxy_names", forged),
    ("whom_a_proxy_does_not_name_is_nobody", unnamed),
    ("the_standard_header_is_read_where_it_is_configured", standard_header),
    ("a_proxy_in_an_allowed_subnet_is_a_mistake", overlap),
    ("a_page_of_another_site_can_do_nothing_from_an_allowed_address", pages),
];

/// A world for these trials; none uses the address book.
fn world() -> World {
    World::of(Installation::start(Setup { without_redis: true, ..Setup::default() }))
}

/// Headers that name a client; `|` separates lines.
fn through(client: &Client, name: &str, lines: &str) -> Client {
    client.with_header(name, &lines.replace('|', &format!("\r\n{name}: ")))
}

const USERS: &str = "/v2/users/default";

fn forged() {
    let world = world();
    let nobody = world.nobody();
    let from = |lines: &str| through(&nobody, "X-Forwarded-For", lines);
    for lines in ["192.0.2.7", "192.0.2.7:4711", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]:4711"] {
        let _case = Context::new(lines);
        from(lines).get(USERS).expect(200);
        from(&format!("203.0.113.9|{lines}|127.0.0.1")).get(USERS).expect(200);
    }
    // A line from the client, and the line that the proxy adds.
    for lines in [
        "192.0.2.7|203.0.113.9",
        "192.0.2.7|203.0.113.9:80",
        "192.0.2.7|[2001:db8::9]:4711",
        "192.0.2.7, 192.0.2.8|203.0.113.9, 127.0.0.1",
        "192.0.2.7|192.0.2.8|203.0.113.9|127.0.0.1",
    ] {
        let _case = Context::new(lines);
        from(lines).get(USERS).expect(401);
        from(lines).put("/v2/tenants/mine", "domain=mine.test").expect(401);
    }
    assert!(world.probe().find("(associatedDomain=mine.test)").is_empty());
    // Nor does writing more addresses give it more limits on log-ins.
    let refused = |number: u8| {
        let client = from(&format!("192.0.2.{number}|203.0.113.9"));
        client.log_in(&World::root_login(), "wrong").status
    };
    let statuses: Vec<_> = (0..80).map(refused).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert!(statuses[5..].iter().all(|status| *status == 429), "{statuses:?}");
    from("203.0.113.10").log_in(&World::root_login(), World::root_password()).expect(200);
}

/// Values from proxies and clients that name no client, each after an allowed address.
const UNREADABLE: [&str; 9] = [
    "",
    "unknown",
    "192.0.2.7|é",
    "192.0.2.7|_hidden",
    "192.0.2.7,",
    "192.0.2.7|192.0.2.7:65536",
    "192.0.2.7|[192.0.2.7]",
    "192.0.2.7|127.0.0.1, 192.0.2",
    "127.0.0.1, 127.0.0.1",
];

/// The proxy's own address is not its client's, and a missing name does not grant access.
fn unnamed() {
    let world = world();
    let nobody = world.nobody();
    nobody.get(USERS).expect(401);
    for lines in UNREADABLE {
        let _case = Context::new(lines);
        through(&nobody, "X-Forwarded-For", lines).get(USERS).expect(401);
    }
    // Together they have one limit on log-ins, separate from that of other clients.
    let login = World::root_login();
    let statuses: Vec<_> = UNREADABLE
        .iter()
        .map(|lines| through(&nobody, "X-Forwarded-For", lines).log_in(&login, "wrong").status)
        .collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
    nobody.log_in(&login, World::root_password()).expect(429);
    nobody.behind(&world.fresh_address()).log_in(&login, World::root_password()).expect(200);
    let told = world.serve().log().matches("auth.client_unknown").count();
    assert!((1..=3).contains(&told), "told {told} times");
}

fn standard_header() {
    let world = world();
    let config = world.installation().config("forwarded.toml", &[("http.forwarded_header", "\"forwarded\"")]);
    let serve = start_serve(&config, &[]);
    let from = |lines: &str| through(&serve.client(), "Forwarded", lines);
    for lines in [
        "for=192.0.2.7",
        "For=\"192.0.2.7:4711\";proto=https",
        "for=203.0.113.9|for=192.0.2.7, for=127.0.0.1",
    ] {
        let _case = Context::new(lines);
        from(lines).get(USERS).expect(200);
    }
    for lines in [
        "for=192.0.2.7|for=203.0.113.9",
        "for=192.0.2.7, for=203.0.113.9;by=127.0.0.1",
        "for=192.0.2.7|for=unknown",
        "for=192.0.2.7|for=_a",
        "for=192.0.2.7|proto=https",
        // A quotation mark that the client left open before the proxy appended its part to the line.
        "for=192.0.2.7;x=\", for=203.0.113.9",
        "for=192.0.2.7;x=\", for=\"[2001:db8::9]:4711\"",
        "192.0.2.7",
    ] {
        let _case = Context::new(lines);
        from(lines).get(USERS).expect(401);
    }
    // Only the configured one of the two headers counts.
    serve.client().behind(ALLOWED_ADDRESS).get(USERS).expect(401);
    from("for=203.0.113.9").behind(ALLOWED_ADDRESS).get(USERS).expect(401);
    through(&world.nobody(), "Forwarded", "for=192.0.2.7").get(USERS).expect(401);
}

fn overlap() {
    let installation =
        Installation::start(Setup { unprepared: true, without_redis: true, ..Setup::default() });
    for (proxies, subnets) in
        [("127.0.0.1", "127.0.0.0/8"), ("10.0.0.0/8", "10.1.2.3"), ("::/0", "2001:db8::/32")]
    {
        let _case = Context::new(format!("{proxies} {subnets}"));
        let [proxies, subnets] = [proxies, subnets].map(|subnet| format!("[{subnet:?}]"));
        let both = [("http.trusted_proxies", proxies.as_str()), ("auth.allowed_subnets", &subnets)];
        let config = installation.config("overlap.toml", &both);
        for command in ["check", "serve"] {
            let refused = installation.pbm(&config, &[command]).expect_failure();
            assert!(refused.output().contains("auth.allowed_subnets:"), "{refused:?}");
            assert!(refused.output().contains("of http.trusted_proxies"), "{refused:?}");
        }
    }
}

/// A request of a browser on a machine with an allowed address.
fn from_browser(serve: &Serve, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{lines}X-Forwarded-For: {ALLOWED_ADDRESS}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    exchange(serve.address(), &[head.as_bytes(), body.as_bytes()].concat()).unwrap()
}

fn pages() {
    let world = world();
    let config = world.installation().config("hosts.toml", &[("http.hosts", "[\"pbm.example\"]")]);
    let serve = start_serve(&config, &[]);
    let own = serve.address().to_string();
    let ask = |headers: &[(&str, &str)]| from_browser(&serve, "GET", USERS, headers, "");
    let own_origin = format!("http://{own}");
    ours(&ask, &own, &own_origin);
    // Another site, and a name of another site that resolves to this server.
    for site in ["cross-site", "same-site", "SAME-ORIGIN", ""] {
        refused(&ask(&[("Host", &own), ("Sec-Fetch-Site", site)]), site);
    }
    for origin in
        ["null", "http://evil.example", "http://127.0.0.1", "https://127.0.0.1:1", "http://localhost", ""]
    {
        refused(&ask(&[("Host", &own), ("Origin", origin)]), origin);
        refused(&ask(&[("Host", &own), ("Sec-Fetch-Site", "same-origin"), ("Origin", origin)]), origin);
    }
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "pbm.example.evil.example"] {
        refused(&ask(&[("Host", host), ("Sec-Fetch-Site", "same-origin")]), host);
        let origin = format!("http://{host}");
        refused(&ask(&[("Host", host), ("Sec-Fetch-Site", "same-origin"), ("Origin", &origin)]), host);
        let line = format!("http://{host}{USERS}");
        refused(&from_browser(&serve, "GET", &line, &[("Host", &own)], ""), host);
    }
    nothing_is_written(&world, &serve, &own);
    with_a_token_nothing_changes(&world, &serve);
}

/// Sends a request with some headers.
type Ask<'a> = &'a dyn Fn(&[(&str, &str)]) -> Answer;

fn ours(ask: Ask<'_>, own: &str, own_origin: &str) {
    for host in
        [own, "localhost", "localhost:8080", "[::1]:8080", "10.1.2.3", "pbm.example", "PBM.example:443"]
    {
        let _case = Context::new(host);
        ask(&[("Host", host)]).expect(200);
        for site in ["same-origin", "none"] {
            ask(&[("Host", host), ("Sec-Fetch-Site", site)]).expect(200);
        }
    }
    ask(&[("Host", own), ("Sec-Fetch-Site", "same-origin"), ("Origin", own_origin)]).expect(200);
    // Behind a proxy that terminates TLS, such as the one that names the client here.
    ask(&[("Host", "pbm.example"), ("Origin", "https://pbm.example")]).expect(200);
}

#[track_caller]
fn refused(answer: &Answer, what: &str) {
    let answer = answer.clone().expect(403);
    assert!(answer.text().contains("Without a token"), "{what}: {}", answer.text());
}

fn nothing_is_written(world: &World, serve: &Serve, own: &str) {
    let before = world.probe().find("(objectClass=pbmUser)").len();
    let fields = format!("userPassword={PASSWORD}&employeeNumber=3&cn=e&sn=e");
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "null")] {
        let headers = [("Host", own), ("Content-Type", "text/plain"), (name, value)];
        for (method, path) in
            [("PUT", "/v2/users/default/evil@example.com"), ("DELETE", "/v2/users/default/admin@example.com")]
        {
            refused(&from_browser(serve, method, path, &headers, &fields), path);
        }
    }
    // A form can be sent as text. Backups and restores need a token in any case.
    let root = &world.probe().root;
    let ldif = format!(
        "dn: mail=evil@example.com,ou=default,ou=People,{root}\nobjectClass: inetOrgPerson\nobjectClass: inetUser\n\
         objectClass: mailRecipient\nobjectClass: pbmUser\nmail: evil@example.com\ncn: e\nsn: e\nemployeeNumber: 3\n\
         userPassword: {PASSWORD}\n"
    );
    for more in [&[("Sec-Fetch-Site", "cross-site")][..], &[]] {
        let headers = [&[("Host", own), ("Content-Type", "text/plain")][..], more].concat();
        from_browser(serve, "POST", "/v2/restore/ldif", &headers, &ldif).expect(401);
        from_browser(serve, "POST", "/v2/restore/ldif?tenant-id=default", &headers, &ldif).expect(401);
        from_browser(serve, "GET", "/v2/backup/ldif", &headers, "").expect(401);
        let status = from_browser(serve, "HEAD", "/v2/backup/ldif", &headers, "").status;
        assert_eq!(status, 401);
    }
    // A name that was changed to resolve to this server.
    let rebound = [("Host", "evil.example"), ("Sec-Fetch-Site", "same-origin")];
    from_browser(serve, "GET", "/v2/backup/ldif", &rebound, "").expect(401);
    assert_eq!(world.probe().find("(objectClass=pbmUser)").len(), before);
}

/// A foreign page has no token to send, so a request with a token is accepted for every host name and origin.
fn with_a_token_nothing_changes(world: &World, serve: &Serve) {
    let token = format!("Bearer {}", world.root().token());
    let evil =
        [("Host", "evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example")];
    let with_token = [&evil[..], &[("Authorization", token.as_str())]].concat();
    from_browser(serve, "GET", USERS, &with_token, "").expect(200);
    from_browser(serve, "GET", "/v2/backup/ldif?tenant-id=default", &with_token, "").expect(200);
    for path in ["/docs", "/docs/start.js", "/openapi.json", "/health/ready", "/health/live"] {
        from_browser(serve, "GET", path, &evil, "").expect(200);
    }
    // A log-in carries its credentials in the request itself.
    let body =
        harness::form(&[("login", World::root_login().as_str()), ("password", World::root_password())]);
    let form = [&evil[..], &[("Content-Type", "application/x-www-form-urlencoded")]].concat();
    from_browser(serve, "POST", "/v2/auth", &form, &body).expect(200);
}
