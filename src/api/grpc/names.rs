//! Names in requests. A name that could stand in no configuration is refused at
//! once, so that logs and answers never repeat it.

use tonic::Status;

use crate::domain::names::is_usable;

/// The name in the field `name`.
///
/// # Errors
/// INVALID_ARGUMENT for a name that is not usable.
pub(super) fn parse_name(name: String) -> Result<String, Status> {
    parse_name_field("name", name)
}

/// The name in `field`.
///
/// # Errors
/// INVALID_ARGUMENT for a name that is not usable.
pub(super) fn parse_name_field(field: &str, name: String) -> Result<String, Status> {
    match is_usable(&name) {
        true => Ok(name),
        false => Err(Status::invalid_argument(format!(
            "{field} is not a usable name: give 1 to 128 printable characters, \
             without spaces, slashes, backslashes or quotes"
        ))),
    }
}
