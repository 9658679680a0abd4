//! Making VPP notice clients that are gone.
//!
//! After a send that met a full buffer, VPP takes the end of any client for
//! "try again", because it looks at an old `errno`. A system call of its main
//! thread that fails otherwise sets a new one: opening a file that cannot
//! exist does, and changes nothing.

use std::borrow::Cow;

use super::calls::PreparedCall;
use super::connection::{Connection, InbandCommand};
use super::error::CallError;
use crate::vpp::session::SMALL_REPLY;
use crate::vpp::wire::CliInbandReply;

/// Fails in VPP's CLI, and does nothing else. The path leads through a device,
/// so no file can ever be there.
struct StaleClientWorkaround;

impl<D> InbandCommand<D> for StaleClientWorkaround {
    fn line(&self) -> Cow<'static, str> {
        "exec /dev/null/vpp-maglev".into()
    }
}

/// Lists the clients of VPP's API, dead ones too.
pub(super) struct ShowApiClients;

impl<D> InbandCommand<D> for ShowApiClients {
    fn line(&self) -> Cow<'static, str> {
        "show api clients".into()
    }
}

impl<D> Connection<D> {
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
