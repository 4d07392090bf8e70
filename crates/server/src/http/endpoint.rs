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

    /// The methods of a path, for the header `Allow`.
    #[must_use]
    pub fn methods_of(path: &str) -> Vec<Method> {
        let mut methods: Vec<_> =
            Self::VARIANTS.iter().filter(|e| e.path() == path).map(|e| e.method()).collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods
    }
}
