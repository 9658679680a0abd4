//! Pings. A VPP that is silent is not gone: its connection is kept for a while,
//! and what was read over it no longer counts.

use actix::prelude::*;
use tracing::{info, warn};

use super::{ConnectionPhase, Epoch, VppConnection};
use crate::domain::events::DataplaneKind;

/// Unanswered pings in a row after which a connection is closed.
const MAX_UNANSWERED: u32 = 3;

impl VppConnection {
    pub(super) fn ping_later(&mut self, dialed: Epoch, ctx: &mut Context<Self>) {
        ctx.run_later(self.ping_interval, move |this, ctx| this.ping(dialed, ctx));
    }

    fn ping(&mut self, dialed: Epoch, ctx: &mut Context<Self>) {
        let Some(up) = self.connection_of(dialed) else { return };
        let client = up.client.clone();
        let ping = async move { client.ping().await };
        ctx.spawn(ping.into_actor(self).map(move |answer, this, ctx| {
            if this.connection_of(dialed).is_none() {
                return;
            }
            match (answer, std::mem::replace(&mut this.phase, ConnectionPhase::Dialing)) {
                (Ok(_), ConnectionPhase::Up(up)) => {
                    this.reset_backoff();
                    this.phase = ConnectionPhase::Up(up);
                    this.reopen_stats(ctx);
                    this.ping_later(dialed, ctx);
                }
                (Ok(_), ConnectionPhase::Silent(up, _)) => {
                    info!(epoch = this.epoch.0, "vpp-answers-again");
                    this.publish(DataplaneKind::Connected, "VPP answers again".into());
                    this.begin_epoch(up, ctx);
                }
                (Err(why), ConnectionPhase::Up(up)) => {
                    warn!(why = %why, epoch = this.epoch.0, "vpp-silent");
                    this.publish(DataplaneKind::Disconnected, format!("VPP is silent: {why}"));
                    this.notify_lost("VPP is silent");
                    this.phase = ConnectionPhase::Silent(up, 1);
                    this.ping(dialed, ctx);
                }
                (Err(_), ConnectionPhase::Silent(up, count)) if count + 1 < MAX_UNANSWERED => {
                    this.phase = ConnectionPhase::Silent(up, count + 1);
                    this.ping(dialed, ctx);
                }
                (Err(why), ConnectionPhase::Silent(up, _)) => {
                    warn!(why = %why, "vpp-disconnect: given up after its silence");
                    // In case that VPP comes to read the goodbye.
                    actix_rt::spawn(async move { up.client.close().await });
                    this.back_off(format!("VPP is silent: {why}"), ctx);
                }
                (_, other) => this.phase = other,
            }
        }));
    }
}
