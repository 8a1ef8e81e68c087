//! What a store that does not do something does instead: it refuses, and changes nothing.

pub(crate) mod branches;
pub(crate) mod limits;
pub(crate) mod search;

use crate::capability::Capability;
use crate::case::{Case, case};

/// The case that takes the place of those that need the capability.
pub(crate) fn refusal(of: Capability) -> Option<&'static Case> {
    REFUSALS.iter().find(|(capability, _)| *capability == of).map(|(_, case)| case)
}

const REFUSALS: &[(Capability, Case)] = &[
    (Capability::Search, case!(declined::search::searching_is_declined)),
    (Capability::Branches, case!(declined::branches::branches_are_declined)),
    (Capability::WideLists, case!(declined::limits::a_wide_page_is_refused)),
    (Capability::LargeContents, case!(declined::limits::a_large_content_is_refused)),
    (Capability::LargeBatches, case!(declined::limits::a_large_batch_is_refused)),
];
