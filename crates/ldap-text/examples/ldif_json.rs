//! Converts LDIF to JSON lines and back, for comparisons with other readers and writers, as in `tests/ldif`.
//!
//! ```text
//! ldif_json read <LDIF >JSON
//! ldif_json write <JSON >LDIF                for programs, entries without comments
//! ldif_json write-for-people <JSON >LDIF
//! ```
//!
//! A line is `{"dn":"cn=x","entry":{"cn":["…"]}}` or `{"dn":"cn=x","modify":[["add","cn",["…"]]]}`, with values in
//! base64. The only change type is modify.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ldap_text::ldif::{
    Attribute, Change, ChangeRecord, Entry, LdifReader, Modification, ModifyKind, Record, Value,
    write_change, write_content, write_entry,
};
use ldap_text::{AttributeName, Dn};
use serde::{Deserialize, Serialize};

type Encoded = Vec<String>;

#[derive(Serialize, Deserialize)]
struct Line {
    dn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<BTreeMap<String, Encoded>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modify: Option<Vec<(String, String, Encoded)>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(io::stdout().lock());
    match std::env::args().nth(1).as_deref() {
        Some("read") => {
            for record in LdifReader::new(io::stdin().lock()) {
                serde_json::to_writer(&mut out, &line(record?)?)?;
                out.write_all(b"\n")?;
            }
        }
        Some("write") => write(&mut out, write_content)?,
        Some("write-for-people") => write(&mut out, write_entry)?,
        _ => return Err("read, write or write-for-people?".into()),
    }
    Ok(out.flush()?)
}

fn line(record: Record) -> Result<Line, Box<dyn Error>> {
    match record {
        Record::Entry(Entry { dn, attributes }) => {
            let pairs = attributes.iter().map(|attribute| (attribute.name.to_string(), encoded(attribute)));
            Ok(Line { dn: dn.to_string(), entry: Some(pairs.collect()), modify: None })
        }
        Record::Change(ChangeRecord { dn, change: Change::Modify(steps) }) => {
            let steps = steps.iter().map(|step| {
                (word(step.kind).to_owned(), step.attribute.name.to_string(), encoded(&step.attribute))
            });
            Ok(Line { dn: dn.to_string(), entry: None, modify: Some(steps.collect()) })
        }
        Record::Change(_) => Err("a change that is no modification".into()),
    }
}

fn write<W: Write>(
    out: &mut W,
    write_entry: impl Fn(&mut W, &Entry) -> io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let dn = Dn::parse(&line.dn)?;
        if let Some(pairs) = line.entry {
            let attributes = pairs.iter().map(|(name, values)| attribute(name, values));
            write_entry(out, &Entry { dn, attributes: attributes.collect::<Result<_, _>>()? })?;
        } else if let Some(steps) = line.modify {
            let steps = steps.iter().map(|(kind, name, values)| {
                Ok::<_, Box<dyn Error>>(Modification {
                    kind: kind_of(kind)?,
                    attribute: attribute(name, values)?,
                })
            });
            write_change(
                out,
                &ChangeRecord { dn, change: Change::Modify(steps.collect::<Result<_, _>>()?) },
            )?;
        }
    }
    Ok(())
}

fn encoded(attribute: &Attribute) -> Encoded {
    attribute.values.iter().map(|value| STANDARD.encode(value.as_bytes())).collect()
}

fn attribute(name: &str, values: &[String]) -> Result<Attribute, Box<dyn Error>> {
    let values =
        values.iter().map(|value| Ok::<_, base64::DecodeError>(Value::from(STANDARD.decode(value)?)));
    Ok(Attribute { name: AttributeName::parse(name)?, values: values.collect::<Result<_, _>>()? })
}

fn word(kind: ModifyKind) -> &'static str {
    match kind {
        ModifyKind::Add => "add",
        ModifyKind::Delete => "delete",
        ModifyKind::Replace => "replace",
    }
}

fn kind_of(word: &str) -> Result<ModifyKind, Box<dyn Error>> {
    match word {
        "add" => Ok(ModifyKind::Add),
        "delete" => Ok(ModifyKind::Delete),
        "replace" => Ok(ModifyKind::Replace),
        _ => Err(format!("no kind of modification: {word}").into()),
    }
}
