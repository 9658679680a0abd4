//! What a command of the CLI answers, and does to VPP.

/// What a command printed.
pub(super) struct CliOutput {
    pub(super) retval: i32,
    pub(super) text: String,
    /// A system call failed on the way.
    pub(super) errno_was_set: bool,
    /// It never comes back.
    pub(super) hangs: bool,
    /// VPP does not survive it.
    pub(super) crash: Option<&'static str>,
}

impl CliOutput {
    pub(super) fn done(text: String) -> Self {
        Self { retval: 0, text, errno_was_set: false, hangs: false, crash: None }
    }

    pub(super) fn failed(text: String) -> Self {
        Self { retval: -1, ..Self::done(text) }
    }
}
