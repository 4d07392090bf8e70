//! The document of the API, and a page to read it and to try requests. The whole page is part of the program and
//! contacts no other host. Only the listed files of Swagger UI are served, not the others that come with it.

use crate::{
    answer::Failure,
    call::Call,
    document::{self, Answer, kinds, kinds::Shape},
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
};
use actix_web::http::header::{self, HeaderName};
use bytes::Bytes;
use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa_swagger_ui::Config;
use web::answer::{Reply, StaticFile};

/// The files of Swagger UI that the page uses.
const SWAGGER_UI: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];
/// The page.
const HTML: &str = include_str!("page.html");
/// The script that starts Swagger UI.
const START: &str = include_str!("start.js");
/// The name under which the page loads it.
const START_FILE: &str = "start.js";

/// Swagger UI sets style attributes, and its style sheet contains images.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS: &[(HeaderName, &str)] =
    &[(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY), (header::REFERRER_POLICY, "no-referrer")];

pub(super) const DOCUMENT: Endpoint = Endpoint {
    name: "readDocument",
    method: Verb::Get,
    path: "/openapi.json",
    access: Access::Open,
    handler: |_| Box::pin(async { Ok(document()) }),
    particulars: Particulars { is_cacheable: true, ..Particulars::NONE },
    document: Document {
        summary: "This document",
        answer: || Answer::json(ObjectBuilder::new().schema_type(Type::Object)),
        ..Document::BASE
    },
};

fn document() -> Reply {
    let bytes = Bytes::from_static(&document::JSON);
    file("application/json", bytes)
}

pub(super) const PAGE: Endpoint = Endpoint {
    name: "readDocs",
    method: Verb::Get,
    path: "/docs",
    access: Access::Open,
    handler: |_| Box::pin(async { Ok(page()) }),
    particulars: Particulars { is_cacheable: true, ..Particulars::NONE },
    document: Document {
        summary: "A page to read this document and to try it out",
        answer: || Answer::file("The page.", "text/html", kinds::text()),
        ..Document::BASE
    },
};

fn page() -> Reply {
    file("text/html; charset=utf-8", Bytes::from_static(HTML.as_bytes()))
}

pub(super) const PAGE_FILE: Endpoint = Endpoint {
    name: "readDocsFile",
    method: Verb::Get,
    path: "/docs/{file}",
    access: Access::Open,
    handler: |call| Box::pin(async { page_file(call) }),
    particulars: Particulars { is_cacheable: true, ..Particulars::NONE },
    document: Document {
        summary: "A file of the page that shows this document",
        answer: || Answer::file("The file.", "*/*", Shape::default()),
        ..Document::BASE
    },
};

fn page_file(call: &Call<'_>) -> Result<Reply, Failure> {
    let name = call.text("file");
    if name == START_FILE {
        return Ok(file("text/javascript; charset=utf-8", Bytes::from_static(START.as_bytes())));
    }
    let known = SWAGGER_UI.into_iter().find(|known| *known == name);
    swagger_ui_file(known.ok_or_else(not_found)?)
}

fn swagger_ui_file(name: &str) -> Result<Reply, Failure> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("openapi.json")));
    let found = utoipa_swagger_ui::serve(name, CONFIG.clone());
    let found = found.map_err(|error| Failure::internal(error.to_string().into()))?.ok_or_else(not_found)?;
    let bytes = match found.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(file(&found.content_type, bytes))
}

fn not_found() -> Failure {
    Failure::not_found("file")
}

fn file(content_type: &str, bytes: Bytes) -> Reply {
    Reply::file(StaticFile { content_type: content_type.to_owned(), bytes, headers: HEADERS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_there() {
        for name in SWAGGER_UI {
            assert!(HTML.contains(&format!("\"docs/{name}\"")), "{name}");
            assert!(swagger_ui_file(name).is_ok(), "{name}");
        }
        assert!(HTML.contains(&format!("\"docs/{START_FILE}\"")));
    }

    #[test]
    fn the_page_names_no_other_host() {
        for text in [HTML, START, CONTENT_SECURITY_POLICY] {
            assert!(!text.contains("//") || !text.contains("http"), "{text}");
        }
    }
}
