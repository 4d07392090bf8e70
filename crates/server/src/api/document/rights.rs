//! Who may use an endpoint, in words.

use crate::http::endpoint::{Access, Right};

/// A sentence for the description of an endpoint.
pub(super) fn in_words(access: Access) -> String {
    let Access::ByRole(rights) = access else { return "Open to everybody, without a token.".to_owned() };
    let who = [
        ("super administrators (role 3)", rights.super_own, rights.super_foreign),
        ("administrators (role 1)", rights.administrator_own, rights.administrator_foreign),
        ("users (role 2)", rights.user_own, rights.user_foreign),
    ];
    let phrases: Vec<_> = who
        .into_iter()
        .filter_map(|(who, own, foreign)| {
            let what = extent(own)?;
            let place = if foreign == Right::None { " in their own tenant" } else { "" };
            Some(format!("{who}{place}{what}"))
        })
        .collect();
    format!("For {}.", phrases.join("; "))
}

/// How far a right reaches; nothing where there is none.
fn extent(right: Right) -> Option<&'static str> {
    match right {
        Right::All => Some(""),
        Right::AllButSuper => Some(", super administrators excepted"),
        Right::Itself => Some(", about themselves"),
        Right::OwnPassword => Some(", their own password only"),
        Right::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::endpoint::Endpoint;

    #[test]
    fn rights_read_as_a_sentence() {
        let words = |endpoint: Endpoint| in_words(endpoint.access());
        assert_eq!(words(Endpoint::ListTenants), "For super administrators (role 3).");
        assert_eq!(
            words(Endpoint::PatchUser),
            "For super administrators (role 3); administrators (role 1) in their own tenant, super administrators \
             excepted; users (role 2) in their own tenant, their own password only."
        );
        assert_eq!(words(Endpoint::Live), "Open to everybody, without a token.");
    }
}
