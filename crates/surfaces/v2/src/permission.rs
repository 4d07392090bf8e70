//! Authentication and authorization: the caller by the token or the client's address, and their rights by the table of
//! rights.

use super::{
    answer::{Failure, TOKEN_EXPIRED},
    call::Names,
    services::{LiveSettings, Services},
};
use crate::endpoint::{Access, Endpoint, TenantParameter};
use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use administration::{caller::Actor, log_in::LogInError, policy::Reach};
use directory::Lookup;
use jiff::Timestamp;
use web::{
    client::Client,
    provenance::{self, Schemes},
};

/// The origin and the time of a request.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    pub(super) client: Client,
    pub(super) now: Timestamp,
}

/// Identifies the caller by the token, or by the client's address if the endpoint needs no token.
///
/// # Errors
/// 401; 403 if a page of another site may have made a request without a token.
pub(super) async fn authenticate(
    services: &Services,
    live: &LiveSettings,
    directory: &Lookup,
    request: &HttpRequest,
    endpoint: &Endpoint,
    Sender { client, now }: Sender,
) -> Result<Actor, Failure> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        return by_address(services, live, request, endpoint, client);
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(Failure::unauthorized());
    };
    services.log_ins.of_token(directory, token.trim(), now).await.map_err(|error| match error {
        LogInError::Expired => Failure::new(StatusCode::UNAUTHORIZED, TOKEN_EXPIRED),
        LogInError::Directory(error) => error.into(),
        LogInError::Refused | LogInError::TooMany { .. } | LogInError::Token(_) => Failure::unauthorized(),
    })
}

fn by_address(
    services: &Services,
    live: &LiveSettings,
    request: &HttpRequest,
    endpoint: &Endpoint,
    client: Client,
) -> Result<Actor, Failure> {
    if endpoint.particulars.needs_token || !client.is_in(&live.allowed_subnets) {
        return Err(Failure::unauthorized());
    }
    provenance::check(request, schemes_of(services, request), &live.hosts).map_err(|from| {
        let message = format!(
            "Without a token this request is refused: {from}. Send an access token from POST /v2/auth."
        );
        Failure::new(StatusCode::FORBIDDEN, &message)
    })?;
    Ok(Actor::TrustedSubnet)
}

/// The schemes by which the client may have reached this process.
fn schemes_of(services: &Services, request: &HttpRequest) -> Schemes {
    let is_proxy = |peer: std::net::SocketAddr| services.proxies.trusts(peer.ip());
    match (services.is_tls, request.peer_addr().is_some_and(is_proxy)) {
        (_, true) => Schemes::Either,
        (true, false) => Schemes::Https,
        (false, false) => Schemes::Http,
    }
}

/// The extent of the caller's rights for the request. Whether an entry is the caller's own is for the handler to check,
/// by the identifier of the entry that it reads or writes.
///
/// # Errors
/// 403.
pub(super) fn reach_of(
    endpoint: &Endpoint,
    actor: Option<&Actor>,
    names: &Names<'_>,
) -> Result<Reach, Failure> {
    match (endpoint.access, actor) {
        (Access::Open, _) => Ok(Reach::Everything),
        (Access::For(_), None) => Err(Failure::unauthorized()),
        (Access::For(action), Some(actor)) => {
            let is_own = endpoint.particulars.tenant == TenantParameter::Callers;
            let tenant = if is_own { actor.tenant() } else { names.tenant.as_ref() };
            actor.reach(action, tenant).map_err(|_| Failure::forbidden())
        }
    }
}

/// The client of a request.
pub(super) fn client_of(services: &Services, request: &HttpRequest) -> Client {
    let lines = request.headers().get_all(services.proxies.header.name()).map(HeaderValue::as_bytes);
    request.peer_addr().map_or(Client::Unknown, |peer| services.proxies.client_of(peer.ip(), lines))
}
