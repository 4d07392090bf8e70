//! Whatever bytes come as parameters, they decode within the limits or are refused; none make it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::http::form::{Body, MAX_PARAMETERS, MAX_VALUE, Parameters};
use server::http::path;

fuzz_target!(|input: (&str, &str, &[u8], bool)| {
    let (raw_path, query, body, is_json) = input;
    let body = if is_json { Body::Json(body) } else { Body::Form(body) };
    let tail = path::parse(raw_path).map_or("", |path| path.parameters);
    let Ok(parameters) = Parameters::decode(tail, query, body) else { return };
    let names = parameters.clone().into_ignored();
    assert!(names.len() <= 2 * MAX_PARAMETERS);
    for name in names {
        let values = parameters.clone().take_list(&name).expect("a parameter that is there");
        assert!(values.iter().all(|value| value.len() <= MAX_VALUE && !value.is_empty() && !value.contains('\\')));
        if let Ok(value) = parameters.clone().take(&name) {
            assert!(value.expect("a parameter that is there").len() <= MAX_VALUE);
        }
    }
});
