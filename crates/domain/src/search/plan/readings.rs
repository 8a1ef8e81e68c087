//! Which readings of its text a search tries.

use crate::cursor::Cursor;
use crate::invalid::InvalidArgument;
use crate::search::expr::SearchExpr;
use crate::search::grammar;
use crate::search::reading::SearchReading;

/// The readings of a text, in the order in which a search tries them.
pub(super) struct Readings<'a> {
    pub(super) reading: SearchReading,
    /// `None` where the filters alone decide.
    pub(super) expr: Option<SearchExpr>,
    /// What is read as text where the query finds nothing.
    further: Option<&'a str>,
}

impl<'a> Readings<'a> {
    /// Of a text that only excludes there is no query: it would find everything else.
    pub(super) fn of(text: &'a str) -> Self {
        let expr = grammar::parse(text);
        if !expr.as_ref().is_some_and(SearchExpr::excludes) {
            return Self { reading: SearchReading::Query, expr, further: None };
        }
        match expr.filter(|expr| !expr.wanted().is_empty()) {
            None => Self::text(text),
            expr => Self { reading: SearchReading::Query, expr, further: Some(text) },
        }
    }

    fn text(text: &str) -> Self {
        Self { reading: SearchReading::Text, expr: grammar::as_text(text), further: None }
    }

    /// The one that an earlier page took.
    ///
    /// # Errors
    /// [`InvalidArgument`] where no page of this text takes it.
    pub(super) fn only(self, reading: SearchReading) -> Result<Self, InvalidArgument> {
        match (self.reading == reading, self.further) {
            (true, _) => Ok(Self { further: None, ..self }),
            (false, Some(text)) => Ok(Self::text(text)),
            (false, None) => Err(Cursor::damaged()),
        }
    }

    /// Goes on to the next one, if there is one.
    pub(super) fn next(&mut self) -> bool {
        let Some(text) = self.further.take() else { return false };
        *self = Self::text(text);
        true
    }
}
