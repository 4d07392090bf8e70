//! Who is asking, and what it may do: the token or the address of a request, and the table of rights.

use super::{
    answer::{Failure, TOKEN_EXPIRED},
    application::Services,
    call::Names,
    endpoint::{Access, Endpoint, Right},
};
use crate::auth::{Actor, client, tokens::TokenError};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use directory::Directory;
use jiff::Timestamp;
use mail_model::user::role::Role;
use std::net::{IpAddr, Ipv4Addr};

/// Finds out who asks: by its token, or by its address where that needs none.
///
/// # Errors
/// 401.
pub(super) async fn authenticate(
    services: &Services,
    directory: &Directory,
    request: &HttpRequest,
    client: IpAddr,
    now: Timestamp,
) -> Result<Actor, Failure> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        let trusted = client::is_in(client, &services.allowed_subnets);
        return if trusted { Ok(Actor::TrustedSubnet) } else { Err(Failure::unauthorized()) };
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(Failure::unauthorized());
    };
    let subject = services.tokens.read_access(token.trim(), now).map_err(|error| match error {
        TokenError::Expired => Failure::new(StatusCode::UNAUTHORIZED, TOKEN_EXPIRED),
        TokenError::Invalid => Failure::unauthorized(),
    })?;
    let account = services.accounts.of_token(directory, &subject).await?;
    account.map(Actor::Account).ok_or_else(Failure::unauthorized)
}

/// What who asks may do with what the path names.
///
/// # Errors
/// 403.
pub(super) fn right_of(
    endpoint: Endpoint,
    actor: Option<&Actor>,
    names: &Names<'_>,
) -> Result<Right, Failure> {
    let (Access::ByRole(rights), Some(actor)) = (endpoint.access(), actor) else { return Ok(Right::All) };
    let is_own = names.tenant.as_ref().is_some_and(|tenant| actor.is_of(tenant));
    let right = match (actor.role(), is_own) {
        (Role::SuperAdministrator, true) => rights.super_own,
        (Role::SuperAdministrator, false) => rights.super_foreign,
        (Role::Administrator, true) => rights.administrator_own,
        (Role::Administrator, false) => rights.administrator_foreign,
        (Role::User, true) => rights.user_own,
        (Role::User, false) => rights.user_foreign,
    };
    let is_itself = || match (&names.tenant, names.mail()) {
        (Some(tenant), Some(mail)) => actor.is_itself(tenant, &mail),
        _ => false,
    };
    match right {
        Right::All | Right::AllButSuper => Ok(right),
        Right::Itself | Right::OwnPassword if is_itself() => Ok(right),
        Right::Itself | Right::OwnPassword | Right::None => Err(Failure::forbidden()),
    }
}

/// Where a request comes from.
pub(super) fn client_address(services: &Services, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    client::address(peer, forwarded, &services.trusted_proxies)
}
