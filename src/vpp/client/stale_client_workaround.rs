//! Making VPP notice clients that are gone.
//!
//! After a send that met a full buffer, VPP takes the end of any client for
//! "try again", because it looks at an old `errno`. A system call of its main
//! thread that fails otherwise sets a new one: opening a file that cannot
//! exist does, and changes nothing.

use std::borrow::Cow;

use super::calls::{Pending, PreparedCall};
use super::connection::{Connection, InbandCommand};
use super::driver::CallToken;
use super::error::CallError;
use crate::vpp::cli_text::{ApiClient, parse_clients};
use crate::vpp::session::{Call, SMALL_REPLY};
use crate::vpp::wire::CliInbandReply;

/// How often the list of clients is read again for some that the workaround
/// made VPP remove.
const READS_AFTER_WORKAROUND: usize = 4;

/// Bytes that `show api clients` may take: some hundred clients.
const CLIENT_LIST: usize = 8 << 10;

/// Fails in VPP's CLI, and does nothing else. The path leads through a device,
/// so no file can ever be there.
struct StaleClientWorkaround;

impl<D> InbandCommand<D> for StaleClientWorkaround {
    fn line(&self) -> Cow<'static, str> {
        "exec /dev/null/vpp-maglev".into()
    }
}

/// Lists the clients of VPP's API, dead ones too.
struct ShowApiClients;

impl<D> InbandCommand<D> for ShowApiClients {
    fn line(&self) -> Cow<'static, str> {
        "show api clients".into()
    }
}

/// The calls that make VPP notice dead clients, and what waits for their answers.
pub(super) type PreparedReaping = ([Call<CallToken>; 2], ClientReaping);

/// Waits for the list of clients and for the workaround behind it.
pub(super) struct ClientReaping {
    list: Pending<CliInbandReply>,
    workaround: Pending<CliInbandReply>,
}

impl ClientReaping {
    /// The clients that VPP removed after the workaround: they were gone before.
    pub(super) async fn finish<D>(
        self,
        connection: &Connection<D>,
    ) -> Result<Vec<ApiClient>, CallError> {
        let before = clients(&self.list.any().await?);
        self.workaround.any().await?;
        // VPP removes them a turn or two of its main loop later.
        for _ in 0..READS_AFTER_WORKAROUND {
            if before.len() < 2 {
                break;
            }
            let (call, list) = connection.line(&ShowApiClients, SMALL_REPLY)?;
            connection.submit(vec![call]).await;
            let after = clients(&list.one().await?);
            let reaped: Vec<_> =
                before.iter().filter(|client| !after.contains(client)).cloned().collect();
            if !reaped.is_empty() {
                return Ok(reaped);
            }
        }
        Ok(Vec::new())
    }
}

fn clients(reply: &CliInbandReply) -> Vec<ApiClient> {
    parse_clients(&String::from_utf8_lossy(&reply.reply))
}

impl<D> Connection<D> {
    /// The calls that list the clients of VPP and make it notice dead ones; `None` if
    /// the options forbid that, or VPP has no `cli_inband`.
    pub(super) fn client_reaping(&self) -> Result<Option<PreparedReaping>, CallError> {
        let Ok((list_call, list)) = self.line(&ShowApiClients, CLIENT_LIST) else {
            return Ok(None);
        };
        let Some((call, workaround)) = self.stale_client_workaround()? else { return Ok(None) };
        Ok(Some(([list_call, call], ClientReaping { list, workaround })))
    }

    /// The call that makes VPP notice dead clients, for behind what may have
    /// filled its send buffer; `None` if the options forbid it. Its outcome is
    /// a refusal: that is what it is for.
    pub(super) fn stale_client_workaround(
        &self,
    ) -> Result<Option<PreparedCall<CliInbandReply>>, CallError> {
        if !self.state().stale_client_workaround {
            return Ok(None);
        }
        self.line(&StaleClientWorkaround, SMALL_REPLY).map(Some)
    }

    /// Sends that call alone.
    pub(super) async fn run_stale_client_workaround(&self) -> Result<(), CallError> {
        if let Some((call, pending)) = self.stale_client_workaround()? {
            self.submit(vec![call]).await;
            pending.any().await?;
        }
        Ok(())
    }
}
