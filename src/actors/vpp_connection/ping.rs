//! Signs of life of VPP. One that is silent is not one that is gone: its
//! connection is kept for a while, and what was read over it no longer counts.

use actix::prelude::*;
use tracing::{info, warn};

use super::{ConnectionPhase, Epoch, VppConnection};
use crate::domain::events::DataplaneKind;

/// Unanswered pings after which a connection is given up.
const SILENCES: u32 = 3;

impl VppConnection {
    pub(super) fn ping_later(&mut self, dialed: Epoch, ctx: &mut Context<Self>) {
        ctx.run_later(self.ping_interval, move |this, ctx| this.ping(dialed, ctx));
    }

    fn ping(&mut self, dialed: Epoch, ctx: &mut Context<Self>) {
        let Some(up) = self.held(dialed) else { return };
        let client = up.client.clone();
        let ping = async move { client.ping().await };
        ctx.spawn(ping.into_actor(self).map(move |answer, this, ctx| {
            if this.held(dialed).is_none() {
                return;
            }
            match (answer, std::mem::replace(&mut this.state, ConnectionPhase::Dialing)) {
                (Ok(_), ConnectionPhase::Up(up)) => {
                    this.state = ConnectionPhase::Up(up);
                    this.open_stats_again(ctx);
                    this.ping_later(dialed, ctx);
                }
                (Ok(_), ConnectionPhase::Silent(up, _)) => {
                    info!(epoch = this.epoch.0, "vpp-answers-again");
                    this.publish(DataplaneKind::Connected, "VPP answers again".into());
                    this.up(up, ctx);
                }
                (Err(why), ConnectionPhase::Up(up)) => {
                    warn!(why = %why, epoch = this.epoch.0, "vpp-silent");
                    this.publish(DataplaneKind::Disconnected, format!("VPP is silent: {why}"));
                    this.tell_lost("VPP is silent");
                    this.state = ConnectionPhase::Silent(up, 1);
                    this.ping(dialed, ctx);
                }
                (Err(_), ConnectionPhase::Silent(up, count)) if count + 1 < SILENCES => {
                    this.state = ConnectionPhase::Silent(up, count + 1);
                    this.ping(dialed, ctx);
                }
                (Err(why), ConnectionPhase::Silent(up, _)) => {
                    warn!(why = %why, "vpp-disconnect: given up after its silence");
                    // It says goodbye, should VPP still come to hear it.
                    actix_rt::spawn(async move { up.client.close().await });
                    this.back_off(format!("VPP is silent: {why}"), ctx);
                }
                (_, other) => this.state = other,
            }
        }));
    }
}
