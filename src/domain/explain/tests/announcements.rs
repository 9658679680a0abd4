//! What is said of the announcement of the frontend `www`, 192.0.2.1/32.

use super::*;
use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope, GivenOrder};
use crate::domain::announce::placement::{Exported, VipPrefix};
use crate::domain::announce::{
    AnnounceReason, AnnouncementReport, AnnouncementView, HoldReason, PlacedProblem, PlacedState,
    PlacedView, VipStanding,
};

const PREFIX: VipPrefix =
    VipPrefix::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

fn report(standing: VipStanding, why: AnnounceReason, state: PlacedState) -> AnnouncementReport {
    let placed = PlacedView {
        state,
        problem: None,
        reason: String::new(),
        exported: Exported::Unknown,
        since: Some(ago(5)),
    };
    AnnouncementReport {
        view: AnnouncementView {
            prefix: PREFIX,
            frontends: vec!["www".into()],
            standing,
            since: ago(20),
            why,
            held: None,
            changes: 1,
            withdraws: 0,
        },
        placed: vec![("netlink", placed)],
    }
}

fn explained(bed: &Bed, report: &AnnouncementReport) -> Explanation {
    with_announcement(bed.explain_frontend(), &"www".into(), report)
}

/// The statements of the announcement with their remedies.
fn said(explanation: &Explanation) -> Vec<(&str, Option<&str>)> {
    let of_it = explanation.chain.iter().filter(|it| it.stage == ExplainStage::Announcement);
    of_it.map(|it| (it.text.as_str(), it.remedy.as_deref())).collect()
}

fn ordered(order: AnnounceOrder, scope: AnnounceScope) -> AnnounceReason {
    AnnounceReason::Ordered(GivenOrder { order, scope, who: "ann".into() })
}

#[test]
fn what_is_announced_as_it_should_be_is_no_cause() {
    let (bed, why) = (Bed::new(), AnnounceReason::Healthy);
    let explanation = explained(&bed, &report(VipStanding::Announced, why, PlacedState::Announced));
    assert_eq!(explanation.cause.kind, CauseKind::Serves);
    let text = "192.0.2.1/32 is announced: enough of its servers are up, and VPP serves them";
    assert_eq!(said(&explanation), [(text, Some("set announcement 192.0.2.1 withdraw"))]);
}

#[test]
fn a_withdraw_is_the_cause_where_the_frontend_would_serve_and_names_what_ends_it() {
    let mut bed = Bed::new();
    let all = ordered(AnnounceOrder::Withdraw, AnnounceScope::All);
    let its = ordered(AnnounceOrder::Withdraw, AnnounceScope::Prefix(PREFIX));
    for (why, words, remedy) in [
        (all, "ann ordered for all: withdraw", "unset announcement all"),
        (its, "ann ordered: withdraw", "unset announcement 192.0.2.1"),
    ] {
        let withdrawn = report(VipStanding::Withdrawn, why, PlacedState::Withdrawn);
        let explanation = explained(&bed, &withdrawn);
        let cause = &explanation.cause;
        let text = format!(
            "www sends new flows to 2 of 2 backends of pool main, and its address is withdrawn \
             because {words}"
        );
        assert_eq!((cause.kind, &cause.text), (CauseKind::Withdrawn, &text));
        assert_eq!(cause.since, Some(ago(20)));
        let text = format!("192.0.2.1/32 is withdrawn: {words}");
        assert_eq!(said(&explanation), [(text.as_str(), Some(remedy))]);
    }
    bed.away();
    let withdrawn = report(VipStanding::Withdrawn, AnnounceReason::VppAway, PlacedState::Withdrawn);
    let explanation = explained(&bed, &withdrawn);
    assert_eq!(explanation.cause.kind, CauseKind::VppAway, "that it is withdrawn follows");
    assert_eq!(said(&explanation)[0].1, Some("show vpp info"));
}

#[test]
fn what_is_held_and_what_a_driver_does_not_do_is_told() {
    let bed = Bed::new();
    let mut held = report(
        VipStanding::Announced,
        AnnounceReason::NotServed { frontend: "www".into() },
        PlacedState::Withdrawn,
    );
    held.view.held = Some((HoldReason::Unserved, Some(std::time::Duration::from_millis(1500))));
    let placed = &mut held.placed[0].1;
    (placed.problem, placed.reason) = (Some(PlacedProblem::Failed), "EPERM".into());
    let text = "192.0.2.1/32 is announced: VPP does not serve www yet; it is held as it is for 2s \
                at most, since VPP may be back soon";
    let at_driver = "netlink has it withdrawn, not announced (failed): EPERM";
    let explanation = explained(&bed, &held);
    let expected = [(text, Some("explain frontend www")), (at_driver, Some("show announcements"))];
    assert_eq!(said(&explanation), expected);
}
