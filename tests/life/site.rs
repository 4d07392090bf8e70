//! An installation for failure tests, and the address book of its tenant `default`.

use harness::{
    ALLOWED_ADDRESS, Answer, Book, Client, Contacts, Installation, Serve, Setup, assert_same, encoded,
    ldif_line, start_serve, within,
};
use std::{fmt::Write, path::PathBuf, time::Duration};

/// How long a feed may be unavailable, even if everything has to be read from the directory.
pub(crate) const BACK: Duration = Duration::from_secs(15);

/// An installation, and the configuration of its processes.
pub(crate) struct Site {
    pub(crate) installation: Installation,
    pub(crate) config: PathBuf,
}

impl Site {
    /// Starts everything, with a Redis and one process.
    pub(crate) fn start(changes: &[(&str, &str)]) -> (Self, Serve) {
        Self::of(Installation::start(Setup::default()), changes)
    }

    /// Starts a process in an installation.
    pub(crate) fn of(installation: Installation, changes: &[(&str, &str)]) -> (Self, Serve) {
        let config = installation.config("site.toml", changes);
        let site = Self { installation, config };
        let serve = site.serve();
        (site, serve)
    }

    /// Starts one more process.
    pub(crate) fn serve(&self) -> Serve {
        start_serve(&self.config, &[])
    }

    /// Creates a number of users directly in the directory: `u0`, `u1`…, called Анна Ким and their number. Returns when
    /// a process shows them.
    pub(crate) fn fill(&self, serve: &Serve, count: usize) {
        let (root, mut ldif) = (self.root(), String::new());
        for number in 0..count {
            let user = user_ldif(&root, "default", &format!("u{number}"), &format!("Ким{number}x"));
            writeln!(ldif, "{user}").unwrap();
        }
        self.installation.probe().modify(&ldif);
        let book = book_of(serve);
        harness::soon("all are seen", || book.page("")["count"] == count + 1);
    }

    /// The root DN.
    pub(crate) fn root(&self) -> String {
        self.installation.probe().root
    }

    /// The expected contents of the address book.
    #[track_caller]
    pub(crate) fn expected_book(&self) -> Contacts {
        self.installation.probe().expected_book("default").all()
    }

    /// Requires that an address book equals the directory now, in every way of reading that needs no feed.
    #[track_caller]
    pub(crate) fn assert_right(&self, what: &str, book: &Book) {
        let found = book.all("all");
        let users = book.client.get("/v2/users/default?limit=1000").column("users", "mail");
        let expected_book = self.installation.probe().expected_book("default");
        assert_same(what, &found, &expected_book.all());
        assert_eq!(users, expected_book.users(), "{what}");
    }

    /// Waits until the feed responds, and requires that it equals the directory.
    #[track_caller]
    pub(crate) fn assert_feed_is_back(&self, what: &str, book: &Book) {
        assert_feed_answers(what, book);
        assert_same(what, book.follower(100).catch_up(), &self.expected_book());
    }

    /// Requires that a change behind the program's back is visible in time.
    #[track_caller]
    pub(crate) fn assert_followed(&self, what: &str, book: &Book, limit: Duration) {
        let mail = format!("u0@{}", harness::DOMAIN);
        let dn = format!("mail={mail},ou=default,ou=People,{}", self.root());
        self.installation.probe().replace(&dn, "title", &[what]);
        let seen =
            within(limit, || book.get(&format!("search={}&view=all", encoded(&mail))).text().contains(what));
        assert!(seen, "{what}: not seen in {limit:?}");
    }
}

/// Creates a user through a process.
#[track_caller]
pub(crate) fn put_user(client: &Client, name: &str) -> Answer {
    let fields = [("userPassword", harness::PASSWORD), ("employeeNumber", "2"), ("cn", name), ("sn", "Made")];
    client.put(format!("/v2/users/default/{name}@example.com"), &harness::form(&fields))
}

/// Waits until the feed responds.
#[track_caller]
pub(crate) fn assert_feed_answers(what: &str, book: &Book) {
    let mut last = None;
    let is_back = within(BACK, || {
        let answer = book.changes("", 1);
        let is_back = answer.status == 200;
        last = Some(answer);
        is_back
    });
    assert!(is_back, "{what}: no feed in {BACK:?}: {last:?}");
}

pub(crate) fn client_of(serve: &Serve) -> Client {
    serve.client().behind(ALLOWED_ADDRESS)
}

pub(crate) fn book_of(serve: &Serve) -> Book {
    Book::new(&client_of(serve), "default")
}

/// LDIF that adds a user, as a synchronisation would.
pub(crate) fn user_ldif(root: &str, tenant: &str, name: &str, last: &str) -> String {
    let mail = format!("{name}@{}", harness::DOMAIN);
    let classes = ["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"];
    let classes = classes.iter().map(|class| ldif_line("objectClass", class)).collect::<Vec<_>>().concat();
    let own = "cn: Анна\ninetUserStatus: 1\nemployeeNumber: 2\nemployeeType: 3\n";
    let dn = format!("mail={mail},ou={tenant},ou=People,{root}");
    format!("dn: {dn}\nchangetype: add\n{classes}mail: {mail}\nsn: {last}\n{own}")
}
