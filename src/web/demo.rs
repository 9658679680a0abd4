//! The page of `maglevd --demo`: a password that is made up, and an end with the daemon.
//!
//! Whoever is on this machine can reach a port on loopback. So the demo asks for a login
//! before it lets anybody operate, as it should anywhere else.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::password::{hash, random};
use super::users::{UserEntry, WebUsers};
use crate::api::ListenAddr;
use crate::domain::web::access::WebRole;
use crate::domain::web::sessions::hexadecimal;

/// The user of the demo.
const NAME: &str = "demo";

pub(super) struct DemoLogin {
    pub(super) users: WebUsers,
    password: String,
}

impl DemoLogin {
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn new() -> io::Result<Self> {
        let password = hexadecimal(&random::<5>()?);
        let hash = Some(hash(password.as_bytes())?);
        let user = UserEntry { role: WebRole::Operator, hash };
        Ok(Self { users: WebUsers(BTreeMap::from([(NAME.to_owned(), user)])), password })
    }

    /// Tells the daemon, in one line: URL, user and password.
    pub(super) fn tell(&self, address: &ListenAddr) {
        let line = format!("page http://{address}/ {NAME} {}", self.password);
        // A daemon that is gone reads nothing.
        let _ = writeln!(io::stdout(), "{line}");
    }
}

/// Ends when the standard input does, which is with the daemon.
pub(super) async fn end_of_input() {
    let (ended, waiting) = tokio::sync::oneshot::channel();
    // A thread of its own: one of the runtime's would be waited for at the end.
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while matches!(io::stdin().read(&mut bytes), Ok(1..)) {}
        let _ = ended.send(());
    });
    let _ = waiting.await;
}
