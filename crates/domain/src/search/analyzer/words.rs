//! The words of a text, in its order.

use std::ops::ControlFlow;

use crate::fold::{Class, fold_char, is_apostrophe};
use crate::search::analyzer::run::Run;
use crate::search::analyzer::token::Token;

/// What is joined to the next word by an apostrophe, and is a word of its own.
const ELIDED: [&str; 24] = [
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", // French, Catalan, Italian
    "jusqu", "lorsqu", "puisqu", "quoiqu", // French
    "v", "un", "all", "dall", "dell", "nell", "sull", "coll", "quell", "quest", "gl", // Italian
];

/// Gives every word, in the order of the text, until `each` breaks.
///
/// The time is linear in the text, and the memory is that of a word.
pub(in crate::search) fn for_each_token(
    text: &str,
    mut each: impl FnMut(Token<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let each = &mut each;
    let mut run = Run::default();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        if byte.is_ascii_alphanumeric() {
            let len = text.as_bytes()[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let range = at..at + len;
            at += len;
            let is_all = text.as_bytes().get(at).is_none_or(|next| next.is_ascii() && *next != b'\'');
            if is_all && run.is_idle() {
                run.ascii_word(text, range, each)?;
            } else {
                run.push_ascii(text, range, each)?;
            }
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let range = at..at + c.len_utf8();
        at = range.end;
        if is_apostrophe(c) {
            let next = text[at..].chars().next().and_then(|next| fold_char(next).next());
            match next.filter(|next| run.ends_in_letter() && Class::of(*next) == Class::Letter) {
                Some('a' | 'e' | 'h' | 'i' | 'o' | 'u' | 'y') if ELIDED.contains(&run.word()) => {
                    run.finish(each)?;
                }
                Some(_) => {}
                None => run.finish(each)?,
            }
        } else if c.is_ascii() || matches!(c, '™' | '℠') {
            run.finish(each)?;
        } else {
            for c in fold_char(c) {
                run.push(c, &range, each)?;
            }
        }
    }
    run.finish(each)
}
