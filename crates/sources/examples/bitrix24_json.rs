//! Reads the people of a portal, and prints each as a line of JSON, for comparisons with other clients as in
//! `tests/bitrix24`.
//!
//! ```text
//! bitrix24_json URL USER CERTIFICATE <CODE
//! ```

use mail_model::source::card::{CARD_FIELDS, Card};
use serde_json::json;
use sources::{
    Read, Reader, Sweep,
    bitrix24::{Bitrix24Settings, Patience},
    mapping::{BITRIX24, Mapping},
};
use std::{collections::BTreeMap, error::Error, io, time::Duration};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let reader = Reader::Bitrix24(settings()?);
    let (out, mut found) = mpsc::channel(64);
    let print = async {
        while let Some(read) = found.recv().await {
            println!("{}", line(&read));
        }
    };
    let (end, ()) = tokio::join!(reader.people(&Sweep::Whole, out), print);
    end?;
    Ok(())
}

fn settings() -> Result<Bitrix24Settings, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, certificate] = arguments.as_slice() else {
        return Err(io::Error::other("usage: bitrix24_json URL USER CERTIFICATE <CODE").into());
    };
    let code = io::read_to_string(io::stdin())?;
    Ok(Bitrix24Settings {
        url: url.parse()?,
        admin_userid: user.clone(),
        webhook: code.trim().into(),
        ca_file: Some(certificate.into()),
        mapping: Mapping::new(BITRIX24, &BTreeMap::new()),
        surname_field: None,
        photos: false,
        timeout: Duration::from_secs(60),
        patience: Patience::default(),
    })
}

fn line(read: &Read) -> serde_json::Value {
    match read {
        Read::Person(card) => person(card),
        Read::Passed(passed) => json!({
            "passed": passed.what, "why": passed.why, "keeps": passed.keeps.as_ref().map(ToString::to_string),
        }),
        Read::List(list) => json!({"list": list.mail.as_str()}),
    }
}

fn person(card: &Card) -> serde_json::Value {
    let fields = CARD_FIELDS.iter().filter_map(|field| Some((format!("{field:?}"), card.text(*field)?)));
    json!({"id": card.id.as_str(), "mail": card.mail.as_str(), "fields": fields.collect::<BTreeMap<_, _>>()})
}
