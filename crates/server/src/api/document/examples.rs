//! Bodies to begin with when trying an endpoint out.

use crate::http::endpoint::Endpoint;
use serde_json::{Value, json};

/// A body that an endpoint takes, where it takes one.
pub(super) fn body(endpoint: Endpoint) -> Option<Value> {
    let example = match endpoint {
        Endpoint::Authenticate => json!({"login": "admin@example.com", "password": "Correct-Horse-7"}),
        Endpoint::CreateUser => json!({
            "userPassword": "Correct-Horse-7", "employeeNumber": 2, "cn": "Ivan", "sn": "Petrov", "ou": "Sales",
        }),
        Endpoint::PatchUser => json!({"title": "Manager", "alias": ["i.petrov@example.com"]}),
        Endpoint::CreateTenantOfDomain | Endpoint::CreateTenant => json!({"domain": "acme.example"}),
        Endpoint::PatchTenant => json!({"quota": 1024, "lang": "en-US"}),
        Endpoint::CreateMailList => json!({
            "tenant-id": "default", "mail": "sales@example.com", "displayName": "Sales", "alias": ["ivan@example.com"],
        }),
        Endpoint::PatchMailList => json!({
            "tenant-id": "default", "mail": "sales@example.com", "alias": ["anna@example.com"],
            "remove": ["ivan@example.com"],
        }),
        Endpoint::CreateResourceGroup => json!({}),
        Endpoint::RenameResourceGroup => json!({"name": "Meeting rooms"}),
        Endpoint::CreateResource => json!({"displayName": "Room 5", "l": "Berlin", "employeeType": 1}),
        Endpoint::PatchResource => json!({"description": "Twelve seats"}),
        _ => return None,
    };
    Some(example)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::document::{operations, parameters::declared};
    use strum::VariantArray;

    #[test]
    fn every_form_has_an_example_of_parameters_that_there_are() {
        for endpoint in Endpoint::VARIANTS {
            let has_form = operations::operation(*endpoint).request_body.is_some() && !endpoint.takes_rows();
            assert_eq!(body(*endpoint).is_some(), has_form, "{endpoint:?}");
            for name in body(*endpoint).iter().flat_map(|example| example.as_object().unwrap().keys()) {
                assert!(
                    declared(*endpoint).iter().any(|parameter| parameter.name == name),
                    "{endpoint:?} {name}"
                );
            }
        }
    }
}
