//! A file that a check needs and that is of no use.

/// A file that cannot be used, and why. What it holds is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileFault {
    pub(super) path: String,
    pub(super) why: String,
}
