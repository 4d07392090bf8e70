//! Behaviour over time: deletion and purge, and a directory, a Redis, a mail server or a process that fails.

mod chaos;
mod corruption;
mod deletion;
mod doubt;
mod etcd;
mod etcd_failure;
mod etcd_site;
mod failure;
mod gate;
mod group_deletion;
mod hang;
mod large_lists;
mod load;
mod outside_members;
mod purge;
mod recall;
mod redis_failure;
mod redis_refusals;
mod replicas;
mod running;
mod sentinel;
mod site;
mod stale_book;
mod sync;
mod sync_samba;
mod sync_sources;
mod tenant_purge;

use harness::Trials;
use std::process::ExitCode;

const TRIALS: &[Trials] = &[
    // The longest first, so that the others run concurrently.
    corruption::TRIALS,
    large_lists::TRIALS,
    chaos::TRIALS,
    deletion::TRIALS,
    purge::TRIALS,
    tenant_purge::TRIALS,
    outside_members::TRIALS,
    group_deletion::TRIALS,
    doubt::TRIALS,
    etcd::TRIALS,
    etcd_failure::TRIALS,
    failure::TRIALS,
    hang::TRIALS,
    redis_failure::TRIALS,
    redis_refusals::TRIALS,
    replicas::TRIALS,
    sentinel::TRIALS,
    stale_book::TRIALS,
    sync::TRIALS,
    sync_sources::TRIALS,
    recall::messages::TRIALS,
    recall::addresses::TRIALS,
    recall::broken::TRIALS,
];

fn main() -> ExitCode {
    let with_samba = std::env::var_os("PBM_SAMBA").map(|_| sync_samba::TRIALS);
    harness::run(&TRIALS.iter().copied().chain(with_samba).collect::<Vec<_>>())
}
