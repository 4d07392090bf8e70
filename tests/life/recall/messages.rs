//! Which messages are recalled from a box, and the report about it.

use super::{Post, recall, results};
use base64::{Engine, engine::general_purpose::STANDARD};
use harness::World;
use serde_json::{Value, json};
use std::thread;

harness::trials! { "recall":
    unread_messages_go_and_read_ones_stay_unless_forced,
    the_guides_line_is_understood,
    only_the_equal_message_goes,
    a_message_id_is_any_text_of_a_header,
    every_copy_in_a_box_goes_and_those_in_shared_mailboxes_stay,
    a_namespace_with_a_prefix_is_searched_too,
    a_message_that_others_read_meanwhile_stays_or_goes_and_the_answer_says_so,
    a_report_is_in_the_callers_box_in_their_language,
}

fn unread_messages_go_and_read_ones_stay_unless_forced(world: &World) {
    let post = Post::start(world, &["ivan", "anna"]);
    post.deliver("ivan", "<1@x>");
    post.deliver("ivan", "<2@x>");
    assert_eq!(post.recall_one("<1@x>", "ivan", false), "recalled");
    assert_eq!(post.ids("ivan"), ["<2@x>"]);
    // The reader's program sees it gone.
    assert!(post.imap("ivan", &["SELECT INBOX", "SEARCH ALL"]).contains("* SEARCH 1\r\n"));
    assert_eq!(post.recall_one("<1@x>", "ivan", true), "not-found");
    post.read_all("ivan");
    assert_eq!(post.recall_one("<2@x>", "ivan", false), "read");
    assert_eq!(post.ids("ivan"), ["<2@x>"]);
    assert_eq!(post.recall_one("<2@x>", "ivan", true), "recalled");
    assert_eq!(post.ids("ivan"), [""; 0]);
    // A box that was never used.
    assert_eq!(post.recall_one("<2@x>", "anna", false), "not-found");
}

/// Section 3.17.4.1, with the characters as curl sends them.
fn the_guides_line_is_understood(world: &World) {
    let post = Post::start(world, &["ivan", "anna"]);
    let [ivan, anna] = ["ivan", "anna"].map(|name| post.tenant.address(name));
    post.deliver("ivan", "<CA+a=b_1@x>");
    let line =
        |id: &str| format!("/v2/actions?cmd=expunge&messageid={id}&emails={ivan},{anna}&force=0&notify=1");
    let answer = post.at(post.tenant.admin()).post(line("<CA%2Ba=b_1@x>"), "").expect(200);
    assert_eq!(answer.header("x-ignored-parameters"), None);
    let rows = results(&answer.json());
    let expected = [(ivan.clone(), "recalled"), (anna.clone(), "not-found")];
    assert_eq!(rows, expected.map(|(mail, result)| (mail, result.to_owned())));
    assert_eq!(answer.json()["notified"], true);
}

fn only_the_equal_message_goes(world: &World) {
    let post = Post::start(world, &["ivan"]);
    let others = ["<11@x>", "<1@x.test>", "<1@X>", "<1@x> (comment)", "<1@x>\r\nMessage-ID: <1@x>", "1@x1"];
    for id in others {
        post.deliver("ivan", id);
    }
    let before = post.ids("ivan");
    assert_eq!(before.len(), others.len());
    assert_eq!(post.recall_one("<1@x>", "ivan", true), "not-found");
    assert_eq!(post.ids("ivan"), before);
    post.deliver("ivan", "<1@x>");
    assert_eq!(post.recall_one("1@x", "ivan", true), "recalled");
    assert_eq!(post.ids("ivan"), before);
}

fn a_message_id_is_any_text_of_a_header(world: &World) {
    let post = Post::start(world, &["ivan"]);
    let ids =
        ["(", "<\"quoted\"@x>", r"<back\slash@x>", "OR", "<%41@x>", "*", "<a b@x>", "<ж@x>", "<a'@x>", "ALL"];
    for id in ids {
        post.deliver("ivan", id);
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(post.recall_one(id, "ivan", false), "recalled", "{id}");
        assert_eq!(post.ids("ivan").len(), ids.len() - number - 1, "{id}");
    }
    let (client, ivan) = (post.at(post.tenant.admin()), post.tenant.address("ivan"));
    for id in ["", " ", "<>", "a\r\nb@x", "a\0@x", &"a".repeat(999)] {
        recall(&client, id, &ivan, &[]).expect_wrong(&["messageid"]);
    }
    recall(&client, &"a".repeat(998), &ivan, &[]).expect(200);
    // A `+` that was not encoded arrives as a blank.
    let line = format!("/v2/actions?messageid=<1+2@x>&emails={ivan}&notify=0");
    let answer = client.post(line, "").expect(200).json();
    assert_eq!(answer["results"][0]["result"], "not-found");
    assert!(answer["results"][0]["reason"].as_str().unwrap().contains("%2B"), "{answer}");
}

fn every_copy_in_a_box_goes_and_those_in_shared_mailboxes_stay(world: &World) {
    let post = Post::with(world, &["ivan", "anna"], |options| options.shared_mailboxes(true));
    for mailbox in ["INBOX", "Archive/2026", "Папка & *"] {
        post.deliver_to("ivan", mailbox, "<1@x>");
    }
    post.deliver("anna", "<1@x>");
    let right = json!(["lookup", "read", "write", "write-seen", "write-deleted", "insert", "expunge"]);
    let id = format!("user={}", post.tenant.address("ivan"));
    post.doveadm("aclSet", "anna", json!({"mailbox": "INBOX", "id": id, "right": right}));
    assert_eq!(post.ids("ivan").len(), 4, "Ivan sees Anna's too");
    let answer = post.recall("<1@x>", &post.tenant.address("ivan"), &[]);
    assert_eq!(
        (&answer["results"][0]["result"], &answer["results"][0]["removed"]),
        (&"recalled".into(), &3.into())
    );
    assert_eq!(post.ids("anna"), ["<1@x>"]);
    let answer = post.recall("<1@x>", &post.tenant.address("ivan"), &[("force", "1")]);
    assert_eq!(answer["results"][0]["result"], "not-found");
    assert!(answer["results"][0]["reason"].as_str().unwrap().contains("doveadm.mailboxes"), "{answer}");
    assert_eq!(post.ids("anna"), ["<1@x>"]);
    assert_eq!(post.recall_one("<1@x>", "anna", false), "recalled");
}

fn a_namespace_with_a_prefix_is_searched_too(world: &World) {
    let options = |options: sandbox::DovecotServerOptions| options.prefix("INBOX/").shared_mailboxes(true);
    let post = Post::with(world, &["ivan"], options);
    for mailbox in ["INBOX", "INBOX/Sent", "INBOX/Deep/Deeper"] {
        post.deliver_to("ivan", mailbox, "<1@x>");
    }
    let answer = post.recall("<1@x>", &post.tenant.address("ivan"), &[]);
    assert_eq!(answer["results"][0]["removed"], 3, "{answer}");
    assert_eq!(post.ids("ivan"), [""; 0]);
}

fn a_message_that_others_read_meanwhile_stays_or_goes_and_the_answer_says_so(world: &World) {
    let post = Post::start(world, &["ivan"]);
    for round in 0..10 {
        let id = format!("<{round}@x>");
        post.deliver("ivan", &id);
        let result = thread::scope(|scope| {
            let reader = scope.spawn(|| post.imap("ivan", &["SELECT INBOX", "UID FETCH 1:* BODY[TEXT]"]));
            let result = post.recall_one(&id, "ivan", false);
            reader.join().unwrap();
            result
        });
        let left = post.ids("ivan");
        match result.as_str() {
            "recalled" => assert!(!left.contains(&id), "{left:?}"),
            "read" => assert!(left.contains(&id), "{left:?}"),
            other => panic!("{other}"),
        }
    }
}

/// The text of encoded words (RFC 2047) in base64.
#[track_caller]
fn decoded(header: &Value) -> String {
    let words = header.as_str().unwrap().split_whitespace();
    let bytes = words.flat_map(|word| {
        let word = word.strip_prefix("=?UTF-8?B?").and_then(|word| word.strip_suffix("?="));
        STANDARD.decode(word.unwrap_or_else(|| panic!("{header}"))).unwrap()
    });
    String::from_utf8(bytes.collect()).unwrap()
}

fn a_report_is_in_the_callers_box_in_their_language(world: &World) {
    let post = Post::start(world, &["ivan"]);
    let (ivan, admin) = (post.tenant.address("ivan"), post.at(post.tenant.admin()));
    post.deliver("ivan", "<1@x>");
    let hostile = "a\u{1}Bcc:x@y.test";
    let emails = format!("{ivan},{hostile}");
    let answer = recall(&admin, "<1@x>", &emails, &[]).expect(200).json();
    assert_eq!(answer["notified"], true);
    assert_eq!(
        answer["counts"],
        json!({"recalled": 1, "read": 0, "not-found": 0, "no-user": 1, "failed": 0})
    );
    let fields =
        ["hdr.subject", "hdr.from", "hdr.to", "hdr.date", "hdr.message-id", "hdr.bcc", "body", "hdr"];
    let reports = |mailbox: &str| {
        let query = json!({"field": fields, "query": ["mailbox", mailbox, "all"]});
        post.doveadm("fetch", "administrator", query)
    };
    let [report] = reports("INBOX").try_into().unwrap();
    let address = format!("<{}>", post.tenant.address("administrator"));
    assert_eq!((&report["hdr.from"], &report["hdr.to"]), (&json!(address), &json!(address)));
    assert_eq!(decoded(&report["hdr.subject"]), "Recall of a message: the result");
    assert!(report["hdr.bcc"] == "" && !report["hdr.date"].as_str().unwrap().is_empty());
    let body = STANDARD.decode(report["body"].as_str().unwrap().replace(['\r', '\n'], "")).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.starts_with("Message: <1@x>\r\n\r\nrecalled: 1\r\nno such box here"), "{body}");
    assert!(body.contains(&format!("\r\n{ivan}: recalled\r\n")), "{body}");
    // Another language, and none if it is not wanted or the caller has no box.
    admin.patch(post.tenant.named("administrator"), "lang=ru-RU").expect_success();
    assert_eq!(recall(&admin, "<1@x>", &ivan, &[]).expect(200).json()["notified"], true);
    let second = reports("INBOX").pop().unwrap();
    assert_eq!(decoded(&second["hdr.subject"]), "Отзыв сообщения: результат");
    assert_eq!(recall(&admin, "<1@x>", &ivan, &[("notify", "0")]).expect(200).json()["notified"], false);
    let trusted = post.at(&world.trusted());
    assert_eq!(recall(&trusted, "<1@x>", &ivan, &[]).expect(200).json()["notified"], false);
    assert_eq!(reports("INBOX").len(), 2);
    let rows = results(&recall(&admin, "<1@x>", &emails, &[("notify", "0")]).json());
    assert_eq!(rows[0], (ivan, "not-found".to_owned()));
}
