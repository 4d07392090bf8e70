//! `pbm sync`: synchronizes a tenant with a source.

use super::{
    ConfigArgs, Outcome, block_on, patient,
    print::{say, tell, to_stderr},
};
use crate::config::Config;
use administration::{
    policy::Reach,
    sync::{Begun, PlanLine, PlannedOp, SyncError, SyncRequest, Syncs, present},
};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use directory::Directory;
use mail_model::{
    run::{Counts, Refused, Report, Source, State, Subject},
    tenant::TenantId,
};
use std::{io::IsTerminal, process::ExitCode, time::Duration};
use visible_text::{Visible, VisibleWhole};

/// How often the progress of a run is shown.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args)]
#[command(
    after_help = "Without --users and --groups, both are synchronized.\n\nAll of the source is read before anything is \
    written; if it cannot be read to its end, nothing is changed.\n\nExit code: 0 when all is done, even if single \
    entries were left out; 1 when the source or the directory failed, or removals were refused; 2 when the command line \
    or the configuration is wrong."
)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The source.
    source: SourceName,
    /// The tenant.
    #[arg(long, value_name = "ID")]
    tenant: String,
    #[command(flatten)]
    subjects: Subjects,
    /// Print what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Remove even more entries than `sync.removal_limit` allows.
    #[arg(long)]
    force: bool,
    /// Read only what has changed, if the source can tell and a whole run was not long ago.
    #[arg(long)]
    quick: bool,
}

/// What is synchronized; everything if neither is named.
#[derive(Args)]
struct Subjects {
    /// People: contacts, and the cards of users.
    #[arg(long)]
    users: bool,
    /// Groups: mailing lists.
    #[arg(long)]
    groups: bool,
}

/// A source on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum SourceName {
    /// Active Directory or another directory.
    Ad,
    /// Bitrix24.
    Bitrix24,
}

impl SyncArgs {
    fn requests(&self, tenant: &TenantId) -> anyhow::Result<Vec<SyncRequest>> {
        let source = match self.source {
            SourceName::Ad => Source::Directory,
            SourceName::Bitrix24 => Source::Bitrix24,
        };
        let Subjects { users, groups } = self.subjects;
        if groups && source == Source::Bitrix24 {
            bail!("Bitrix24 has no groups with addresses: leave out --groups");
        }
        let both = !users && !groups;
        let has_groups = source == Source::Directory && (groups || both);
        let people = (users || both).then_some(Subject::People);
        let subjects = people.into_iter().chain(has_groups.then_some(Subject::Groups));
        Ok(subjects
            .map(|subject| SyncRequest {
                tenant: tenant.clone(),
                source,
                subject,
                force: self.force,
                may_be_quick: self.quick,
            })
            .collect())
    }
}

pub(super) fn sync(config: &Config, args: &SyncArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let tenant = TenantId::parse(&args.tenant).with_context(|| format!("{:?}", args.tenant))?;
    let requests = args.requests(&tenant)?;
    let (ldap, tree) = (config.ldap_shared(), config.tree.clone());
    let open = move || patient(Directory::new(ldap.clone(), tree.clone()));
    let directory = open();
    let syncs = Syncs::new(config.sync.settings.clone(), open);
    let is_set_up = |request: &SyncRequest| syncs.settings().reader(request.source, &tenant).is_some();
    if !requests.iter().all(is_set_up) {
        tell!("pbm: {}", SyncError::NotSetUp);
        return Ok(ExitCode::from(2));
    }
    block_on(async {
        let mut is_well = true;
        for request in requests {
            if !is_well {
                tell!(
                    "groups: not synchronized, since their members are people, who were not all synchronized"
                );
                break;
            }
            let report = if args.dry_run {
                Box::pin(syncs.try_out(&directory, &request, Reach::Everything, &mut print)).await?
            } else {
                Box::pin(run(&syncs, &directory, request)).await?
            };
            conclude(&report, args.dry_run);
            is_well &= report.is_complete();
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Synchronizes. If another process does so already, waits for it, and begins a run only if that one has failed.
async fn run(syncs: &Syncs, directory: &Directory, request: SyncRequest) -> anyhow::Result<Report> {
    let begun = syncs.begin(directory, request.clone(), Reach::Everything).await?;
    if !begun.is_joined {
        return end_of(directory, &begun).await;
    }
    tell!("Another process synchronizes this already; waiting for its end.");
    let report = end_of(directory, &begun).await?;
    if report.state == State::Done {
        return Ok(report);
    }
    let begun = syncs.begin(directory, request, Reach::Everything).await?;
    end_of(directory, &begun).await
}

/// Waits for the end of a run, and shows the progress.
async fn end_of(directory: &Directory, begun: &Begun) -> anyhow::Result<Report> {
    let is_terminal = std::io::stderr().is_terminal();
    loop {
        let report = present(directory, &begun.id).await?.context("the run is not there any more")?;
        let Counts { read, added, updated, removed, .. } = report.counts;
        if is_terminal {
            to_stderr(format_args!("\r{read} read, {added} added, {updated} updated, {removed} removed "));
        }
        if report.state != State::Running {
            if is_terminal {
                tell!("");
            }
            return Ok(report);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn print(line: PlanLine) -> bool {
    let PlanLine { op, mail, about, .. } = line;
    match op {
        PlannedOp::Add => say!("add {mail}"),
        PlannedOp::Update if about.is_empty() => say!("update {mail}: mark of the source"),
        PlannedOp::Update => say!("update {mail}: {}", about.join(", ")),
        PlannedOp::Remove => say!("remove {mail}"),
        PlannedOp::Refuse => say!("leave out {}: {}", Visible(&mail), VisibleWhole(&about.join("; "))),
    }
    true
}

fn conclude(report: &Report, is_dry: bool) {
    let Counts { read, added, updated, unchanged, removed, refused } = report.counts;
    let would = if is_dry { "would be " } else { "" };
    say!(
        "{}: {read} read; {would}{added} added, {updated} updated, {removed} removed; {unchanged} unchanged, {refused} \
         left out",
        report.subject.name()
    );
    if !is_dry {
        for Refused { what, why } in &report.refused {
            say!("  {}: {}", Visible(what), VisibleWhole(why));
        }
        let more = refused.saturating_sub(report.refused.len() as u64);
        if more > 0 {
            say!("  and {more} more");
        }
    }
    if let Some(message) = &report.message {
        tell!("pbm: {message}");
    }
}
