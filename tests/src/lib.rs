//! The common part of the black-box tests: they start a real 389-ds, a real Redis and the real program `pbm`, use them
//! from outside as a client, an administrator or another reader of the directory would, and leave neither a process nor
//! a file behind.
//!
//! [`run`] is the `main` of every test program: it starts one [`World`], and one without Redis if trials need it, runs
//! the trials in them, several at a time, each in a [`Tenant`] of its own, and stops everything.

mod answer;
mod book;
mod client;
mod context;
mod documented;
mod expected_book;
mod follower;
mod installation;
mod maillist;
mod probe;
mod process;
mod programs;
mod redis_probe;
mod resource;
mod runner;
mod serve;
mod tenant;
mod text;
mod world;

pub use answer::{Answer, assert_error};
pub use book::{Book, Contacts, assert_same, difference, json_list};
pub use client::{Client, exchange};
pub use context::Context;
pub use documented::{documented_commands, documented_filter, documented_ldif};
pub use expected_book::ExpectedBook;
pub use follower::{Follower, Step};
pub use installation::{DOMAIN, Installation, Setup};
pub use maillist::{MEMBERS, MailList, NewMailList};
pub use probe::{Entry, Probe, Reader, ldif_line};
pub use process::{BUSY, Finished, alive, run_program, signal, soon, within};
pub use programs::{bench, pbm, program};
pub use redis_probe::{REDIS_PASSWORD, RedisProbe};
pub use resource::{Group, NewResource, Resource};
pub use runner::{Alone, Trials, run, run_without_world};
pub use rustix::process::Signal;
pub use serve::{Serve, start_serve, start_serve_with_small_files};
pub use tenant::{NewUser, PASSWORD, Tenant, User};
pub use text::{encoded, form};
pub use world::{ALLOWED_ADDRESS, World};
