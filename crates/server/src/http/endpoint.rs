//! Every endpoint, and who may use it: the one table of methods, paths and rights. Routes are made from
//! it, each request is checked against it, and an endpoint without its row does not compile.

use actix_web::http::Method;
use strum::VariantArray;

/// A request that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Endpoint {
    /// Log in, or renew a token.
    Authenticate,
    /// The process runs.
    Live,
    /// The directory answers.
    Ready,
    /// Users of a tenant; with `deleted=1` the deleted ones.
    ListUsers,
    /// Make a user.
    CreateUser,
    /// One user.
    ReadUser,
    /// Change a user.
    PatchUser,
    /// Delete a user softly.
    DeleteUser,
    /// Undo a deletion.
    RestoreUser,
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// By role, and by whether the tenant in the path is one's own.
    ByRole(Rights),
}

/// What each role may do, in its own tenant and in others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Role 3 in the tenant `default`.
    pub super_own: Right,
    /// Role 3 elsewhere.
    pub super_foreign: Right,
    /// Role 1 in its tenant.
    pub administrator_own: Right,
    /// Role 1 elsewhere.
    pub administrator_foreign: Right,
    /// Role 2 in its tenant.
    pub user_own: Right,
    /// Role 2 elsewhere.
    pub user_foreign: Right,
}

/// What one may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everything that the endpoint does.
    All,
    /// The same, but neither make nor touch a super administrator.
    AllButSuper,
    /// To itself only.
    Itself,
    /// Its own password only.
    OwnPassword,
    /// Nothing.
    None,
}

use Right::{All, AllButSuper, Itself, None, OwnPassword};

const fn rights(
    super_own: Right,
    super_foreign: Right,
    administrator: [Right; 2],
    user: [Right; 2],
) -> Access {
    Access::ByRole(Rights {
        super_own,
        super_foreign,
        administrator_own: administrator[0],
        administrator_foreign: administrator[1],
        user_own: user[0],
        user_foreign: user[1],
    })
}

const USERS: &str = "/v2/users/{tenant}";
const USER: &str = "/v2/users/{tenant}/{mail}";
const RESTORE_USER: &str = "/v2/users/{tenant}/{mail}/restore";

impl Endpoint {
    /// Method, path and rights. Columns: super administrator in its own tenant and in others; administrator
    /// in its own and in others; user in its own and in others.
    #[rustfmt::skip]
    fn row(self) -> (Method, &'static str, Access) {
        match self {
            Self::Authenticate => (Method::POST, "/v2/auth", Access::Open),
            Self::Live  => (Method::GET, "/health/live", Access::Open),
            Self::Ready => (Method::GET, "/health/ready", Access::Open),
            Self::ListUsers   => (Method::GET,    USERS,        rights(All, All, [All,         None], [None,        None])),
            Self::CreateUser  => (Method::PUT,    USER,         rights(All, All, [AllButSuper, None], [None,        None])),
            Self::ReadUser    => (Method::GET,    USER,         rights(All, All, [All,         None], [Itself,      None])),
            Self::PatchUser   => (Method::PATCH,  USER,         rights(All, All, [AllButSuper, None], [OwnPassword, None])),
            Self::DeleteUser  => (Method::DELETE, USER,         rights(All, All, [AllButSuper, None], [None,        None])),
            Self::RestoreUser => (Method::POST,   RESTORE_USER, rights(All, All, [AllButSuper, None], [None,        None])),
        }
    }

    /// Its method.
    #[must_use]
    pub fn method(self) -> Method {
        self.row().0
    }

    /// Its path, with names in braces for the parts that vary.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.row().1
    }

    /// Who may use it.
    #[must_use]
    pub fn access(self) -> Access {
        self.row().2
    }

    /// The endpoint of a request. `HEAD` is `GET` without the body (RFC 9110 section 9.3.2).
    ///
    /// # Errors
    /// [`NoEndpoint`] when the path is unknown, or known with other methods.
    pub fn find(method: &Method, segments: &[String]) -> Result<Self, NoEndpoint> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let here = || Self::VARIANTS.iter().copied().filter(|endpoint| endpoint.is_at(segments));
        if let Some(endpoint) = here().find(|endpoint| endpoint.method() == method) {
            return Ok(endpoint);
        }
        let mut allowed: Vec<Method> = here().map(Self::method).collect();
        if allowed.is_empty() {
            return Err(NoEndpoint::UnknownPath);
        }
        if allowed.contains(&Method::GET) {
            allowed.push(Method::HEAD);
        }
        Err(NoEndpoint::OtherMethods(allowed))
    }

    fn is_at(self, segments: &[String]) -> bool {
        let mut parts = self.path().split('/').skip(1);
        let fits = |part: &str, segment: &String| {
            if part.starts_with('{') { !segment.is_empty() } else { part == segment }
        };
        segments.iter().all(|segment| parts.next().is_some_and(|part| fits(part, segment)))
            && parts.next().is_none()
    }
}

/// Why a request has no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEndpoint {
    /// There is no such path.
    UnknownPath,
    /// The path takes these methods.
    OtherMethods(Vec<Method>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &Method, path: &str) -> Result<Endpoint, NoEndpoint> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        Endpoint::find(method, &segments)
    }

    #[test]
    fn a_path_and_method_find_their_endpoint() {
        assert_eq!(find(&Method::GET, "/v2/users/t/a@b.c"), Ok(Endpoint::ReadUser));
        assert_eq!(find(&Method::HEAD, "/v2/users/t"), Ok(Endpoint::ListUsers));
        assert_eq!(find(&Method::POST, "/v2/users/t/a@b.c/restore"), Ok(Endpoint::RestoreUser));
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for path in [
            "/",
            "/v2",
            "/v2/users",
            "/v2/users/",
            "/v2/users/t/",
            "/v2/users/t/m/x",
            "/v2/users/t/m/restore/y",
        ] {
            assert_eq!(find(&Method::GET, path), Err(NoEndpoint::UnknownPath), "{path}");
        }
        assert_eq!(find(&Method::GET, "/v2/auth"), Err(NoEndpoint::OtherMethods(vec![Method::POST])));
        let allowed = vec![Method::GET, Method::HEAD];
        assert_eq!(find(&Method::PUT, "/v2/users/t"), Err(NoEndpoint::OtherMethods(allowed)));
    }
}
