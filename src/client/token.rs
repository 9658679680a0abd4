//! The bearer token that this side shows the daemon, read from a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::address::DaemonAddress;

/// The longest token; those that maglevd makes have 71 characters.
const LONGEST: usize = 4096;
/// What others may do with a file, who are neither its owner nor of its group.
const OTHERS: u32 = 0o007;

/// A file with a token in its one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile {
    pub path: PathBuf,
}

/// The token cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Whoever is on the machine may know the token.
    #[error(
        "{} may be read or written by everybody (mode {mode:04o}): make another token, and \
         chmod o= the file", .path.display()
    )]
    OpenToAll { path: PathBuf, mode: u32 },
    #[error("there is no token in {}: one line of printable characters", .path.display())]
    NoToken { path: PathBuf },
    /// It would be sent without encryption over a network.
    #[error(
        "a token is not sent to {server} without TLS, where others on the way could read it: \
         use TLS, or the daemon's Unix socket"
    )]
    InTheClear { server: DaemonAddress },
}

impl TokenFile {
    /// Reads the token. It is read anew for each connection.
    ///
    /// # Errors
    /// [`TokenFileError`]
    pub fn read(&self) -> Result<BearerToken, TokenFileError> {
        let path = || self.path.clone();
        let (text, mode) = read(&self.path)
            .map_err(|source| TokenFileError::Unreadable { path: path(), source })?;
        if mode & OTHERS != 0 {
            return Err(TokenFileError::OpenToAll { path: path(), mode });
        }
        let token = text.trim();
        let is_token =
            (1..=LONGEST).contains(&token.len()) && token.bytes().all(|it| it.is_ascii_graphic());
        let value = is_token.then(|| format!("Bearer {token}").parse().ok()).flatten();
        let mut value: MetadataValue<Ascii> =
            value.ok_or_else(|| TokenFileError::NoToken { path: path() })?;
        value.set_sensitive(true);
        Ok(BearerToken { token: Some(value), on_behalf_of: None })
    }
}

/// The beginning of the file, and the bits of its mode. A pipe of a shell has an owner's.
fn read(path: &Path) -> io::Result<(String, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode() & 0o777;
    let mut text = String::new();
    file.take(LONGEST as u64 + 2).read_to_string(&mut text)?;
    Ok((text, mode))
}

/// For whom a program asks that asks for others. A daemon records it of operators.
pub const ON_BEHALF_OF: &str = "x-maglev-on-behalf-of";

/// What goes with each request; the default is nothing.
#[derive(Clone, Default)]
pub struct BearerToken {
    token: Option<MetadataValue<Ascii>>,
    on_behalf_of: Option<MetadataValue<Ascii>>,
}

impl BearerToken {
    /// For whom is asked. A name that is not of ASCII is not sent.
    #[must_use]
    pub fn on_behalf_of(self, name: Option<&str>) -> Self {
        Self { on_behalf_of: name.and_then(|name| name.parse().ok()), ..self }
    }
}

impl Interceptor for BearerToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.token {
            request.metadata_mut().insert("authorization", value.clone());
        }
        if let Some(name) = &self.on_behalf_of {
            request.metadata_mut().insert(ON_BEHALF_OF, name.clone());
        }
        Ok(request)
    }
}

/// Without the token.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.token.is_some() { "BearerToken" } else { "no BearerToken" })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, TokenFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (dir, TokenFile { path })
    }

    #[test]
    fn the_token_goes_with_each_request_and_is_not_shown() {
        let (_dir, file) = file("maglev-abc\n", 0o640);
        let mut token = file.read().unwrap();
        let request = token.call(Request::new(())).unwrap();
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer maglev-abc");
        assert!(!format!("{token:?} {request:?}").contains("abc"));
        let request = BearerToken::default().call(Request::new(())).unwrap();
        assert!(request.metadata().is_empty());
    }

    #[test]
    fn a_file_that_everybody_may_read_or_write_is_refused_with_its_remedy() {
        for mode in [0o644, 0o602, 0o604] {
            let (_dir, file) = file("maglev-abc\n", mode);
            let error = file.read().unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:04o}")), "{error}");
            assert!(error.contains("chmod o=") && !error.contains("abc"), "{error}");
        }
        for mode in [0o600, 0o660, 0o400] {
            let (_dir, file) = file("maglev-abc", mode);
            file.read().unwrap();
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_shown() {
        let long = "x".repeat(LONGEST + 1);
        for text in ["", "\n", "two words", "two\nlines", "größer", &long] {
            let (_dir, file) = file(text, 0o600);
            let error = file.read().unwrap_err();
            assert!(matches!(error, TokenFileError::NoToken { .. }), "{text:?}: {error}");
        }
        let missing = TokenFile { path: "/nowhere/token".into() };
        assert!(matches!(missing.read(), Err(TokenFileError::Unreadable { .. })));
    }
}
