//! The file of the history: in the user's state folder, readable for the user
//! alone.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file, by the XDG base directory specification. `None`: the environment
/// names neither a state folder nor a home.
pub(super) fn file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("maglevc/history"))
}

/// Creates the file where it is missing, and makes it readable for its owner
/// alone: it contains names of the site.
///
/// # Errors
/// The system's.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_state_folder() {
        let with = |state: Option<&'static str>, home: Option<&'static str>| {
            file(|name| if name == "HOME" { home } else { state }.map(OsString::from))
        };
        let at = |path: &str| Some(PathBuf::from(path));
        assert_eq!(with(Some("/s"), Some("/h")), at("/s/maglevc/history"));
        assert_eq!(with(None, Some("/h")), at("/h/.local/state/maglevc/history"));
        assert_eq!(with(Some("not/absolute"), Some("/h")), at("/h/.local/state/maglevc/history"));
        assert_eq!(with(None, None), None);
    }

    #[test]
    fn the_file_is_readable_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maglevc/history");
        for _ in 0..2 {
            prepare(&path).unwrap();
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
            std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        }
    }
}
