//! The words of a term, in both of their readings.

use std::ops::ControlFlow;

use crate::search::analyzer::pieces::{Stretch, for_each_part, is_compound, stretches};
use crate::search::analyzer::token::Token;
use crate::search::analyzer::words::for_each_token;
use crate::search::expr::{SearchExpr, SearchPhrase};
use crate::search::grammar::join::join;

/// What a term asks for; `None` where it has no word.
///
/// It asks for its words, as a phrase. Where it has a piece with another reading, it asks for that reading as well, and one
/// of the two is enough: what was cut out of a piece may have its words in the other reading alone. A term that is more
/// than a piece then asks for each piece by itself. In quotes it does not: what is in quotes stays a phrase.
pub(super) fn words(text: &str, is_prefix: bool, is_quoted: bool) -> Option<SearchExpr> {
    let whole = SearchExpr::Phrase(phrase(text, is_prefix)?);
    join(true, [Some(whole), piece_by_piece(text, is_prefix, is_quoted)].into_iter().flatten())
}

/// The other reading; `None` where it is the same.
fn piece_by_piece(text: &str, is_prefix: bool, is_quoted: bool) -> Option<SearchExpr> {
    let mut has_other = false;
    let _ = for_each_token(text, |token| {
        has_other |= is_compound(text, &token.range);
        ControlFlow::Continue(())
    });
    if !has_other {
        return None;
    }
    let mut stretches = stretches(text);
    stretches.retain(|stretch| phrase(stretch.text, false).is_some());
    if is_quoted && stretches.len() > 1 {
        return None;
    }
    let (mut phrases, count) = (Vec::new(), stretches.len());
    for (number, Stretch { text, is_piece }) in (1..).zip(stretches) {
        let mut phrase = phrase(text, is_prefix && number == count)?;
        if is_piece {
            let mut parts = Vec::new();
            let _ = for_each_part(text, |token| push(&mut parts, &token));
            phrase.words = parts;
        }
        phrases.push(SearchExpr::Phrase(phrase));
    }
    join(false, phrases)
}

/// The words of a text, one behind the other; `None` where it has none.
fn phrase(text: &str, is_prefix: bool) -> Option<SearchPhrase> {
    let (mut words, mut is_prefix) = (Vec::<String>::new(), is_prefix);
    let (mut end, mut is_tail, mut is_covered) = (0, false, false);
    let _ = for_each_token(text, |token| {
        is_tail = token.is_tail;
        is_covered = token.range.start < end && words.last().is_some_and(|last| last.ends_with(token.word));
        end = token.range.end;
        push(&mut words, &token)
    });
    if is_tail && is_covered {
        // The bigram before it ends with the same letter; and in a message the run may go on here.
        words.pop();
        is_prefix = false;
    } else if is_tail {
        // A letter alone is found by the bigrams that begin with it.
        is_prefix = true;
    }
    (!words.is_empty()).then_some(SearchPhrase { words, is_prefix })
}

fn push(words: &mut Vec<String>, token: &Token<'_>) -> ControlFlow<()> {
    words.push(token.word.to_owned());
    ControlFlow::Continue(())
}
