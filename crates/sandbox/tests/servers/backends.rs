//! The database library: chosen at the first start, kept afterwards, configured as the options say.

use sandbox::{Backend, DirectoryServer, SandboxError};
use tempfile::TempDir;

use crate::commands::{add_unit, entry, has_unit};

const DATABASES: &str = "cn=config,cn=ldbm database,cn=plugins,cn=config";

#[test]
fn the_choice_outlives_a_kill_and_is_kept() {
    for (backend, other) in [(Backend::Mdb, Backend::Bdb), (Backend::Bdb, Backend::Mdb)] {
        let folder = TempDir::new().unwrap();
        let mut server = DirectoryServer::in_folder(folder.path()).backend(backend).start().unwrap();
        assert_eq!(server.backend(), backend);
        let config = entry(&server, DATABASES);
        assert!(config.contains(&format!("nsslapd-backend-implement: {backend}")), "{config}");
        assert_eq!(folder.path().join("db/data.mdb").exists(), backend == Backend::Mdb);
        add_unit(&server, "kept");
        server.kill();
        server.start_again().unwrap();
        assert!(has_unit(&server, "kept"));
        drop(server);

        let refused = DirectoryServer::in_folder(folder.path()).backend(other).start().unwrap_err();
        assert!(matches!(refused, SandboxError::OtherBackend { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("back end {backend}, not {other}")), "{refused}");
        let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
        assert_eq!(server.backend(), backend);
        assert!(has_unit(&server, "kept"));
    }
}

#[test]
fn lmdb_is_the_default_and_follows_the_options_at_each_start() {
    let folder = TempDir::new().unwrap();
    let own = format!("cn=mdb,{DATABASES}");
    for (size, durable) in [(1_u64 << 30, true), (2 << 30, false)] {
        let options = DirectoryServer::in_folder(folder.path()).database_size(size).durable(durable);
        let server = options.start().unwrap();
        assert_eq!(server.backend(), Backend::Mdb);
        let config = entry(&server, &own);
        let durable = if durable { "on" } else { "off" };
        for line in [
            format!("nsslapd-mdb-max-size: {size}\n"),
            "nsslapd-mdb-max-readers: 512\n".to_owned(),
            format!("nsslapd-db-durable-transaction: {durable}\n"),
        ] {
            assert!(config.contains(&line), "{line} is not in {config}");
        }
        // The size with which the server opened the database.
        let opened = std::fs::read_to_string(folder.path().join("db/INFO.mdb")).unwrap();
        assert!(opened.contains(&format!("MAXSIZE={size}\n")), "{opened}");
        assert!(opened.contains("MAXREADERS=512\n"), "{opened}");
    }
}

#[test]
fn berkeley_db_follows_the_options_at_each_start() {
    let folder = TempDir::new().unwrap();
    let own = format!("cn=bdb,{DATABASES}");
    for (cache, durable) in [(16_u64 << 20, true), (32 << 20, false)] {
        let options = DirectoryServer::in_folder(folder.path()).backend(Backend::Bdb);
        let server = options.database_cache(cache).durable(durable).start().unwrap();
        let config = entry(&server, &own);
        let durable = if durable { "on" } else { "off" };
        for line in [
            format!("nsslapd-dbcachesize: {cache}\n"),
            format!("nsslapd-db-durable-transaction: {durable}\n"),
        ] {
            assert!(config.contains(&line), "{line} is not in {config}");
        }
    }
}
