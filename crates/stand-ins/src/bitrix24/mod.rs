//! A portal of Bitrix24: its REST API with an incoming webhook, as far as a reader of people needs it.
//!
//! The methods are `user.get`, `user.search`, `user.current`, `user.fields`, `department.get`, `department.fields`,
//! `profile`, `scope`, `methods` and `batch`. Pages have 50 rows; `start=-1` does not count. In `batch`, `$result[…]` is
//! replaced. Not there: everything that writes, OAuth, XML, and the API's version 3.
//!
//! The facts are from the public documentation, repository `bitrix24/b24restdocs`.

mod batch;
mod company;
mod fault;
mod filter;
mod generate;
mod limits;
mod methods;
mod parameters;
mod portal;
mod scopes;

pub use company::{Company, Person};
pub use fault::{Call, Fault};
pub use limits::Limits;
pub use portal::{Portal, PortalOptions};
