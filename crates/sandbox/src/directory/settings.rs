//! Owns the settings of `dse.ldif` that a start sets, and their values.

use super::dse::Dse;
use super::instance::Instance;
use super::options::DirectoryServerOptions;
use super::{Backend, DATABASE, Ports};
use crate::error::SandboxError;

const DATABASES: &str = "cn=config,cn=ldbm database,cn=plugins,cn=config";
/// The number of slots in LMDB's table of readers. Every thread that reads needs one: threads that process requests,
/// one thread for each persistent search, and tasks. A slot takes 64 bytes; a reader that finds none fails.
const MAX_READERS: &str = "512";

/// The number of threads that process requests. On two processors 389-ds has 16. When as many clients wait for the lock
/// of the back end (a deletion can hold it for seconds, decision 17), no thread is left for other clients. A waiting
/// thread costs nothing.
const THREADS: &str = "32";

/// The ports of the last run; 0 in a new folder, and for TLS if it has never been on.
pub(super) fn last_ports(dse: &Dse) -> (u16, u16) {
    let port = |attribute| dse.get("cn=config", attribute).and_then(|port| port.parse().ok()).unwrap_or(0);
    (port("nsslapd-port"), port("nsslapd-secureport"))
}

pub(super) fn suffix(dse: &Dse) -> Option<&str> {
    dse.get(&database(), "nsslapd-suffix")
}

/// The back end of a folder that is set up. If `dse.ldif` does not name one, 389-ds uses Berkeley DB.
pub(super) fn backend_of(dse: &Dse) -> Backend {
    dse.get(DATABASES, "nsslapd-backend-implement").and_then(|name| name.parse().ok()).unwrap_or(Backend::Bdb)
}

fn database() -> String {
    format!("cn={DATABASE},cn=ldbm database,cn=plugins,cn=config")
}

/// Writes the options into the configuration at every start, so that they also apply to an older folder.
pub(super) fn apply(
    dse: &mut Dse,
    instance: &Instance,
    options: &DirectoryServerOptions,
    backend: Backend,
    ports: Ports,
) -> Result<(), SandboxError> {
    apply_listening(dse, instance, ports)?;
    dse.set(
        "cn=config",
        &[
            ("nsslapd-dynamic-plugins", "on"),
            ("nsslapd-threadnumber", THREADS),
            ("nsslapd-maxdescriptors", &options.max_descriptors.to_string()),
        ],
    )?;
    apply_to_library(dse, options, backend)?;
    dse.set(
        &database(),
        &[
            ("nsslapd-cachememsize", &options.entry_cache.to_string()),
            ("nsslapd-dncachememsize", &(32_u64 << 20).to_string()),
        ],
    )?;
    for plugin in &options.plugins {
        dse.set(&format!("cn={plugin},cn=plugins,cn=config"), &[("nsslapd-pluginEnabled", "on")])?;
    }
    Ok(())
}

/// The settings of the database library are in an entry of their own, which the server creates at its first start from
/// the settings in the common entry.
fn apply_to_library(
    dse: &mut Dse,
    options: &DirectoryServerOptions,
    backend: Backend,
) -> Result<(), SandboxError> {
    let own = format!("cn={backend},{DATABASES}");
    let place = if dse.has(&own) { own.as_str() } else { DATABASES };
    let durable = if options.durable { "on" } else { "off" };
    let cache = options.database_cache.to_string();
    // By default the server sizes its caches by the machine's memory: gigabytes for a test.
    dse.set(DATABASES, &[("nsslapd-cache-autosize", "0")])?;
    match backend {
        Backend::Mdb => dse.set(
            place,
            &[
                ("nsslapd-mdb-max-size", &options.database_size.to_string()),
                ("nsslapd-mdb-max-readers", MAX_READERS),
                ("nsslapd-db-durable-transaction", durable),
            ],
        ),
        Backend::Bdb => {
            dse.set(
                DATABASES,
                &[("nsslapd-import-cache-autosize", "0"), ("nsslapd-import-cachesize", &cache)],
            )?;
            dse.set(place, &[("nsslapd-dbcachesize", &cache), ("nsslapd-db-durable-transaction", durable)])
        }
    }
}

fn apply_listening(dse: &mut Dse, instance: &Instance, ports: Ports) -> Result<(), SandboxError> {
    dse.set(
        "cn=config",
        &[
            ("nsslapd-listenhost", "127.0.0.1"),
            ("nsslapd-port", &ports.plain.to_string()),
            ("nsslapd-ldapilisten", "on"),
            ("nsslapd-ldapifilepath", &instance.socket().display().to_string()),
            ("nsslapd-security", if ports.tls.is_some() { "on" } else { "off" }),
        ],
    )?;
    if let Some(port) = ports.tls {
        dse.set(
            "cn=config",
            &[("nsslapd-securelistenhost", "127.0.0.1"), ("nsslapd-secureport", &port.to_string())],
        )?;
    }
    Ok(())
}
