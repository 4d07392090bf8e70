//! The command-line tools with which the tests inspect servers.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sandbox::{DirectoryServer, RedisServer};
use secrecy::ExposeSecret as _;

pub(crate) fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    input: &str,
) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The output of the program, which must succeed.
pub(crate) fn printed(output: Output) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn as_manager(server: &DirectoryServer) -> [String; 7] {
    let password_file = server.manager_password_file().display().to_string();
    ["-x", "-H", &server.url(), "-D", server.manager_dn(), "-y", &password_file].map(String::from)
}

/// The entry with a DN, as LDIF, empty if it does not exist.
pub(crate) fn entry(server: &DirectoryServer, dn: &str) -> String {
    let search = ["-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn].map(String::from);
    let output = run("ldapsearch", as_manager(server).into_iter().chain(search), "");
    if output.status.code() == Some(32) { String::new() } else { printed(output) }
}

pub(crate) fn add_unit(server: &DirectoryServer, name: &str) {
    let suffix = server.suffix();
    let ldif =
        format!("dn: ou={name},{suffix}\nobjectClass: top\nobjectClass: organizationalUnit\nou: {name}\n");
    printed(run("ldapadd", as_manager(server), &ldif));
}

pub(crate) fn has_unit(server: &DirectoryServer, name: &str) -> bool {
    !entry(server, &format!("ou={name},{}", server.suffix())).is_empty()
}

pub(crate) fn redis(server: &RedisServer, arguments: &[&str]) -> String {
    let url = server.url_with_password();
    let ca = server.ca_file().map(|file| file.display().to_string());
    let mut base = vec!["--no-auth-warning", "-u", url.expose_secret()];
    base.extend(ca.iter().flat_map(|file| ["--cacert", file]));
    printed(run("redis-cli", base.iter().chain(arguments), "")).trim().to_owned()
}

/// The processes whose command line or working folder names this folder, except zombies.
pub(crate) fn processes_in(folder: &Path) -> Vec<u32> {
    let needle = folder.canonicalize().unwrap().display().to_string();
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let arguments = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let works_in = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let servers = ["ns-slapd", "sbin/slapd", "redis-server", "dovecot"];
        let is_server = servers.iter().any(|name| arguments.contains(name));
        (is_server && (arguments.contains(&needle) || works_in.starts_with(&needle))).then_some(pid)
    });
    pids.collect()
}

/// The name of the config folder, which is also the name of the server's files outside its folder.
pub(crate) fn config_folder(folder: &Path) -> String {
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.into_iter().find(|name| name.starts_with("slapd-")).unwrap()
}

pub(crate) fn semaphore(folder: &Path) -> std::path::PathBuf {
    Path::new("/dev/shm").join(format!("sem.{}.stats", config_folder(folder)))
}
