//! JSON that is put together from parts that were serialised before, so that nothing
//! is serialised for each tab anew.

use serde::Serialize;

/// A value as JSON. None of the read model fails.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}

/// An object, key by key.
pub(super) struct JsonObject(Vec<u8>);

impl Default for JsonObject {
    fn default() -> Self {
        Self(vec![b'{'])
    }
}

impl JsonObject {
    /// Adds a key with a value. Keys are plain words.
    pub(super) fn set(&mut self, key: &str, value: &impl Serialize) -> &mut Self {
        self.key(key);
        // Writing to a Vec cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
        self
    }

    /// Adds a key with a value that is JSON.
    pub(super) fn set_json(&mut self, key: &str, json: &[u8]) -> &mut Self {
        self.key(key);
        self.0.extend_from_slice(json);
        self
    }

    /// Adds a key with an array of values that are JSON.
    pub(super) fn set_array<J: AsRef<[u8]>>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = J>,
    ) -> &mut Self {
        self.key(key);
        self.0.push(b'[');
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.0.push(b',');
            }
            self.0.extend_from_slice(value.as_ref());
        }
        self.0.push(b']');
        self
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_put_together() {
        let mut object = JsonObject::default();
        object.set("a", &"x\"y").set_json("b", b"{}").set_array("c", [b"1", b"2"]);
        object.set_array("d", [b""; 0]);
        let text = String::from_utf8(object.finish()).unwrap();
        assert_eq!(text, r#"{"a":"x\"y","b":{},"c":[1,2],"d":[]}"#);
        assert_eq!(JsonObject::default().finish(), b"{}");
        assert_eq!(to_json(&[1]), b"[1]");
    }
}
