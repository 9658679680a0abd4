//! The file of those who may log in, a line each:
//!
//! ```text
//! # name:role:hash of the password, or * for none
//! ann:operator:$argon2id$v=19$m=19456,t=2,p=1$…
//! bob:viewer:*
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use argon2::password_hash::PasswordHash;
use thiserror::Error;

use crate::domain::web::access::{WebRole, WebRoleError};

/// In place of a hash: nobody logs in with a password.
pub(super) const NO_PASSWORD: &str = "*";
/// Users in one file.
const MOST: usize = 10_000;
const LONGEST_FILE: u64 = 4 << 20;

/// Users by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WebUsers(pub(super) BTreeMap<String, UserEntry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserEntry {
    pub(super) role: WebRole,
    /// As PHC strings have it; `None`: no password.
    pub(super) hash: Option<String>,
}

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub(super) enum UsersError {
    #[error("--users {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("--users {}:{line}: {fault}", path.display())]
    Line { path: PathBuf, line: usize, fault: UserLineError },
    #[error("--users {}: everybody may read it: chmod o= the file", path.display())]
    Readable { path: PathBuf },
}

/// What is wrong with a line.
#[derive(Debug, Error)]
pub(super) enum UserLineError {
    #[error("write name:role:hash, as maglev-web passwd does")]
    Fields,
    #[error(transparent)]
    Name(#[from] UserNameError),
    #[error(transparent)]
    Role(#[from] WebRoleError),
    #[error("{0} has a line before")]
    Twice(String),
    #[error("the hash cannot be read: set the password anew with maglev-web passwd")]
    Hash,
    #[error("there are more than {MOST} users")]
    TooMany,
}

/// The text cannot be the name of a user.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a name has 1 to 64 characters, none of which is a space, a colon or a control character")]
pub(super) struct UserNameError;

/// # Errors
/// It cannot be a name.
pub(super) fn check_name(name: &str) -> Result<(), UserNameError> {
    let is_plain = |c: char| !c.is_whitespace() && !crate::domain::printable::is_control(c);
    let is_name = (1..=64).contains(&name.chars().count())
        && !name.contains(':')
        && !name.starts_with('#')
        && name.chars().all(is_plain);
    if is_name { Ok(()) } else { Err(UserNameError) }
}

impl WebUsers {
    /// # Errors
    /// The file cannot be read, is readable for others, or has a line that is none.
    pub(super) fn read(path: &Path) -> Result<Self, UsersError> {
        use std::io::Read;
        use std::os::unix::fs::PermissionsExt;
        let unreadable = |source| UsersError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        // The group may be the service's, as of what systemd's LoadCredential= gives.
        if mode & 0o007 != 0 {
            return Err(UsersError::Readable { path: path.to_owned() });
        }
        let mut text = String::new();
        file.take(LONGEST_FILE).read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text).map_err(|(line, fault)| {
            let path = path.to_owned();
            UsersError::Line { path, line, fault }
        })
    }

    /// # Errors
    /// The first line that is wrong, from 1 on.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, UserLineError)> {
        let mut users = BTreeMap::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, entry) = parse_line(line).map_err(|fault| (place + 1, fault))?;
            if users.insert(name.clone(), entry).is_some() {
                return Err((place + 1, UserLineError::Twice(name)));
            }
            if users.len() > MOST {
                return Err((place + 1, UserLineError::TooMany));
            }
        }
        Ok(Self(users))
    }

    pub(super) fn role(&self, name: &str) -> Option<WebRole> {
        self.0.get(name).map(|user| user.role)
    }
}

fn parse_line(line: &str) -> Result<(String, UserEntry), UserLineError> {
    let mut fields = line.splitn(3, ':');
    let (Some(name), Some(role), Some(hash)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(UserLineError::Fields);
    };
    check_name(name)?;
    let hash = (hash != NO_PASSWORD).then(|| hash.to_owned());
    if hash.as_ref().is_some_and(|hash| PasswordHash::new(hash).is_err()) {
        return Err(UserLineError::Hash);
    }
    Ok((name.to_owned(), UserEntry { role: role.parse()?, hash }))
}

/// The text of a file in which `name` has this role and hash: its line is replaced, or
/// added at the end, and every other line stays as it is.
pub(super) fn with_user(text: &str, name: &str, role: WebRole, hash: &str) -> String {
    let line = format!("{name}:{role}:{hash}");
    let mut is_there = false;
    let mut out = String::new();
    for old in text.lines() {
        let is_old = old.trim().split(':').next() == Some(name);
        out.push_str(if is_old { &line } else { old });
        out.push('\n');
        is_there |= is_old;
    }
    if !is_there {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$bm90IGEgaGFzaA";

    #[test]
    fn a_file_is_read_line_by_line() {
        let text = format!("# who\n\nann:operator:{HASH}\n bob:viewer:*\n");
        let users = WebUsers::parse(&text).unwrap();
        assert_eq!(users.role("ann"), Some(WebRole::Operator));
        assert_eq!((users.role("bob"), users.role("eve")), (Some(WebRole::Viewer), None));
        assert!(users.0["ann"].hash.is_some() && users.0["bob"].hash.is_none());
        for (line, part) in [
            ("ann", "write name:role:hash"),
            ("ann:viewer", "write name:role:hash"),
            (":viewer:*", "1 to 64 characters"),
            ("ann:admin:*", "\"admin\" is no role"),
            ("ann:viewer:", "the hash cannot be read"),
            ("ann:viewer:secret", "the hash cannot be read"),
            ("bob:viewer:*", "bob has a line before"),
        ] {
            let (number, fault) = WebUsers::parse(&format!("bob:viewer:*\n{line}\n")).unwrap_err();
            assert_eq!(number, 2);
            assert!(fault.to_string().contains(part), "{line}: {fault}");
        }
    }

    #[test]
    fn a_line_is_replaced_and_the_others_stay() {
        let text = "# who\nann:viewer:*\n\nbob:viewer:*";
        assert_eq!(
            with_user(text, "ann", WebRole::Operator, "x"),
            "# who\nann:operator:x\n\nbob:viewer:*\n"
        );
        assert_eq!(with_user("", "ann", WebRole::Viewer, "x"), "ann:viewer:x\n");
        assert_eq!(
            with_user("ann2:viewer:*\n", "ann", WebRole::Viewer, "x"),
            "ann2:viewer:*\nann:viewer:x\n"
        );
    }
}
