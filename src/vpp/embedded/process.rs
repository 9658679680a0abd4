//! A VPP process without sockets: its message table, its uptime, its plugin,
//! and the one function that turns a request into replies.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::plugin::Plugin;
use super::requests::{self, RequestEntry};
use super::{Clock, EmbeddedOptions};
use crate::vpp::wire::{MessageTable, Reply, RequestHead, message::key, write_reply};

/// What one process holds and a restart loses.
pub(super) struct Process {
    pub(super) plugin: Plugin,
    pub(super) pid: u32,
    clock: Clock,
    started: Instant,
    skipped: Duration,
    boot_time: u64,
    entries: HashMap<u16, RequestEntry>,
    ids: HashMap<&'static str, u16>,
}

/// A message that VPP does not survive, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crash(pub(super) &'static str);

/// The answer to one request, in the making.
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
}

impl Process {
    pub(super) fn new(options: &EmbeddedOptions) -> Self {
        let entries: Vec<RequestEntry> = requests::catalogue()
            .into_iter()
            .filter(|entry| !options.without.contains(&entry.name))
            .collect();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            plugin: Plugin::default(),
            pid: std::process::id(),
            clock: options.clock,
            started: Instant::now(),
            skipped: Duration::ZERO,
            boot_time: since_epoch.as_secs(),
            ids: entries.iter().map(|entry| (entry.name, entry.id)).collect(),
            entries: entries.into_iter().map(|entry| (entry.id, entry)).collect(),
        }
    }

    /// What `sockclnt_create` is answered with.
    pub(super) fn table(&self) -> MessageTable {
        let entries = self.entries.values();
        MessageTable::new(entries.map(|entry| (entry.id, key(entry.name, entry.crc))))
    }

    /// The message with this number.
    pub(super) fn entry(&self, id: u16) -> Option<RequestEntry> {
        self.entries.get(&id).copied()
    }

    pub(super) fn uptime(&self) -> Duration {
        match self.clock {
            Clock::Running => self.started.elapsed() + self.skipped,
            Clock::Told => self.skipped,
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

    /// Lets the clock jump.
    pub(super) fn advance(&mut self, by: Duration) {
        self.skipped += by;
        self.catch_up();
    }

    /// Does what the clock was to do since the last look.
    pub(super) fn catch_up(&mut self) {
        let now = self.now();
        self.plugin.advance(now);
    }

    /// Appends a reply. A message that was taken out of the table has no
    /// number, and is not sent.
    pub(super) fn reply<R: Reply>(&self, answer: &mut ReplyDraft, head: RequestHead, reply: &R) {
        let Some(id) = self.ids.get(R::NAME) else { return };
        write_reply(&mut answer.bytes, *id, head.context, reply);
        answer.ends.push(answer.bytes.len());
        answer.retval = Some(reply.retval());
    }
}

impl ReplyDraft {
    /// An empty answer for a client.
    pub(super) fn to(client_index: u32) -> Self {
        Self { to: client_index, ..Self::default() }
    }

    /// The frames.
    pub(super) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}
