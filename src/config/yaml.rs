//! From YAML to the raw file. No other file names the YAML reader.

use super::error::LoadError;
use super::raw::RawFile;
use super::unique::UniqueKeys;

/// # Errors
/// [`LoadError::Syntax`] for the first thing that cannot be parsed.
pub(super) fn read(text: &str) -> Result<RawFile, LoadError> {
    let syntax = |error| syntax_error(&error, text);
    serde_yaml::from_str::<UniqueKeys>(text).map_err(syntax)?;
    serde_yaml::from_str(text).map_err(syntax)
}

fn syntax_error(error: &serde_yaml::Error, text: &str) -> LoadError {
    // A few errors have no place, such as that of a second document. The reader meets
    // them at the end of the text.
    let (line, column) = error.location().map_or_else(
        || (text.lines().count().max(1), 1),
        |location| (location.line(), location.column()),
    );
    let message = error.to_string().replacen(&format!(" at line {line} column {column}"), "", 1);
    LoadError::Syntax { line, column, message }
}
