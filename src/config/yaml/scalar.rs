//! What a scalar without quotes means: what serde_yaml takes it for and, where a
//! boolean is expected, the words of YAML 1.1.

use serde::de::Unexpected;
use serde_yaml::Value;

/// The longest scalar that can be something else than a string.
const LONGEST: usize = 64;

/// The value of a plain scalar, by YAML 1.2's core schema.
fn typed(text: &str) -> Value {
    let typed = Some(text).filter(|text| text.len() <= LONGEST);
    typed
        .and_then(|text| serde_yaml::from_str(text).ok())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(super) fn is_null(text: &str) -> bool {
    // The longest one is `null`.
    text.len() <= 4 && typed(text).is_null()
}

/// The words of <https://yaml.org/type/bool.html>.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => typed(text).as_bool(),
    }
}

/// A decimal, hexadecimal (`0x`), octal (`0o`) or binary (`0b`) number, whose digits
/// may be grouped by `_`. A decimal one with a leading zero is none: YAML 1.1 takes
/// it for octal, and YAML 1.2 does not.
pub(super) fn integer(text: &str) -> Option<i64> {
    let is_grouped =
        text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)) && !text.contains("x_");
    let ungrouped = text.replace('_', if is_grouped { "" } else { "_" });
    typed(&ungrouped).as_i64()
}

/// What an error calls a scalar that is of another type than was expected.
pub(super) fn unexpected(text: &str, is_plain: bool) -> Unexpected<'_> {
    if !is_plain {
        return Unexpected::Str(text);
    }
    match (integer(text), typed(text)) {
        (Some(number), _) => Unexpected::Signed(number),
        (None, Value::Null) => Unexpected::Unit,
        (None, Value::Bool(value)) => Unexpected::Bool(value),
        (None, Value::Number(number)) => {
            number.as_f64().map_or(Unexpected::Str(text), Unexpected::Float)
        }
        (None, _) => Unexpected::Str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_every_yaml_reads_alike() {
        for (text, number) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("+7", Some(7)),
            ("-7", Some(-7)),
            ("0x50", Some(80)),
            ("0o17", Some(15)),
            ("0b11", Some(3)),
            ("16_777_216", Some(16_777_216)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("+-1", None),
            ("_1", None),
            ("0x", None),
            ("0x_1", None),
            ("010", None),
            ("00", None),
            ("1.0", None),
            ("1e3", None),
            ("é", None),
        ] {
            assert_eq!(integer(text), number, "{text:?}");
        }
    }

    #[test]
    fn a_boolean_is_any_word_of_yaml_1_1() {
        for word in ["y", "yes", "true", "on"] {
            let capital = word[..1].to_uppercase() + &word[1..];
            for word in [word, &capital, &word.to_uppercase()] {
                assert_eq!(boolean(word), Some(true), "{word}");
            }
        }
        for word in ["n", "no", "false", "off"] {
            let capital = word[..1].to_uppercase() + &word[1..];
            for word in [word, &capital, &word.to_uppercase()] {
                assert_eq!(boolean(word), Some(false), "{word}");
            }
        }
        for word in ["", "yEs", "1", "0", "enabled", "~"] {
            assert_eq!(boolean(word), None, "{word}");
        }
    }
}
