//! Does one thing at several daemons at the same time.

use crate::cli::answer::CliAnswer;
use crate::cli::error::CliError;
use crate::client::address::DaemonAddress;
use crate::client::connection::DaemonAccess;
use crate::client::error::{ClientError, ConnectionLoss};

/// The answer of one of the daemons.
#[derive(Debug)]
pub struct ServerAnswer {
    pub server: DaemonAddress,
    pub result: Result<CliAnswer, CliError>,
}

impl From<(DaemonAddress, Result<CliAnswer, CliError>)> for ServerAnswer {
    fn from((server, result): (DaemonAddress, Result<CliAnswer, CliError>)) -> Self {
        Self { server, result }
    }
}

/// Does something at all daemons at the same time, so that none waits for a silent one.
/// The results are in the order of `servers`.
pub(super) async fn at_all<T, Done>(
    servers: &[DaemonAccess],
    act: impl Fn(DaemonAccess) -> Done,
) -> Vec<(DaemonAddress, Result<T, CliError>)>
where
    T: Send + 'static,
    Done: Future<Output = Result<T, CliError>> + Send + 'static,
{
    let tasks: Vec<_> = servers.iter().map(|access| tokio::spawn(act(access.clone()))).collect();
    let mut results = Vec::new();
    for (task, access) in tasks.into_iter().zip(servers) {
        let server = access.server.clone();
        let result = task.await.unwrap_or_else(|_| {
            let (server, why) = (server.clone(), ConnectionLoss::Broken);
            Err(ClientError::Unreachable { attempted: "execute", server, why }.into())
        });
        results.push((server, result));
    }
    results
}
