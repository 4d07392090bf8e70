//! Names of result codes. Many results of 389-ds have a code and no message, and the code alone tells an operator
//! nothing.

/// A result as messages show it: the name of the code if RFC 4511 defines one, the code, and the server's message if
/// there is one.
pub(crate) fn said(code: u32, diagnostic: &str) -> String {
    let code = name(code).map_or_else(|| format!("result code {code}"), |name| format!("{name} ({code})"));
    if diagnostic.is_empty() { code } else { format!("{code}: {diagnostic}") }
}

/// The name of a result code (RFC 4511 appendix A; 118 to 123 by RFC 3909, 4528, 4533 and the registry of RFC 4520).
fn name(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        71 => "affectsMultipleDSAs",
        80 => "other",
        118 => "canceled",
        119 => "noSuchOperation",
        120 => "tooLate",
        121 => "cannotCancel",
        122 => "assertionFailed",
        123 => "authorizationDenied",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_never_without_words() {
        assert_eq!(said(53, ""), "unwillingToPerform (53)");
        assert_eq!(said(53, "Server is shutting down"), "unwillingToPerform (53): Server is shutting down");
        assert_eq!(said(4096, ""), "result code 4096");
        assert_eq!(said(4096, "start over"), "result code 4096: start over");
    }
}
