//! Names of requests. What could stand in no configuration is not looked for,
//! and is not repeated in logs and answers.

use tonic::Status;

use crate::domain::names::is_usable;

/// A name in the field `name`.
///
/// # Errors
/// INVALID_ARGUMENT for what is no name.
pub(super) fn named(name: String) -> Result<String, Status> {
    named_as("name", name)
}

/// A name in this field.
///
/// # Errors
/// INVALID_ARGUMENT for what is no name.
pub(super) fn named_as(field: &str, name: String) -> Result<String, Status> {
    match is_usable(&name) {
        true => Ok(name),
        false => Err(Status::invalid_argument(format!(
            "{field} is not a usable name: give 1 to 128 printable characters, \
             without spaces, slashes, backslashes or quotes"
        ))),
    }
}
