//! The build of this program.

use std::fmt;

/// The identity of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The package's version.
    pub version: &'static str,
    /// The commit it was built from, or `unknown`.
    pub commit: &'static str,
    /// The date of that commit, or `unknown`.
    pub build_date: &'static str,
}

/// This build.
pub const CURRENT: Version = Version {
    version: env!("CARGO_PKG_VERSION"),
    commit: env!("MAGLEV_COMMIT"),
    build_date: env!("MAGLEV_BUILD_DATE"),
};

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "maglevc {} (commit {}, built {})", self.version, self.commit, self.build_date)
    }
}
