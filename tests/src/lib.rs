//! What the black-box tests have in common: they start a real 389-ds and the real program `pbm`, speak to
//! them from outside as a client, an administrator or another reader of the directory would, and leave
//! neither a process nor a file behind.
//!
//! [`run`] is the `main` of every test program: it starts one [`World`], runs the trials in it, several at a
//! time, each in a [`Tenant`] of its own, and stops everything.

mod answer;
mod client;
mod context;
mod eye;
mod installation;
mod maillist;
mod process;
mod programs;
mod resource;
mod runner;
mod serve;
mod tenant;
mod text;
mod world;

pub use answer::{Answer, assert_error};
pub use client::{Client, exchange};
pub use context::Context;
pub use eye::{Entry, Eye};
pub use installation::{Installation, Setup};
pub use maillist::{MailList, NewMailList};
pub use process::{Finished, alive, run_program, signal, within};
pub use programs::{pbm, program};
pub use resource::{Group, NewResource, Resource};
pub use runner::{Alone, Trials, run, run_without_world};
pub use rustix::process::Signal;
pub use serve::{Serve, start_serve};
pub use tenant::{NewUser, PASSWORD, Tenant, User};
pub use text::{encoded, form};
pub use world::{ALLOWED_ADDRESS, World};
