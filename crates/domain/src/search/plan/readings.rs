//! Which readings of its text a search tries.

use crate::InvalidArgument;
use crate::search::{SearchExpr, SearchReading, grammar};

/// The readings of a text, in the order in which a search tries them.
pub(super) struct Readings {
    pub(super) reading: SearchReading,
    /// `None` where the filters alone decide.
    pub(super) expr: Option<SearchExpr>,
    /// What the text asks for as text, where it is tried when the query finds nothing.
    pub(super) as_text: Option<SearchExpr>,
}

impl Readings {
    /// Of a text that only excludes there is no query: it would find everything else.
    pub(super) fn of(text: &str) -> Self {
        let expr = grammar::parse(text);
        if !expr.as_ref().is_some_and(SearchExpr::excludes) {
            return Self { reading: SearchReading::Query, expr, as_text: None };
        }
        let as_text = grammar::as_text(text);
        match expr.filter(|expr| !expr.wanted().is_empty()) {
            None => Self { reading: SearchReading::Text, expr: as_text, as_text: None },
            expr => Self { reading: SearchReading::Query, expr, as_text },
        }
    }

    /// The one that an earlier page took.
    ///
    /// # Errors
    /// [`InvalidArgument`] where no page of this text takes it.
    pub(super) fn only(self, reading: SearchReading) -> Result<Self, InvalidArgument> {
        let expr = match (self.reading == reading, self.as_text) {
            (true, _) => self.expr,
            (false, Some(as_text)) => Some(as_text),
            (false, None) => return Err(crate::cursor::damaged()),
        };
        Ok(Self { reading, expr, as_text: None })
    }

    /// Goes on to the next one, if there is one.
    pub(super) fn next(&mut self) -> bool {
        let Some(as_text) = self.as_text.take() else { return false };
        (self.reading, self.expr) = (SearchReading::Text, Some(as_text));
        true
    }
}
