//! `GetTimeline`: the events that are held, as far as they concern what is asked about.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tonic::Status;

use super::convert;
use super::names::parse_name_field;
use super::nanos::now_ns;
use super::service::{MaglevService, blocking};
use super::status::OrStatus;
use crate::actors::broadcaster::{GetHeldEvents, HeldEvents};
use crate::actors::controller::{GetBackend, GetFrontend};
use crate::domain::events::{TimelineNames, TimelineSubject};
use crate::pb;

impl MaglevService {
    pub(super) async fn timeline(
        &self,
        request: pb::GetTimelineRequest,
    ) -> Result<pb::Timeline, Status> {
        let pb::GetTimelineRequest { backend_name, frontend_name, last_ns } = request;
        let since = parse_since(last_ns, SystemTime::now())?;
        let named = self.timeline_names(backend_name, frontend_name).await?;
        let subject = TimelineSubject { named, since };
        let held = self.actors.broadcaster.send(GetHeldEvents).await.or_status()?;
        blocking(move || timeline(&subject, &held)).await
    }

    async fn timeline_names(
        &self,
        backend: String,
        frontend: String,
    ) -> Result<Option<TimelineNames>, Status> {
        if backend.is_empty() && frontend.is_empty() {
            return Ok(None);
        }
        let mut names = TimelineNames::default();
        if !backend.is_empty() {
            let name = parse_name_field("backend_name", backend)?;
            let question = GetBackend(name);
            let (view, _) = self.actors.controller.send(question).await.or_status()?.or_status()?;
            names.backends.insert(view.name);
            names.using.extend(view.frontends);
            names.servers.extend(view.address);
        }
        if !frontend.is_empty() {
            let name = parse_name_field("frontend_name", frontend)?;
            let question = GetFrontend(name);
            let view = self.actors.controller.send(question).await.or_status()?.or_status()?;
            let members = view.pools.iter().flat_map(|pool| &pool.backends);
            let members: BTreeSet<_> = members.map(|member| member.name.clone()).collect();
            names.backends.extend(members);
            names.frontends.insert(view.name);
        }
        Ok(Some(names))
    }
}

/// From when on events are asked for; `None`: from the beginning.
fn parse_since(last_ns: i64, now: SystemTime) -> Result<Option<SystemTime>, Status> {
    let last = u64::try_from(last_ns)
        .map_err(|_| Status::invalid_argument(format!("last_ns {last_ns} is negative")))?;
    let last = (last > 0).then(|| Duration::from_nanos(last));
    Ok(last.and_then(|last| now.checked_sub(last)))
}

fn timeline(subject: &TimelineSubject, held: &HeldEvents) -> pb::Timeline {
    let events = held.events.iter().filter(|event| subject.includes(&event.event));
    let events = events.map(|event| convert::event(&event.event, event.seq, held.boot_id));
    let first = held.events.first().map(|event| event.event.at());
    let reaches_back = subject.since.is_some_and(|since| first.is_some_and(|at| at < since));
    let events: Vec<_> = events.collect();
    pb::Timeline { events, truncated: !held.is_whole && !reaches_back, now_unix_ns: now_ns() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::actors::broadcaster::SharedEvent;
    use crate::domain::events::{Event, Seq, Transition};
    use crate::domain::health::State;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_last_hour_is_asked_for_as_its_length() {
        let since = |last_ns| parse_since(last_ns, at(7200)).map_err(|error| error.code());
        assert_eq!(since(3_600_000_000_000), Ok(Some(at(3600))));
        assert_eq!(since(0), Ok(None));
        assert_eq!(since(-1), Err(tonic::Code::InvalidArgument));
    }

    /// Whether older events than those that are held are missing.
    #[test]
    fn it_is_cut_off_where_what_is_held_does_not_reach_back() {
        let event = |second| {
            let (from, to, why) = (State::Up, State::Down, "probe".into());
            let transition = Transition { from, to, at: at(second), why };
            Arc::new(SharedEvent::new(Seq(1), Event::Backend("a".into(), transition)))
        };
        for (is_whole, since, truncated, count) in [
            (true, None, false, 2),
            (false, None, true, 2),
            (false, Some(9), true, 2),
            (false, Some(11), false, 1),
        ] {
            let held = HeldEvents { boot_id: 1, events: vec![event(10), event(20)], is_whole };
            let subject = TimelineSubject { named: None, since: since.map(at) };
            let answer = timeline(&subject, &held);
            assert_eq!((answer.truncated, answer.events.len()), (truncated, count), "{since:?}");
        }
    }
}
