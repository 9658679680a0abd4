//! Who may do what: the rights file that is in force, bearer tokens, and counts of what
//! was denied. The rules are those of [`crate::domain::rights`].

pub(super) mod bearer;
pub(super) mod denied;
pub(super) mod in_force;
