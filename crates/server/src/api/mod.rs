//! The requests of the API. Each handler turns parameters into a command of `mail-model`, gives it to
//! `directory`, and its outcome back.

mod authenticate;
mod health;
pub(crate) mod users;

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
    // Boxed, since each request's future is as large as the largest handler's that is not; reading one user
    // is what is asked for most.
    match endpoint {
        Endpoint::Authenticate => Box::pin(authenticate::authenticate(call)).await,
        Endpoint::Live => health::live(),
        Endpoint::Ready => Box::pin(health::ready(call)).await,
        Endpoint::ListUsers => Box::pin(users::list(call)).await,
        Endpoint::CreateUser => Box::pin(users::create(call)).await,
        Endpoint::ReadUser => users::read(call).await,
        Endpoint::PatchUser => Box::pin(users::patch(call)).await,
        Endpoint::DeleteUser => Box::pin(users::delete(call)).await,
        Endpoint::RestoreUser => Box::pin(users::restore(call)).await,
    }
}
