//! The metadata filters of a request.

use chatkeep_domain::{InvalidArgument, MetadataFilter};
use serde_json::Value;

/// Filters as they are named; one that is refused is told when the request is awaited.
#[derive(Debug)]
pub(crate) struct Filters(Result<Vec<MetadataFilter>, InvalidArgument>);

impl Filters {
    pub(crate) const NONE: Self = Self(Ok(Vec::new()));

    pub(crate) fn and(self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self(self.0.and_then(|mut filters| {
            filters.push(MetadataFilter::new(path, value)?);
            Ok(filters)
        }))
    }

    pub(crate) fn check(self) -> Result<Vec<MetadataFilter>, InvalidArgument> {
        self.0
    }
}
