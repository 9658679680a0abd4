//! The RPC that drains a backend.

use std::time::Duration;

use tonic::{Request, Response, Status};

use super::caller::who;
use super::commands::parse_wait;
use super::names::parse_name;
use super::overrides::parse_origin;
use super::service::MaglevService;
use super::status::OrStatus;
use crate::actors::controller::DrainBackend;
use crate::domain::drain::{DrainOrder, DrainTimeout};
use crate::pb;

/// The longest timeout: a drain that takes a month is no longer one.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 3600);

impl MaglevService {
    pub(super) async fn drain(
        &self,
        request: Request<pb::DrainBackendRequest>,
    ) -> Result<Response<pb::BackendInfo>, Status> {
        let who = who(&request);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::grpc::nanos::ns;

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
