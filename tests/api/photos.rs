//! Photos of users: the conversion of an image, the right to set one, and where it is shown.

use crate::file_formats;
use base64::{Engine, prelude::BASE64_STANDARD};
use harness::{Answer, Client, Context, Tenant, User, World};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::{
    io::{Cursor, Read, Write},
    net::TcpStream,
};

harness::trials! { "photos":
    each_format_becomes_a_small_jpeg,
    a_turned_photo_stands_upright_and_loses_where_it_was_taken,
    what_is_no_image_or_too_large_is_refused_with_what_is_allowed,
    a_photo_has_the_version_of_its_user,
    users_change_their_own_photo_and_no_other,
    an_administrator_does_not_touch_the_photo_of_a_super_administrator,
    a_deleted_user_has_no_photo_until_it_is_restored,
    a_photo_that_is_removed_is_gone,
    no_list_and_no_answer_about_a_user_has_the_photo,
    vcards_have_photos_and_those_without_stay_as_they_are,
    what_another_program_wrote_is_shown_where_it_is_a_jpeg,
    an_account_sends_two_photos_at_a_time,
    an_image_that_takes_too_much_ends_nothing_but_its_request,
    rights_that_are_lost_while_an_image_comes_are_lost,
    a_backup_brings_photos_back_and_administrators_restore_valid_ones_only,
}

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

fn written(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A small JPEG.
pub(crate) fn jpeg() -> Vec<u8> {
    written(halves(64, 48), ImageFormat::Jpeg)
}

/// A JPEG whose EXIF data asks for a rotation to the right, with a text in a place for the position.
fn turned() -> Vec<u8> {
    let jpeg = written(halves(1200, 600), ImageFormat::Jpeg);
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\x0059.93N 30.31E";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif[..], &jpeg[2..]].concat()
}

fn path(user: &User<'_>) -> String {
    format!("{}/photo", user.as_ref())
}

#[track_caller]
fn put(client: &Client, user: &User<'_>, image: &[u8]) -> Answer {
    client
        .with_header("Content-Type", "application/octet-stream")
        .try_send("PUT", &path(user), image)
        .unwrap()
}

/// A user with a small photo.
fn with_photo<'w>(tenant: &Tenant<'w>, name: &str) -> User<'w> {
    let user = tenant.user(name).create();
    put(tenant.admin(), &user, &jpeg()).expect_success();
    user
}

#[track_caller]
fn shown(answer: &Answer) -> RgbImage {
    image::load_from_memory_with_format(&answer.body, ImageFormat::Jpeg).unwrap().into_rgb8()
}

fn is_near(found: Rgb<u8>, wanted: [u8; 3]) -> bool {
    found.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 40)
}

fn each_format_becomes_a_small_jpeg(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.admin().get(path(&ivan)).expect(404);
    for (format, size, expected) in [
        (ImageFormat::Jpeg, (1500, 900), (512, 307)),
        (ImageFormat::Png, (300, 600), (256, 512)),
        (ImageFormat::WebP, (100, 40), (100, 40)),
    ] {
        let _case = Context::new(format!("{format:?}"));
        put(tenant.admin(), &ivan, &written(halves(size.0, size.1), format)).expect_success();
        let answer = tenant.admin().get(path(&ivan)).expect(200);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("content-disposition", "inline"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
        let photo = shown(&answer);
        assert_eq!(photo.dimensions(), expected);
        assert!(answer.body.len() <= 256 * 1024);
        assert!(is_near(*photo.get_pixel(9, 9), [250, 0, 0]));
        assert!(is_near(*photo.get_pixel(expected.0 - 9, 9), [0, 0, 250]));
    }
    let glass = RgbaImage::from_pixel(600, 600, Rgba([0, 0, 0, 0]));
    put(tenant.admin(), &ivan, &written(glass, ImageFormat::Png)).expect_success();
    assert!(is_near(*shown(&tenant.admin().get(path(&ivan))).get_pixel(256, 256), [255; 3]));
}

fn a_turned_photo_stands_upright_and_loses_where_it_was_taken(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let image = [&turned()[..], b"<script>alert(1)</script>"].concat();
    put(tenant.admin(), &ivan, &image).expect_success();
    let answer = tenant.admin().get(path(&ivan)).expect(200);
    let photo = shown(&answer);
    assert_eq!(photo.dimensions(), (256, 512));
    assert!(
        is_near(*photo.get_pixel(128, 9), [250, 0, 0]) && is_near(*photo.get_pixel(128, 500), [0, 0, 250])
    );
    for gone in [&b"Exif"[..], b"59.93N", b"<script>"] {
        assert!(!answer.body.windows(gone.len()).any(|part| part == gone), "{}", gone.escape_ascii());
    }
}

fn what_is_no_image_or_too_large_is_refused_with_what_is_allowed(world: &World) {
    let tenant = world.tenant();
    let ivan = with_photo(&tenant, "ivan");
    let before = world.probe().user(&ivan.mail);
    let whole = written(halves(300, 300), ImageFormat::Png);
    // Its header declares 60,000 × 60,000 pixels.
    let mut bomb = jpeg();
    let frame = bomb.windows(2).position(|part| part == [0xff, 0xc0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    for (image, words) in [
        (&b""[..], "to remove the photo, use DELETE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "JPEG, PNG or WebP"),
        (b"GIF89a\x01\0\x01\0", "JPEG, PNG or WebP"),
        (b"\0\0\0\x18ftypheic", "JPEG, PNG or WebP"),
        (&whole[..whole.len() / 2], "The PNG is cut, damaged or of a rare kind"),
        (&jpeg()[..400], "The JPEG is cut, damaged or of a rare kind"),
        (&bomb, "at most 50.0 megapixels"),
    ] {
        let answer = put(tenant.admin(), &ivan, image).expect(400);
        let message = answer.message();
        assert!(message.as_str().is_some_and(|message| message.contains(words)), "{message}");
    }
    let answer = put(tenant.admin(), &ivan, &vec![0; 10 * 1024 * 1024 + 1]).expect(413);
    assert!(answer.message().as_str().unwrap().contains("at most 10485760 bytes"));
    assert_eq!(world.probe().user(&ivan.mail), before);
    let missing = tenant.named("missing");
    put(tenant.admin(), &missing, &jpeg()).expect(404);
}

fn a_photo_has_the_version_of_its_user(world: &World) {
    let tenant = world.tenant();
    let ivan = with_photo(&tenant, "ivan");
    let admin = tenant.admin();
    let tag = admin.get(path(&ivan)).expect(200).etag();
    assert_eq!(admin.get(&ivan).etag(), tag);
    let known = admin.with_header("If-None-Match", &tag);
    let answer = known.get(path(&ivan));
    assert_eq!((answer.status, answer.body.len(), answer.etag()), (304, 0, tag.clone()));
    // The same photo again changes nothing.
    put(&admin.if_match(&tag), &ivan, &jpeg()).expect_success();
    known.get(path(&ivan)).expect(304);
    admin.patch(&ivan, "title=Boss").expect_success();
    known.get(path(&ivan)).expect(200);
    let other = written(halves(20, 20), ImageFormat::Png);
    for answer in [put(&admin.if_match(&tag), &ivan, &other), admin.if_match(&tag).delete(path(&ivan))] {
        assert_eq!(answer.expect(412).message(), "The user has changed since you read it. Read it again.");
    }
    let tag = admin.get(path(&ivan)).etag();
    put(&admin.if_match(&tag), &ivan, &other).expect_success();
    assert_ne!(admin.get(path(&ivan)).etag(), tag);
}

fn users_change_their_own_photo_and_no_other(world: &World) {
    let tenant = world.tenant();
    let (ivan, other) = (tenant.user("ivan").create(), with_photo(&tenant, "other"));
    let client = ivan.log_in();
    put(&client, &ivan, &jpeg()).expect_success();
    client.get(path(&ivan)).expect(200);
    let before = world.probe().user(&other.mail);
    for user in [&other, &tenant.named("missing")] {
        client.get(path(user)).expect(403);
        put(&client, user, &jpeg()).expect(403);
        client.delete(path(user)).expect(403);
    }
    assert_eq!(world.probe().user(&other.mail), before);
    client.delete(path(&ivan)).expect_success();
    client.get(path(&ivan)).expect(404);
}

fn an_administrator_does_not_touch_the_photo_of_a_super_administrator(world: &World) {
    let tenant = world.default_tenant();
    let admin = tenant.user("photo-administrator").role(1).create().log_in();
    let boss = tenant.user("photo-super").role(3).create();
    put(world.root(), &boss, &jpeg()).expect_success();
    put(&admin, &boss, &written(halves(9, 9), ImageFormat::Png)).expect(403);
    admin.delete(path(&boss)).expect(403);
    admin.get(path(&boss)).expect(200);
}

fn a_deleted_user_has_no_photo_until_it_is_restored(world: &World) {
    let tenant = world.tenant();
    let ivan = with_photo(&tenant, "ivan");
    let before = tenant.admin().get(path(&ivan)).expect(200).body;
    tenant.admin().delete(&ivan).expect_success();
    tenant.admin().get(path(&ivan)).expect(404);
    put(tenant.admin(), &ivan, &jpeg()).expect(404);
    tenant.admin().delete(path(&ivan)).expect(404);
    tenant.admin().restore(&ivan).expect_success();
    assert_eq!(tenant.admin().get(path(&ivan)).expect(200).body, before);
}

fn a_photo_that_is_removed_is_gone(world: &World) {
    let tenant = world.tenant();
    let ivan = with_photo(&tenant, "ivan");
    tenant.admin().delete(path(&ivan)).expect_success();
    assert_eq!(world.probe().user(&ivan.mail).all("jpegPhoto"), [""; 0]);
    for answer in [tenant.admin().get(path(&ivan)), tenant.admin().delete(path(&ivan))] {
        assert_eq!(answer.expect(404).message(), "There is no such photo.");
    }
}

fn no_list_and_no_answer_about_a_user_has_the_photo(world: &World) {
    let tenant = world.tenant();
    let plain = tenant.user("ivan").create();
    let book = tenant.book();
    let answers = || {
        let admin = tenant.admin();
        let paths = [tenant.users(), plain.as_ref().to_owned(), book.path.clone()];
        let exports = ["json", "csv", "ldif"].map(|format| format!("{}/export?format={format}", book.path));
        let suggest = format!("{}/suggest?q=ivan", book.path);
        let all = paths.into_iter().chain(exports).chain([suggest]);
        all.map(|path| admin.get(path).expect(200).text()).collect::<Vec<_>>()
    };
    let before = answers();
    put(tenant.admin(), &plain, &jpeg()).expect_success();
    assert_eq!(answers(), before);
}

/// The photos of the cards of a file.
fn photos(cards: &str) -> Vec<Vec<u8>> {
    let unfolded = cards.replace("\r\n ", "");
    let lines = unfolded.lines().filter_map(|line| line.strip_prefix("PHOTO:data:image/jpeg;base64,"));
    lines.map(|photo| BASE64_STANDARD.decode(photo).unwrap()).collect()
}

fn vcards_have_photos_and_those_without_stay_as_they_are(world: &World) {
    let tenant = world.tenant();
    // More than one read returns; in the order of addresses, every other one has a photo of its own.
    let users: Vec<_> = (10..36).map(|number| tenant.user(&format!("u{number}")).create()).collect();
    let before = tenant.book().export("").expect(200).text();
    assert!(!before.contains("PHOTO"));
    let mut sent = Vec::new();
    for (user, side) in users.iter().step_by(2).zip(20..) {
        put(tenant.admin(), user, &written(halves(side, side), ImageFormat::Png)).expect_success();
        sent.push(tenant.admin().get(path(user)).expect(200).body);
    }
    let after = tenant.book().export("format=vcard").expect(200).text();
    assert_eq!(photos(&after), sent);
    assert!(after.lines().all(|line| line.len() <= 75));
    assert_eq!(file_formats::vcards(&after).len(), users.len() + 1);
    let without: String = {
        let mut is_photo = false;
        let lines = after.split_inclusive("\r\n").filter(|line| {
            is_photo = line.starts_with("PHOTO:") || (is_photo && line.starts_with(' '));
            !is_photo
        });
        lines.collect()
    };
    assert_eq!(without, before);
    let id = tenant.book().contact(&users[2].mail)["id"].as_str().unwrap().to_owned();
    // Every reader of the address book sees it.
    let reader = users[0].log_in();
    let card = reader.get(format!("{}/{id}.vcf", tenant.book().path)).expect(200).text();
    assert_eq!(photos(&card), [sent[1].clone()]);
}

fn what_another_program_wrote_is_shown_where_it_is_a_jpeg(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let write = |bytes: &[u8]| {
        let photo = BASE64_STANDARD.encode(bytes);
        let dn = ivan.dn();
        world
            .probe()
            .modify(&format!("dn: {dn}\nchangetype: modify\nreplace: jpegPhoto\njpegPhoto:: {photo}\n"));
    };
    let large = written(halves(800, 600), ImageFormat::Jpeg);
    write(&large);
    assert_eq!(tenant.admin().get(path(&ivan)).expect(200).body, large);
    write(b"<html><script>alert(1)</script></html>");
    tenant.admin().get(path(&ivan)).expect(404);
    assert_eq!(photos(&tenant.book().export("").expect(200).text()), [[0_u8; 0]; 0]);
    // It can still be removed.
    tenant.admin().delete(path(&ivan)).expect_success();
}

fn an_account_sends_two_photos_at_a_time(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    let begin = || {
        let mut stream = TcpStream::connect(client.server()).unwrap();
        let token = client.token();
        let head = format!(
            "PUT {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: 5000\r\n\r\n",
            path(&ivan),
            client.server()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    // Any of three concurrent uploads may be the refused one.
    let mut under_way = Vec::new();
    harness::soon("two are under way", || {
        under_way.extend([begin(), begin()]);
        let answer = put(&client, &ivan, &jpeg());
        answer.status == 429 && answer.expect(429).text().contains("2 changes of photos of this account")
    });
    put(tenant.admin(), &ivan, &jpeg()).expect_success();
    drop(under_way);
    harness::soon("they have ended", || put(&client, &ivan, &jpeg()).status == 200);
}

fn an_image_that_takes_too_much_ends_nothing_but_its_request(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    // A WebP whose metadata declares 4 GB, and a JPEG with many scans although it is coded in one pass.
    let webp = b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x03\0\0\x03\0\0EXIF\xf0\xff\xff\xffExif";
    let scan = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0";
    let head = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0";
    let jpeg_of_scans = [&head[..], &scan.repeat(64), b"\xff\xd9"].concat();
    for image in [&webp[..], &jpeg_of_scans] {
        put(tenant.admin(), &ivan, image).expect(400);
    }
    put(tenant.admin(), &ivan, &jpeg()).expect_success();
}

fn rights_that_are_lost_while_an_image_comes_are_lost(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    let image = jpeg();
    let mut stream = TcpStream::connect(client.server()).unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        path(&ivan),
        client.server(),
        client.token(),
        image.len()
    );
    let (first, rest) = image.split_at(image.len() / 2);
    stream.write_all(&[head.as_bytes(), first].concat()).unwrap();
    tenant.admin().patch(&ivan, "inetUserStatus=0").expect_success();
    stream.write_all(rest).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    tenant.admin().get(path(&ivan)).expect(404);
}

fn a_backup_brings_photos_back_and_administrators_restore_valid_ones_only(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    put(tenant.admin(), &ivan, &written(halves(700, 700), ImageFormat::Png)).expect_success();
    let photo = tenant.admin().get(path(&ivan)).expect(200).body;
    let backup = tenant.admin().get(format!("/v2/backup/ldif?tenant-id={}", tenant.id)).expect(200).text();
    tenant.admin().delete(path(&ivan)).expect_success();
    let restore = |ldif: &str| {
        let path = format!("/v2/restore/ldif?tenant-id={}&existing=update", tenant.id);
        let answer = tenant.admin().with_header("Content-Type", "text/plain").post(path, ldif).expect(200);
        let lines = answer.text();
        serde_json::from_str::<serde_json::Value>(lines.lines().last().unwrap())
            .map(|end| (lines, end))
            .unwrap()
    };
    let (lines, _) = restore(&backup);
    assert_eq!(tenant.admin().get(path(&ivan)).expect(200).body, photo, "{lines}");
    // The same entry with another photo, as another program may write it.
    let unfolded = backup.replace("\n ", "");
    let entry = unfolded.split("\n\n").find(|entry| entry.contains(&format!("mail: {}", ivan.mail))).unwrap();
    let with = |bytes: &[u8]| {
        let (photo, others): (Vec<_>, Vec<_>) =
            entry.lines().partition(|line| line.to_ascii_lowercase().starts_with("jpegphoto:"));
        assert_eq!(photo.len(), 1, "{entry}");
        format!("{}\njpegPhoto:: {}\n", others.join("\n"), BASE64_STANDARD.encode(bytes))
    };
    for (bytes, words) in [
        (b"<svg/>".to_vec(), "must be one whole JPEG"),
        (turned(), "is too large: at most 512"),
        ([&photo[..], &[0; 9]].concat(), "with nothing before or after it"),
        // Data that does not belong into a picture, in places where it may occur.
        ([&photo[..2], b"\xff\x02\0\x0a<script>", &photo[2..]].concat(), "has metadata"),
        ([&photo[..2], b"\xff\xc8\0\x0a<script>", &photo[2..]].concat(), "has metadata"),
        ([&photo[..2], b"\xff\xdb\0\x0a<script>", &photo[2..]].concat(), "has metadata"),
        ([&photo[..2], &[0xff; 9], &photo[2..]].concat(), "has metadata"),
    ] {
        let (lines, _) = restore(&with(&bytes));
        assert!(lines.contains(words), "{lines}");
        assert_eq!(tenant.admin().get(path(&ivan)).expect(200).body, photo);
    }
    let small = [
        &b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0"[..],
        b"\xff\xd9",
    ];
    restore(&with(&small.concat()));
    assert_eq!(tenant.admin().get(path(&ivan)).expect(200).body, small.concat());
}
