//! The include files. A file is written beside and renamed, so that BIRD never reads
//! a part of one: it would withdraw the rest. Nothing is synced: a file that does not
//! outlive the machine is right.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::announce::DriverError;
use crate::domain::announce::placement::{RoutePlacement, WantedRoutes};

/// BIRD may run as another user.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

#[derive(Clone, Debug)]
pub(super) struct IncludeFile {
    pub(super) directory: PathBuf,
    pub(super) is_ipv6: bool,
    pub(super) drained: (u16, u16),
}

impl IncludeFile {
    /// Makes the file list the wanted routes of its family. Returns whether it was
    /// written: one that is right already is left alone.
    pub(super) async fn write(&self, wanted: &WantedRoutes) -> Result<bool, DriverError> {
        let (path, text) = (self.path(), self.text(wanted));
        let attempt = format!("writing {}", path.display());
        // The directory may be on something that hangs.
        let written = tokio::task::spawn_blocking(move || replace(&path, &text)).await;
        let written = written.map_err(|error| DriverError::not_understood(&attempt, &error))?;
        written.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                let remedy = "the directory must be maglevd's own, such as its RuntimeDirectory=";
                DriverError::NotPermitted { attempt, remedy: remedy.into() }
            }
            _ => DriverError::failed(&attempt, &error),
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.join(if self.is_ipv6 { "v6-maglev.conf" } else { "v4-maglev.conf" })
    }

    fn text(&self, wanted: &WantedRoutes) -> String {
        let (high, low) = self.drained;
        let mut text = "# Written by maglevd, which replaces it at every change.\n".to_owned();
        for (prefix, placement) in wanted.iter().filter(|it| it.0.is_ipv6() == self.is_ipv6) {
            let end = match placement {
                RoutePlacement::Announced => ";".to_owned(),
                RoutePlacement::Drained => format!(" {{ bgp_community.add(({high},{low})); }};"),
            };
            let _ = writeln!(text, "route {prefix} blackhole{end}");
        }
        text
    }
}

fn replace(path: &Path, text: &str) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(false);
    }
    if let Some(directory) = path.parent().filter(|it| !it.exists()) {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)?;
        // Whatever the umask is.
        fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
    }
    // BIRD includes `*.conf`.
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(&beside)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(&beside, path)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &Path, is_ipv6: bool) -> IncludeFile {
        IncludeFile { directory: directory.join("bird"), is_ipv6, drained: (64512, 2000) }
    }

    #[tokio::test]
    async fn each_family_has_a_file_and_an_equal_one_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = WantedRoutes::from([
            ("192.0.2.1/32".parse().unwrap(), RoutePlacement::Announced),
            ("192.0.2.2/32".parse().unwrap(), RoutePlacement::Drained),
            ("2001:db8::1/128".parse().unwrap(), RoutePlacement::Announced),
        ]);
        for (is_ipv6, lines) in [
            (
                false,
                "route 192.0.2.1/32 blackhole;\n\
                 route 192.0.2.2/32 blackhole { bgp_community.add((64512,2000)); };\n",
            ),
            (true, "route 2001:db8::1/128 blackhole;\n"),
        ] {
            let file = file(directory.path(), is_ipv6);
            assert_eq!(file.write(&wanted).await, Ok(true));
            assert_eq!(file.write(&wanted).await, Ok(false));
            let text = fs::read_to_string(file.path()).unwrap();
            assert_eq!(text.split_once('\n').unwrap().1, lines);
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file.path()), 0o644);
            assert_eq!(mode(&file.directory), 0o755);
        }
        let left = fs::read_dir(directory.path().join("bird")).unwrap().count();
        assert_eq!(left, 2, "nothing is left beside the files");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("bird"), "").unwrap();
        let error = file(directory.path(), false).write(&WantedRoutes::new()).await.unwrap_err();
        let start = format!("writing {}/bird/v4-maglev.conf: ", directory.path().display());
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}
