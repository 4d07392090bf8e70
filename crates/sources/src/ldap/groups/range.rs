//! Values in pieces. Active Directory returns 1,500 values of an attribute at most: a larger `member` comes back empty,
//! beside `member;range=0-1499`. The rest is asked for as `member;range=1500-*`; the last piece ends in `*` (MS-ADTS
//! 3.1.1.3.1.3.3).

use ldap_text::AttributeName;

/// A piece of the values of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The number of its first value.
    pub(super) first: u32,
    /// The number of the first value of the next piece; `None` for the last.
    pub(super) next: Option<u32>,
}

impl Range {
    /// The piece that the name of a returned attribute tells of; `None` for a name without a range, or of another
    /// attribute.
    pub(super) fn of(returned: &str, attribute: &AttributeName) -> Option<Self> {
        let mut parts = returned.split(';');
        let is_kind = parts.next()?.eq_ignore_ascii_case(attribute.as_str());
        let range = parts.find_map(|option| {
            let (name, range) = option.split_once('=')?;
            name.eq_ignore_ascii_case("range").then_some(range)
        })?;
        let (first, last) = range.split_once('-')?;
        let first = first.parse().ok()?;
        let next = match last {
            "*" => None,
            last => Some(last.parse::<u32>().ok().filter(|last| *last >= first)?.checked_add(1)?),
        };
        is_kind.then_some(Self { first, next })
    }

    /// What to ask for to get the piece that begins with a value.
    pub(super) fn request(attribute: &AttributeName, first: u32) -> String {
        format!("{attribute};range={first}-*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: AttributeName = AttributeName::from_static("member");

    #[test]
    fn the_name_of_a_piece_tells_where_the_next_begins() {
        let of = |name: &str| Range::of(name, &MEMBER).map(|range| (range.first, range.next));
        assert_eq!(of("member;range=0-1499"), Some((0, Some(1500))));
        assert_eq!(of("Member;Range=1500-*"), Some((1500, None)));
        assert_eq!(of("member;x-a;range=3-3"), Some((3, Some(4))));
        for other in [
            "member",
            "member;range=",
            "member;range=5-4",
            "member;range=0-4294967295",
            "member;range=-1-2",
            "memberOf;range=0-*",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Range::request(&MEMBER, 1500), "member;range=1500-*");
    }
}
