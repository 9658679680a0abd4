//! A VPP process without sockets: its uptime, its plugin, and the replies that
//! it makes.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::interfaces::Interfaces;
use super::options::{Clock, EmbeddedOptions};
use super::plugin::Plugin;
use crate::vpp::wire::{Reply, RequestHead, write_reply};

/// The state of one process, which a restart loses.
pub(super) struct Process {
    pub(super) plugin: Plugin,
    pub(super) interfaces: Interfaces,
    pub(super) pid: u32,
    clock: Clock,
    started: Instant,
    skipped: Duration,
    boot_time: u64,
    /// Of its messages, by name.
    ids: HashMap<&'static str, u16>,
}

/// A message that VPP does not survive, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crash(pub(super) &'static str);

/// The replies to one request, in the making.
#[derive(Debug, Default)]
pub(super) struct ReplyDraft {
    /// The `client_index` that replies go to.
    pub(super) to: u32,
    /// Frames, one after the other.
    pub(super) bytes: Vec<u8>,
    /// Where each frame ends: VPP sends them one by one.
    pub(super) ends: Vec<usize>,
    /// Of the last reply.
    pub(super) retval: Option<i32>,
    /// A system call failed on the way, and left its number in `errno`.
    pub(super) errno_was_set: bool,
    /// VPP's main thread never comes back from it.
    pub(super) hangs: bool,
}

impl Process {
    pub(super) fn new(options: &EmbeddedOptions, ids: HashMap<&'static str, u16>) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            plugin: Plugin::new(options.api),
            interfaces: Interfaces::default(),
            pid: std::process::id(),
            clock: options.clock,
            started: Instant::now(),
            skipped: Duration::ZERO,
            boot_time: since_epoch.as_secs(),
            ids,
        }
    }

    pub(super) fn uptime(&self) -> Duration {
        match self.clock {
            Clock::Running => self.started.elapsed() + self.skipped,
            Clock::Manual => self.skipped,
        }
    }

    /// Uptime in whole seconds, as the plugin counts.
    pub(super) fn now(&self) -> u32 {
        u32::try_from(self.uptime().as_secs()).unwrap_or(u32::MAX)
    }

    /// Unix time of the start, in seconds.
    pub(super) fn boot_time(&self) -> u64 {
        self.boot_time
    }

    /// Moves the clock.
    pub(super) fn advance(&mut self, by: Duration) {
        self.skipped += by;
        self.catch_up();
    }

    /// Does what was due since the last call.
    pub(super) fn catch_up(&mut self) {
        let now = self.now();
        self.plugin.advance(now);
    }

    /// Appends a reply. A message that was taken out of the table has no id, and
    /// is not sent.
    pub(super) fn reply<R: Reply>(&self, draft: &mut ReplyDraft, head: RequestHead, reply: &R) {
        let Some(id) = self.ids.get(R::NAME) else { return };
        write_reply(&mut draft.bytes, *id, head.context, reply);
        draft.ends.push(draft.bytes.len());
        draft.retval = Some(reply.retval());
    }
}

impl ReplyDraft {
    /// An empty answer for a client.
    pub(super) fn to(client_index: u32) -> Self {
        Self { to: client_index, ..Self::default() }
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}
