//! The visitor that makes JSON of what a deserializer gives.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::json::integers::is_of_64_bits;

/// Any JSON value, read in one pass.
pub(crate) enum Read<'a> {
    /// An object that is nothing but text, as [`Content::text`](crate::Content::text) makes it.
    Text(Cow<'a, str>),
    /// Not copied yet: it may be the text of an object.
    String(Cow<'a, str>),
    Value(Value),
}

/// The key under which `serde_json` gives a number, where the program has its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

#[derive(Clone, Copy)]
pub(super) enum Reader {
    Whole,
    /// An item of a list, or the value of a key.
    Member,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Read<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Read<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Read<'de>, A::Error> {
        match self {
            Self::Whole => whole(map),
            Self::Member => member(map).map(Read::Value),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Read<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self::Member)? {
            list.push(Value::from(item));
        }
        Ok(Read::Value(list.into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Read<'de>, E> {
        Ok(Read::String(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Read<'de>, E> {
        Ok(Read::String(text.to_owned().into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Read<'de>, E> {
        Ok(Read::String(text.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Read<'de>, E> {
        Ok(Read::Value(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Read<'de>, E> {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.visit_i64(value),
            (_, Ok(value)) => self.visit_u64(value),
            _ => Err(wide()),
        }
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Read<'de>, E> {
        u64::try_from(value).map_err(|_| wide()).and_then(|value| self.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read<'de>, E> {
        let number = Number::from_f64(value).ok_or_else(|| {
            E::invalid_value(Unexpected::Other("a float that is not finite"), &"a finite one")
        })?;
        Ok(Read::Value(number.into()))
    }

    fn visit_unit<E>(self) -> Result<Read<'de>, E> {
        Ok(Read::Value(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Read<'de>, E> {
        Ok(Read::Value(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        self.deserialize(deserializer)
    }
}

/// The text of an object that is nothing but text, written as chatkeep writes it: most of what is read. Without a look at
/// the keys that costs half as much. `None`: another value, or no JSON.
pub(super) fn plain_text(json: &str) -> Option<Cow<'_, str>> {
    let text = json.strip_prefix(r#"{"text":"#)?.strip_suffix(r#","type":"text"}"#)?;
    serde_json::from_str(text).map(|Borrowed(text)| text).ok()
}

/// Without a copy of the text, where the object is nothing but text.
fn whole<'de, A: MapAccess<'de>>(mut map: A) -> Result<Read<'de>, A::Error> {
    let (mut kind, mut text, mut object) = (None, None, Map::new());
    while let Some(Borrowed(key)) = map.next_key()? {
        match &*key {
            "type" => set(&mut kind, &mut map)?,
            "text" => set(&mut text, &mut map)?,
            NUMBER if kind.is_none() && text.is_none() && object.is_empty() => {
                return number(key, map).map(Read::Value);
            }
            _ => insert(&mut object, key, &mut map)?,
        }
    }
    match (kind, text) {
        (Some(Read::String(kind)), Some(Read::String(text))) if kind == "text" && object.is_empty() => {
            Ok(Read::Text(text))
        }
        (kind, text) => {
            let members = [("type", kind), ("text", text)];
            let members = members.into_iter().filter_map(|(key, read)| Some((key.to_owned(), read?.into())));
            object.extend(members);
            Ok(Read::Value(object.into()))
        }
    }
}

fn member<'de, A: MapAccess<'de>>(mut map: A) -> Result<Value, A::Error> {
    let mut object = Map::new();
    while let Some(Borrowed(key)) = map.next_key()? {
        if key == NUMBER && object.is_empty() {
            return number(key, map);
        }
        insert(&mut object, key, &mut map)?;
    }
    Ok(object.into())
}

fn set<'de, A: MapAccess<'de>>(value: &mut Option<Read<'de>>, map: &mut A) -> Result<(), A::Error> {
    if value.is_some() {
        return Err(key_twice());
    }
    *value = Some(map.next_value_seed(Reader::Member)?);
    Ok(())
}

fn insert<'de, A: MapAccess<'de>>(
    object: &mut Map<String, Value>,
    key: Cow<'de, str>,
    map: &mut A,
) -> Result<(), A::Error> {
    match object.entry(key.into_owned()) {
        Entry::Vacant(entry) => {
            entry.insert(map.next_value_seed(Reader::Member)?.into());
            Ok(())
        }
        Entry::Occupied(_) => Err(key_twice()),
    }
}

fn key_twice<E: Error>() -> E {
    E::invalid_value(Unexpected::Other("a key twice in one object"), &"each key once")
}

fn wide<E: Error>() -> E {
    let expected = "one from -2^63 to 2^64 - 1, and others written as strings";
    E::invalid_value(Unexpected::Other("an integer that 64 bits do not hold"), &expected)
}

/// What `serde_json` itself makes of an object that begins with the key [`NUMBER`]: a number in programs with that feature,
/// an object like others in the rest.
fn number<'de, A: MapAccess<'de>>(key: Cow<'de, str>, map: A) -> Result<Value, A::Error> {
    let value = Value::deserialize(MapAccessDeserializer::new(Begun { key: Some(key), map }))?;
    match &value {
        Value::Number(number) if !is_of_64_bits(number) => Err(wide()),
        _ => Ok(value),
    }
}

/// A map whose first key has been read.
struct Begun<'de, A> {
    key: Option<Cow<'de, str>>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(CowStrDeserializer::new(key)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Borrowed where it can be.
#[derive(Deserialize)]
#[serde(transparent)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Read<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DeserializeSeed::deserialize(Reader::Whole, deserializer)
    }
}

impl From<Read<'_>> for Value {
    fn from(read: Read<'_>) -> Self {
        match read {
            Read::Text(text) => Self::Object(text_object(text)),
            Read::String(text) => text.into(),
            Read::Value(value) => value,
        }
    }
}

/// The object of a content that is nothing but text.
pub(crate) fn text_object(text: impl Into<String>) -> Map<String, Value> {
    let entries = [("type", Value::from("text")), ("text", Value::String(text.into()))];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error as ValueError, F64Deserializer, I128Deserializer, U128Deserializer};
    use serde_json::json;

    use super::*;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, String>
    where
        D::Error: ToString,
    {
        Read::deserialize(deserializer).map(Value::from).map_err(|error| error.to_string())
    }

    #[test]
    fn other_formats_give_what_64_bits_hold_and_floats_that_are_finite() {
        let i128 = |value| read(I128Deserializer::<ValueError>::new(value));
        let u128 = |value| read(U128Deserializer::<ValueError>::new(value));
        let f64 = |value| read(F64Deserializer::<ValueError>::new(value));
        let (low, high) = (i128::from(i64::MIN), i128::from(u64::MAX));
        assert_eq!((i128(low), i128(high)), (Ok(json!(i64::MIN)), Ok(json!(u64::MAX))));
        assert_eq!((u128(0), u128(high.unsigned_abs())), (Ok(json!(0)), Ok(json!(u64::MAX))));
        assert_eq!(f64(1e300), Ok(json!(1e300)));
        let wide = "invalid value: an integer that 64 bits do not hold, \
                    expected one from -2^63 to 2^64 - 1, and others written as strings";
        for refused in [i128(low - 1), i128(high + 1), u128(high.unsigned_abs() + 1)] {
            assert_eq!(refused, Err(wide.to_owned()));
        }
        for odd in [f64::NAN, f64::INFINITY] {
            let told = "invalid value: a float that is not finite, expected a finite one";
            assert_eq!(f64(odd), Err(told.to_owned()));
        }
    }

    /// In programs with `arbitrary_precision` a number comes as an object with this key.
    #[test]
    fn the_key_of_numbers_is_read_as_serde_json_reads_it() {
        for text in [
            r#"{"$serde_json::private::Number":"1","b":2}"#,
            r#"[{"$serde_json::private::Number":{}}, 1.50, 0, {"b":{"$serde_json::private::Number":"c"}}]"#,
            r#"{"b":1,"$serde_json::private::Number":"c"}"#,
        ] {
            let plain = serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
            assert_eq!(read(&mut serde_json::Deserializer::from_str(text)), plain);
        }
    }
}
