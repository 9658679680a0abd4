//! Every scenario: what is done, and how much may break.

use std::time::Duration;

use rustix::process::Signal;

use super::actions::{reload_and_back, replace_vpp, set_weight_and_back};
use super::announced::{away_for_longer, restart_within_hold};
use super::bed::PRIMARY;
use super::configuration::{Check, Configuration, SERVERS};
use super::drained::{drain_for, drain_to_zero};
use super::scenario::{
    FLUSHED, FROZEN, PLAIN, POOL_FLUSHED, PROGRAMMED, SHARED, SHARED_ANEW, Scenario,
};
use super::slow_start::return_slowly;

const QUICK: Configuration = Configuration::QUICK;
const SLOW: Configuration = Configuration { check: Check::SLOW, ..QUICK };
const OFTEN_COMPARED: Configuration = Configuration { sync_interval: 2, ..QUICK };
/// The table of these is the same on every VPP.
const WEIGHTS_OF_1: Configuration = Configuration { weights: [1; SERVERS], ..QUICK };
/// VPP forgets flows so soon that a drain takes less than a minute.
const SOON_FORGOTTEN: Configuration = Configuration { flow_timeout: 10, ..QUICK };
const ANNOUNCED: Configuration = Configuration { is_announced: true, ..QUICK };
const SLOWLY: Configuration = Configuration { slow_start: 20, ..QUICK };

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "pause",
        what: "a server is paused",
        act: |bed| {
            bed.set(0, "pause");
            bed.watch(3000);
        },
        ..PLAIN
    },
    Scenario {
        name: "resume",
        what: "a paused server is resumed",
        prepare: |bed| bed.set(0, "pause"),
        act: |bed| {
            bed.set(0, "resume");
            bed.daemon.until_settled(&[]);
            bed.watch(3000);
        },
        ..PLAIN
    },
    Scenario {
        name: "drain",
        what: "a server's weight is set to 0 and back",
        act: |bed| set_weight_and_back(bed, 0),
        ..PLAIN
    },
    Scenario {
        name: "drain-to-zero",
        what: "a server whose connections end by themselves is drained",
        configuration: SOON_FORGOTTEN,
        act: |bed| drain_to_zero(bed, 90, Duration::from_secs(30)),
        held: 0,
        ..PLAIN
    },
    Scenario {
        name: "drain-timeout",
        what: "a server whose connections stay is drained for 5 s",
        act: |bed| drain_for(bed, "5s"),
        ..PLAIN
    },
    Scenario {
        name: "weights",
        what: "a server's weight is set to 20 and back",
        act: |bed| set_weight_and_back(bed, 20),
        ..PLAIN
    },
    Scenario {
        name: "reload-weights",
        what: "a reload with other weights, and one back",
        act: |bed| {
            bed.daemon.reload(|of| of.weights = [20, 50, 100, 100]);
            bed.watch(2000);
            bed.daemon.reload(|of| of.weights = QUICK.weights);
            bed.watch(2000);
        },
        ..PLAIN
    },
    Scenario {
        name: "reload-checks",
        what: "a reload with other checks, and one back",
        act: |bed| reload_and_back(bed, |of| of.check = Check::OTHER),
        ..PLAIN
    },
    Scenario {
        name: "reload-names",
        what: "a reload with other names of backends, and one back",
        act: |bed| reload_and_back(bed, |of| of.prefix = "www"),
        ..PLAIN
    },
    Scenario {
        name: "maglevd-term",
        what: "maglevd ends (SIGTERM) and is started",
        act: |bed| bed.restart_daemon(Signal::TERM),
        ..PLAIN
    },
    Scenario {
        name: "maglevd-kill",
        what: "maglevd is killed and started",
        act: |bed| bed.restart_daemon(Signal::KILL),
        ..PLAIN
    },
    Scenario {
        name: "server-dies",
        what: "a server dies (503)",
        act: |bed| {
            bed.fall_ill(&[0]);
            bed.daemon.until_settled(&[0]);
            bed.watch(3000);
        },
        bound: FLUSHED,
        ..PLAIN
    },
    Scenario {
        name: "server-returns",
        what: "a server returns",
        prepare: |bed| {
            bed.fall_ill(&[0]);
            bed.daemon.until_settled(&[0]);
        },
        act: |bed| {
            bed.get_well(&[0]);
            bed.daemon.until_settled(&[]);
            bed.watch(3000);
        },
        ..PLAIN
    },
    Scenario {
        name: "slow-start",
        what: "a server returns by a slow start of 20 s",
        configuration: SLOWLY,
        prepare: |bed| {
            bed.fall_ill(&[0]);
            bed.daemon.until_settled(&[0]);
            // A pool that has not served for as long needs every server at once.
            bed.watch(21_000);
        },
        act: |bed| {
            return_slowly(bed, 20);
            bed.watch(2000);
        },
        ..PLAIN
    },
    Scenario {
        name: "pool-dies-in-turn",
        what: "the primary pool dies, one server a second",
        act: |bed| {
            for index in PRIMARY {
                bed.fall_ill(&[index]);
                bed.watch(1000);
            }
            bed.daemon.until_settled(&PRIMARY);
            bed.watch(3000);
        },
        bound: POOL_FLUSHED,
        ..PLAIN
    },
    Scenario {
        name: "pool-dies",
        what: "the primary pool dies at once",
        act: |bed| {
            bed.fall_ill(&PRIMARY);
            bed.daemon.until_settled(&PRIMARY);
            bed.watch(3000);
        },
        bound: POOL_FLUSHED,
        ..PLAIN
    },
    Scenario {
        name: "failback",
        what: "the primary pool returns at once",
        prepare: |bed| {
            bed.fall_ill(&PRIMARY);
            bed.daemon.until_settled(&PRIMARY);
        },
        act: |bed| {
            bed.get_well(&PRIMARY);
            bed.daemon.until_settled(&[]);
            bed.watch(3000);
        },
        ..PLAIN
    },
    Scenario {
        name: "pool-returns",
        what: "every server dies, and the primary pool returns at once",
        act: |bed| {
            bed.without_service(|bed| {
                let all: Vec<_> = (0..SERVERS).collect();
                bed.fall_ill(&all);
                bed.daemon.until_settled(&all);
                bed.get_well(&PRIMARY);
                bed.daemon.until_settled(&[SERVERS - 1]);
            });
            bed.watch(5000);
        },
        bound: SHARED,
        ..PLAIN
    },
    Scenario {
        name: "failover-by-hand",
        what: "the primary pool is paused, and resumed",
        act: |bed| {
            PRIMARY.iter().for_each(|&index| bed.set(index, "pause"));
            bed.watch(2000);
            PRIMARY.iter().for_each(|&index| bed.set(index, "resume"));
            bed.daemon.until_settled(&[]);
            bed.watch(2000);
        },
        ..PLAIN
    },
    Scenario {
        name: "vpp-restart-quick",
        what: "VPP is killed and started, quick checks",
        act: |bed| bed.restart_vpp(0),
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-restart-slow",
        what: "VPP is killed and started, slow checks",
        configuration: SLOW,
        act: |bed| bed.restart_vpp(0),
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-away-quick",
        what: "VPP is away for 20 s, quick checks",
        act: |bed| bed.restart_vpp(20),
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-away-slow",
        what: "VPP is away for 20 s, slow checks",
        configuration: SLOW,
        act: |bed| bed.restart_vpp(20),
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-restart-announced",
        what: "VPP is killed and started within the hold of announcements",
        configuration: ANNOUNCED,
        act: restart_within_hold,
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-away-announced",
        what: "VPP is away for 20 s, longer than the hold of announcements",
        configuration: ANNOUNCED,
        act: |bed| away_for_longer(bed, 20),
        bound: PROGRAMMED,
        ..PLAIN
    },
    Scenario {
        name: "vpp-frozen",
        what: "VPP is frozen for 2 s, quick checks",
        act: |bed| {
            bed.vpp.signal(Signal::STOP);
            bed.watch(2000);
            bed.vpp.signal(Signal::CONT);
            bed.daemon.until_settled(&[]);
            bed.watch(6000);
        },
        bound: FROZEN,
        ..PLAIN
    },
    Scenario {
        name: "drift",
        what: "a server is removed by hand, and another's weight changed or the fallback added",
        configuration: OFTEN_COMPARED,
        act: |bed| {
            bed.write_by_hand(0, " del");
            if bed.daemon.has_weights() {
                bed.write_by_hand(1, " weight 10");
            } else {
                bed.write_by_hand(SERVERS - 1, "");
            }
            bed.watch(5000);
        },
        ..PLAIN
    },
    Scenario {
        name: "second-vpp",
        what: "a second VPP takes over the client's path",
        act: |bed| {
            bed.take_over();
            bed.watch(5000);
        },
        has_second: true,
        ..PLAIN
    },
    Scenario {
        name: "vpp-replaced",
        what: "VPP is replaced by one of the other kind, and back, weights of 1",
        configuration: WEIGHTS_OF_1,
        act: replace_vpp,
        bound: PROGRAMMED,
        needs_other: true,
        ..PLAIN
    },
    Scenario {
        name: "vpp-replaced-weights",
        what: "VPP is replaced by one of the other kind, and back, weights of 100",
        act: replace_vpp,
        bound: SHARED_ANEW,
        needs_other: true,
        ..PLAIN
    },
];
