//! Time: UTC, in whole microseconds, between the years 1 and 9999.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::invalid::InvalidArgument;

/// A moment in UTC. chatkeep keeps whole microseconds: see [`to_micros`].
pub type Timestamp = DateTime<Utc>;

/// The moment with everything below a microsecond cut off, as every store keeps it.
#[must_use]
pub fn to_micros(moment: Timestamp) -> Timestamp {
    if is_in_micros(moment) {
        return moment;
    }
    DateTime::from_timestamp_micros(moment.timestamp_micros()).unwrap_or(moment)
}

/// A second is never longer than a second here: a leap second is the next one.
fn is_in_micros(moment: Timestamp) -> bool {
    let nanos = moment.timestamp_subsec_nanos();
    nanos.is_multiple_of(1_000) && nanos < 1_000_000_000
}

/// The first whole microsecond at or after the moment. As a bound it means the same, because stored moments are whole
/// microseconds.
fn ceil_to_micros(moment: Timestamp) -> Timestamp {
    let cut = to_micros(moment);
    if cut < moment { cut.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(cut) } else { cut }
}

/// Refuses a moment that some backend could not keep exactly: one outside the years 1 to 9999, or not in whole
/// microseconds.
///
/// # Errors
/// [`InvalidArgument`] names the field.
pub fn check_timestamp(field: &'static str, moment: Timestamp) -> Result<(), InvalidArgument> {
    if !(1..=9999).contains(&moment.year()) {
        let year = moment.year().to_string();
        return Err(InvalidArgument::new(field, "must be within the years 1 to 9999", year));
    }
    if !is_in_micros(moment) {
        let nanos = moment.timestamp_subsec_nanos();
        return Err(InvalidArgument::new(field, "must be in whole microseconds", format!("{nanos} ns")));
    }
    Ok(())
}

/// The moments from `from` on that are before `until`; `None` is an open end.
///
/// ```
/// use chatkeep_domain::{TimeRange, Timestamp};
///
/// let (start, end) = (Timestamp::UNIX_EPOCH, Timestamp::from_timestamp_micros(5).unwrap());
/// let range = TimeRange::new(start, end);
/// assert!(range.contains(start) && !range.contains(end));
/// assert!(TimeRange::new(start, None).contains(end));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TimeRange {
    /// The first moment of the range, in whole microseconds.
    pub from: Option<Timestamp>,
    /// The first moment behind the range, in whole microseconds.
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// The range `[from, until)`. A bound between two microseconds becomes the later one. That means the same,
    /// because stored moments are whole microseconds.
    pub fn new(from: impl Into<Option<Timestamp>>, until: impl Into<Option<Timestamp>>) -> Self {
        Self { from: from.into().map(ceil_to_micros), until: until.into().map(ceil_to_micros) }
    }

    /// Whether the moment is in the range.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.until.is_none_or(|until| moment < until)
    }

    /// Refuses a bound that no store could keep. The names are those of the two bounds.
    pub(crate) fn check(&self, names: [&'static str; 2]) -> Result<(), InvalidArgument> {
        let bounds = names.into_iter().zip([self.from, self.until]);
        bounds.into_iter().try_for_each(|(name, bound)| bound.map_or(Ok(()), |at| check_timestamp(name, at)))
    }
}
