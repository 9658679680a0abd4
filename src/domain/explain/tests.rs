//! Situations made by hand, each with the cause that has to be the first line.

mod announcements;
mod backends;
mod bed;
mod frontends;
mod many;

use super::*;
use crate::domain::dataplane::net::Service;
use crate::domain::health::Admin;
use crate::domain::health::damping::DampingView;
use crate::domain::health::probe_result::ResultCode;
use crate::domain::readiness::ReloadRefusal;
use crate::domain::reconcile::{LastWrite, LinkTrace};
use backends::OF_BACKENDS;
use bed::{Bed, ago, now, origin};
use frontends::OF_FRONTENDS;

#[test]
fn the_cause_of_each_situation_of_a_backend_is_its_first_line() {
    assert!(OF_BACKENDS.len() >= 30);
    for (arrange, kind, text) in OF_BACKENDS {
        let mut bed = Bed::new();
        arrange(&mut bed);
        let cause = bed.explain_backend().cause;
        assert_eq!((cause.text.as_str(), cause.kind), (*text, *kind));
    }
}

#[test]
fn the_cause_of_each_situation_of_a_frontend_is_its_first_line() {
    for (arrange, kind, text) in OF_FRONTENDS {
        let mut bed = Bed::new();
        arrange(&mut bed);
        let cause = bed.explain_frontend().cause;
        assert_eq!((cause.text.as_str(), cause.kind), (*text, *kind));
    }
}

#[test]
fn the_chain_leads_from_the_probes_to_vpp_with_moments_and_commands() {
    let mut bed = Bed::new();
    bed.down("L7STS 503 Service Unavailable", ResultCode::L7Status, 3);
    bed.entries("web1", 0);
    let explanation = bed.explain_backend();
    assert_eq!(explanation.cause.since, Some(ago(63)));
    let found = explanation.chain.iter().map(|statement| {
        let at = statement.since.map(|at| now().duration_since(at).unwrap().as_secs());
        (statement.stage, statement.text.as_str(), at, statement.remedy.as_deref())
    });
    let expected = [
        (
            ExplainStage::Probes,
            "health check http, oldest first: 5 × L7OK, 3 × L7STS; the last took 1.5 ms: L7STS 503 Service Unavailable",
            Some(60),
            Some("show healthcheck http"),
        ),
        (
            ExplainStage::Verdict,
            "it is down, and was up: L7STS 503 Service Unavailable",
            Some(63),
            Some("2 passes of health check http in a row make it up"),
        ),
        (ExplainStage::Evidence, "no failure of it is in doubt", None, None),
        (
            ExplainStage::Operator,
            "it is enabled, as in the file",
            None,
            Some("set backend web1 pause"),
        ),
        (
            ExplainStage::Pool,
            "it is in pool main; pool main serves: the first with a backend that is up",
            None,
            None,
        ),
        (
            ExplainStage::Share,
            "the file's weight 100; effective 0 of 100: 0.0 % of the new flows",
            None,
            Some("set frontend www pool main backend web1 weight <0-100>"),
        ),
        (
            ExplainStage::Write,
            "weight 0 was written (was 100); VPP confirmed all that is due",
            Some(62),
            None,
        ),
        (
            ExplainStage::ReadBack,
            "VPP has weight 0 and 0 of 1024 entries of its table for it",
            Some(61),
            None,
        ),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn a_slow_start_and_an_override_say_where_they_are_and_when_they_end() {
    let texts = |bed: &Bed, stage| {
        let chain = bed.explain_backend().chain.into_iter();
        chain.filter(|it| it.stage == stage).map(|it| it.text).collect::<Vec<_>>()
    };
    let mut bed = Bed::new();
    bed.slow("web1", 12, 42);
    let share = "the file's weight 100; a slow start has brought it to weight 12 of 100, and ends \
                 at 2026-03-01 12:00:42 UTC; effective 12 of 112: 10.7 % of the new flows";
    assert_eq!(texts(&bed, ExplainStage::Share), [share]);
    let mut bed = Bed::new();
    bed.weigh("web1", 25, 100);
    let share = "an operator's weight 25 in place of the file's 100 (alice: a test, until \
                 2026-03-01 12:30:00 UTC); effective 25 of 125: 20.0 % of the new flows";
    assert_eq!(texts(&bed, ExplainStage::Share), [share]);
    let mut bed = Bed::new();
    for (ends, until) in
        [(Some(600), "until 2026-03-01 12:10:00 UTC"), (None, "until it is taken back")]
    {
        bed.admin(Admin::Paused, true, "pause by alice");
        bed.backend.overridden = Some(origin(Some("kernel upgrade"), ends));
        let operator = format!("an operator paused it (alice: kernel upgrade, {until})");
        assert_eq!(texts(&bed, ExplainStage::Operator), [operator]);
    }
}

#[test]
fn a_vpp_without_weights_is_told_of_in_shares_that_are_equal_and_rows_that_stay() {
    let mut bed = Bed::new();
    bed.without_weights();
    bed.weigh_effective("web2", 50);
    let texts = |bed: &Bed, stage| {
        let chain = bed.explain_backend().chain.into_iter();
        chain.filter(|it| it.stage == stage).map(|it| it.text).collect::<Vec<_>>()
    };
    let shares =
        "the file's weight 100; 1 of 2 equal parts, without weights: 50.0 % of the new flows";
    assert_eq!(texts(&bed, ExplainStage::Share), [shares]);
    let entries = "VPP has no weights, and 512 of 1024 entries of its table for it";
    assert_eq!(texts(&bed, ExplainStage::ReadBack), [entries]);

    bed.weigh_effective("web1", 0);
    bed.remove_from_vpp("web1");
    let shares =
        "the file's weight 100; 0 of 1 equal parts, without weights: 0.0 % of the new flows";
    assert_eq!(texts(&bed, ExplainStage::Share), [shares]);
    let row = "VPP has removed the server, and keeps its established flows";
    assert_eq!(texts(&bed, ExplainStage::ReadBack), [row]);
}

#[test]
fn removals_that_are_held_are_told_with_what_makes_them() {
    let mut bed = Bed::new();
    let other = Vip::new("192.0.2.99/32".parse().unwrap(), Service::All);
    bed.vpp.trace.held = vec![other];
    bed.second_frontend_has_weight_zero();
    let is_held = |it: &&Statement| it.text.contains("192.0.2.99/32");
    assert_eq!(bed.explain_backend().chain.iter().filter(is_held).count(), 1, "once for both");
    for explanation in [bed.explain_backend(), bed.explain_frontend()] {
        let held = explanation.chain.iter().find(is_held).unwrap();
        assert_eq!(held.remedy.as_deref(), Some("sync vpp lb state force"));
    }
    let missing = no_such_frontend("old", &[other]);
    assert!(missing.starts_with("there is no frontend \"old\", and VPP still has"), "{missing}");
    assert_eq!(no_such_frontend("old", &[]), "there is no frontend \"old\"");
}

#[test]
fn a_file_that_is_not_in_force_is_told_with_what_tells_why() {
    let mut bed = Bed::new();
    for (refused, why, remedy) in [
        (ReloadRefusal::Fault, "since the file has a fault", "config check"),
        (ReloadRefusal::Excessive, "since it would take away too much", "config reload force"),
    ] {
        bed.backend.reload_refused = Some(refused);
        bed.frontend().reload_refused = Some(refused);
        for explanation in [bed.explain_backend(), bed.explain_frontend()] {
            let is_told = |it: &&Statement| it.text.contains("the last reload was refused");
            let told = explanation.chain.iter().find(is_told).unwrap();
            assert!(told.text.contains(why), "{}", told.text);
            assert_eq!(told.remedy.as_deref(), Some(remedy));
        }
    }
}

#[test]
fn a_repair_says_what_somebody_had_done() {
    let mut bed = Bed::new();
    for (action, did) in [
        ("vip-add", "the VIP was added, as somebody else had removed it"),
        ("vip-del", "the VIP was removed, as somebody else had added it"),
        ("as-add", "the server was added, as somebody else had removed it"),
        ("as-del", "the server was removed, as somebody else had added it"),
        ("conf-set", "conf-set was written, as somebody else had changed it"),
    ] {
        let (weight, before, at) = (None, None, ago(30));
        let write = LastWrite { action, weight, before, is_drift: true, at };
        bed.vpp.trace.frontend.vip = Some(write);
        for cause in [bed.explain_backend().cause, bed.explain_frontend().cause] {
            assert!(cause.text.ends_with(did), "{}", cause.text);
            assert_eq!((cause.kind, cause.since), (CauseKind::Repaired, Some(at)));
        }
    }
}

#[test]
fn a_weight_of_0_is_as_old_as_the_override() {
    let mut bed = Bed::new();
    bed.weigh("web1", 0, 100);
    bed.member("web1").since = Some(ago(5));
    assert_eq!(bed.explain_frontend().cause.since, Some(ago(3600)));
    bed.weigh("web1", 0, 0);
    assert_eq!(bed.explain_frontend().cause.since, None, "the file's");
}

#[test]
fn a_pause_that_the_prober_has_not_heard_of_yet_is_as_old_as_the_override() {
    let mut bed = Bed::new();
    bed.backend.last_transition.as_mut().unwrap().at = ago(7);
    bed.backend.admin = Admin::Paused;
    bed.backend.overridden = Some(origin(None, None));
    assert_eq!(bed.explain_backend().cause.since, Some(ago(3600)));
    bed.admin(Admin::Paused, true, "pause by me");
    assert_eq!(bed.explain_backend().cause.since, Some(ago(63)));
}

#[test]
fn a_return_that_waits_is_hastened_by_a_resume() {
    let mut bed = Bed::new();
    bed.down("L4TOUT timeout", ResultCode::L4Timeout, 3);
    let (since, until) = (ago(5), now());
    bed.backend.damping = Some(DampingView { since, until, falls: 2 });
    let explanation = bed.explain_backend();
    assert_eq!(explanation.cause.since, Some(since));
    let verdict = &explanation.chain[1];
    assert_eq!(verdict.remedy.as_deref(), Some("set backend web1 resume"));
}

#[test]
fn a_repair_is_told_for_ten_minutes() {
    let mut bed = Bed::new();
    bed.repaired("web1");
    for write in bed.vpp.trace.frontend.servers.values_mut() {
        write.at = ago(601);
    }
    assert_eq!(bed.explain_backend().cause.kind, CauseKind::Serves);
    assert_eq!(bed.explain_frontend().cause.kind, CauseKind::Serves);
}

#[test]
fn the_connection_is_as_old_as_its_last_change() {
    let mut bed = Bed::new();
    bed.away();
    assert_eq!(bed.explain_backend().cause.since, Some(ago(7)));
    bed.vpp.trace.link = LinkTrace::Never;
    assert_eq!(bed.explain_backend().cause.since, None);
}
