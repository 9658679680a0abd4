//! Reads the rights file into the types of [`crate::domain::rights`], as the configuration
//! is read: what is not of the schema ends there with line and column, and every rule that
//! is broken is named with its place.

mod error;
mod fault;
mod raw;
mod resolve;

use std::path::Path;
use std::time::Duration;

use crate::domain::rights::Rights;

use self::raw::RawRightsFile;
use super::error::LoadError;
use super::{read, yaml};

pub use error::RightsError;
pub use fault::{AccountNames, RightsFault, RightsProblem};

/// How long the file may take to read.
const READ_TIME: Duration = Duration::from_secs(10);

/// Reads and checks the file at `path`. `accounts` gives the numbers of users and groups.
///
/// # Errors
/// The file cannot be read, is not of the schema, or breaks rules.
pub fn load(path: &Path, accounts: &dyn AccountNames) -> Result<Rights, RightsError> {
    let owned = path.to_owned();
    let text = read::within(READ_TIME, move || read::text(&owned, READ_TIME));
    let text = text.map_err(LoadError::from).and_then(|text| text)?;
    parse(&text, accounts)
}

/// Checks the text of a rights file.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, accounts: &dyn AccountNames) -> Result<Rights, RightsError> {
    resolve::resolve(&yaml::read::<RawRightsFile>(text)?.rights, accounts)
}

#[cfg(test)]
mod tests;
