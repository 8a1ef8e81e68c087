//! Several expressions become one.

use crate::search::expr::SearchExpr;

/// One of the sides, or all of them, with no more nesting than there must be.
pub(super) fn join(is_any: bool, sides: impl IntoIterator<Item = SearchExpr>) -> Option<SearchExpr> {
    let mut flat = Vec::new();
    for side in sides {
        match side {
            SearchExpr::Any(inner) if is_any => flat.extend(inner),
            SearchExpr::All(inner) if !is_any => flat.extend(inner),
            side => flat.push(side),
        }
    }
    match flat.len() {
        0 | 1 => flat.pop(),
        _ if is_any => Some(SearchExpr::Any(flat)),
        _ => Some(SearchExpr::All(flat)),
    }
}
