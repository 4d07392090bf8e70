//! A description of the roles that may use an endpoint.

use crate::endpoint::Access;
use administration::policy::Reach;

/// A sentence for the description of an endpoint.
pub(super) fn in_words(access: Access) -> String {
    let Access::For(action) = access else { return "Open to everybody, without a token.".to_owned() };
    let rights = action.rights();
    let others = [("administrators (role 1)", rights.administrator), ("users (role 2)", rights.user)];
    let others = others
        .into_iter()
        .filter_map(|(who, reach)| Some(format!("{who} in their own tenant{}", extent(reach?))));
    let phrases: Vec<_> = ["super administrators (role 3)".to_owned()].into_iter().chain(others).collect();
    format!("For {}.", phrases.join("; "))
}

fn extent(reach: Reach) -> &'static str {
    match reach {
        Reach::Everything => "",
        Reach::AllButSuper => ", except super administrators",
        Reach::Itself => ", for their own entry",
        Reach::OwnPassword => ", their own password only",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use administration::policy::Action;

    #[test]
    fn rights_read_as_a_sentence() {
        assert_eq!(in_words(Access::For(Action::AdministerTenants)), "For super administrators (role 3).");
        assert_eq!(
            in_words(Access::For(Action::ChangeUser)),
            "For super administrators (role 3); administrators (role 1) in their own tenant, except super \
             administrators; users (role 2) in their own tenant, their own password only."
        );
        assert_eq!(in_words(Access::Open), "Open to everybody, without a token.");
    }
}
