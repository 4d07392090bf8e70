//! What is answered on one connection.

use super::{
    domain, search,
    state::{Fault, State},
};
use ldap3_proto::{
    control::LdapControl,
    proto::{
        LdapBindCred, LdapBindRequest, LdapBindResponse, LdapExtendedResponse, LdapMsg, LdapOp, LdapResult,
        LdapResultCode,
    },
};

/// What a connection knows of its client.
#[derive(Debug, Default)]
pub(crate) struct Session {
    is_bound: bool,
}

/// The answer to a request.
pub(crate) struct Answer {
    /// What comes first.
    pub(crate) ops: Vec<LdapOp>,
    /// The end of a search.
    pub(crate) end: Option<Done>,
    /// What becomes of the connection.
    pub(crate) after: After,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Continue,
    Close,
    Silence,
}

/// The end of a search.
pub(crate) struct Done {
    result: LdapResult,
    controls: Vec<LdapControl>,
}

/// The end of a search, by its code and message.
pub(crate) fn done(code: LdapResultCode, message: &str) -> Done {
    Done { result: result(code, message), controls: Vec::new() }
}

impl Done {
    pub(crate) fn with_control(mut self, control: LdapControl) -> Self {
        self.controls.push(control);
        self
    }
}

impl From<Done> for Answer {
    fn from(done: Done) -> Self {
        Self { ops: Vec::new(), end: Some(done), after: After::Continue }
    }
}

impl Answer {
    fn of(op: LdapOp) -> Self {
        Self { ops: vec![op], end: None, after: After::Continue }
    }

    fn close() -> Self {
        Self { ops: Vec::new(), end: None, after: After::Close }
    }

    /// The messages of the answer to a request with this number.
    pub(crate) fn messages(self, number: i32) -> impl Iterator<Item = LdapMsg> {
        let end = self.end.map(|Done { result, controls }| (LdapOp::SearchResultDone(result), controls));
        let first = self.ops.into_iter().map(|op| (op, Vec::new()));
        first.chain(end).map(move |(op, ctrl)| LdapMsg { msgid: number, op, ctrl })
    }
}

impl Session {
    pub(crate) fn answer(&mut self, state: &mut State, message: &LdapMsg) -> Answer {
        match &message.op {
            LdapOp::BindRequest(request) => self.bind(state, request),
            LdapOp::SearchRequest(_) if !self.is_bound => {
                let text = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful \
                            bind must be completed on the connection., data 0, v4563\0";
                done(LdapResultCode::OperationsError, text).into()
            }
            LdapOp::SearchRequest(request) => search::answer(state, request, &message.ctrl),
            LdapOp::ExtendedRequest(_) => Answer::of(LdapOp::ExtendedResponse(LdapExtendedResponse {
                res: result(LdapResultCode::Unavailable, "00000000: LdapErr: Error initializing SSL/TLS\0"),
                name: None,
                value: None,
            })),
            LdapOp::AbandonRequest(_) => Answer { ops: Vec::new(), end: None, after: After::Continue },
            _ => Answer::close(),
        }
    }

    fn bind(&mut self, state: &State, request: &LdapBindRequest) -> Answer {
        let (code, text) = match &state.fault {
            Fault::WantEncryption => (
                LdapResultCode::StrongerAuthRequired,
                "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if \
                 SSL\\TLS are not already active on the connection, data 0, v4563\0"
                    .to_owned(),
            ),
            Fault::RefuseLogin(code) => (LdapResultCode::InvalidCredentials, refused(code)),
            _ if is_nobody(request) => (LdapResultCode::Success, String::new()),
            _ if is_right(request) => {
                self.is_bound = true;
                (LdapResultCode::Success, String::new())
            }
            _ => (LdapResultCode::InvalidCredentials, refused("52e")),
        };
        Answer::of(LdapOp::BindResponse(LdapBindResponse { res: result(code, &text), saslcreds: None }))
    }
}

/// A login without a password succeeds, as nobody.
fn is_nobody(request: &LdapBindRequest) -> bool {
    matches!(&request.cred, LdapBindCred::Simple(password) if password.is_empty())
}

fn is_right(request: &LdapBindRequest) -> bool {
    let is_password = matches!(&request.cred, LdapBindCred::Simple(password) if password == domain::PASSWORD);
    is_password && request.dn.eq_ignore_ascii_case(domain::LOGIN)
}

fn refused(code: &str) -> String {
    format!("80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data {code}, v4563\0")
}

fn result(code: LdapResultCode, message: &str) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: message.to_owned(), referral: Vec::new() }
}
