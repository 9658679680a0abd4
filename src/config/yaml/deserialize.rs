//! Turns a tree of YAML into the types that serde knows. A value that is blank is
//! an error wherever it stands: what was meant by it cannot be known.

use std::rc::Rc;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::node::{YamlEntry, YamlNode, YamlScalar, YamlValue};
use super::scalar;
use super::syntax_error::SyntaxError;
use crate::config::report::ConfigPath;

const BLANK: &str = "has nothing behind it: give a value, or remove the key";
const BLANK_ITEM: &str = "is blank: give a value, or remove the item";

/// The value at a path.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'n, 't> {
    pub(super) node: &'n YamlNode<'t>,
    pub(super) path: &'n ConfigPath<'n>,
}

impl<'n> NodeDeserializer<'n, '_> {
    /// Its text, if it is a scalar.
    fn text(self) -> Option<&'n str> {
        match &self.node.value {
            YamlValue::Scalar(scalar) => Some(&scalar.text),
            YamlValue::Sequence(_) | YamlValue::Mapping(_) => None,
        }
    }

    /// Its text, if that may be something else than a string.
    fn plain_text(self) -> Option<&'n str> {
        match &self.node.value {
            YamlValue::Scalar(YamlScalar { text, is_plain: true }) => Some(text),
            _ => None,
        }
    }

    /// The place of an error that has none.
    fn place<T>(self, result: Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        result.map_err(|error| error.or_at(self.node.place, self.path))
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        match &self.node.value {
            YamlValue::Scalar(YamlScalar { text, is_plain }) => {
                Err(SyntaxError::invalid_type(scalar::unexpected(text, *is_plain), &visitor))
            }
            YamlValue::Sequence(items) => {
                visitor.visit_seq(Items { items: items.iter().enumerate(), path: self.path })
            }
            YamlValue::Mapping(entries) => visitor.visit_map(Entries {
                entries: entries.iter(),
                current: None,
                path: self.path,
            }),
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_, '_> {
    type Error = SyntaxError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        self.place(self.visit(visitor))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        self.place(match self.plain_text().and_then(scalar::boolean) {
            Some(value) => visitor.visit_bool(value),
            None => self.visit(visitor),
        })
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        self.place(match self.plain_text().and_then(scalar::integer) {
            Some(value) => visitor.visit_i64(value),
            None => self.visit(visitor),
        })
    }

    /// The text of any scalar: what looks like a number is one where a number is
    /// expected.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        self.place(match self.text() {
            Some(text) => visitor.visit_str(text),
            None => self.visit(visitor),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SyntaxError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SyntaxError> {
        self.place(match self.text() {
            Some(text) => visitor.visit_enum(StrDeserializer::new(text)),
            None => self.visit(visitor),
        })
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'n, 't> {
    items: std::iter::Enumerate<slice::Iter<'n, Rc<YamlNode<'t>>>>,
    path: &'n ConfigPath<'n>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = SyntaxError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, SyntaxError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let path = &self.path.index(index);
        if node.is_blank() {
            return Err(SyntaxError::at(node.place, path, BLANK_ITEM));
        }
        seed.deserialize(NodeDeserializer { node, path }).map(Some)
    }
}

struct Entries<'n, 't> {
    entries: slice::Iter<'n, YamlEntry<'t>>,
    /// The entry whose key was taken.
    current: Option<&'n YamlEntry<'t>>,
    path: &'n ConfigPath<'n>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = SyntaxError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, SyntaxError> {
        self.current = self.entries.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key = seed.deserialize(StrDeserializer::new(&entry.key));
        key.map(Some).map_err(|error: SyntaxError| error.or_at(entry.place, self.path))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, SyntaxError> {
        let Some(entry) = self.current else { return Err(SyntaxError::custom("a key is missing")) };
        let path = &self.path.key(&entry.key);
        if entry.value.is_blank() {
            return Err(SyntaxError::at(entry.place, path, BLANK));
        }
        seed.deserialize(NodeDeserializer { node: &entry.value, path })
    }
}
