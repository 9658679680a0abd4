//! Routes of the table that came or went.

use std::io;

use super::options::NetlinkOptions;
use super::rtnetlink::Received;
use super::socket::RouteSocket;
use crate::announce::pass::Pauses;

/// Masks of RTNLGRP_IPV4_ROUTE (7) and RTNLGRP_IPV6_ROUTE (11).
const GROUPS: u32 = (1 << 6) | (1 << 10);

/// Tells when a route to one address in the table came or went, whoever did it.
pub struct NetlinkWatch {
    options: NetlinkOptions,
    socket: Option<RouteSocket>,
    pauses: Pauses,
}

impl NetlinkWatch {
    pub(super) fn new(options: NetlinkOptions) -> Self {
        Self { options, socket: None, pauses: Pauses::default() }
    }

    /// The first call returns once it watches: what happened before may have been
    /// missed. So does one after which messages were lost (`ENOBUFS`).
    pub(in crate::announce) async fn changed(&mut self) {
        loop {
            let Some(socket) = &mut self.socket else {
                match RouteSocket::open(&self.options, GROUPS).await {
                    Ok(socket) => {
                        self.socket = Some(socket);
                        self.pauses.reset();
                        return;
                    }
                    Err(_) => self.pauses.pause().await,
                }
                continue;
            };
            match socket.received().await {
                Ok(messages) if !messages.iter().any(|it| is_of(&self.options, it)) => {}
                Ok(_) => return,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.socket = None;
                    self.pauses.pause().await;
                }
            }
        }
    }
}

impl std::fmt::Debug for NetlinkWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetlinkWatch").field("options", &self.options).finish_non_exhaustive()
    }
}

fn is_of(options: &NetlinkOptions, message: &Received) -> bool {
    matches!(message, Received::Route(route) if options.placement(route).is_some())
}
