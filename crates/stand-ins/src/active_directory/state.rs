//! What connections share: the entries, what goes wrong, and what was asked.

use super::population::Population;

/// What goes wrong. It does until another fault, or none, is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The page with this number, counted from 1, ends with an error after some of its entries.
    FailOnPage(usize),
    /// The connection ends within the page with this number.
    CutOnPage(usize),
    /// Nothing comes any more within the page with this number.
    SilentOnPage(usize),
    /// A login is refused with this code, such as `533`, as the right password would be.
    RefuseLogin(&'static str),
    /// A login is refused because the connection is not encrypted.
    WantEncryption,
    /// There is no paging, and it is not listed.
    NoPaging,
}

/// A search that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Where it began.
    pub base: String,
    /// The filter, as the library shows it.
    pub filter: String,
    /// The attributes.
    pub attributes: Vec<String>,
    /// The controls, as the library shows them.
    pub controls: Vec<String>,
    /// Which page of its results this was, from 1.
    pub page: usize,
}

/// What connections share.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) population: Population,
    pub(crate) fault: Fault,
    pub(crate) asked: Vec<Asked>,
    pub(crate) connections: usize,
}
