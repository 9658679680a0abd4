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
        let last = u64::try_from(last_ns)
            .map_err(|_| Status::invalid_argument(format!("last_ns {last_ns} is negative")))?;
        let last = (last > 0).then(|| Duration::from_nanos(last));
        let since = last.and_then(|last| SystemTime::now().checked_sub(last));
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

fn timeline(subject: &TimelineSubject, held: &HeldEvents) -> pb::Timeline {
    let events = held.events.iter().filter(|event| subject.includes(&event.event));
    let events = events.map(|event| convert::event(&event.event, event.seq, held.boot_id));
    let first = held.events.first().map(|event| event.event.at());
    let reaches_back = subject.since.is_some_and(|since| first.is_some_and(|at| at < since));
    let events: Vec<_> = events.collect();
    pb::Timeline { events, truncated: !held.is_whole && !reaches_back, now_unix_ns: now_ns() }
}
