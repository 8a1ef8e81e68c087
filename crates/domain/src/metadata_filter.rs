//! Filters on metadata.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::invalid::InvalidArgument;
use crate::json::{self, json_size};
use crate::metadata::Metadata;

/// The longest path of a [`MetadataFilter`], in bytes.
pub const MAX_METADATA_PATH_BYTES: usize = 1_024;

/// The largest value of a [`MetadataFilter`], in bytes of JSON.
pub const MAX_METADATA_VALUE_BYTES: usize = 4_096;

/// The most [`MetadataFilter`]s of one query.
pub const MAX_METADATA_FILTERS: usize = 16;

/// Metadata must have this value at this path.
///
/// The path is a JSON Pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)): `/customer/tier`, `/tags/0`; in a
/// key, `~1` stands for `/` and `~0` for `~`. The values must be equal as JSON: 1 is not 1.0, and the order of an
/// object's keys does not count. A [`Value`] that was parsed elsewhere may have been rounded: see
/// [Numbers](crate::Content#numbers). `Debug` shows the path, not the value.
///
/// ```
/// use chatkeep_domain::MetadataFilter;
/// use serde_json::json;
///
/// let gold = MetadataFilter::new("/customer/tier", "gold")?;
/// let metadata = json!({"customer": {"tier": "gold"}});
/// assert!(gold.matches(metadata.as_object().unwrap()));
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct MetadataFilter {
    path: String,
    value: Value,
}

/// A filter as it is deserialized.
#[derive(Deserialize)]
struct Unchecked {
    path: String,
    #[serde(deserialize_with = "json::deserialize_value")]
    value: Value,
}

impl TryFrom<Unchecked> for MetadataFilter {
    type Error = InvalidArgument;

    fn try_from(Unchecked { path, value }: Unchecked) -> Result<Self, InvalidArgument> {
        Self::new(path, value)
    }
}

impl MetadataFilter {
    /// A filter.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a path that is not a pointer into an object, or a path or value over its limit.
    pub fn new(path: impl Into<String>, value: impl Into<Value>) -> Result<Self, InvalidArgument> {
        let (path, value) = (path.into(), value.into());
        let refuse = |rule: String, actual: String| Err(InvalidArgument::new("metadata", rule, actual));
        if path.len() > MAX_METADATA_PATH_BYTES {
            let rule = format!("must have a path of at most {MAX_METADATA_PATH_BYTES} bytes");
            return refuse(rule, format!("{} bytes", path.len()));
        }
        if !path.starts_with('/') {
            let rule = "must have a path that begins with \"/\", as in /customer/tier";
            return refuse(rule.to_owned(), "another path".to_owned());
        }
        if path.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            let rule = "must have a path with ~0 for ~ and ~1 for /";
            return refuse(rule.to_owned(), "another ~".to_owned());
        }
        // A value that nests deeper than metadata may is over this limit long before.
        let size = json_size(&Map::from_iter([(String::new(), value.clone())]));
        match size {
            Ok(size) if size <= MAX_METADATA_VALUE_BYTES => Ok(Self { path, value }),
            Err(StoreError::InvalidArgument(error)) => refuse(error.rule.into(), error.actual.into()),
            _ => refuse(
                format!("must have a value of at most {MAX_METADATA_VALUE_BYTES} bytes of JSON"),
                "a larger one".to_owned(),
            ),
        }
    }

    /// The JSON Pointer.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Whether the metadata has the value there.
    pub fn matches(&self, metadata: &Metadata) -> bool {
        let mut keys = self.path.split('/').skip(1).map(unescape);
        let first = keys.next().and_then(|key| metadata.get(&key));
        let found = keys.try_fold(first, |at, key| match at? {
            Value::Object(object) => Some(object.get(&key)),
            Value::Array(items) => Some(index(&key).and_then(|index| items.get(index))),
            _ => None,
        });
        found.flatten() == Some(&self.value)
    }
}

impl fmt::Debug for MetadataFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataFilter").field("path", &self.path).finish_non_exhaustive()
    }
}

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// As RFC 6901 writes the index of an array: without a sign and without leading zeros.
fn index(key: &str) -> Option<usize> {
    let is_index = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    is_index.then(|| key.parse().ok()).flatten()
}

pub(crate) fn check_filters(filters: &[MetadataFilter]) -> Result<(), InvalidArgument> {
    if filters.len() > MAX_METADATA_FILTERS {
        let rule = format!("must be at most {MAX_METADATA_FILTERS} filters");
        return Err(InvalidArgument::new("metadata", rule, filters.len().to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Metadata {
        serde_json::from_value(value).unwrap()
    }

    fn filter(path: &str, value: Value) -> MetadataFilter {
        MetadataFilter::new(path, value).unwrap()
    }

    #[test]
    fn a_path_reaches_into_objects_and_arrays() {
        let metadata = object(json!({
            "a": {"b": [10, {"c": null}], "": 1}, "x/y": {"m~n": true}, "n": 1.0, "e": {}, "01": "k"
        }));
        for (path, value, expected) in [
            ("/a/b/0", json!(10), true),
            ("/a/b/1/c", json!(null), true),
            ("/a/b", json!([10, {"c": null}]), true),
            ("/a/b/00", json!(10), false),
            ("/a/b/-", json!(10), false),
            ("/a/b/2", json!(null), false),
            ("/a/", json!(1), true),
            ("/x~1y/m~0n", json!(true), true),
            ("/n", json!(1), false),
            ("/n", json!(1.0), true),
            ("/e", json!({}), true),
            ("/e/f", json!({}), false),
            ("/01", json!("k"), true),
            ("/missing", json!(null), false),
        ] {
            assert_eq!(filter(path, value.clone()).matches(&metadata), expected, "{path} {value}");
        }
    }

    #[test]
    fn a_filter_is_checked_when_it_is_deserialized() {
        let gold = filter("/tier", json!({"gold": 1.5}));
        let text = serde_json::to_string(&gold).unwrap();
        assert_eq!(serde_json::from_str::<MetadataFilter>(&text).unwrap(), gold);
        for (bad, told) in [
            (r#"{"path":"tier","value":1}"#, "begins with"),
            (r#"{"path":"/a","value":{"b":1,"b":2}}"#, "a key twice"),
        ] {
            let error = serde_json::from_str::<MetadataFilter>(bad).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn refuses_what_is_no_pointer_and_shows_no_value() {
        for (path, value, rule) in [
            ("", json!(1), "begins with"),
            ("a.b", json!(1), "begins with"),
            ("/a~2", json!(1), "~0 for ~"),
            ("/a~", json!(1), "~0 for ~"),
            ("/a", json!("x".repeat(MAX_METADATA_VALUE_BYTES)), "at most 4096 bytes of JSON"),
        ] {
            let error = MetadataFilter::new(path, value).unwrap_err();
            assert!(error.to_string().contains(rule), "{error}");
        }
        let shown = format!("{:?}", filter("/a", json!("secret")));
        assert_eq!(shown, r#"MetadataFilter { path: "/a", .. }"#);
    }
}
