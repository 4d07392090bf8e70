//! `pbm tenant`: administration of tenants.

use super::{ConfigArgs, Outcome, block_on, patient, print::say};
use crate::config::Config;
use administration::{Administration, caller::Actor, changes::Observers};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use directory::{Directory, changing::WriteError};
use mail_model::{address::Domain, tenant::TenantId};
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct TenantArgs {
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Create a tenant.
    #[command(
        after_help = "Exit code: 0 when it is made, 1 when its name or domain is taken or the directory failed, 2 when the command \
        line or the configuration is wrong."
    )]
    Create {
        #[command(flatten)]
        config: ConfigArgs,
        /// Tenant ID: 1 to 64 of a-z, 0-9, '-', '_' and '.'.
        id: String,
        /// A mail domain of the tenant.
        #[arg(long)]
        domain: String,
    },
}

impl TenantArgs {
    pub(super) fn config(&self) -> &ConfigArgs {
        match &self.command {
            TenantCommand::Create { config, .. } => config,
        }
    }
}

pub(super) fn tenant(config: &Config, args: &TenantArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let TenantCommand::Create { id, domain, .. } = &args.command;
    let id = TenantId::parse(id).with_context(|| format!("{id:?}"))?;
    let domain = Domain::parse(domain).with_context(|| format!("{domain:?}"))?;
    let directory = patient(Directory::new(config.ldap_shared(), config.tree.clone()));
    block_on(async {
        if let Some(owner) = directory.tenant_of_domain(&domain).await? {
            bail!("{domain} is served by the tenant {owner} already");
        }
        // No observers: a command that ends has no caches.
        let administration = Administration::new(directory, None, Observers::new(Vec::new()));
        match administration.create_tenant(&Actor::Operator, &id, &domain).await {
            Ok(()) => say!("made the tenant {id}, which serves {domain}"),
            Err(WriteError::NameTaken(taken)) if taken.name == id.as_str() => {
                bail!("there is a tenant {id} already")
            }
            Err(error) => return Err(error.into()),
        }
        Ok(ExitCode::SUCCESS)
    })
}
