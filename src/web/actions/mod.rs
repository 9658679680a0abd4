//! What operators do, at one daemon or several: read from a request, done as maglevc does
//! it, and told daemon by daemon.

mod asked;
mod forecast;
mod outcome;

pub(super) use asked::{ActionBody, AskedAction};
pub(super) use forecast::forecast;
pub(super) use outcome::ActionAnswer;

use std::time::Duration;

use super::server::{ServedDaemon, WebServer};
use crate::cli::multi_server;
use crate::client::connection::DaemonAccess;

/// How long an answer waits for VPP to confirm what was done.
const WAIT: Duration = Duration::from_secs(5);

/// Does what is asked for at all of its daemons.
pub(super) async fn act(server: WebServer, asked: AskedAction) -> ActionAnswer {
    let daemons = asked.daemons(&server);
    let operator = asked.operator().map(str::to_owned);
    let access = |daemon: &&ServedDaemon| DaemonAccess {
        on_behalf_of: operator.clone(),
        ..daemon.access.clone()
    };
    let access: Vec<_> = daemons.iter().map(access).collect();
    let names: Vec<_> = daemons.iter().map(|daemon| daemon.name.clone()).collect();
    let request = asked.request();
    if asked.is_all_or_none() {
        let fates = multi_server::change_all_or_none(&access, request, WAIT).await;
        ActionAnswer::of_fates(&asked, names, fates)
    } else {
        let answers = multi_server::answers(&access, &request, WAIT).await;
        ActionAnswer::of_answers(&asked, names, answers)
    }
}
