//! From the text of a file to a configuration.

use super::error::{LoadError, Loaded};
use super::raw::RawFile;
use super::{resolve, yaml};

/// Checks the text of a configuration file.
///
/// # Errors
/// [`LoadError::Syntax`] for the first thing that cannot be parsed, otherwise
/// [`LoadError::Faults`] with every rule that is broken.
pub fn parse(text: &str) -> Result<Loaded, LoadError> {
    resolve::resolve(&yaml::read::<RawFile>(text)?.maglev)
}
