//! The directory server: the state after a start, and the state that a later start continues.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use sandbox::{DirectoryServer, SandboxError};
use tempfile::TempDir;

use crate::commands::{add_unit, entry, has_unit, printed, processes_in, run, semaphore};

const PLUGINS: [&str; 5] = [
    "USN",
    "Retro Changelog Plugin",
    "Content Synchronization",
    "MemberOf Plugin",
    "referential integrity postoperation",
];

#[test]
fn starts_answers_and_stops_without_a_trace() {
    let folder = TempDir::new().unwrap();
    let before = Instant::now();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    println!("start: {:?}", before.elapsed());
    assert!(entry(&server, "dc=example,dc=com").contains("dc: example"));
    assert!(!entry(&server, "cn=USN,cn=plugins,cn=config").contains("nsslapd-pluginEnabled: on"));
    assert_eq!(processes_in(folder.path()), [server.pid().unwrap()]);
    assert!(semaphore(folder.path()).exists());

    let before = Instant::now();
    server.stop();
    println!("stop: {:?}", before.elapsed());
    assert_eq!(server.pid(), None);
    assert_eq!(processes_in(folder.path()), []);
    assert!(!semaphore(folder.path()).exists());
}

#[test]
fn data_outlives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    let url = server.url();
    add_unit(&server, "kept");
    server.kill();
    assert_eq!(processes_in(folder.path()), []);
    let before = Instant::now();
    server.start_again().unwrap();
    println!("start after a kill: {:?}", before.elapsed());
    assert!(has_unit(&server, "kept"));
    assert_eq!(server.url(), url);
    let pid = server.pid();
    server.start_again().unwrap();
    assert_eq!(server.pid(), pid, "a running server is left alone");
}

#[test]
fn a_folder_continues_on_the_same_port_with_the_same_password() {
    let folder = TempDir::new().unwrap();
    let server = DirectoryServer::in_folder(folder.path()).suffix("o=Example Works").start().unwrap();
    add_unit(&server, "kept");
    let (url, password) = (server.url(), fs::read(server.manager_password_file()).unwrap());
    assert_eq!(server.manager_password_file().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    drop(server);

    let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert_eq!(server.suffix(), "o=Example Works");
    assert!(has_unit(&server, "kept"));
    assert_eq!((server.url(), fs::read(server.manager_password_file()).unwrap()), (url, password));
    drop(server);

    let other = DirectoryServer::in_folder(folder.path()).suffix("dc=other").start();
    assert!(matches!(other, Err(SandboxError::OtherSuffix { .. })));
}

#[test]
fn a_taken_port_is_left_for_another_one() {
    let folder = TempDir::new().unwrap();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    let url = server.url();
    server.kill();
    let squatter = std::net::TcpListener::bind(url.strip_prefix("ldap://").unwrap()).unwrap();
    assert!(matches!(server.start_again(), Err(SandboxError::PortTaken { .. })));
    drop(server);

    let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert_ne!(server.url(), url);
    assert!(!entry(&server, server.suffix()).is_empty());
    drop(squatter);
}

#[test]
fn two_servers_run_at_once() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let one = DirectoryServer::in_folder(one.path()).start().unwrap();
    let two = DirectoryServer::in_folder(two.path()).start().unwrap();
    add_unit(&one, "first");
    assert!(has_unit(&one, "first"));
    assert!(!has_unit(&two, "first"));
    let again = DirectoryServer::in_folder(one.folder()).start();
    assert!(matches!(again, Err(SandboxError::FolderInUse { .. })));
    assert!(has_unit(&one, "first"));
}

#[test]
fn plugins_are_on_from_the_first_entry() {
    let folder = TempDir::new().unwrap();
    let options = DirectoryServer::in_folder(folder.path()).plugins(&PLUGINS);
    let server = options.durable(false).max_descriptors(512).start().unwrap();
    for plugin in PLUGINS {
        let plugin = entry(&server, &format!("cn={plugin},cn=plugins,cn=config"));
        assert!(plugin.to_lowercase().contains("nsslapd-pluginenabled: on"), "{plugin}");
    }
    let arguments = ["-x", "-LLL", "-H", &server.url(), "-s", "base", "-b", "", "lastusn"];
    assert!(printed(run("ldapsearch", arguments, "")).contains("lastusn;userroot: "));
}

#[test]
fn an_unknown_plugin_is_named() {
    let folder = TempDir::new().unwrap();
    let error = DirectoryServer::in_folder(folder.path()).plugins(&["Nonsense"]).start().unwrap_err();
    assert!(error.to_string().ends_with("has no entry cn=Nonsense,cn=plugins,cn=config"), "{error}");
    DirectoryServer::in_folder(folder.path()).start().unwrap();
}

#[test]
fn the_local_socket_knows_the_manager_even_under_a_long_path() {
    let folder = TempDir::new().unwrap();
    let long = folder.path().join("x".repeat(120));
    let mut server = DirectoryServer::in_folder(&long).start().unwrap();
    let whoami = run("ldapwhoami", ["-Q", "-Y", "EXTERNAL", "-H", &server.ldapi_url()], "");
    assert_eq!(printed(whoami).trim(), "dn: cn=Directory Manager");
    let short = format!("/tmp/{}", crate::commands::config_folder(&long));
    assert!(fs::exists(&short).unwrap());
    server.stop();
    assert!(!fs::exists(&short).unwrap());
}

#[test]
fn a_file_is_loaded_before_the_first_start() {
    let folder = TempDir::new().unwrap();
    let ldif = folder.path().join("load.ldif");
    let top = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\ndescription: loaded\n\n";
    let unit = "dn: ou=loaded,dc=example,dc=com\nobjectClass: organizationalUnit\nou: loaded\n";
    fs::write(&ldif, format!("{top}{unit}")).unwrap();
    let server = DirectoryServer::in_folder(folder.path().join("ds")).import_ldif(&ldif).start().unwrap();
    assert!(entry(&server, server.suffix()).contains("description: loaded"));
    assert!(has_unit(&server, "loaded"));

    fs::write(&ldif, unit).unwrap();
    let error = DirectoryServer::in_folder(folder.path().join("bad")).import_ldif(&ldif).start().unwrap_err();
    assert!(error.to_string().contains("which has no parent"), "{error}");
}

#[test]
fn extra_schema_is_known_and_a_broken_one_is_shown() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("schema.ldif");
    let attribute = "( 1.3.6.1.4.1.99999.1 NAME 'sandboxShoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
    fs::write(&file, format!("dn: cn=schema\nattributeTypes: {attribute}\n")).unwrap();
    let server = DirectoryServer::in_folder(folder.path().join("ds")).extra_schema(&file).start().unwrap();
    let arguments = ["-x", "-LLL", "-H", &server.url(), "-s", "base", "-b", "cn=schema", "attributeTypes"];
    assert!(printed(run("ldapsearch", arguments, "")).contains("sandboxShoeSize"));

    fs::write(&file, "dn: cn=schema\nattributeTypes: nonsense\n").unwrap();
    let error =
        DirectoryServer::in_folder(folder.path().join("bad")).extra_schema(&file).start().unwrap_err();
    assert!(
        matches!(&error, SandboxError::DidNotStart { lines, .. } if lines.contains("98sandbox00.ldif")),
        "{error}"
    );
}

#[test]
fn a_missing_program_names_its_package() {
    let folder = TempDir::new().unwrap();
    let ds = folder.path().join("ds");
    let error = DirectoryServer::in_folder(&ds).programs_in(folder.path()).start().unwrap_err();
    assert_eq!(error.to_string(), "ns-slapd not found: apt-get install 389-ds-base");
    assert!(!ds.exists());
}

#[test]
fn a_folder_with_other_files_is_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = DirectoryServer::in_folder(folder.path()).start().unwrap_err();
    assert!(matches!(error, SandboxError::ForeignFolder { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
