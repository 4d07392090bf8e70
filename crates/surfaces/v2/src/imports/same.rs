//! Rows from an export of the address book: a value that equals the exported one is not a change, whichever program wrote it and
//! whatever the rules for requests are. So values of other programs that a request may not set stay unchanged, and so
//! does the name that an export shows for a user without `displayName`.

use crate::names::of_user;
use address_book::export::csv::{had_back, has_column};
use mail_model::{
    contact::shown_name,
    user::{User, field::UserField},
};
use web::form::Parameters;

/// Removes the parameters whose values equal those of an export.
pub(super) fn leave_out_same(user: &User, parameters: &mut Parameters) {
    for field in UserField::ALL.into_iter().filter(|field| has_column(of_user(*field))) {
        let exported = exported(user, field);
        parameters.remove_if(of_user(field), |given| had_back(&given.join(",")) == exported);
    }
}

/// The value of a field in an export.
fn exported(user: &User, field: UserField) -> String {
    let first = |field| user.values(field).first().filter(|text| !text.trim().is_empty()).map(String::as_str);
    let text = match (field, first(field)) {
        (UserField::Aliases, _) => user.values(field).join(","),
        (UserField::DisplayName, None) => {
            shown_name(first(UserField::FirstName), first(UserField::LastName), user.mail().as_str())
        }
        (_, text) => text.unwrap_or_default().to_owned(),
    };
    had_back(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::attribute::AttributeName;
    use mail_model::{address::MailAddress, entry::EntryView, names, tenant::TenantId};

    struct Entry(Vec<(AttributeName, Vec<String>)>);

    impl EntryView for Entry {
        fn values(&self, name: &AttributeName) -> &[String] {
            self.0.iter().find(|(known, _)| known == name).map_or(&[], |(_, values)| values)
        }
    }

    fn user(pairs: &[(AttributeName, &[&str])]) -> User {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let entry = Entry(pairs.iter().map(|(name, all)| (name.clone(), values(all))).collect());
        User::from_entry(MailAddress::parse("a@b.c").unwrap(), TenantId::default_tenant(), &entry)
    }

    fn left(user: &User, pairs: &[(&str, &str)]) -> Vec<String> {
        let pairs = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let mut parameters = Parameters::of_pairs(pairs).unwrap();
        leave_out_same(user, &mut parameters);
        parameters.into_ignored()
    }

    #[test]
    fn what_an_export_says_is_left_out_and_what_differs_stays() {
        let user = user(&[
            (names::CN, &["Ann\u{1}а "]),
            (names::SN, &["Белых", "Чёрных"]),
            (names::MAIL_ALTERNATE_ADDRESS, &["Z@b.c", "y@b.c"]),
            (names::MAIL_QUOTA, &["1048576"]),
        ]);
        let same =
            [("cn", "Ann а "), ("sn", "Белых"), ("displayName", "Ann а  Белых"), ("alias", "Z@b.c,y@b.c")];
        assert_eq!(left(&user, &same), [""; 0]);
        let other = [
            ("cn", "Анна"),
            ("displayName", "Анна"),
            ("alias", "y@b.c"),
            ("quota", "1048576"),
            ("title", "x"),
        ];
        assert_eq!(left(&user, &other), ["alias", "cn", "displayName", "quota", "title"]);
    }
}
