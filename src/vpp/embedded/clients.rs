//! The clients of an embedded VPP: registrations in slots, output that waits
//! for room, and VPP's fault with clients that close without a goodbye.
//!
//! Once a send has met a full buffer, VPP takes the end of a connection for
//! nothing to read, and keeps the client until some other system call fails.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use super::pool::SlotPool;

/// Bytes of one write of VPP.
const PIECE: usize = 4096;

/// The bit that marks the index of a socket client.
const SOCKET_BIT: u32 = 1 << 31;

/// A connection, by a number that is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Serial(pub(super) u64);

/// A registration.
pub(super) struct ApiRegistration {
    pub(super) serial: Serial,
    pub(super) stream: Arc<UnixStream>,
    name: String,
    waiting: VecDeque<u8>,
    /// A task waits for room and will call [`Clients::has_room`].
    awaited: bool,
    /// It is closed, and VPP has not noticed.
    dead: bool,
    reader: AbortHandle,
}

/// What became of bytes for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The kernel has them all.
    All,
    /// Some wait for room; the caller is to call [`Clients::has_room`] later.
    Waiting,
    /// Some wait for room, as before.
    Queued,
    Gone,
}

/// Every client that VPP lists.
#[derive(Default)]
pub(super) struct Clients {
    slots: SlotPool<Option<ApiRegistration>>,
    /// A send met a full buffer, and nothing has failed otherwise since.
    armed: bool,
}

impl Clients {
    /// No clients; slot 0 is the listener's.
    pub(super) fn new() -> Self {
        let mut clients = Self::default();
        clients.slots.take();
        clients
    }

    /// Registers a connection.
    pub(super) fn add(&mut self, serial: Serial, stream: Arc<UnixStream>, reader: AbortHandle) {
        *self.slots.take().1 = Some(ApiRegistration {
            serial,
            stream,
            name: String::new(),
            waiting: VecDeque::new(),
            awaited: false,
            dead: false,
            reader,
        });
    }

    /// The slot of a connection.
    pub(super) fn slot(&self, serial: Serial) -> Option<u32> {
        let is =
            |client: &Option<ApiRegistration>| client.as_ref().is_some_and(|c| c.serial == serial);
        self.slots.iter().find(|(_, client)| is(client)).map(|(slot, _)| slot)
    }

    /// The slot that a `client_index` names.
    pub(super) fn slot_of_index(&self, client_index: u32) -> Option<u32> {
        let slot = (client_index & SOCKET_BIT != 0).then_some(client_index & !SOCKET_BIT)?;
        self.slots.iter().any(|(taken, client)| taken == slot && client.is_some()).then_some(slot)
    }

    /// The `client_index` of a slot.
    pub(super) fn index_of_slot(slot: u32) -> u32 {
        slot | SOCKET_BIT
    }

    /// Takes the name that `sockclnt_create` gives.
    pub(super) fn name(&mut self, slot: u32, name: String) {
        if let Some(client) = &mut self.slots[slot] {
            client.name = name;
        }
    }

    /// Sends a frame, or as much of it as there is room for.
    pub(super) fn send(&mut self, slot: u32, frame: &[u8]) -> Sent {
        let Some(client) = self.slots[slot].as_mut().filter(|client| !client.dead) else {
            return Sent::Gone;
        };
        client.waiting.extend(frame);
        self.flush(slot)
    }

    /// Sends what waits, now that there may be room.
    pub(super) fn has_room(&mut self, slot: u32) -> Sent {
        if let Some(client) = &mut self.slots[slot] {
            client.awaited = false;
        }
        self.flush(slot)
    }

    fn flush(&mut self, slot: u32) -> Sent {
        let Some(client) = &mut self.slots[slot] else { return Sent::Gone };
        while !client.waiting.is_empty() {
            let (front, _) = client.waiting.as_slices();
            match client.stream.try_write(&front[..front.len().min(PIECE)]) {
                Ok(sent) => drop(client.waiting.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.armed = true;
                    let first = !std::mem::replace(&mut client.awaited, true);
                    return if first { Sent::Waiting } else { Sent::Queued };
                }
                Err(_) => {
                    self.errno_was_set();
                    return Sent::Gone;
                }
            }
        }
        Sent::All
    }

    /// The stream of a slot.
    pub(super) fn stream(&self, slot: u32) -> Option<(Serial, Arc<UnixStream>)> {
        self.slots[slot].as_ref().map(|client| (client.serial, Arc::clone(&client.stream)))
    }

    /// A read found the end: the client is removed, unless VPP overlooks it.
    pub(super) fn ended(&mut self, slot: u32) {
        if !self.armed {
            self.remove(slot);
        } else if let Some(client) = &mut self.slots[slot] {
            client.dead = true;
        }
    }

    /// A system call failed otherwise: VPP removes the dead clients.
    pub(super) fn errno_was_set(&mut self) {
        self.armed = false;
        let is_dead = |client: &Option<ApiRegistration>| client.as_ref().is_some_and(|c| c.dead);
        let dead: Vec<u32> =
            self.slots.iter().filter(|(_, c)| is_dead(c)).map(|(slot, _)| slot).collect();
        for slot in dead {
            self.remove(slot);
        }
    }

    /// Closes a connection and frees its slot.
    pub(super) fn remove(&mut self, slot: u32) {
        if self.slots[slot].take().is_some() {
            self.slots.put(slot);
        }
    }

    /// Closes all connections.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Names of the clients, and of those that are gone and still listed.
    pub(super) fn names(&self) -> (Vec<String>, Vec<String>) {
        let clients = self.slots.iter().filter_map(|(_, client)| client.as_ref());
        let (dead, live): (Vec<_>, Vec<_>) = clients.partition(|client| client.dead);
        let names =
            |clients: Vec<&ApiRegistration>| clients.iter().map(|c| c.name.clone()).collect();
        (names(live), names(dead))
    }

    /// `show api clients`
    pub(super) fn show(&self) -> String {
        let mut text = format!("Socket clients\n{:>20} {:>8}\n", "Name", "Fildesc");
        for client in self.slots.iter().filter_map(|(_, client)| client.as_ref()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:>20} {:>8}", client.name, client.stream.as_raw_fd());
        }
        text
    }
}

/// The peer sees the end at once, although tasks may still hold the stream.
impl Drop for ApiRegistration {
    fn drop(&mut self) {
        self.reader.abort();
        // It fails when the peer was faster.
        let _ = rustix::net::shutdown(&*self.stream, rustix::net::Shutdown::Both);
    }
}
