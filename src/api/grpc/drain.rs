//! Drains: the RPCs, and how far a drain is.

use std::time::{Duration, Instant};

use tonic::{Request, Response, Status};

use super::commands::parse_wait;
use super::names::parse_name;
use super::nanos::{ns, unix_ns};
use super::overrides::{self, parse_origin};
use super::service::MaglevService;
use super::status::OrStatus;
use crate::actors::controller::DrainBackend;
use crate::domain::drain::{Drain, DrainOrder, DrainTimeout, DrainView};
use crate::domain::events::DrainChange;
use crate::pb;

/// The longest timeout: a drain that takes a month is no longer one.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 3600);

impl MaglevService {
    pub(super) async fn drain(
        &self,
        request: Request<pb::DrainBackendRequest>,
    ) -> Result<Response<pb::BackendInfo>, Status> {
        let who = overrides::who(&request);
        let pb::DrainBackendRequest { name, wait_ns, timeout_ns, flush, why } =
            request.into_inner();
        let (backend, wait) = (parse_name(name)?, parse_wait(wait_ns)?);
        let order = parse_order(timeout_ns, flush)?;
        let given = parse_origin(&who, &why, 0)?;
        let message = DrainBackend { backend: backend.clone(), order, given };
        self.actors.controller.send(message).await.or_status()?.or_status()?;
        self.answer_command(backend, wait).await
    }
}

fn parse_order(timeout_ns: i64, flush: bool) -> Result<DrainOrder, Status> {
    let after = u64::try_from(timeout_ns).map(Duration::from_nanos);
    let after = after.ok().filter(|after| *after <= LONGEST_TIMEOUT);
    let after = after.ok_or_else(|| {
        let days = LONGEST_TIMEOUT.as_secs() / (24 * 3600);
        let what = format!("timeout_ns {timeout_ns} is not between 0 and {days} days");
        Status::invalid_argument(what)
    })?;
    if flush && after.is_zero() {
        let what = "a flush of what is left needs a timeout: to flush at once, disable the backend";
        return Err(Status::invalid_argument(what));
    }
    let timeout = (!after.is_zero()).then_some(DrainTimeout { after, flush });
    Ok(DrainOrder { timeout })
}

pub(super) fn info(drain: &Drain) -> pb::DrainInfo {
    let DrainView {
        phase,
        order,
        who,
        since,
        lasted,
        left,
        flows,
        of_frontends,
        counted_ago,
        rate,
        ends_in,
        uncounted,
    } = drain.view(Instant::now());
    let frontends = of_frontends
        .into_iter()
        .map(|(frontend, flows)| pb::DrainFlows { frontend_name: frontend.to_string(), flows });
    pb::DrainInfo {
        phase: phase.as_str().into(),
        since_unix_ns: unix_ns(since),
        lasted_ns: ns(lasted),
        who,
        timeout_ns: order.timeout.map_or(0, |timeout| ns(timeout.after)),
        flush: order.timeout.is_some_and(|timeout| timeout.flush),
        left_ns: left.map(ns),
        flows: flows.map(|(_, last)| last),
        first_flows: flows.map(|(first, _)| first),
        frontends: frontends.collect(),
        counted_ago_ns: counted_ago.map(ns),
        rate,
        ends_in_ns: ends_in.map(ns),
        uncounted: uncounted.unwrap_or_default(),
    }
}

pub(super) fn event(change: &DrainChange) -> pb::DrainEvent {
    pb::DrainEvent {
        backend_name: change.backend.to_string(),
        kind: change.kind().into(),
        flows: change.flows,
        since_unix_ns: unix_ns(change.since),
        who: change.who.to_string(),
        why: change.why.to_string(),
        at_unix_ns: unix_ns(change.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_needs_a_timeout_and_a_timeout_has_an_end() {
        let order = |timeout_ns, flush| parse_order(timeout_ns, flush).map_err(|it| it.code());
        let refused = Err(tonic::Code::InvalidArgument);
        assert_eq!(order(0, false), Ok(DrainOrder { timeout: None }));
        let after = Duration::from_secs(3);
        let timeout = Some(DrainTimeout { after, flush: true });
        assert_eq!(order(ns(after), true), Ok(DrainOrder { timeout }));
        assert_eq!(order(0, true), refused);
        assert_eq!(order(-1, false), refused);
        assert_eq!(order(ns(LONGEST_TIMEOUT) + 1, false), refused);
    }
}
