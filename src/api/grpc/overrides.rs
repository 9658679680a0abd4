//! Operators' overrides: who sets them, why and for how long, and the list of all.

use std::time::Duration;

use tonic::{Response, Status};

use super::nanos::unix_ns;
use super::override_info::info;
use super::service::MaglevService;
use super::status::OrStatus;
use crate::actors::controller::{CommandOrigin, GetOverrides, OverrideListing};
use crate::domain::overrides::{LONGEST_TERM, Reason};
use crate::pb;

impl MaglevService {
    pub(super) async fn overrides(&self) -> Result<Response<pb::GetOverridesResponse>, Status> {
        let listing = self.actors.controller.send(GetOverrides).await.or_status()?;
        let OverrideListing { overrides, now, is_kept, orders: _, writes: _ } = listing;
        Ok(Response::new(pb::GetOverridesResponse {
            overrides: overrides.iter().map(|entry| info(entry, now.monotonic)).collect(),
            kept: is_kept,
            now_unix_ns: unix_ns(now.wall),
        }))
    }
}

/// Who gives a command, why, and for how long.
///
/// # Errors
/// INVALID_ARGUMENT for a reason or a time that could not be meant.
pub(super) fn parse_origin(who: &str, why: &str, for_ns: i64) -> Result<CommandOrigin, Status> {
    let why = match why {
        "" => None,
        why => Some(
            Reason::try_from(why)
                .map_err(|error| Status::invalid_argument(format!("why: {error}")))?,
        ),
    };
    let lasts = u64::try_from(for_ns).map(Duration::from_nanos);
    let lasts = lasts.ok().filter(|lasts| *lasts <= LONGEST_TERM).ok_or_else(|| {
        let days = LONGEST_TERM.as_secs() / (24 * 3600);
        Status::invalid_argument(format!(
            "for_ns {for_ns} is not from 0 to {days} days: leave it out for an override that \
             lasts until it is ended"
        ))
    })?;
    Ok(CommandOrigin { who: who.into(), why, lasts: Some(lasts).filter(|lasts| !lasts.is_zero()) })
}
