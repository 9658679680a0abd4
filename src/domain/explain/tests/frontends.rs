//! Situations of the frontend `www`, whose pool `main` has `web1` and `web2`, and whose
//! pool `spare` has `spare1`. All is well unless a situation says otherwise.

use std::time::Duration;

use super::bed::{Bed, now};
use crate::domain::balancing::weights::FrontendState;
use crate::domain::explain::CauseKind;
use crate::domain::health::probe_result::ResultCode;
use crate::domain::health::{Admin, State};

/// What is arranged, and the kind and the text of the cause.
type FrontendCase = (fn(&mut Bed), CauseKind, &'static str);

pub(super) const OF_FRONTENDS: &[FrontendCase] = &[
    (|_| {}, CauseKind::Serves, "www sends new flows to 2 of 2 backends of pool main"),
    (
        |bed| bed.down("L7STS 503", ResultCode::L7Status, 3),
        CauseKind::Degraded,
        "www sends new flows to 1 of 2 backends of pool main: web1 is down (L7STS 503)",
    ),
    (
        |bed| {
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.member("web1").damped_until = Some(now() + Duration::from_secs(25));
        },
        CauseKind::Degraded,
        "www sends new flows to 1 of 2 backends of pool main: web1 flaps and is kept out until 2026-03-01 12:00:25 UTC",
    ),
    (
        |bed| bed.admin(Admin::Disabled, false, "configuration reloaded"),
        CauseKind::Degraded,
        "www sends new flows to 1 of 2 backends of pool main: web1 is disabled in the file",
    ),
    (
        |bed| {
            bed.admin(Admin::Disabled, true, "disable by me");
            bed.member("web1").is_admin_overridden = true;
        },
        CauseKind::Degraded,
        "www sends new flows to 1 of 2 backends of pool main: web1 is disabled (disable by me)",
    ),
    (
        |bed| bed.all_of_main_down(),
        CauseKind::Failover,
        "www sends new flows to pool spare because no backend of an earlier pool can take them: web1 is down (L4TOUT timeout), web2 is down (L4TOUT timeout)",
    ),
    (
        |bed| {
            bed.all_of_main_down();
            bed.member("spare1").state = State::Paused;
            bed.member("spare1").why = "pause by me".into();
            bed.nothing_serves();
        },
        CauseKind::NoBackend,
        "www gets no new flows because no backend can take them: web1 is down (L4TOUT timeout), web2 is down (L4TOUT timeout), spare1 is paused (pause by me)",
    ),
    (
        |bed| {
            for (name, configured) in [("web1", 100), ("web2", 0), ("spare1", 0)] {
                bed.weigh(name, 0, configured);
            }
            bed.nothing_serves();
        },
        CauseKind::NoBackend,
        "www gets no new flows because no backend can take them: web1 has weight 0 (alice: a test, until 2026-03-01 12:30:00 UTC), web2 has weight 0 in the file, spare1 has weight 0 in the file",
    ),
    (
        |bed| {
            bed.unknown();
            bed.frontend().state = FrontendState::Unknown;
            bed.frontend().active_pool = None;
        },
        CauseKind::PoolWaits,
        "www keeps the weights that VPP has because pool main waits for web1, whose state is unknown",
    ),
    (
        |bed| {
            // Nobody waits for a backend without a weight.
            bed.unknown();
            bed.weigh("web1", 0, 0);
            bed.member("web2").is_awaited = true;
            bed.member("web2").state = State::Unknown;
            bed.frontend().state = FrontendState::Unknown;
            bed.frontend().active_pool = None;
        },
        CauseKind::PoolWaits,
        "www keeps the weights that VPP has because pool main waits for web2, whose state is unknown",
    ),
    (
        |bed| {
            bed.all_of_main_down();
            bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
            bed.member("spare1").state = State::Down;
            bed.nothing_serves();
            bed.away();
        },
        CauseKind::NoBackend,
        "www gets no new flows because no backend can take them: web1 is down (L4TOUT timeout), web2 is down (L4TOUT timeout), spare1 is down (L7OK 200 OK) (VPP may not know: VPP is not connected: connection refused)",
    ),
    (
        |bed| bed.fail_open(),
        CauseKind::FailsOpen,
        "www sends new flows to all enabled backends of pool main because it fails open: 0 of the weight of 300 is up, below 40%",
    ),
    (
        |bed| bed.entries("web2", 0),
        CauseKind::NoEntry,
        "www sends new flows to 1 of 2 backends of pool main, since its table has 1024 entries and none left for web2",
    ),
    (
        |bed| bed.slow("web2", 30, 8),
        CauseKind::SlowStart,
        "www sends new flows to 2 of 2 backends of pool main, of which web2 gets only some yet: a slow start has brought it to weight 30 of 100, and ends at 2026-03-01 12:00:08 UTC",
    ),
    (
        |bed| bed.doubt("L4TOUT timeout; others are asked", false),
        CauseKind::Doubted,
        "www sends new flows to 2 of 2 backends of pool main, although web1 fails, which is not believed",
    ),
    (
        |bed| bed.away(),
        CauseKind::VppAway,
        "www should send new flows to pool main, and what VPP does is not known because VPP is not connected: connection refused",
    ),
    (
        |bed| bed.refuse(),
        CauseKind::Refused,
        "www should send new flows to pool main, and VPP was not told yet because VPP refuses as-add 10.0.0.1: VNET_API_ERROR",
    ),
    (
        |bed| bed.vpp.unreached = Some("an interface has it: take it off".into()),
        CauseKind::Unreached,
        "www gets no new flows because an interface has it: take it off",
    ),
    (
        |bed| bed.repaired("web2"),
        CauseKind::Repaired,
        "www sends new flows to 2 of 2 backends of pool main again: weight 100 was written (was 7), as somebody else had changed it",
    ),
];
