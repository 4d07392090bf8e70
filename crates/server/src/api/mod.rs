//! The requests of the API. Each handler turns parameters into a command of `mail-model`, gives it to
//! `directory`, and its outcome back.

mod authenticate;
mod health;
mod users;

pub use health::Health;

use crate::http::{
    answer::{Failure, Reply},
    dispatch::Call,
    endpoint::Endpoint,
};

/// Does what a request asks for.
///
/// # Errors
/// The [`Failure`] that it is answered with.
pub async fn handle(endpoint: Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    match endpoint {
        Endpoint::Authenticate => authenticate::authenticate(call).await,
        Endpoint::Live => health::live(),
        Endpoint::Ready => health::ready(call).await,
        Endpoint::ListUsers => users::list(call).await,
        Endpoint::CreateUser => users::create(call).await,
        Endpoint::ReadUser => users::read(call).await,
        Endpoint::PatchUser => users::patch(call).await,
        Endpoint::DeleteUser => users::delete(call).await,
        Endpoint::RestoreUser => users::restore(call).await,
    }
}
