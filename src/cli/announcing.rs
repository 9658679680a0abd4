//! What operators ask and order of announcements, at one daemon.

use super::set::{SetMode, in_request, nanoseconds};
use crate::cli::command::request::{AnnounceOrderWord, AnnounceWhich, OverrideTerms};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::pb;

/// `None`: all of them.
///
/// # Errors
/// As [`ClientError::of_status`].
pub(super) async fn show(
    client: &DaemonClient,
    subject: Option<AnnounceWhich>,
) -> Result<pb::Announcements, ClientError> {
    let request = match subject {
        None | Some(AnnounceWhich::All) => pb::GetAnnouncementsRequest::default(),
        Some(AnnounceWhich::Address(address)) => {
            pb::GetAnnouncementsRequest { address, ..Default::default() }
        }
        Some(AnnounceWhich::Frontend(frontend_name)) => {
            pb::GetAnnouncementsRequest { frontend_name, ..Default::default() }
        }
    };
    let response = client.grpc.clone().get_announcements(request).await;
    client.message("GetAnnouncements", response)
}

/// `order`: `None`: the rules.
///
/// # Errors
/// As [`ClientError::of_status`].
pub(super) async fn order(
    client: &DaemonClient,
    subject: AnnounceWhich,
    order: Option<AnnounceOrderWord>,
    terms: OverrideTerms,
    SetMode { wait, validate_only }: SetMode,
) -> Result<pb::Announcements, ClientError> {
    let (address, frontend_name, all) = match subject {
        AnnounceWhich::All => (String::new(), String::new(), true),
        AnnounceWhich::Address(address) => (address, String::new(), false),
        AnnounceWhich::Frontend(name) => (String::new(), name, false),
    };
    let (wait_ns, (for_ns, why)) = (nanoseconds(wait), in_request(terms));
    let mut grpc = client.grpc.clone();
    match order {
        Some(order) => {
            let order = order.as_str().into();
            let request = pb::SetAnnouncementRequest {
                address,
                frontend_name,
                all,
                order,
                wait_ns,
                for_ns,
                why,
                validate_only,
            };
            client.message("SetAnnouncement", grpc.set_announcement(request).await)
        }
        None => {
            let request = pb::UnsetAnnouncementRequest {
                address,
                frontend_name,
                all,
                wait_ns,
                why,
                validate_only,
            };
            client.message("UnsetAnnouncement", grpc.unset_announcement(request).await)
        }
    }
}
