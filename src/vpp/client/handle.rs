//! The public handle on one connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::connection::{AnyVpp, Connection};
use super::dialect::Dialect;
use super::error::CallError;
use super::goodbye::GoodbyeHandle;
use super::packets;
use super::routes;
use super::server_info::{ServerInfo, VppVersion};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::fib::{Egresses, FibEntry};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::{ApiClient, VipTexts};
use crate::vpp::session::{EndReason, SessionStats};
use crate::vpp::wire::ControlPing;

/// A handle on one connection; clones share it. When the last one is dropped,
/// the connection says goodbye and ends.
///
/// Invariant: a [`Step`] is the only thing that can be written through it, but for one
/// setting that [`VppClient::collect`] sets to what it is. Of the other public functions
/// none takes more into a message than the key of a VIP, or an address, to read. Held by: visibility, for other modules cannot make messages
/// (`tests/architecture/vpp_writes.rs`).
#[derive(Clone, Debug)]
pub struct VppClient {
    pub(super) connection: Connection<AnyVpp>,
    /// The error: messages that VPP lacks.
    pub(super) dialect: Result<Dialect, Arc<[String]>>,
    pub(super) server: Arc<ServerInfo>,
}

impl VppClient {
    /// Messages that we need and this VPP lacks, for people. Without them
    /// nothing is read or written: calls fail with [`CallError::Missing`].
    #[must_use]
    pub fn missing(&self) -> &[String] {
        match &self.dialect {
            Ok(_) => &[],
            Err(missing) => missing,
        }
    }

    /// How this VPP is programmed; `None`: not at all, see [`VppClient::missing`].
    #[must_use]
    pub fn lb_dialect(&self) -> Option<LbDialect> {
        self.dialect.as_ref().ok().map(Dialect::kind)
    }

    /// What runs at the other end, as VPP answered at connect.
    #[must_use]
    pub fn info(&self) -> &VppVersion {
        &self.server.version
    }

    /// Dead clients that VPP listed until our connecting made it notice them.
    #[must_use]
    pub fn reaped(&self) -> &[ApiClient] {
        &self.server.reaped
    }

    /// Asks for a sign of life; VPP's process id comes back.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ping(&self) -> Result<u32, CallError> {
        Ok(self.connection.ask(&ControlPing).await?.vpe_pid)
    }

    /// Sends `steps` in order and gives one result for each. A step that fails
    /// does not keep back those after it. Urgent steps go ahead of everything
    /// that is not sent yet.
    pub async fn apply(&self, steps: Vec<Step>, urgent: bool) -> Vec<Result<(), CallError>> {
        match self.dialect() {
            Ok(dialect) => dialect.apply(steps, urgent).await,
            Err(error) => vec![Err(error); steps.len()],
        }
    }

    /// Makes a VPP without weights collect what was removed, which it does not do of its
    /// own; any other VPP is left alone. `ip4_src` is what VPP has as the source address
    /// of GRE over IPv4: it is set to that.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn collect(&self, ip4_src: Ipv4Addr) -> Result<(), CallError> {
        self.dialect()?.collect(ip4_src).await
    }

    /// Reads everything that the load balancer holds.
    ///
    /// # Errors
    /// See [`CallError`]. Nothing that VPP may hold is one.
    pub async fn read_state(&self) -> Result<Observed, CallError> {
        self.dialect()?.read_state().await
    }

    /// Reads the servers of these VIPs. The number with each VIP is how many
    /// rows are expected, about; it sizes the batches. VIPs that VPP cannot be
    /// asked for alone (of prefix 0.0.0.0/0 or ::/0) are missing in the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_servers(
        &self,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
        self.dialect()?.read_servers(expected).await
    }

    /// Reads `show lb vips verbose`, the only source of the pool index under
    /// which a VIP's counters stand. A text that may not fit in VPP's send
    /// buffer is read alone and followed by the stale client workaround; `None`
    /// if the options forbid that.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_verbose(&self) -> Result<Option<VipTexts>, CallError> {
        self.dialect()?.read_verbose().await
    }

    /// Reads how many packets went through these load-balance objects, whose indices
    /// [`VppClient::read_verbose`] shows. One whose text is not understood is missing.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_packets(
        &self,
        load_balances: &BTreeSet<u32>,
    ) -> Result<BTreeMap<u32, u64>, CallError> {
        packets::read_packets(&self.connection, load_balances).await
    }

    /// Reads the entries of these prefixes in VPP's FIB 0, to which `lb` adds its VIPs.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_fib_entries(
        &self,
        prefixes: &[IpNet],
    ) -> Result<BTreeMap<IpNet, FibEntry>, CallError> {
        routes::entries(&self.connection, prefixes).await
    }

    /// Reads through which interfaces packets to these servers leave VPP.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_egresses(
        &self,
        servers: &BTreeSet<IpAddr>,
    ) -> Result<BTreeMap<IpAddr, Egresses>, CallError> {
        routes::egresses(&self.connection, servers).await
    }

    /// Makes VPP let go of API clients that are gone, and returns those that it did;
    /// none if the options forbid that.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn reap_clients(&self) -> Result<Vec<ApiClient>, CallError> {
        let Some((calls, reaping)) = self.connection.client_reaping()? else {
            return Ok(Vec::new());
        };
        self.connection.submit(calls.into()).await;
        reaping.finish(&self.connection).await
    }

    /// What this connection has counted; all of it, once it has ended.
    pub async fn stats(&self) -> SessionStats {
        self.connection.stats().await
    }

    /// Says goodbye and waits for VPP's answer, at most as long as the options
    /// allow. Calls in flight are answered before, calls not sent fail.
    pub async fn close(&self) -> EndReason {
        self.connection.close().await
    }

    /// Waits until the connection has ended, and gives the reason.
    pub async fn ended(&self) -> EndReason {
        self.connection.ended().await
    }

    /// The process that listens on the API socket, as our namespace numbers it;
    /// `None` once the connection has ended, and if the process is not visible.
    #[must_use]
    pub fn peer_process(&self) -> Option<i32> {
        let state = self.connection.state();
        state.peer.filter(|_| state.goodbye_handle.is_connected())
    }

    /// A goodbye for a process that is about to abort.
    #[must_use]
    pub fn goodbye_handle(&self) -> GoodbyeHandle {
        self.connection.state().goodbye_handle.clone()
    }

    fn dialect(&self) -> Result<&Dialect, CallError> {
        self.dialect.as_ref().map_err(|missing| {
            // Behind its key there may be what VPP has in its place.
            let first = missing.first().and_then(|message| message.split(' ').next());
            CallError::Missing { message: first.unwrap_or_default().into() }
        })
    }
}
