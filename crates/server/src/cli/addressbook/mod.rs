//! `pbm addressbook`: the address book of a tenant over the API.

mod changes;
mod client;
mod follow;
mod follower;
mod state;

use super::Outcome;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(super) struct AddressBookArgs {
    #[command(subcommand)]
    command: AddressBookCommand,
}

#[derive(Subcommand)]
enum AddressBookCommand {
    /// Print the contacts of a tenant and then every change to them, to maintain a copy elsewhere.
    Follow(follow::FollowArgs),
}

pub(super) fn addressbook(args: AddressBookArgs) -> Outcome {
    match args.command {
        AddressBookCommand::Follow(args) => follow::follow(args),
    }
}
