//! The gRPC status codes of all errors that actors return.

use actix::MailboxError;
use tonic::Status;

use crate::actors::broadcaster::SubscribeError;
use crate::actors::controller::OverrideFailed;
use crate::actors::reconciler::SyncError;
use crate::actors::vpp_connection::{CountersError, DataplaneError};
use crate::api::answers::shared::AskError;
use crate::domain::balancing::maglev::WeightUnknown;
use crate::domain::controller::CommandRefused;
use crate::domain::dataplane::net::WeightOutOfRange;

/// An error that a request can fail with.
pub(super) trait ToStatus {
    fn to_status(&self) -> Status;
}

impl ToStatus for CommandRefused {
    fn to_status(&self) -> Status {
        let text = self.to_string();
        match self {
            Self::NoBackend(_)
            | Self::NoFrontend(_)
            | Self::NoPool { .. }
            | Self::NotInPool { .. }
            | Self::NotInFrontend { .. }
            | Self::NoAnnouncement(_) => Status::not_found(text),
            Self::Disabled { .. }
            | Self::NothingLasts { .. }
            | Self::NotDrained(_)
            | Self::NotAnnounced(_)
            | Self::NothingAnnounced => Status::failed_precondition(text),
        }
    }
}

impl ToStatus for OverrideFailed {
    fn to_status(&self) -> Status {
        match self {
            Self::Refused(refused) => refused.to_status(),
            Self::NotKept(error) => Status::failed_precondition(error.to_string()),
            Self::Stopping => Status::unavailable(self.to_string()),
        }
    }
}

impl ToStatus for WeightOutOfRange {
    fn to_status(&self) -> Status {
        Status::invalid_argument(self.to_string())
    }
}

impl ToStatus for DataplaneError {
    fn to_status(&self) -> Status {
        Status::unavailable(self.to_string())
    }
}

impl ToStatus for CountersError {
    fn to_status(&self) -> Status {
        Status::unavailable(self.to_string())
    }
}

impl ToStatus for WeightUnknown {
    fn to_status(&self) -> Status {
        Status::unavailable(self.to_string())
    }
}

impl ToStatus for SyncError {
    fn to_status(&self) -> Status {
        match self {
            Self::NoFrontend(_) => Status::not_found(self.to_string()),
            Self::Dataplane(error) => error.to_status(),
        }
    }
}

impl ToStatus for SubscribeError {
    fn to_status(&self) -> Status {
        match self {
            Self::TooMany(_) => Status::resource_exhausted(self.to_string()),
            Self::Stopping => Status::unavailable(self.to_string()),
        }
    }
}

impl ToStatus for AskError {
    fn to_status(&self) -> Status {
        match self {
            Self::TooMany => Status::resource_exhausted(self.to_string()),
            Self::Stopping => Status::unavailable(self.to_string()),
        }
    }
}

impl ToStatus for MailboxError {
    fn to_status(&self) -> Status {
        Status::unavailable("maglevd is stopping")
    }
}

/// `result.or_status()?` in a handler.
pub(super) trait OrStatus<T> {
    fn or_status(self) -> Result<T, Status>;
}

impl<T, E: ToStatus> OrStatus<T> for Result<T, E> {
    fn or_status(self) -> Result<T, Status> {
        self.map_err(|error| error.to_status())
    }
}
