//! Records that are changes (RFC 2849, `ldif-changes`).

use std::io::BufRead;

use super::{ATTRIBUTE_COST, LdifReader, Line, is, refuse_reserved};
use crate::attribute::AttributeName;
use crate::dn::{Dn, Rdn};
use crate::ldif::error::{Flaw, LdifReason};
use crate::ldif::field::Field;
use crate::ldif::record::{Attribute, Change, Modification, ModifyKind};
use crate::ldif::value::Value;

impl<R: BufRead> LdifReader<R> {
    pub(super) fn change(&mut self, kind: &Field) -> Result<Change, Flaw> {
        match kind.value.to_ascii_lowercase().as_slice() {
            b"add" => {
                let first = self.line()?;
                self.attributes(first).map(Change::Add)
            }
            b"modify" => self.modifications().map(Change::Modify),
            b"modrdn" | b"moddn" => self.rename(),
            b"delete" => self.end().map(|()| Change::Delete),
            _ => Err(LdifReason::ChangeType.at(kind.at)),
        }
    }

    fn modifications(&mut self) -> Result<Vec<Modification>, Flaw> {
        const EXPECTED: LdifReason = LdifReason::Expected("`add:`, `delete:` or `replace:`");
        let mut modifications = Vec::new();
        loop {
            let field = match self.line()? {
                Line::End => return Ok(modifications),
                Line::Field(field) => field,
                Line::Dash => return Err(EXPECTED.into()),
            };
            let kind = match field.name.as_str().to_ascii_lowercase().as_str() {
                "add" => ModifyKind::Add,
                "delete" => ModifyKind::Delete,
                "replace" => ModifyKind::Replace,
                _ => return Err(EXPECTED.into()),
            };
            self.take(ATTRIBUTE_COST)?;
            let name = self.names.get(&field.value).map_err(|error| LdifReason::from(error).at(field.at))?;
            refuse_reserved(&name)?;
            let (values, ended) = self.values(&name)?;
            modifications.push(Modification { kind, attribute: Attribute { name, values } });
            // The dash after the last modification is often missing.
            if ended {
                return Ok(modifications);
            }
        }
    }

    /// The values of one modification, and whether the record ended with it.
    fn values(&mut self, expected: &AttributeName) -> Result<(Vec<Value>, bool), Flaw> {
        let mut values = Vec::new();
        loop {
            match self.line()? {
                Line::End => return Ok((values, true)),
                Line::Dash => return Ok((values, false)),
                Line::Field(field) if field.name == *expected => values.push(Value::Plain(field.value)),
                Line::Field(_) => {
                    return Err(LdifReason::Expected("a value of the attribute named above, or `-`").into());
                }
            }
        }
    }

    fn rename(&mut self) -> Result<Change, Flaw> {
        let new_rdn = match self.line()? {
            Line::Field(field) if is(&field.name, "newrdn") => field.parsed(Rdn::parse)?,
            _ => return Err(LdifReason::Expected("`newrdn:`").into()),
        };
        let delete_old_rdn = match self.line()? {
            Line::Field(field) if is(&field.name, "deleteoldrdn") && field.value == b"0" => false,
            Line::Field(field) if is(&field.name, "deleteoldrdn") && field.value == b"1" => true,
            _ => return Err(LdifReason::Expected("`deleteoldrdn:` with 0 or 1").into()),
        };
        let new_superior = match self.line()? {
            Line::End => None,
            Line::Field(field) if is(&field.name, "newsuperior") => {
                let parent = field.parsed(Dn::parse)?;
                self.end()?;
                Some(parent)
            }
            _ => return Err(LdifReason::Expected("`newsuperior:` or a blank line").into()),
        };
        Ok(Change::Rename { new_rdn, delete_old_rdn, new_superior })
    }

    fn end(&mut self) -> Result<(), Flaw> {
        match self.line()? {
            Line::End => Ok(()),
            _ => Err(LdifReason::Expected("a blank line").into()),
        }
    }
}
