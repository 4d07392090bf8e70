//! Independent access to the directory: the commands of the package ldap-utils, bound as the Directory Manager or as a
//! user with its own password.

use crate::{
    process::{Finished, run_program, within},
    programs,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sandbox::DirectoryServer;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long a task of 389-ds may take.
const TASK: Duration = Duration::from_secs(120);

/// Reads and changes one directory directly.
#[derive(Clone, Debug)]
pub struct Probe {
    url: String,
    manager: &'static str,
    password_file: PathBuf,
    /// The root DN.
    pub root: String,
}

/// An entry in LDIF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its DN.
    pub dn: String,
    values: Vec<(String, String)>,
}

impl Entry {
    /// The values of an attribute.
    pub fn all(&self, attribute: &str) -> Vec<&str> {
        let named = self.values.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The only value of an attribute; empty if there is none.
    #[track_caller]
    pub fn one(&self, attribute: &str) -> &str {
        let values = self.all(attribute);
        assert!(values.len() <= 1, "{attribute}: {values:?}");
        values.first().copied().unwrap_or_default()
    }

    /// All attributes, in lower case, and their values, in alphabetical order.
    pub fn in_order(&self) -> Vec<(String, &str)> {
        let mut all: Vec<_> =
            self.values.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
        all.sort_unstable();
        all
    }

    /// The same entry without some attributes.
    pub fn without(mut self, attributes: &[&str]) -> Self {
        self.values
            .retain(|(name, _)| attributes.iter().all(|attribute| !name.eq_ignore_ascii_case(attribute)));
        self
    }
}

/// Searches that continue until this value is dropped.
pub struct Reader {
    child: Child,
    feeder: Option<JoinHandle<()>>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may already have ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(feeder) = self.feeder.take() {
            let _over = feeder.join();
        }
    }
}

impl Probe {
    /// Access to a directory.
    pub fn new(directory: &DirectoryServer) -> Self {
        Self {
            url: directory.url(),
            manager: directory.manager_dn(),
            password_file: directory.manager_password_file().to_path_buf(),
            root: directory.suffix().to_owned(),
        }
    }

    /// The entries below the root that a filter finds, with their user attributes and the lock.
    #[track_caller]
    pub fn find(&self, filter: &str) -> Vec<Entry> {
        self.search(&self.root, "sub", filter)
    }

    /// The only entry that a filter finds.
    #[track_caller]
    pub fn find_one(&self, filter: &str) -> Entry {
        let mut found = self.find(filter);
        assert_eq!(found.len(), 1, "{filter}: {found:?}");
        found.remove(0)
    }

    /// The entry with an address of its own.
    #[track_caller]
    pub fn user(&self, mail: &str) -> Entry {
        self.find_one(&format!("(&(objectClass=pbmUser)(mail={}))", escaped(mail)))
    }

    /// The entry with a DN.
    pub fn entry(&self, dn: &str) -> Option<Entry> {
        self.search(dn, "base", "(objectClass=*)").pop()
    }

    /// A search as the Directory Manager.
    #[track_caller]
    pub fn search(&self, base: &str, scope: &str, filter: &str) -> Vec<Entry> {
        self.search_with(&[], base, scope, filter)
    }

    /// A search of one entry as the Directory Manager; returns the outcome.
    pub fn try_search(&self, base: &str, filter: &str) -> Finished {
        self.as_manager("ldapsearch", &["-LLL", "-s", "base", "-b", base, filter, "1.1"], "")
    }

    /// A search that returns some more operational attributes.
    #[track_caller]
    pub fn search_with(&self, more: &[&str], base: &str, scope: &str, filter: &str) -> Vec<Entry> {
        let search = ["-LLL", "-o", "ldif-wrap=no", "-s", scope, "-b", base, filter, "*", "nsAccountLock"];
        let search = [&search, more].concat();
        let found = self.as_manager("ldapsearch", &search, "");
        if found.code == 32 { Vec::new() } else { entries(&found.expect_success().stdout) }
    }

    /// Reads a subtree repeatedly, thousands of times per second, until the returned value is dropped.
    pub fn reader(&self, base: &str) -> Reader {
        let searches = ["-f", "-", "-s", "sub", "-b", base, "(objectClass=%s)", "1.1"];
        let child = Command::new(programs::program("ldapsearch"))
            .args([
                "-x",
                "-c",
                "-H",
                &self.url,
                "-D",
                self.manager,
                "-y",
                self.password_file.to_str().unwrap(),
            ])
            .args(searches)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        let mut filters = child.stdin.take().unwrap();
        // One search for each line; the pipe breaks when the program is killed.
        let feeder = thread::spawn(move || while filters.write_all(&b"*\n".repeat(1000)).is_ok() {});
        Reader { child, feeder: Some(feeder) }
    }

    /// Replaces an attribute of an entry; without values, removes it.
    #[track_caller]
    pub fn replace(&self, dn: &str, attribute: &str, values: &[&str]) {
        let lines: Vec<_> = values.iter().map(|value| ldif_line(attribute, value)).collect();
        let change = format!("replace: {attribute}\n{}", lines.concat());
        self.modify(&format!("{}changetype: modify\n{change}", ldif_line("dn", dn)));
    }

    /// Renames an entry, and moves it if a parent is given.
    #[track_caller]
    pub fn rename(&self, dn: &str, rdn: &str, superior: Option<&str>) {
        let superior = superior.map(|dn| ldif_line("newsuperior", dn)).unwrap_or_default();
        let new = format!("changetype: modrdn\n{}deleteoldrdn: 1\n{superior}", ldif_line("newrdn", rdn));
        self.modify(&format!("{}{new}", ldif_line("dn", dn)));
    }

    /// Removes an entry.
    #[track_caller]
    pub fn delete(&self, dn: &str) {
        self.modify(&format!("{}changetype: delete\n", ldif_line("dn", dn)));
    }

    /// Applies LDIF change records; returns the outcome.
    pub fn try_modify(&self, ldif: &str) -> Finished {
        self.as_manager("ldapmodify", &[], ldif)
    }

    /// Applies LDIF change records.
    #[track_caller]
    pub fn modify(&self, ldif: &str) {
        self.try_modify(ldif).expect_success();
    }

    /// Runs an `import` or `export` task of 389-ds with a file, and returns when the server takes changes again.
    #[track_caller]
    pub(crate) fn run_task(&self, kind: &str, file: &Path) {
        let dn = format!("cn=tests,cn={kind},cn=tasks,cn=config");
        let own = format!("cn: tests\nnsInstance: userRoot\nnsFilename: {}\n", file.display());
        self.modify(&format!("dn: {dn}\nchangetype: add\nobjectClass: extensibleObject\n{own}"));
        let code = || self.entry(&dn).map_or("0".to_owned(), |task| task.one("nsTaskExitCode").to_owned());
        assert!(within(TASK, || !code().is_empty()), "the task {kind} does not end");
        assert_eq!(code(), "0", "the task {kind}");
        // On LMDB the back end is read-only for a moment after the end of a task.
        let touch = format!("dn: {}\nchangetype: modify\nreplace: description\n", self.root);
        assert!(within(TASK, || self.try_modify(&touch).code == 0), "no changes after the task {kind}");
    }

    /// Whether the directory accepts a bind with a password.
    pub fn accepts_bind(&self, dn: &str, password: &str) -> bool {
        let arguments = ["-x", "-H", &self.url, "-D", dn, "-w", password];
        let outcome = run_program(&programs::program("ldapwhoami"), arguments, &[], "");
        match outcome.code {
            0 => {
                assert_eq!(outcome.stdout.trim().to_lowercase(), format!("dn: {}", dn.to_lowercase()));
                true
            }
            // invalidCredentials, unwillingToPerform
            49 | 53 => false,
            _ => panic!("{outcome:?}"),
        }
    }

    /// A search of one entry as another account.
    pub fn search_as(&self, dn: &str, password: &str, base: &str, filter: &str) -> Finished {
        let arguments =
            ["-x", "-LLL", "-H", &self.url, "-D", dn, "-w", password, "-s", "base", "-b", base, filter];
        run_program(&programs::program("ldapsearch"), arguments, &[], "")
    }

    /// The entries that another account finds below an entry.
    pub fn search_below_as(&self, dn: &str, password: &str, base: &str, filter: &str) -> Finished {
        let arguments = [
            "-x",
            "-LLL",
            "-o",
            "ldif-wrap=no",
            "-H",
            &self.url,
            "-D",
            dn,
            "-w",
            password,
            "-b",
            base,
            filter,
        ];
        run_program(&programs::program("ldapsearch"), arguments, &[], "")
    }

    /// Everything that another account may read of one entry, including operational attributes and passwords.
    pub fn read_everything_as(&self, dn: &str, password: &str, base: &str, filter: &str) -> Finished {
        let bind = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", &self.url, "-D", dn, "-w", password];
        let search = ["-s", "base", "-b", base, filter, "*", "+", "userPassword", "passwordHistory"];
        run_program(&programs::program("ldapsearch"), bind.iter().chain(&search), &[], "")
    }

    /// Applies LDIF change records as another account.
    pub fn modify_as(&self, dn: &str, password: &str, ldif: &str) -> Finished {
        let arguments = ["-x", "-H", &self.url, "-D", dn, "-w", password];
        run_program(&programs::program("ldapmodify"), arguments, &[], ldif)
    }

    fn as_manager(&self, program: &str, arguments: &[&str], input: &str) -> Finished {
        let password_file = self.password_file.to_str().unwrap();
        let bind = ["-x", "-H", &self.url, "-D", self.manager, "-y", password_file];
        run_program(&programs::program(program), bind.iter().chain(arguments), &[], input)
    }
}

/// A line of LDIF for any value (RFC 2849).
pub fn ldif_line(attribute: &str, value: &str) -> String {
    format!("{attribute}:: {}\n", BASE64_STANDARD.encode(value))
}

/// A value in a filter (RFC 4515).
fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("\\{byte:02x}") };
    value.bytes().map(escape).collect()
}

fn entries(ldif: &str) -> Vec<Entry> {
    let records = ldif.split("\n\n").filter(|record| record.starts_with("dn:"));
    records
        .map(|record| {
            let mut values: Vec<_> = record.lines().filter_map(value_of).collect();
            let (_, dn) = values.remove(0);
            Entry { dn, values }
        })
        .collect()
}

fn value_of(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let value = match value.strip_prefix(':') {
        // Binary values, such as a photo, stay in base64.
        Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?)
            .unwrap_or_else(|_| encoded.trim().to_owned()),
        None => value.trim_start().to_owned(),
    };
    Some((name.to_owned(), value))
}
