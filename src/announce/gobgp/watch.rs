//! GoBGP's events. The stream ends with the daemon, whose paths are gone then.

use tonic::Streaming;

use super::api::{Api, ApiVersion};
use super::pb::v3::WatchEventResponse as EventOf3;
use super::pb::v4::WatchEventResponse as EventOf4;
use super::{v3, v4};
use crate::announce::DriverError;
use crate::announce::error::within_limit;
use crate::announce::pass::Pauses;

/// Tells when the best path to a single address changed, a session came or went, or
/// GoBGP itself did.
#[derive(Debug)]
pub struct GobgpWatch {
    address: String,
    events: Option<Events>,
    has_ended: bool,
    pauses: Pauses,
}

#[derive(Debug)]
enum Events {
    V3(Streaming<EventOf3>),
    V4(Streaming<EventOf4>),
}

impl GobgpWatch {
    pub(super) fn new(address: String) -> Self {
        Self { address, events: None, has_ended: false, pauses: Pauses::default() }
    }

    /// Returns also once it watches again after the stream had ended, and at the end
    /// of a stream.
    pub(in crate::announce) async fn changed(&mut self) {
        loop {
            // A daemon that has just gone is not there yet again.
            if std::mem::take(&mut self.has_ended) {
                self.pauses.pause().await;
            }
            let Some(events) = &mut self.events else {
                match open(&self.address).await {
                    Ok(events) => {
                        self.events = Some(events);
                        self.pauses.reset();
                        return;
                    }
                    Err(_) => self.pauses.pause().await,
                }
                continue;
            };
            match events.next().await {
                Some(true) => return,
                Some(false) => {}
                None => {
                    self.events = None;
                    self.has_ended = true;
                    return;
                }
            }
        }
    }
}

impl Events {
    /// Whether the next event matters; `None`: there is no further one.
    async fn next(&mut self) -> Option<bool> {
        match self {
            Self::V3(events) => Some(v3::matters(&events.message().await.ok()??)),
            Self::V4(events) => Some(v4::matters(&events.message().await.ok()??)),
        }
    }
}

async fn open(address: &str) -> Result<Events, DriverError> {
    let attempt = "watching GoBGP";
    let mut api = Api::connect(address).await?;
    let opened = async {
        let opened = match &mut api.version {
            ApiVersion::V3(client) => v3::watch(client).await.map(Events::V3),
            ApiVersion::V4(client) => v4::watch(client).await.map(Events::V4),
        };
        opened.map_err(|status| super::api::refused(attempt, &status))
    };
    // Version 3 sends the header of its answer with the first event only.
    within_limit(attempt, opened).await
}
