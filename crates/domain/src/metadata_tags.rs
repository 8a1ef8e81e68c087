//! What an index keeps of metadata.

use std::ops::ControlFlow;

use serde_json::Value;
use uuid::Uuid;

use crate::metadata::Metadata;
use crate::metadata_filter::{MAX_METADATA_PATH_BYTES, MAX_METADATA_VALUE_BYTES, MetadataFilter};

/// The most values of one metadata that an index keeps: see [`MetadataTags`].
const MAX_TAGS: usize = 64;

/// The most tags of [`MetadataTags::wanted`]: they only narrow down what is looked at.
const MAX_WANTED_TAGS: usize = 8;

/// The longest path that a filter can reach, in bytes: its own, and one in its value, where JSON has at least one byte
/// for each `~0` and `~1`.
const MAX_REACHED_PATH_BYTES: usize = MAX_METADATA_PATH_BYTES + 2 * MAX_METADATA_VALUE_BYTES;

/// What an index keeps of metadata: one UUID (version 5) for each path with a plain value, an empty array or an empty
/// object at it. Two different values have the same tag with a chance of 2⁻¹²², so check what an index finds with
/// [`MetadataFilter::matches`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MetadataTags {
    /// The tags, sorted, each once.
    pub tags: Vec<Uuid>,
    /// Metadata of more than 64 values has no tags and is incomplete: an index must give it for every filter.
    pub is_incomplete: bool,
}

impl MetadataTags {
    /// The tags of a metadata.
    pub fn of(metadata: &Metadata) -> Self {
        let (mut tags, mut count) = (Vec::new(), 0);
        let walked = each_member(&mut String::new(), metadata, &mut |path, leaf| {
            count += 1;
            if count > MAX_TAGS {
                return ControlFlow::Break(());
            }
            if path.len() <= MAX_REACHED_PATH_BYTES {
                tags.push(tag(path, leaf));
            }
            ControlFlow::Continue(())
        });
        if walked.is_break() {
            return Self::incomplete();
        }
        tags.sort_unstable();
        tags.dedup();
        Self { tags, is_incomplete: false }
    }

    /// The tags to look up for these filters, at most 8. Metadata that all filters match has every one of these tags,
    /// or is incomplete. If the tags to look up are incomplete themselves, only incomplete metadata can match.
    /// Without a filter there are no tags.
    pub fn wanted(filters: &[MetadataFilter]) -> Self {
        let mut tags = Vec::new();
        for filter in filters {
            let mut count = 0;
            // The leaves of one value have different paths, and so different tags.
            let walked = each_leaf(&mut filter.path().to_owned(), filter.value(), &mut |path, leaf| {
                count += 1;
                let tag = tag(path, leaf);
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
                if count.max(tags.len()) > MAX_TAGS {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if walked.is_break() {
                return Self::incomplete();
            }
        }
        tags.truncate(MAX_WANTED_TAGS);
        tags.sort_unstable();
        Self { tags, is_incomplete: false }
    }

    fn incomplete() -> Self {
        Self { tags: Vec::new(), is_incomplete: true }
    }
}

type EachLeaf<'a> = dyn FnMut(&str, &Value) -> ControlFlow<()> + 'a;

/// Gives every leaf with its path, until `each` has enough.
fn each_leaf(path: &mut String, value: &Value, each: &mut EachLeaf<'_>) -> ControlFlow<()> {
    match value {
        Value::Object(object) if !object.is_empty() => each_member(path, object, each),
        Value::Array(items) if !items.is_empty() => {
            let len = path.len();
            for (index, value) in items.iter().enumerate() {
                path.push('/');
                path.push_str(&index.to_string());
                each_leaf(path, value, each)?;
                path.truncate(len);
            }
            ControlFlow::Continue(())
        }
        leaf => each(path, leaf),
    }
}

fn each_member(path: &mut String, object: &Metadata, each: &mut EachLeaf<'_>) -> ControlFlow<()> {
    let len = path.len();
    for (key, value) in object {
        path.push('/');
        path.push_str(&escape(key));
        each_leaf(path, value, each)?;
        path.truncate(len);
    }
    ControlFlow::Continue(())
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The namespace of the tags: random, and never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c9d_1b52_64e0_4b0f_a3d1_95f0_2e8b_6a47);

fn tag(path: &str, leaf: &Value) -> Uuid {
    // 0.0 and -0.0 are equal as JSON values here, and different as text.
    let text = match leaf.as_f64() {
        Some(float) if leaf.is_f64() && float == 0.0 => "0.0".to_owned(),
        _ => leaf.to_string(),
    };
    // JSON text holds no U+0000: what is behind the last one is the value, whatever the keys hold.
    Uuid::new_v5(&NAMESPACE, format!("{path}\0{text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata_filter::MAX_METADATA_FILTERS;

    fn object(value: Value) -> Metadata {
        serde_json::from_value(value).unwrap()
    }

    fn filter(path: &str, value: Value) -> MetadataFilter {
        MetadataFilter::new(path, value).unwrap()
    }

    #[test]
    fn every_match_is_among_the_tags() {
        let metadata = object(json!({"a": {"b": [10, {"c": null}]}, "x/y": -0.0, "e": {}, "l": []}));
        let tags = MetadataTags::of(&metadata);
        assert!(!tags.is_incomplete);
        for (path, value) in [
            ("/a", json!({"b": [10, {"c": null}]})),
            ("/a/b/1", json!({"c": null})),
            ("/x~1y", json!(0.0)),
            ("/e", json!({})),
            ("/l", json!([])),
        ] {
            let filter = filter(path, value);
            assert!(filter.matches(&metadata), "{path}");
            let wanted = MetadataTags::wanted(&[filter]).tags;
            assert!(!wanted.is_empty() && wanted.iter().all(|tag| tags.tags.contains(tag)), "{path}");
        }
        let wanted = MetadataTags::wanted(&[filter("/a/b/0", json!(11))]).tags;
        assert!(!wanted.iter().any(|tag| tags.tags.contains(tag)));
    }

    #[test]
    fn more_values_than_an_index_keeps_are_incomplete() {
        let metadata = |count: usize| (0..count).map(|key| (key.to_string(), json!(key))).collect();
        assert_eq!(MetadataTags::of(&metadata(64)).tags.len(), 64);
        assert_eq!(MetadataTags::of(&metadata(65)), MetadataTags { tags: Vec::new(), is_incomplete: true });
    }

    #[test]
    fn a_path_that_no_filter_reaches_has_no_tag() {
        let reached = |key: &str| {
            let tags = MetadataTags::of(&object(json!({ key: 1 })));
            assert!(!tags.is_incomplete);
            tags.tags.len()
        };
        assert_eq!(reached(&"k".repeat(MAX_REACHED_PATH_BYTES - 1)), 1);
        assert_eq!(reached(&"k".repeat(MAX_REACHED_PATH_BYTES)), 0);

        // The longest paths that filters have are reached.
        let key = "k".repeat(MAX_METADATA_PATH_BYTES - 1);
        let value = json!({"~".repeat(MAX_METADATA_VALUE_BYTES - 20): 1});
        let metadata = object(json!({key.as_str(): value.clone()}));
        let filter = filter(&format!("/{key}"), value);
        assert!(filter.matches(&metadata));
        assert_eq!(MetadataTags::of(&metadata), MetadataTags::wanted(&[filter]));
    }

    #[test]
    fn many_values_below_a_long_key_are_soon_given_up() {
        // With a path made for each of them, this would take many minutes.
        let metadata = object(json!({"k".repeat(10_000_000): vec![0; 1_000_000]}));
        assert!(MetadataTags::of(&metadata).is_incomplete);
    }

    #[test]
    fn at_most_eight_tags_are_wanted() {
        let numbered = |at: usize| filter(&format!("/k{at}"), json!(at));
        for count in 0..=MAX_METADATA_FILTERS {
            let filters: Vec<_> = (0..count).chain(0..count).map(numbered).collect();
            let metadata = (0..count).map(|at| (format!("k{at}"), json!(at))).collect();
            let wanted = MetadataTags::wanted(&filters);
            assert_eq!((wanted.tags.len(), wanted.is_incomplete), (count.min(8), false));
            let tags = MetadataTags::of(&metadata).tags;
            assert!(wanted.tags.iter().all(|tag| tags.contains(tag)));
        }
    }

    #[test]
    fn more_wanted_values_than_an_index_keeps_only_incomplete_metadata_has() {
        let incomplete = MetadataTags { tags: Vec::new(), is_incomplete: true };
        let many = |count: usize| json!((0..count).collect::<Vec<_>>());
        assert_eq!(MetadataTags::wanted(&[filter("/a", many(64))]).tags.len(), 8);
        assert_eq!(MetadataTags::wanted(&[filter("/a", many(65))]), incomplete);
        let [first, second] = [filter("/a", many(40)), filter("/b", many(25))];
        assert!(!MetadataTags::wanted(&[first.clone(), first.clone()]).is_incomplete);
        assert_eq!(MetadataTags::wanted(&[first, second]), incomplete);
    }
}
