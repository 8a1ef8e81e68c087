//! Integers in JSON text, of which `serde_json` makes floats without a word where 64 bits do not hold them.

use serde_json::Number;

/// The rule of integers, behind the name of a field.
pub(crate) const INTEGERS: &str = "must have integers from -2^63 to 2^64 - 1, and others written as strings";

/// The fewest digits of an integer that 64 bits do not hold.
const WIDE: usize = 19;

/// Where the first integer begins that is neither an `i64` nor a `u64`. The text must be JSON.
pub(super) fn wide_integer(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    if !has_long_run(bytes) {
        return None;
    }
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let len = match byte {
            b'"' => string_len(&bytes[at..]),
            b'-' | b'0'..=b'9' => {
                let len = number_len(&bytes[at..]);
                if is_wide(json.get(at..at + len)?) {
                    return Some(at);
                }
                len
            }
            _ => 1,
        };
        at += len;
    }
    None
}

/// Whether so many digits stand in a row. Few texts have such a run, and it is found without a look at each byte: one of
/// every [`WIDE`] bytes is in it.
fn has_long_run(bytes: &[u8]) -> bool {
    let digits =
        |run: &mut dyn Iterator<Item = &u8>| run.take(WIDE).take_while(|byte| byte.is_ascii_digit()).count();
    (WIDE - 1..bytes.len()).step_by(WIDE).any(|at| {
        bytes[at].is_ascii_digit()
            && digits(&mut bytes[..at].iter().rev()) + digits(&mut bytes[at..].iter()) >= WIDE
    })
}

/// The bytes of the string that these begin with.
fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn number_len(bytes: &[u8]) -> usize {
    let is_of_number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().take_while(is_of_number).count()
}

fn is_wide(number: &str) -> bool {
    let is_integer = !number.contains(['.', 'e', 'E']);
    is_integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err()
}

/// Whether 64 bits hold a number: always, unless the program has `serde_json`'s feature `arbitrary_precision`.
pub(crate) fn is_of_64_bits(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.is_f64()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With its value beside it where that is an integer that 64 bits do not hold.
    fn number() -> impl Strategy<Value = (String, bool)> {
        let digits = prop_oneof!["0|[1-9][0-9]{0,22}", "[1-9][0-9]{17,20}"];
        let behind = prop_oneof![3 => Just(""), 1 => Just(".0"), 1 => Just("e2"), 1 => Just(".12345678901234567890E-5")];
        (any::<bool>(), digits, behind).prop_map(|(is_negative, digits, behind)| {
            let number = format!("{}{digits}", if is_negative { "-" } else { "" });
            let value: i128 = number.parse().unwrap();
            let is_wide =
                behind.is_empty() && !(i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value);
            (number + behind, is_wide)
        })
    }

    fn string() -> impl Strategy<Value = (String, bool)> {
        let text = prop_oneof!["[0-9]{0,60}", r#"([0-9]{10,20}|["\\:,é]){0,5}"#];
        text.prop_map(|text| (serde_json::Value::from(text).to_string(), false))
    }

    proptest! {
        #[test]
        fn the_first_wide_integer_is_found_wherever_it_stands(
            values in proptest::collection::vec(prop_oneof![number(), string()], 0..8),
            between in "[ \n\t]{0,25}",
        ) {
            let (mut text, mut expected) = ("[".to_owned(), None);
            for (index, (value, is_wide)) in values.iter().enumerate() {
                text.push_str(if index == 0 { &between } else { "," });
                if *is_wide && expected.is_none() {
                    expected = Some(text.len());
                }
                text.push_str(value);
            }
            text.push_str(&(between + "]"));
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            assert_eq!(wide_integer(&text), expected, "{text}");
        }

        #[test]
        fn no_float_is_written_as_an_integer(float in any::<f64>()) {
            prop_assume!(float.is_finite());
            let text = serde_json::to_string(&float).unwrap();
            assert_eq!(wide_integer(&text), None, "{text}");
        }
    }

    #[test]
    fn a_run_is_long_from_19_digits_on_wherever_it_stands() {
        for before in 0..60 {
            let run = |digits: usize| format!("{}{}x", "x".repeat(before), "7".repeat(digits));
            assert!(!has_long_run(run(WIDE - 1).as_bytes()), "behind {before}");
            assert!(
                has_long_run(run(WIDE).as_bytes()) && has_long_run(run(500).as_bytes()),
                "behind {before}"
            );
        }
    }
}
