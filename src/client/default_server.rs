//! Where a daemon is looked for that nothing names: the Unix socket of its package, and
//! then loopback.

use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::address::DaemonAddress;
use super::error::cause;

/// Where the package has the daemon listen for operators.
pub const SOCKET: &str = "/run/vpp-maglev/maglevd.sock";

/// Where a daemon listens that is told nothing.
const PORT: u16 = 9090;

/// How long the socket may take to accept a connection.
const DEADLINE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultServer {
    pub server: DaemonAddress,
    /// Why it is not the socket, for people; `None`: it is.
    pub passed_over: Option<String>,
}

/// The daemon behind `socket` if a connection can be made to it, and otherwise the one on
/// loopback, whether it is there or not.
pub async fn find(socket: &Path) -> DefaultServer {
    let connected = timeout(DEADLINE, UnixStream::connect(socket)).await;
    let path = socket.display().to_string();
    let why = match connected {
        Ok(Ok(_)) => {
            let server = DaemonAddress::Unix { path };
            return DefaultServer { server, passed_over: None };
        }
        Ok(Err(error)) => cause(&error),
        Err(_) => format!("it does not answer (waited {} s)", DEADLINE.as_secs()),
    };
    let server = DaemonAddress::Tcp { host: "127.0.0.1".into(), port: PORT };
    DefaultServer { server, passed_over: Some(format!("unix:{path}: {why}")) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn the_socket_comes_first_where_it_can_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglevd.sock");
        let shown = path.display();
        let found = find(&path).await;
        assert_eq!(found.server.to_string(), "127.0.0.1:9090");
        let why = found.passed_over.unwrap();
        assert_eq!(why, format!("unix:{shown}: no such file or directory"));

        let listener = UnixListener::bind(&path).unwrap();
        let found = find(&path).await;
        assert_eq!(found.server.to_string(), format!("unix:{shown}"));
        assert_eq!(found.passed_over, None);

        // The file of a daemon that is gone.
        drop(listener);
        let found = find(&path).await;
        assert_eq!(found.server.to_string(), "127.0.0.1:9090");
        assert_eq!(found.passed_over.unwrap(), format!("unix:{shown}: connection refused"));
    }
}
