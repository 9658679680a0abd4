//! From YAML to a raw file. No file but those of this folder names the YAML
//! reader or its events.
//!
//! `load` makes a tree of the text, with merge keys resolved; `deserialize` turns
//! the tree into the raw types. Both name the place of what they refuse.

mod deserialize;
mod load;
mod merge;
mod node;
mod scalar;
mod syntax_error;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use self::deserialize::NodeDeserializer;
use self::syntax_error::SyntaxError;
use super::error::LoadError;
use super::report::ConfigPath;

/// # Errors
/// [`LoadError::Syntax`] for the first thing that cannot be parsed.
pub(super) fn read<F: DeserializeOwned>(text: &str) -> Result<F, LoadError> {
    raw_file(text).map_err(LoadError::from)
}

fn raw_file<F: DeserializeOwned>(text: &str) -> Result<F, SyntaxError> {
    let root = load::load(text)?;
    F::deserialize(NodeDeserializer { node: &root, path: &ConfigPath::Root })
}
