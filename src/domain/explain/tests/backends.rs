//! Situations of the backend `web1` of pool `main` of the frontend `www`, whose other
//! backends are `web2`, and `spare1` in pool `spare`. All is well unless a situation says
//! otherwise.

use std::sync::Arc;
use std::time::Duration;

use super::bed::{Bed, ago, now, origin};
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::dataplane::net::Weight;
use crate::domain::drain::DrainOrder;
use crate::domain::explain::CauseKind;
use crate::domain::explain::facts::{ProbeSituation, VppLink};
use crate::domain::health::damping::DampingView;
use crate::domain::health::probe_result::ResultCode;
use crate::domain::health::{Admin, State};
use crate::domain::overrides::OverrideOrigin;
use crate::domain::reconcile::VipObservation;

/// What is arranged, and the kind and the text of the cause.
type Situation = (fn(&mut Bed), CauseKind, &'static str);

pub(super) const OF_BACKENDS: &[Situation] = &[
    (|_| {}, CauseKind::Serves, "web1 gets new flows of www: its health check passes"),
    (
        |bed| bed.down("L7STS 503 Service Unavailable", ResultCode::L7Status, 3),
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L7STS 503 Service Unavailable, 3 of 3",
    ),
    (
        |bed| bed.down("L4TOUT timeout", ResultCode::L4Timeout, 10),
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L4TOUT timeout, 3 of 3",
    ),
    // Faults that were made on a running daemon, and found by their first line.
    (
        |bed| {
            bed.down(
                "L7CNT status 200, but its body (11 bytes) does not match",
                ResultCode::L7Content,
                3,
            );
        },
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L7CNT status 200, but its body (11 bytes) does not match, 3 of 3",
    ),
    (
        |bed| bed.down("L7TOUT no whole answer within 400ms", ResultCode::L7Timeout, 3),
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L7TOUT no whole answer within 400ms, 3 of 3",
    ),
    (
        |bed| {
            let detail = "L6RSP the backend does not speak TLS on this port";
            bed.down(detail, ResultCode::L6Response, 3);
        },
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L6RSP the backend does not speak TLS on this port, 3 of 3",
    ),
    (
        |bed| {
            bed.unknown();
            let detail = "source address 198.51.100.77 is not an address of this machine";
            bed.probe(ResultCode::SocketError, detail);
        },
        CauseKind::CannotProbe,
        "web1 keeps the weight that VPP has because this machine cannot probe it: SOCKERR source address 198.51.100.77 is not an address of this machine",
    ),
    (
        |bed| bed.down("L4CON connection refused", ResultCode::L4Connect, 1),
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L4CON connection refused, its first result",
    ),
    (
        |bed| {
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.probe(ResultCode::L7Ok, "200 OK");
        },
        CauseKind::Recovers,
        "web1 gets no new flows because its health check passes again, and not often enough yet: 1 of 2",
    ),
    (
        |bed| {
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.probe(ResultCode::L7Ok, "200 OK");
            bed.probe(ResultCode::L7Ok, "200 OK");
            let until = now() + Duration::from_secs(25);
            bed.backend.damping = Some(DampingView { since: ago(5), until, falls: 3 });
        },
        CauseKind::Recovers,
        "web1 gets no new flows because it flaps: its health check passes again, and after 3 falls it is kept out until 2026-03-01 12:00:25 UTC (set backend web1 resume lets it in)",
    ),
    (
        |bed| {
            bed.unknown();
            bed.frontend().state = FrontendState::Unknown;
            bed.frontend().active_pool = None;
        },
        CauseKind::NoResult,
        "web1 keeps the weight that VPP has because it has had no result yet",
    ),
    (
        |bed| {
            bed.unknown();
            bed.member("web1").is_awaited = false;
            bed.member("web1").effective = TargetWeight::Weight(Weight::ZERO);
        },
        CauseKind::NoResult,
        "web1 gets no new flows because it has had no result yet",
    ),
    (
        |bed| {
            bed.unknown();
            bed.probe(ResultCode::SocketError, "out of file descriptors");
        },
        CauseKind::CannotProbe,
        "web1 keeps the weight that VPP has because this machine cannot probe it: SOCKERR out of file descriptors",
    ),
    (
        |bed| {
            bed.probe(ResultCode::SocketError, "out of file descriptors");
            bed.doubt("SOCKERR out of file descriptors; it cannot be probed", true);
        },
        CauseKind::CannotProbe,
        "web1 keeps getting new flows although this machine cannot probe it: SOCKERR out of file descriptors",
    ),
    (
        |bed| bed.doubt("L4TOUT timeout; no other backend passes either", true),
        CauseKind::Doubted,
        "web1 keeps getting new flows although its failures are not believed: L4TOUT timeout; no other backend passes either",
    ),
    (
        |bed| bed.doubt("L4TOUT timeout; others are asked", false),
        CauseKind::Doubted,
        "web1 keeps getting new flows although its failures are not believed: L4TOUT timeout; others are asked",
    ),
    (
        |bed| bed.admin(Admin::Paused, true, "pause by uid 1000 pid 4711"),
        CauseKind::Paused,
        "web1 gets no new flows because an operator paused it: pause by uid 1000 pid 4711",
    ),
    (
        |bed| {
            bed.admin(Admin::Paused, true, "pause by alice: kernel upgrade");
            bed.backend.overridden = Some(origin(Some("kernel upgrade"), Some(600)));
        },
        CauseKind::Paused,
        "web1 gets no new flows because an operator paused it: pause by alice: kernel upgrade, until 2026-03-01 12:10:00 UTC",
    ),
    (
        |bed| {
            bed.admin(Admin::Paused, true, "drain by alice");
            let drain = Some(DrainOrder::default());
            let pause = origin(None, None);
            bed.backend.overridden = Some(Arc::new(OverrideOrigin { drain, ..(*pause).clone() }));
        },
        CauseKind::Paused,
        "web1 gets no new flows because an operator drains it: drain by alice",
    ),
    (
        |bed| {
            bed.backend.admin = Admin::Paused;
            bed.backend.overridden = Some(origin(None, None));
        },
        CauseKind::Paused,
        "web1 gets no new flows because an operator paused it",
    ),
    (
        |bed| {
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.probe(ResultCode::L4Connect, "connection refused");
        },
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L4CON connection refused, 3 of 3",
    ),
    (
        |bed| bed.weigh("web1", 1, 100),
        CauseKind::WeightSet,
        "web1 gets new flows of www with an operator's weight 1 in place of the file's 100 (alice: a test, until 2026-03-01 12:30:00 UTC)",
    ),
    (
        |bed| bed.slow("web1", 12, 42),
        CauseKind::SlowStart,
        "web1 gets only some of its new flows of www yet: a slow start has brought it to weight 12 of 100, and ends at 2026-03-01 12:00:42 UTC",
    ),
    (
        |bed| {
            // What keeps it from flows comes before what keeps it from some.
            bed.slow("web1", 12, 42);
            bed.away();
        },
        CauseKind::VppAway,
        "web1 should get new flows of www, and what VPP does is not known because VPP is not connected: connection refused",
    ),
    (
        |bed| bed.admin(Admin::Disabled, true, "disable by 192.0.2.7:1"),
        CauseKind::Disabled,
        "web1 gets no new flows because an operator disabled it: disable by 192.0.2.7:1",
    ),
    (
        |bed| bed.admin(Admin::Disabled, false, ""),
        CauseKind::Disabled,
        "web1 gets no new flows because the configuration file has `enabled: false` for it",
    ),
    (
        |bed| {
            // What was paused while it failed is paused.
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.admin(Admin::Paused, true, "pause by me");
        },
        CauseKind::Paused,
        "web1 gets no new flows because an operator paused it: pause by me",
    ),
    (
        |bed| bed.weigh("web1", 0, 100),
        CauseKind::WeightZero,
        "web1 gets no new flows because an operator set its weight to 0 in pool main of www (alice: a test, until 2026-03-01 12:30:00 UTC)",
    ),
    (
        |bed| bed.weigh("web1", 0, 0),
        CauseKind::WeightZero,
        "web1 gets no new flows because the file set its weight to 0 in pool main of www",
    ),
    (
        |bed| bed.look_at("spare1"),
        CauseKind::Standby,
        "spare1 gets no new flows because pool spare of www is standby: pool main serves",
    ),
    (
        |bed| {
            bed.look_at("spare1");
            bed.member("web1").state = State::Unknown;
            bed.member("web1").is_awaited = true;
            bed.frontend().active_pool = None;
            bed.member("spare1").effective = TargetWeight::Keep;
        },
        CauseKind::PoolWaits,
        "spare1 keeps the weight that VPP has because pool main of www waits for web1, whose state is unknown",
    ),
    (
        |bed| {
            bed.look_at("spare1");
            bed.all_of_main_down();
        },
        CauseKind::Failover,
        "spare1 gets new flows of www because no backend of an earlier pool can take them: web1 is down (L4TOUT timeout), web2 is down (L4TOUT timeout)",
    ),
    (
        |bed| {
            bed.down("L7STS 503", ResultCode::L7Status, 3);
            bed.fail_open();
        },
        CauseKind::FailsOpen,
        "web1 gets new flows although its health check http (http, port 80) fails: L7STS 503, 3 of 3: www fails open, 0 of the weight of 300 is up, below 40%",
    ),
    (
        |bed| {
            bed.backend.address = None;
            bed.member("web1").address = None;
            bed.backend.dns_name = Some("web1.example.org".into());
            bed.backend.unresolved = Some("NXDOMAIN".into());
            bed.weigh_effective("web1", 0);
        },
        CauseKind::Unresolved,
        "web1 gets no new flows because web1.example.org does not resolve: NXDOMAIN",
    ),
    (
        |bed| {
            bed.backend.check = None;
            bed.probes = ProbeSituation::default();
        },
        CauseKind::Serves,
        "web1 gets new flows of www: it has no health check, and counts as up",
    ),
    (
        |bed| bed.backend.frontends.clear(),
        CauseKind::Unused,
        "web1 gets no new flows because no frontend uses it",
    ),
    (
        |bed| bed.vpp.link = VppLink::Off,
        CauseKind::VppOff,
        "web1 should get new flows of www, and VPP was not told yet because maglevd runs without a VPP",
    ),
    (
        |bed| bed.away(),
        CauseKind::VppAway,
        "web1 should get new flows of www, and what VPP does is not known because VPP is not connected: connection refused",
    ),
    (
        |bed| {
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.away();
        },
        CauseKind::CheckFails,
        "web1 gets no new flows because its health check http (http, port 80) fails: L4TOUT timeout, 3 of 3 (VPP may not know: VPP is not connected: connection refused)",
    ),
    (
        |bed| bed.vpp.link = VppLink::Lacking("this VPP lacks API messages".into()),
        CauseKind::VppLacking,
        "web1 should get new flows of www, and VPP was not told yet because this VPP lacks API messages",
    ),
    (
        |bed| bed.refuse(),
        CauseKind::Refused,
        "web1 should get new flows of www, and VPP was not told yet because VPP refuses as-add 10.0.0.1: VNET_API_ERROR",
    ),
    (
        |bed| {
            bed.vpp.trace.programmed = false;
            bed.vpp.trace.may_write = false;
        },
        CauseKind::StartupDelay,
        "web1 should get new flows of www, and VPP was not told yet because startup-min-delay is not over, and nothing is written before",
    ),
    (
        |bed| {
            bed.vpp.trace.programmed = false;
            bed.vpp.trace.is_read = false;
            bed.vpp.trace.vip = VipObservation::Unknown;
        },
        CauseKind::NotProgrammed,
        "web1 should get new flows of www, and VPP was not told yet because VPP is being read",
    ),
    (
        |bed| bed.vpp.trace.programmed = false,
        CauseKind::NotProgrammed,
        "web1 should get new flows of www, and VPP was not told yet because VPP has not confirmed the last change yet",
    ),
    (
        |bed| bed.entries("web1", 0),
        CauseKind::NoEntry,
        "web1 gets no new flows of www because the table of www has 1024 entries and none left for weight 100",
    ),
    (
        |bed| bed.vpp.unreached = Some("an interface has it: take it off".into()),
        CauseKind::Unreached,
        "web1 gets no new flows of www because an interface has it: take it off",
    ),
    (
        |bed| bed.repaired("web1"),
        CauseKind::Repaired,
        "web1 gets new flows of www again: weight 100 was written (was 7), as somebody else had changed it",
    ),
    (
        |bed| bed.second_frontend_has_weight_zero(),
        CauseKind::WeightZero,
        "web1 gets new flows of www, and none of api because an operator set its weight to 0 in pool main of api (alice, until it is taken back)",
    ),
];
