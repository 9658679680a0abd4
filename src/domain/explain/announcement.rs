//! Explains whether a frontend's address is announced, and adds that to its explanation.

use std::time::Duration;

use super::{Cause, CauseKind, ExplainStage, Explanation, Statement};
use crate::domain::announce::orders::{AnnounceScope, GivenOrder};
use crate::domain::announce::{
    AnnounceReason, AnnouncementReport, AnnouncementView, PlacedView, VipStanding,
};
use crate::domain::names::FrontendName;

/// Adds what is announced of a frontend. Where it would send new flows, and its address is
/// withdrawn, that is the cause.
#[must_use]
pub fn with_announcement(
    explanation: Explanation,
    frontend: &FrontendName,
    announcement: &AnnouncementReport,
) -> Explanation {
    let Explanation { mut cause, mut chain } = explanation;
    let AnnouncementView { standing, since, why, .. } = &announcement.view;
    if *standing == VipStanding::Withdrawn && sends_flows(cause.kind) {
        let text = format!("{}, and its address is withdrawn because {why}", cause.text);
        cause = Cause::new(CauseKind::Withdrawn, text, Some(*since));
    }
    chain.push(wanted_statement(&announcement.view).of(frontend));
    let unsettled = announcement.unsettled().map(|it| placed_statement(it, *standing));
    chain.extend(unsettled.map(|statement| statement.of(frontend)));
    Explanation { cause, chain }
}

fn sends_flows(kind: CauseKind) -> bool {
    matches!(
        kind,
        CauseKind::Serves
            | CauseKind::Degraded
            | CauseKind::Failover
            | CauseKind::FailsOpen
            | CauseKind::NoEntry
            | CauseKind::SlowStart
            | CauseKind::Doubted
            | CauseKind::WeightSet
            | CauseKind::Repaired
    )
}

fn wanted_statement(view: &AnnouncementView) -> Statement {
    let AnnouncementView { prefix, standing, since, why, held, .. } = view;
    let held = match held {
        None => String::new(),
        Some((reason, None)) => format!("; it is held as it is, since {reason}"),
        Some((reason, Some(left))) => {
            // Whole seconds, so that nothing ends before it is said to.
            let left = Duration::from_secs(left.as_secs() + 1);
            format!("; it is held as it is for {left:?} at most, since {reason}")
        }
    };
    let text = match standing {
        VipStanding::Unknown => format!("what is announced of {prefix} stays as it is: {why}"),
        _ => format!("{prefix} is {standing}: {why}{held}"),
    };
    let statement = Statement::new(ExplainStage::Announcement, text).since(Some(*since));
    match remedy(view) {
        Some(remedy) => statement.remedy(remedy),
        None => statement,
    }
}

/// The command that changes it.
fn remedy(
    AnnouncementView { prefix, standing, why, held, .. }: &AnnouncementView,
) -> Option<String> {
    let address = prefix.address();
    match (why, standing) {
        (AnnounceReason::Ordered(GivenOrder { scope: AnnounceScope::All, .. }), _) => {
            Some("unset announcement all".into())
        }
        (AnnounceReason::Ordered(_), _) => Some(format!("unset announcement {address}")),
        (AnnounceReason::VppAway, _) => Some("show vpp info".into()),
        (AnnounceReason::NotRouted, _) => Some("show vpp doctor".into()),
        (AnnounceReason::NotServed { frontend }, _) => Some(format!("explain frontend {frontend}")),
        (AnnounceReason::Starting, _) | (AnnounceReason::Removed, _) => None,
        (AnnounceReason::Unhealthy { .. }, VipStanding::Withdrawn) => {
            Some(format!("set announcement {address} announce"))
        }
        (AnnounceReason::Healthy, VipStanding::Withdrawn) if held.is_some() => {
            Some(format!("set announcement {address} announce"))
        }
        (AnnounceReason::Unhealthy { .. } | AnnounceReason::Healthy, _) => {
            Some(format!("set announcement {address} withdraw"))
        }
    }
}

fn placed_statement((driver, placed): (&str, &PlacedView), standing: VipStanding) -> Statement {
    let PlacedView { state, problem, reason, since, .. } = placed;
    let why = match reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let problem = problem.map(|problem| format!(" ({})", problem.as_str())).unwrap_or_default();
    let text = format!("{driver} has it {}, not {standing}{problem}{why}", state.as_str());
    Statement::new(ExplainStage::Announcement, text).since(*since).remedy("show announcements")
}
