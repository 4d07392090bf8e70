//! Generalized time (RFC 4517, section 3.3.13): `20240131235959Z`.
//!
//! Covers every form of the RFC: minutes and seconds may be missing, a fraction after `.` or `,` belongs to the last
//! unit given, the zone is `Z` or an offset. Refuses local time without a zone, and spaces. Second 60 counts as the
//! first of the next minute. Digits of a fraction past the eighteenth are ignored, and the time is truncated to
//! nanoseconds.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

const NANOS_A_SECOND: i128 = 1_000_000_000;

/// 18 digits of a fraction times the nanoseconds of an hour (13 digits) are far inside an `i128`.
const MAX_FRACTION_DIGITS: usize = 18;

/// Why a text isn't a generalized time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneralizedTimeError {
    /// The text does not have the form of a generalized time.
    #[error("a time is written YYYYMMDDHH[MM[SS]], then a fraction if any, then `Z` or `±HH[MM]`")]
    Form,
    /// The form is right, but the month, day, hour, minute, second or offset does not exist.
    #[error("there is no such date or time of day")]
    Range,
    /// The moment is before the year 0 or in the last days of the year 9999, in UTC.
    #[error("the time is outside the supported years")]
    Unrepresentable,
}

/// Reads a time.
///
/// # Errors
///
/// [`GeneralizedTimeError`] if the text has another form, or its date or time does not exist. That includes
/// `99991231235959Z`, which some servers write for "never": it is later than the last [`Timestamp`].
pub fn parse(text: &str) -> Result<Timestamp, GeneralizedTimeError> {
    let mut fields = Fields { rest: text.as_bytes() };
    let (century, year) = (fields.required()?, fields.required()?);
    let (month, day, hour) = (fields.required()?, fields.required()?, fields.required()?);
    let minute = fields.optional()?;
    let second = if minute.is_some() { fields.optional()? } else { None };
    let unit_seconds = match (minute, second) {
        (None, _) => 3600,
        (Some(_), None) => 60,
        (Some(_), Some(_)) => 1,
    };
    let fraction_nanos = fields.fraction(unit_seconds)?;
    let offset = fields.zone()?;

    let second = second.unwrap_or(0);
    if second > 60 {
        return Err(GeneralizedTimeError::Range);
    }
    let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day);
    let time = Time::new(hour, minute.unwrap_or(0), 0, 0);
    let (Ok(date), Ok(time)) = (date, time) else { return Err(GeneralizedTimeError::Range) };
    let extra = SignedDuration::from_nanos(i64::from(second) * 1_000_000_000 + fraction_nanos);
    let time = offset
        .to_timestamp(date.to_datetime(time))
        .and_then(|time| time.checked_add(extra))
        .map_err(|_| GeneralizedTimeError::Unrepresentable)?;
    if Offset::UTC.to_datetime(time).year() < 0 {
        return Err(GeneralizedTimeError::Unrepresentable);
    }
    Ok(time)
}

/// Prints a time in UTC, with milliseconds if there are any; smaller units are truncated.
///
/// A time before the year 0 has no written form; it is printed as the start of that year.
#[must_use]
pub fn print(time: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(time);
    if time.year() < 0 {
        return "00000101000000Z".to_owned();
    }
    let date = format!("{:04}{:02}{:02}", time.year(), time.month(), time.day());
    let clock = format!("{:02}{:02}{:02}", time.hour(), time.minute(), time.second());
    match time.millisecond() {
        0 => format!("{date}{clock}Z"),
        milliseconds => format!("{date}{clock}.{milliseconds:03}Z"),
    }
}

/// The text that is left to parse.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    /// Two digits, if a digit comes next.
    fn optional(&mut self) -> Result<Option<i8>, GeneralizedTimeError> {
        match self.rest {
            [b'0'..=b'9', ..] => self.required().map(Some),
            _ => Ok(None),
        }
    }

    fn required(&mut self) -> Result<i8, GeneralizedTimeError> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.rest else {
            return Err(GeneralizedTimeError::Form);
        };
        self.rest = rest;
        i8::try_from((tens - b'0') * 10 + (ones - b'0')).map_err(|_| GeneralizedTimeError::Form)
    }

    /// The fraction of a unit of `unit_seconds` seconds, in nanoseconds.
    fn fraction(&mut self, unit_seconds: i128) -> Result<i64, GeneralizedTimeError> {
        let [b'.' | b',', after @ ..] = self.rest else { return Ok(0) };
        let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = after.split_at(length);
        if digits.is_empty() {
            return Err(GeneralizedTimeError::Form);
        }
        self.rest = rest;
        let (mut value, mut scale) = (0, 1);
        for digit in digits.iter().take(MAX_FRACTION_DIGITS) {
            value = value * 10 + i128::from(digit - b'0');
            scale *= 10;
        }
        i64::try_from(value * unit_seconds * NANOS_A_SECOND / scale).map_err(|_| GeneralizedTimeError::Range)
    }

    /// The zone; the text must end after it.
    fn zone(&mut self) -> Result<Offset, GeneralizedTimeError> {
        let (sign, rest) = match self.rest {
            [b'Z'] => return Ok(Offset::UTC),
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => return Err(GeneralizedTimeError::Form),
        };
        self.rest = rest;
        let (hours, minutes) = (self.required()?, self.optional()?.unwrap_or(0));
        if !self.rest.is_empty() {
            return Err(GeneralizedTimeError::Form);
        }
        if hours > 23 || minutes > 59 {
            return Err(GeneralizedTimeError::Range);
        }
        Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
            .map_err(|_| GeneralizedTimeError::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn the_examples_of_rfc_4517() {
        assert_eq!(read("199412161032Z"), "1994-12-16T10:32:00Z");
        assert_eq!(read("199412160532-0500"), "1994-12-16T10:32:00Z");
    }

    #[test]
    fn a_fraction_is_of_the_last_unit_given() {
        assert_eq!(read("2024010112.5Z"), "2024-01-01T12:30:00Z");
        assert_eq!(read("202401011230,25Z"), "2024-01-01T12:30:15Z");
        assert_eq!(read("20240101123015.123456789Z"), "2024-01-01T12:30:15.123456789Z");
        assert_eq!(read("20240101123015.1234567899999999999999999Z"), "2024-01-01T12:30:15.123456789Z");
        assert_eq!(read("2024010112.999999999999999999999999Z"), "2024-01-01T12:59:59.999999999Z");
    }

    #[test]
    fn second_60_is_the_first_of_the_next_minute() {
        assert_eq!(read("20161231235960Z"), "2017-01-01T00:00:00Z");
        assert_eq!(read("20161231235960.5Z"), "2017-01-01T00:00:00.5Z");
        assert_eq!(parse("20161231235961Z"), Err(GeneralizedTimeError::Range));
    }

    #[test]
    fn offsets_may_leave_out_minutes() {
        assert_eq!(read("2024010100+03"), "2023-12-31T21:00:00Z");
        assert_eq!(read("2024010100-0330"), "2024-01-01T03:30:00Z");
        assert_eq!(parse("2024010100+24"), Err(GeneralizedTimeError::Range));
        assert_eq!(parse("2024010100+0060"), Err(GeneralizedTimeError::Range));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "Z", "2024010100", "20240101Z", "202401010Z", "2024010100z", " 2024010100Z"] {
            assert_eq!(parse(text), Err(GeneralizedTimeError::Form), "{text:?}");
        }
        for text in ["2024010100Z ", "2024010100.Z", "2024010100.5", "2024010100+3", "2024010100+030", "٢٠٢٤"]
        {
            assert_eq!(parse(text), Err(GeneralizedTimeError::Form), "{text:?}");
        }
        assert_eq!(parse("2024010100000000Z"), Err(GeneralizedTimeError::Form));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in ["20230229000000Z", "20240001000000Z", "20241301000000Z", "20240132000000Z"] {
            assert_eq!(parse(text), Err(GeneralizedTimeError::Range), "{text:?}");
        }
        for text in ["2024010124Z", "202401010060Z"] {
            assert_eq!(parse(text), Err(GeneralizedTimeError::Range), "{text:?}");
        }
        assert_eq!(read("20240229000000Z"), "2024-02-29T00:00:00Z");
    }

    #[test]
    fn the_ends_of_time() {
        assert_eq!(read("0000010100Z"), "0000-01-01T00:00:00Z");
        assert_eq!(parse("0000010100+01"), Err(GeneralizedTimeError::Unrepresentable));
        assert_eq!(parse("99991231235959Z"), Err(GeneralizedTimeError::Unrepresentable));
        assert_eq!(print(Timestamp::MIN), "00000101000000Z");
    }

    #[test]
    fn milliseconds_are_printed_only_when_there_are_any() {
        assert_eq!(print(Timestamp::from_millisecond(1_700_000_000_000).unwrap()), "20231114221320Z");
        assert_eq!(print(Timestamp::from_millisecond(1_700_000_000_007).unwrap()), "20231114221320.007Z");
        assert_eq!(print(Timestamp::from_nanosecond(999_999).unwrap()), "19700101000000Z");
        assert_eq!(print(Timestamp::from_millisecond(-1).unwrap()), "19691231235959.999Z");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(millisecond in -62_167_219_200_000_i64..=253_402_207_200_999) {
            let time = Timestamp::from_millisecond(millisecond).unwrap();
            prop_assert_eq!(parse(&print(time)), Ok(time));
        }

        #[test]
        fn no_text_breaks_the_parser(text in any::<String>(), more in "[0-9]{8,16}[.,]?[0-9]{0,40}[Z+-][0-9]{0,4}") {
            let _ = parse(&text);
            if let Ok(time) = parse(&more) {
                let printed = print(time);
                prop_assert_eq!(print(parse(&printed).unwrap()), printed);
            }
        }
    }
}
