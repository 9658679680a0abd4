//! Values of the schema that may be written in more than one way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Codes and ranges: a text with commas, or a list. Kept as the text.
#[derive(Debug)]
pub(super) struct RawCodes(pub(super) String);

/// Headers: a mapping from their names to their values, or a list of such mappings or of
/// lines, for a header that is sent twice.
#[derive(Debug)]
pub(super) struct RawHeaders(pub(super) Vec<(String, RawHeaderValue)>);

/// A header's value: a text, or a mapping that names the file that holds it.
#[derive(Debug)]
pub(super) enum RawHeaderValue {
    Text(String),
    File(String),
}

impl<'de> Deserialize<'de> for RawCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Codes;

        impl<'de> Visitor<'de> for Codes {
            type Value = RawCodes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code, a range such as 200-299, or a list of these")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawCodes, E> {
                Ok(RawCodes(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawCodes, A::Error> {
                let mut codes = Vec::new();
                while let Some(code) = items.next_element::<String>()? {
                    codes.push(code);
                }
                Ok(RawCodes(codes.join(",")))
            }
        }

        deserializer.deserialize_str(Codes)
    }
}

/// What stands for a header in a list.
struct RawHeaderItem(Vec<(String, RawHeaderValue)>);

impl<'de> Deserialize<'de> for RawHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Headers;

        impl<'de> Visitor<'de> for Headers {
            type Value = RawHeaders;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping such as { X-Probe: maglev }, or a list of such")
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<RawHeaders, A::Error> {
                pairs(entries).map(RawHeaders)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawHeaders, A::Error> {
                let mut headers = Vec::new();
                while let Some(RawHeaderItem(some)) = items.next_element()? {
                    headers.extend(some);
                }
                Ok(RawHeaders(headers))
            }
        }

        deserializer.deserialize_any(Headers)
    }
}

impl<'de> Deserialize<'de> for RawHeaderItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Item;

        impl<'de> Visitor<'de> for Item {
            type Value = RawHeaderItem;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header such as \"X-Probe: maglev\", in quotes or without")
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<RawHeaderItem, E> {
                let (name, value) = line.split_once(':').ok_or_else(|| {
                    E::custom("a header has a name, a colon and a value: write X-Probe: maglev")
                })?;
                let value = RawHeaderValue::Text(value.trim().to_owned());
                Ok(RawHeaderItem(vec![(name.to_owned(), value)]))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<RawHeaderItem, A::Error> {
                pairs(entries).map(RawHeaderItem)
            }
        }

        // A text asks for itself, a mapping comes whatever is asked for.
        deserializer.deserialize_str(Item)
    }
}

fn pairs<'de, A: MapAccess<'de>>(
    mut entries: A,
) -> Result<Vec<(String, RawHeaderValue)>, A::Error> {
    let mut pairs = Vec::new();
    while let Some(pair) = entries.next_entry()? {
        pairs.push(pair);
    }
    Ok(pairs)
}

impl<'de> Deserialize<'de> for RawHeaderValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;

        impl<'de> Visitor<'de> for Value {
            type Value = RawHeaderValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or { file: PATH }")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawHeaderValue, E> {
                Ok(RawHeaderValue::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> Result<RawHeaderValue, A::Error> {
                let mut file = None;
                while let Some(key) = entries.next_key::<String>()? {
                    if key != "file" {
                        return Err(A::Error::unknown_field(&key, &["file"]));
                    }
                    file = Some(entries.next_value()?);
                }
                file.map(RawHeaderValue::File).ok_or_else(|| A::Error::missing_field("file"))
            }
        }

        deserializer.deserialize_str(Value)
    }
}
