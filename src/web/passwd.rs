//! `maglev-web passwd`: adds a user to the file, or sets a password anew.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use thiserror::Error;

use super::options::PasswdOptions;
use super::password::{LONGEST_PASSWORD, hash};
use super::users::{NO_PASSWORD, UserLineError, UserNameError, WebUsers, check_name, with_user};
use crate::domain::web::access::WebRole;

/// Characters of a new password, at least.
const SHORTEST: usize = 8;

/// Why no password was set.
#[derive(Debug, Error)]
pub(super) enum PasswdError {
    #[error(transparent)]
    Name(#[from] UserNameError),
    #[error("a password has {SHORTEST} characters at least, and {LONGEST_PASSWORD} bytes at most")]
    Length,
    #[error("the two passwords differ: nothing was changed")]
    Differ,
    #[error("cannot read the password: {0}")]
    Input(io::Error),
    #[error("{}:{line}: {fault}", path.display())]
    Line { path: PathBuf, line: usize, fault: UserLineError },
    #[error("cannot {attempted} {}: {source}", path.display())]
    File { attempted: &'static str, path: PathBuf, source: io::Error },
}

/// # Errors
/// Why the file is as it was.
pub(super) fn run(options: &PasswdOptions) -> Result<(), PasswdError> {
    check_name(&options.name)?;
    let path = &options.users;
    let _lock = lock(path)?;
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(file("read", path, source)),
    };
    let users = WebUsers::parse(&text).map_err(|(line, fault)| {
        let path = path.clone();
        PasswdError::Line { path, line, fault }
    })?;
    let role = options.role.or_else(|| users.role(&options.name)).unwrap_or(WebRole::Viewer);
    let hash = if options.no_password {
        NO_PASSWORD.to_owned()
    } else {
        hash(ask()?.as_bytes()).map_err(PasswdError::Input)?
    };
    replace(path, &with_user(&text, &options.name, role, &hash))
}

fn file(attempted: &'static str, path: &Path, source: io::Error) -> PasswdError {
    PasswdError::File { attempted, path: path.to_owned(), source }
}

/// From the terminal, twice and without an echo; or the first line of standard input.
fn ask() -> Result<String, PasswdError> {
    let input = io::stdin();
    let password = if input.is_terminal() {
        let first = prompt("New password: ")?;
        if prompt("The same again: ")? != first {
            return Err(PasswdError::Differ);
        }
        first
    } else {
        let mut line = String::new();
        // A byte more than is allowed shows that it is too long.
        let limit = u64::try_from(LONGEST_PASSWORD + 3).unwrap_or(u64::MAX);
        input.lock().take(limit).read_line(&mut line).map_err(PasswdError::Input)?;
        line
    };
    let password = password.trim_end_matches(['\r', '\n']);
    let is_fine = password.chars().count() >= SHORTEST && password.len() <= LONGEST_PASSWORD;
    if is_fine { Ok(password.to_owned()) } else { Err(PasswdError::Length) }
}

fn prompt(text: &str) -> Result<String, PasswdError> {
    let input = io::stdin();
    let usual = tcgetattr(&input).map_err(|error| PasswdError::Input(error.into()))?;
    let mut silent = usual.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let set = |modes| tcsetattr(&input, OptionalActions::Flush, modes);
    set(&silent).map_err(|error| PasswdError::Input(error.into()))?;
    // Whoever sees the prompt may type: by then nothing is shown, or dropped.
    let _ = write!(io::stderr(), "{text}");
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    // What fails here leaves a terminal without an echo, which `reset` mends.
    let _ = set(&usual);
    let _ = writeln!(io::stderr());
    read.map_err(PasswdError::Input)?;
    Ok(line)
}

/// Held while the file is changed: two at a time would lose one change.
fn lock(path: &Path) -> Result<File, PasswdError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let opened = File::open(folder).map_err(|source| file("open", folder, source))?;
    let locked = flock(&opened, FlockOperation::LockExclusive);
    locked.map_err(|error| file("lock", folder, error.into()))?;
    Ok(opened)
}

/// Writes a file beside it and puts that in its place, with its owner; the mode is 0600,
/// or 0640 where the group could read it before.
fn replace(path: &Path, text: &str) -> Result<(), PasswdError> {
    let known = std::fs::metadata(path).ok();
    let mode = known.as_ref().map_or(0o600, |known| 0o600 | known.mode() & 0o040);
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let _ = std::fs::remove_file(&temporary);
    let written = (|| {
        let mut options = OpenOptions::new();
        let mut new = options.write(true).create_new(true).mode(mode).open(&temporary)?;
        if let Some(known) = &known {
            // Who may not give it away keeps it.
            let _ = fchown(&new, Some(known.uid()), Some(known.gid()));
        }
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    written.map_err(|source| {
        let _ = std::fs::remove_file(&temporary);
        file("write", path, source)
    })
}
