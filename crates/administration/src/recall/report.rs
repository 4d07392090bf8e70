//! The report that a caller finds in their box after a recall, in the caller's language.

use super::{
    outcome::{BoxReport, RecallResult, count_of},
    request::Recall,
};
use jiff::Timestamp;
use mail_model::user::{User, field::UserField};
use mail_store::report::Report;
use std::fmt::Write;

/// The texts of a language.
struct Words {
    subject: &'static str,
    message: &'static str,
    results: fn(RecallResult) -> &'static str,
}

const ENGLISH: Words = Words {
    subject: "Recall of a message: the result",
    message: "Message",
    results: |result| match result {
        RecallResult::Recalled => "recalled",
        RecallResult::Read => "not recalled: it was read",
        RecallResult::NotFound => "the message is not in the box",
        RecallResult::NoUser => "no such box here: the address is unknown, or outside",
        RecallResult::Failed => "failed, the message may still be in the box",
    },
};

const RUSSIAN: Words = Words {
    subject: "Отзыв сообщения: результат",
    message: "Сообщение",
    results: |result| match result {
        RecallResult::Recalled => "отозвано",
        RecallResult::Read => "не отозвано: прочитано",
        RecallResult::NotFound => "сообщения нет в ящике",
        RecallResult::NoUser => "здесь нет такого ящика: адрес неизвестен или внешний",
        RecallResult::Failed => "ошибка, сообщение может оставаться в ящике",
    },
};

/// The whole message. The languages of Russia are answered in Russian, all others in English.
pub(super) fn message(user: &User, recall: &Recall, reports: &[BoxReport], now: Timestamp) -> String {
    let language = user.values(UserField::Language).first();
    let words = if language.is_some_and(|tag| tag.ends_with("-RU")) { RUSSIAN } else { ENGLISH };
    let unique = format!("recall-{:032x}", rand::random::<u128>());
    let text = text(&words, recall, reports);
    let (address, subject) = (user.mail().as_str(), words.subject);
    Report { address, unique: &unique, at: now, subject, text: &text }.to_message()
}

/// The numbers, then a line for each address.
fn text(words: &Words, recall: &Recall, reports: &[BoxReport]) -> String {
    let mut text = format!("{}: {}\r\n\r\n", words.message, recall.id);
    for result in RecallResult::ALL {
        let count = count_of(reports, result);
        if count > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}: {count}\r\n", (words.results)(result));
        }
    }
    text.push_str("\r\n");
    for BoxReport { mail, result, .. } in reports {
        let mail: String = mail.chars().filter(|c| !c.is_control()).collect();
        let _ = write!(text, "{mail}: {}\r\n", (words.results)(*result));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_store::message_id::MessageId;

    #[test]
    fn a_report_counts_and_lists() {
        let id = MessageId::parse("1@x").unwrap();
        let recall = Recall { id, addressed: Vec::new(), force: false, expand: false };
        let report = |mail: &str, result| BoxReport {
            mail: mail.to_owned(),
            of: None,
            result,
            removed: 0,
            reason: None,
            is_repeat: false,
        };
        let reports = [
            report("a@a.test", RecallResult::Recalled),
            report("b\r\n.@a.test", RecallResult::Read),
            report("c@a.test", RecallResult::Recalled),
        ];
        assert_eq!(
            text(&RUSSIAN, &recall, &reports),
            "Сообщение: <1@x>\r\n\r\nотозвано: 2\r\nне отозвано: прочитано: 1\r\n\r\na@a.test: отозвано\r\n\
             b.@a.test: не отозвано: прочитано\r\nc@a.test: отозвано\r\n"
        );
    }
}
