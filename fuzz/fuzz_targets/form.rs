//! Whatever bytes come as parameters, they decode within the limits or are refused; none make it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use web::{
    form::{Body, MAX_PARAMETERS, MAX_VALUE, Parameters},
    path,
};

/// Names of parameters, short ones so that they are met often.
const NAMES: [&str; 3] = ["a", "cn", "alias"];

fuzz_target!(|input: (&str, &str, &[u8], bool)| {
    let (raw_path, query, body, is_json) = input;
    let body = if is_json { Body::Json(body) } else { Body::Form(body) };
    let tail = path::parse(raw_path).map_or("", |path| path.parameters);
    let Ok(parameters) = Parameters::decode(tail, query, body) else { return };
    assert!(parameters.clone().into_ignored().len() <= 2 * MAX_PARAMETERS);
    for name in NAMES {
        let list = parameters.clone().take_list(name).unwrap_or_default();
        assert!(list.iter().all(|value| value.len() <= MAX_VALUE && !value.is_empty() && !value.contains('\\')));
        let all = parameters.clone().take_all(name).unwrap_or_default();
        assert!(all.len() <= 2 * MAX_PARAMETERS && all.iter().all(|value| value.len() <= MAX_VALUE));
        if let Ok(Some(value)) = parameters.clone().take(name) {
            assert_eq!(all, [value]);
        }
    }
});
