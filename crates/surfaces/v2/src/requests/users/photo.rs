//! Photos of users (beyond the guide): read, set and removed, with the version of the user.

use super::{USER, find};
use crate::{
    answer::{Failure, success},
    call::{Call, StreamedBody, read_whole},
    document::{Answer, kinds},
    endpoint::{Access, Body, Document, Endpoint, Particulars, Takes, Verb},
    requests::done,
};
use actix_web::http::{
    StatusCode,
    header::{CONTENT_DISPOSITION, HeaderValue},
};
use administration::{
    long_work::LongWork,
    photos::{MAX_IMAGE, MAX_MEGAPIXELS, PhotoError},
    policy::Action,
};
use bytes::Bytes;
use directory::changing::WriteError;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::openapi::{
    Content, Required,
    request_body::{RequestBody, RequestBodyBuilder},
};
use web::answer::Reply;

/// The longest time for an image to arrive: 10 MiB at 170 kB a second. A slower one would keep others from uploading.
const LONGEST_BODY: Duration = Duration::from_secs(60);
const PHOTO: &str = "photo";
const PATH: &str = "/v2/users/{tenant}/{mail}/photo";
const JPEG: &str = "image/jpeg";
/// The accepted formats.
const FORMATS: [&str; 3] = [JPEG, "image/png", "image/webp"];
/// A file name for each user would need escaping; browsers take one from the URL.
const INLINE: HeaderValue = HeaderValue::from_static("inline");

pub(in crate::requests) const READ: Endpoint = Endpoint {
    name: "readPhoto",
    method: Verb::Get,
    path: PATH,
    access: Access::For(Action::ReadPhoto),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::taking(Takes::IfNoneMatch),
    document: Document {
        summary: "The photo of a user",
        about: "A JPEG. Its ETag is that of the user.",
        answer: || {
            let answer = Answer::file("The photo.", JPEG, kinds::text().content_media_type(JPEG));
            answer.with_headers(&["ETag", "Content-Disposition"])
        },
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mail = find(call).await?.user.mail().clone();
    let found = call.directory.user_with_photo(call.tenant()?, &mail).await?;
    // Another user may have the address in the meantime.
    let found = found.filter(|(user, _)| call.reaches(user));
    let (user, photo) = found.ok_or_else(|| Failure::not_found(USER))?;
    let photo = photo.ok_or_else(|| Failure::not_found(PHOTO))?;
    let tag = user.version.tag();
    if call.known.has(&tag) {
        return Ok(Reply::not_modified().with_tag(&tag));
    }
    let reply = Reply::bytes(JPEG, photo.into_bytes()).with_header(CONTENT_DISPOSITION, INLINE);
    Ok(reply.with_tag(&tag))
}

pub(in crate::requests) const PUT: Endpoint = Endpoint {
    name: "putPhoto",
    method: Verb::Put,
    path: PATH,
    access: Access::For(Action::ChangePhoto),
    handler: |call| Box::pin(put(call)),
    particulars: Particulars { body: Body::Stream, ..Particulars::taking(Takes::IfMatch) },
    document: Document {
        summary: "Set the photo of a user",
        about: "The image is stored as a JPEG that fits 512 × 512 pixels and 256 KiB, upright and without metadata.",
        body: Some(image),
        fails_with: &[413, 429],
        ..Document::BASE
    },
};

async fn put(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mail = find(call).await?.user.mail().clone();
    let _turn = call.begin(LongWork::Photo)?;
    let image = match call.streamed.take() {
        Some(body) => {
            timeout(LONGEST_BODY, read_body(body, call.live.photo_limit)).await.map_err(|_| late())??
        }
        None => Bytes::new(),
    };
    // The caller may have lost their rights while the body arrived.
    call.recheck().await?;
    if image.is_empty() {
        let message = "The body is empty. Send an image; to remove the photo, use DELETE.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    let (tenant, caller) = (call.tenant()?, call.caller()?);
    match call.administration.put_photo(caller, tenant, &mail, &image, &call.precondition).await {
        Ok(()) => Ok(success()),
        Err(PhotoError::Image(refused)) => Err(Failure::new(StatusCode::BAD_REQUEST, &refused.to_string())),
        Err(PhotoError::Process(error)) => Err(Failure::internal(error.into())),
        Err(PhotoError::Write(error)) => done(call, USER, Err(error)),
    }
}

pub(in crate::requests) const DELETE: Endpoint = Endpoint {
    name: "deletePhoto",
    method: Verb::Delete,
    path: PATH,
    access: Access::For(Action::ChangePhoto),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document { summary: "Remove the photo of a user", ..Document::BASE },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mail = find(call).await?.user.mail().clone();
    let (tenant, caller) = (call.tenant()?, call.caller()?);
    let outcome = call.administration.delete_photo(caller, tenant, &mail, &call.precondition).await;
    let what = if matches!(outcome, Err(WriteError::NotFound)) { PHOTO } else { USER };
    done(call, what, outcome)
}

fn late() -> Failure {
    let message =
        format!("The image did not arrive within {} seconds. Send it again.", LONGEST_BODY.as_secs());
    Failure::new(StatusCode::BAD_REQUEST, &message)
}

/// Reads a whole image.
async fn read_body(body: StreamedBody, most: usize) -> Result<Bytes, Failure> {
    let too_large = || format!("The image is too large: at most {most} bytes. Scale it down.");
    read_whole(body.payload, body.announced, most, too_large).await
}

fn image() -> RequestBody {
    let about = format!(
        "JPEG (RGB or gray), PNG or WebP, recognized by its first bytes, whatever the media type says; a still image \
         of at most {MAX_IMAGE} bytes and {MAX_MEGAPIXELS} megapixels, fewer if the format needs more memory."
    );
    let body = RequestBodyBuilder::new().description(Some(about)).required(Some(Required::True));
    let shape = |media_type: &str| Content::new(Some(kinds::text().content_media_type(media_type)));
    FORMATS.into_iter().fold(body, |body, media_type| body.content(media_type, shape(media_type))).build()
}
