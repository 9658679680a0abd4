//! Which events concern a backend or a frontend, and when each happened.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::SystemTime;

use super::change::Changed;
use super::dataplane_change::DataplaneKind;
use super::event::Event;
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::names::{BackendName, FrontendName};

/// What a timeline is about. What changes everything, such as a reload or a connection
/// to VPP, is always part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineSubject {
    /// `None`: everything.
    pub named: Option<TimelineNames>,
    /// From this moment on; `None`: from the beginning.
    pub since: Option<SystemTime>,
}

/// The backends and frontends that a timeline is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineNames {
    pub backends: BTreeSet<BackendName>,
    pub frontends: BTreeSet<FrontendName>,
    /// Frontends of which only writes of `servers` are wanted.
    pub using: BTreeSet<FrontendName>,
    pub servers: BTreeSet<IpAddr>,
}

impl Event {
    #[must_use]
    pub fn at(&self) -> SystemTime {
        match self {
            Self::Log(record) => record.at,
            Self::Backend(_, transition) => transition.at,
            Self::Frontend(_, transition) => transition.at,
            Self::FailOpen(change) => change.at,
            Self::Dataplane(change) => change.at,
            Self::Change(change) => change.at,
            Self::Hold(change) => change.at,
            Self::Drain(change) => change.at,
            Self::Audit(record) => record.at,
            Self::Announcement(news) => news.at,
        }
    }
}

impl TimelineSubject {
    #[must_use]
    pub fn includes(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.at() >= since)
            && self.named.as_ref().is_none_or(|names| names.include(event))
    }
}

impl TimelineNames {
    fn concerns(&self, frontends: &[FrontendName]) -> bool {
        frontends.iter().any(|name| self.frontends.contains(name) || self.using.contains(name))
    }

    fn include(&self, event: &Event) -> bool {
        match event {
            Event::Log(_) => false,
            Event::Backend(name, _) => self.backends.contains(name),
            Event::Frontend(name, _) => self.frontends.contains(name),
            Event::FailOpen(change) => {
                self.frontends.contains(&change.frontend) || self.using.contains(&change.frontend)
            }
            Event::Change(change) => match &change.what {
                Changed::Admin { backend, .. } => self.backends.contains(backend),
                Changed::Weight { frontend, backend, .. } => {
                    self.frontends.contains(frontend) || self.backends.contains(backend)
                }
                Changed::Announcement { scope: AnnounceScope::All, .. } | Changed::Config => true,
                Changed::Announcement { frontends, .. } => self.concerns(frontends),
            },
            Event::Hold(_) => true,
            Event::Drain(change) => self.backends.contains(&change.backend),
            Event::Announcement(news) => {
                news.what.frontends().is_none_or(|names| self.concerns(names))
            }
            Event::Audit(record) => match (&record.backend, &record.frontend) {
                // It is about everything.
                (None, None) => true,
                (backend, frontend) => {
                    backend.as_ref().is_some_and(|name| self.backends.contains(name))
                        || frontend.as_ref().is_some_and(|name| self.frontends.contains(name))
                }
            },
            Event::Dataplane(change) => match (&change.frontend, change.server) {
                (None, _) => change.kind != DataplaneKind::VipRemoved,
                (Some(frontend), _) if self.frontends.contains(frontend) => true,
                (Some(frontend), Some(server)) => {
                    self.using.contains(frontend) && self.servers.contains(&server)
                }
                (Some(frontend), None) => self.using.contains(frontend),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::domain::announce::VipStanding;
    use crate::domain::balancing::weights::FrontendState;
    use crate::domain::dataplane::net::Weight;
    use crate::domain::events::{
        AnnouncementNews, AnnouncementTurn, AuditOutcome, AuditRecord, Change, DataplaneChange,
        DrainChange, FailOpenChange, Transition,
    };
    use crate::domain::evidence::group::ProbeGroup;
    use crate::domain::evidence::hold::{HoldChange, HoldChangeKind};
    use crate::domain::health::{Admin, State};
    use crate::domain::resolution::IpFamily;
    use crate::domain::rights::Role;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn transition(name: &str, seconds: u64) -> Event {
        let (from, to, why) = (State::Up, State::Down, "probe".into());
        Event::Backend(name.into(), Transition { from, to, at: at(seconds), why })
    }

    fn written(frontend: Option<&str>, server: Option<u8>, kind: DataplaneKind) -> Event {
        let server = server.map(|last| IpAddr::from([10, 0, 0, last]));
        let frontend = frontend.map(FrontendName::from);
        let (detail, at) = (String::new(), at(5));
        Event::Dataplane(DataplaneChange { frontend, kind, server, detail, at }.into())
    }

    fn change(what: Changed) -> Event {
        Event::Change(
            Change {
                what,
                overridden: true,
                who: "me".into(),
                why: None,
                until: None,
                ended: None,
                at: at(5),
            }
            .into(),
        )
    }

    fn audit(backend: Option<&str>, frontend: Option<&str>) -> Event {
        let record = AuditRecord {
            who: "me".into(),
            identity: None,
            listener: None,
            peer: String::new(),
            role: Role::Operator,
            method: "SyncVPPLBState",
            what: "sync".into(),
            why: String::new(),
            outcome: AuditOutcome::Done,
            detail: String::new(),
            backend: backend.map(BackendName::from),
            frontend: frontend.map(FrontendName::from),
            began: at(5),
            at: at(5),
            withheld: 0,
        };
        Event::Audit(record.into())
    }

    /// Every kind of event, each once for `a`, its frontend `web` and its server
    /// 10.0.0.1, and once for others.
    #[test]
    fn a_timeline_has_what_concerns_its_subject() {
        let weight = |frontend: &str, backend: &str| {
            change(Changed::Weight {
                frontend: frontend.into(),
                pool: "p".into(),
                backend: backend.into(),
                from: Weight::FULL,
                to: Weight::ZERO,
            })
        };
        let admin = |backend: &str| {
            let (from, to) = (Admin::Enabled, Admin::Paused);
            change(Changed::Admin { backend: backend.into(), from, to })
        };
        let frontend = |name: &str| {
            let (from, to) = (FrontendState::Up, FrontendState::Down);
            Event::Frontend(name.into(), Transition { from, to, at: at(5), why: "".into() })
        };
        let open = |name: &str| {
            let (frontend, why) = (name.into(), "".into());
            let (was_open, is_open, pool, decision) = (false, true, None, None);
            let at = at(5);
            let change = FailOpenChange { frontend, was_open, is_open, pool, decision, at, why };
            Event::FailOpen(change.into())
        };
        let drain = |backend: &str| {
            let (since, who, why) = (at(1), "me".into(), "".into());
            let (backend, phase, flows) = (backend.into(), None, None);
            Event::Drain(DrainChange { backend, phase, flows, since, who, why, at: at(5) }.into())
        };
        let hold = || {
            let group = ProbeGroup { family: IpFamily::V4, source: None };
            let kind = HoldChangeKind::Began { limit: Duration::from_secs(5) };
            Event::Hold(HoldChange { group, at: at(5), kind }.into())
        };
        let ordered = |scope, frontends: &[&str]| {
            let frontends = frontends.iter().map(|name| (*name).into()).collect();
            change(Changed::Announcement { scope, frontends, from: None, to: None })
        };
        let own = AnnounceScope::Prefix("192.0.2.1/32".parse().unwrap());
        let announced = |frontends: &[&str]| {
            let (from, to) = (VipStanding::Announced, VipStanding::Withdrawn);
            let frontends = frontends.iter().map(|name| (*name).into()).collect();
            let prefix = "192.0.2.1/32".parse().unwrap();
            let what = AnnouncementTurn::Wanted { prefix, frontends, from, to };
            Event::Announcement(AnnouncementNews { what, why: "".into(), at: at(5) }.into())
        };
        let failed = || {
            let what = AnnouncementTurn::Driver { driver: "bird", works: false };
            Event::Announcement(AnnouncementNews { what, why: "".into(), at: at(5) }.into())
        };
        let weighed = DataplaneKind::AsWeightUpdated;
        // For the backend `a`, for the frontend `web`.
        let cases = [
            (transition("a", 5), true, true),
            (transition("b", 5), false, false),
            (admin("a"), true, true),
            (admin("b"), false, false),
            (weight("web", "a"), true, true),
            (weight("web", "b"), false, true),
            (weight("api", "b"), false, false),
            (change(Changed::Config), true, true),
            (ordered(AnnounceScope::All, &[]), true, true),
            (ordered(own, &["web", "api"]), true, true),
            (ordered(own, &["api"]), false, false),
            (announced(&["api", "web"]), true, true),
            (announced(&["api"]), false, false),
            (failed(), true, true),
            (frontend("web"), false, true),
            (frontend("api"), false, false),
            (open("web"), true, true),
            (open("api"), false, false),
            (drain("a"), true, true),
            (drain("b"), false, false),
            (hold(), true, true),
            (audit(None, None), true, true),
            (audit(Some("a"), None), true, true),
            (audit(Some("b"), Some("web")), false, true),
            (audit(Some("b"), None), false, false),
            (audit(None, Some("api")), false, false),
            (written(Some("web"), Some(1), weighed), true, true),
            (written(Some("web"), Some(2), weighed), false, true),
            (written(Some("api"), Some(1), weighed), false, false),
            (written(Some("web"), None, DataplaneKind::Programmed), true, true),
            (written(None, None, DataplaneKind::Disconnected), true, true),
            (written(None, None, DataplaneKind::VipRemoved), false, false),
        ];
        let of_backend = TimelineNames {
            backends: ["a".into()].into(),
            using: ["web".into()].into(),
            servers: [[10, 0, 0, 1].into()].into(),
            ..TimelineNames::default()
        };
        let of_frontend = TimelineNames {
            backends: ["a".into()].into(),
            frontends: ["web".into()].into(),
            ..TimelineNames::default()
        };
        let everything = TimelineSubject::default();
        for (event, is_of_backend, is_of_frontend) in cases {
            assert_eq!(of_backend.include(&event), is_of_backend, "{event:?}");
            assert_eq!(of_frontend.include(&event), is_of_frontend, "{event:?}");
            assert!(everything.includes(&event));
        }
    }

    #[test]
    fn what_came_before_is_left_out() {
        let subject = TimelineSubject { named: None, since: Some(at(5)) };
        let found: Vec<_> =
            (3..8).filter(|second| subject.includes(&transition("a", *second))).collect();
        assert_eq!(found, [5, 6, 7]);
    }
}
