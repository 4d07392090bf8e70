//! Owns which settings of `dse.ldif` a start decides, and to what.

use super::dse::Dse;
use super::instance::Instance;
use super::options::DirectoryServerOptions;
use super::{BACKEND, Ports};
use crate::error::SandboxError;

const DATABASES: &str = "cn=config,cn=ldbm database,cn=plugins,cn=config";

/// The ports of the last run; 0 stands in a new folder, and where TLS has never been on.
pub(super) fn last_ports(dse: &Dse) -> (u16, u16) {
    let port = |attribute| dse.get("cn=config", attribute).and_then(|port| port.parse().ok()).unwrap_or(0);
    (port("nsslapd-port"), port("nsslapd-secureport"))
}

pub(super) fn suffix(dse: &Dse) -> Option<&str> {
    dse.get(&backend(), "nsslapd-suffix")
}

fn backend() -> String {
    format!("cn={BACKEND},cn=ldbm database,cn=plugins,cn=config")
}

/// Writes the options into the configuration, at every start, so that an older folder follows them too.
pub(super) fn apply(
    dse: &mut Dse,
    instance: &Instance,
    options: &DirectoryServerOptions,
    ports: Ports,
) -> Result<(), SandboxError> {
    apply_listening(dse, instance, ports)?;
    dse.set(
        "cn=config",
        &[
            ("nsslapd-dynamic-plugins", "on"),
            ("nsslapd-maxdescriptors", &options.max_descriptors.to_string()),
        ],
    )?;
    // Left to itself the server sizes its caches by the machine's memory, gigabytes for a test.
    dse.set(
        DATABASES,
        &[
            ("nsslapd-cache-autosize", "0"),
            ("nsslapd-dbcachesize", &options.database_cache.to_string()),
            ("nsslapd-import-cache-autosize", "0"),
            ("nsslapd-import-cachesize", &options.database_cache.to_string()),
            ("nsslapd-db-durable-transaction", if options.durable { "on" } else { "off" }),
        ],
    )?;
    dse.set(
        &backend(),
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
