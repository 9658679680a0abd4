//! A connection to VPP as calls are made over it, marked with the dialect that
//! VPP speaks on it.
//!
//! Invariant: no message of one dialect is sent to a VPP of another. A
//! [`Connection<D>`] exists only after `D` has accepted VPP's message table,
//! and takes no other messages than those that are [`SpokenIn`] `D`.
//! Held by: the compiler, and `dialect/tests.rs`.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::driver::DriverCommand;
use super::goodbye::GoodbyeHandle;
use crate::vpp::session::{EndReason, SessionStats};
use crate::vpp::wire::{ControlPing, MessageTable, Request, ShowVersion};

/// No dialect in particular: what every VPP understands.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyVpp;

/// A message that a VPP of dialect `D` understands as it is encoded. The
/// checksums of `lb` messages are the same in all dialects, their encodings are
/// not.
pub(super) trait SpokenIn<D>: Request {}

impl<D> SpokenIn<D> for ControlPing {}
impl<D> SpokenIn<D> for ShowVersion {}

/// A line of VPP's CLI that may be sent to a VPP of dialect `D`. The CLI can
/// write, so that [`CliInband`](crate::vpp::wire::CliInband) itself is
/// [`SpokenIn`] no dialect.
pub(super) trait InbandCommand<D> {
    fn line(&self) -> Cow<'static, str>;
}

/// What a dialect requires of a VPP's message table.
pub(super) trait RequiredMessages {
    /// Messages that keep a VPP with this table from speaking the dialect, for
    /// people: those that it lacks, as `lb_conf_get_51077d14`. Empty: it does
    /// speak it.
    fn missing(table: &MessageTable) -> Vec<String>;
}

/// One connection over which VPP speaks `D`; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connection<D> {
    state: Arc<ConnectionShared>,
    dialect: PhantomData<D>,
}

/// What all handles of a connection share. Nothing of it changes but the size of
/// the listing.
#[derive(Debug)]
pub(super) struct ConnectionShared {
    pub(super) commands: mpsc::Sender<DriverCommand>,
    pub(super) ended: watch::Receiver<Option<EndReason>>,
    /// What was counted, once the connection has ended.
    pub(super) final_stats: watch::Receiver<SessionStats>,
    pub(super) table: MessageTable,
    pub(super) patience: Duration,
    /// Bytes of VPP's send buffer that replies may take.
    pub(super) budget: usize,
    pub(super) stale_client_workaround: bool,
    pub(super) goodbye_handle: GoodbyeHandle,
    /// The process at the other end, if it is visible.
    pub(super) peer: Option<i32>,
    /// Bytes of the last brief listing of VIPs; 0 before the first.
    pub(super) listing_size: AtomicUsize,
}

impl Connection<AnyVpp> {
    pub(super) fn new(state: ConnectionShared) -> Self {
        Self { state: Arc::new(state), dialect: PhantomData }
    }

    /// The same connection, over which VPP speaks `D`.
    ///
    /// # Errors
    /// The messages that keep it from that.
    pub(super) fn speaking<D: RequiredMessages>(&self) -> Result<Connection<D>, Vec<String>> {
        let missing = D::missing(&self.state.table);
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(Connection { state: Arc::clone(&self.state), dialect: PhantomData })
    }
}

impl<D> Connection<D> {
    pub(super) fn state(&self) -> &ConnectionShared {
        &self.state
    }

    /// What this connection has counted; all of it, once it has ended.
    pub(super) async fn stats(&self) -> SessionStats {
        let (to, stats) = oneshot::channel();
        if self.state.commands.send(DriverCommand::Stats(to)).await.is_ok()
            && let Ok(stats) = stats.await
        {
            return stats;
        }
        self.state.final_stats.borrow().clone()
    }

    /// Says goodbye and waits for the end. Calls in flight are answered before,
    /// calls not sent fail.
    pub(super) async fn close(&self) -> EndReason {
        // The task may have ended before; then there is nothing left to close.
        drop(self.state.commands.send(DriverCommand::Leave).await);
        self.ended().await
    }

    pub(super) async fn ended(&self) -> EndReason {
        let mut ended = self.state.ended.clone();
        let why = ended.wait_for(Option::is_some).await.map(|why| *why);
        // A task that ended without a reason went down with its runtime.
        why.ok().flatten().unwrap_or(EndReason::LeftUnconfirmed)
    }
}
