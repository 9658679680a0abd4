//! A connection to BIRD that is kept: it ends with BIRD.

use std::fmt;
use std::path::PathBuf;

use super::control::BirdControl;
use crate::announce::pass::Pauses;

/// Tells when BIRD went or came. What it does with routes it does not tell.
pub struct BirdWatch {
    socket: PathBuf,
    control: Option<BirdControl>,
    has_ended: bool,
    pauses: Pauses,
}

impl BirdWatch {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket, control: None, has_ended: false, pauses: Pauses::default() }
    }

    pub(in crate::announce) async fn changed(&mut self) {
        loop {
            // A daemon that has just gone is not there yet again.
            if std::mem::take(&mut self.has_ended) {
                self.pauses.pause().await;
            }
            if let Some(control) = &mut self.control {
                control.closed().await;
                self.control = None;
                self.has_ended = true;
                return;
            }
            match BirdControl::connect(&self.socket).await {
                Ok(control) => {
                    self.control = Some(control);
                    self.pauses.reset();
                    return;
                }
                Err(_) => self.pauses.pause().await,
            }
        }
    }
}

impl fmt::Debug for BirdWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BirdWatch").field("socket", &self.socket).finish_non_exhaustive()
    }
}
