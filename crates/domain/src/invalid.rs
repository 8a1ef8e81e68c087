//! The error of every constructor: a value that breaks a rule.

use std::borrow::Cow;

/// A value that a constructor or a query refused.
///
/// Says which field, the rule that it broke, and what was given: a length, a number, or a short word such as an
/// unknown role. It never holds message content.
///
/// ```
/// use chatkeep_domain::OrgId;
/// let error = OrgId::new("x".repeat(300)).unwrap_err();
/// assert_eq!(error.to_string(), "org_id must be at most 255 bytes long (got 300 bytes)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule} (got {actual})")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The field or variable, as it is named in the API.
    pub field: Cow<'static, str>,
    /// What must hold, as the words after the field's name: "must be at most 255 bytes long".
    pub rule: Cow<'static, str>,
    /// What was given, never content: "300 bytes".
    pub actual: Cow<'static, str>,
}

impl InvalidArgument {
    /// An error that reads "`field` `rule` (got `actual`)".
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        rule: impl Into<Cow<'static, str>>,
        actual: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), rule: rule.into(), actual: actual.into() }
    }
}
