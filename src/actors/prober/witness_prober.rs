//! Probes a configured witness once, when a group is asked whether its way works.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix::prelude::*;

use super::{Answered, Ask, PreparedProbe, ProbeTransport, now};
use crate::domain::config::{CheckKind, HealthCheck, Timing, WitnessAddress};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::prober_id::ProberId;

/// How long a witness has to answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The actor. See the module's description. It ends once it has answered.
pub struct WitnessProber {
    witness: WitnessAddress,
    ask: Ask,
    transport: ProbeTransport,
    to: Recipient<Answered>,
}

impl WitnessProber {
    #[must_use]
    pub fn new(
        witness: WitnessAddress,
        ask: Ask,
        transport: ProbeTransport,
        to: Recipient<Answered>,
    ) -> Self {
        Self { witness, ask, transport, to }
    }
}

impl Actor for WitnessProber {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let check = check(self.witness, self.ask.group);
        let probe = PreparedProbe::new(&check, self.witness.address, &self.transport);
        let begun = now();
        let probed = async move { probe.run().await }.into_actor(self);
        ctx.spawn(probed.map(move |result, this, ctx| {
            let passed = answers(this.witness, &result).then_some((ProberId::default(), begun));
            let Ask { group, question, .. } = this.ask;
            this.to.do_send(Answered { group, question, passed });
            ctx.stop();
        }));
    }
}

/// Whether something came back from the witness. To refuse a connection is an answer.
fn answers(witness: WitnessAddress, result: &ProbeResult) -> bool {
    let refused = result.code == ResultCode::L4Connect && result.detail == "connection refused";
    result.passed() || (witness.port.is_some() && refused)
}

fn check(witness: WitnessAddress, group: ProbeGroup) -> HealthCheck {
    let kind = match witness.port {
        None => CheckKind::Icmp,
        Some(port) => CheckKind::Tcp { port, tls: None, steps: Vec::new() },
    };
    let timing = Timing {
        interval: TIMEOUT,
        fast_interval: TIMEOUT,
        down_interval: TIMEOUT,
        timeout: TIMEOUT,
        rise: NonZeroU32::MIN,
        fall: NonZeroU32::MIN,
        damping: None,
    };
    let (source_v4, source_v6) = match group.source {
        None => (None, None),
        Some(IpAddr::V4(v4)) => (Some(v4), None),
        Some(IpAddr::V6(v6)) => (None, Some(v6)),
    };
    HealthCheck { kind, timing, source_v4, source_v6, proxy: None }
}
