//! `GetAnnouncements`, and what operators order of announcements.

use std::net::IpAddr;

use tonic::{Request, Response, Status};

use super::announcement_info;
use super::caller::who;
use super::commands::parse_wait;
use super::names::parse_name_field;
use super::overrides::parse_origin;
use super::service::MaglevService;
use super::status::OrStatus;
use crate::actors::announcer::{
    AwaitSettled, GetAnnouncement, GetAnnouncements, ListedAnnouncements,
};
use crate::actors::controller::{
    CommandOrigin, GetAnnounceScope, GetOverrides, OrderAnnouncement, WouldCommand,
};
use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::announce::placement::VipPrefix;
use crate::domain::controller::{AnnounceSubject, OverrideCommand};
use crate::pb;

/// What is asked for of announcements.
struct Ordered {
    subject: AnnounceSubject,
    /// `None`: an order ends.
    order: Option<AnnounceOrder>,
    given: CommandOrigin,
    wait_ns: i64,
    validate_only: bool,
}

impl MaglevService {
    pub(super) async fn announcements(
        &self,
        request: pb::GetAnnouncementsRequest,
    ) -> Result<Response<pb::Announcements>, Status> {
        let pb::GetAnnouncementsRequest { address, frontend_name } = request;
        let scope = match (address.as_str(), frontend_name.as_str()) {
            ("", "") => AnnounceScope::All,
            _ => self.scope(parse_subject(&address, frontend_name, false)?).await?,
        };
        let info = self.announcements_of(scope).await?;
        if let (AnnounceScope::Prefix(prefix), []) = (scope, info.announcements.as_slice()) {
            let address = prefix.address();
            return Err(Status::not_found(format!("there is no announcement of {address}")));
        }
        Ok(Response::new(info))
    }

    /// One announcement; `None`: there is none of this prefix.
    pub(super) async fn announcement(
        &self,
        prefix: VipPrefix,
    ) -> Result<Option<pb::AnnouncementInfo>, Status> {
        let report = self.actors.announcer.send(GetAnnouncement(prefix)).await.or_status()?;
        let Some(report) = report else { return Ok(None) };
        let overrides = self.actors.controller.send(GetOverrides).await.or_status()?;
        Ok(Some(announcement_info::info(&report, &overrides)))
    }

    pub(super) async fn order_announcement(
        &self,
        request: Request<pb::SetAnnouncementRequest>,
    ) -> Result<Response<pb::Announcements>, Status> {
        let who = who(&request);
        let pb::SetAnnouncementRequest {
            address,
            frontend_name,
            all,
            order,
            wait_ns,
            for_ns,
            why,
            validate_only,
        } = request.into_inner();
        let subject = parse_subject(&address, frontend_name, all)?;
        let order = AnnounceOrder::from_word(&order).ok_or_else(|| {
            let known = AnnounceOrder::ALL.map(AnnounceOrder::as_str).join(", ");
            Status::invalid_argument(format!("order \"{order}\" is none of {known}"))
        })?;
        let given = parse_origin(&who, &why, for_ns)?;
        let order = Some(order);
        self.order(Ordered { subject, order, given, wait_ns, validate_only }).await
    }

    pub(super) async fn end_announce_order(
        &self,
        request: Request<pb::UnsetAnnouncementRequest>,
    ) -> Result<Response<pb::Announcements>, Status> {
        let who = who(&request);
        let pb::UnsetAnnouncementRequest {
            address,
            frontend_name,
            all,
            wait_ns,
            why,
            validate_only,
        } = request.into_inner();
        let subject = parse_subject(&address, frontend_name, all)?;
        let given = parse_origin(&who, &why, 0)?;
        self.order(Ordered { subject, order: None, given, wait_ns, validate_only }).await
    }

    async fn order(&self, ordered: Ordered) -> Result<Response<pb::Announcements>, Status> {
        let Ordered { subject, order, given, wait_ns, validate_only } = ordered;
        let within = parse_wait(wait_ns)?;
        let scope = self.scope(subject.clone()).await?;
        if validate_only {
            let command = OverrideCommand::Announcement { subject, order };
            let question = WouldCommand { command, given };
            self.actors.controller.send(question).await.or_status()?.or_status()?;
        } else {
            let message = OrderAnnouncement { subject, order, given };
            self.actors.controller.send(message).await.or_status()?.or_status()?;
            if !within.is_zero() {
                // The Announcer was told before the command was answered.
                let wait = AwaitSettled { scope, within };
                self.actors.announcer.send(wait).await.or_status()?;
            }
        }
        Ok(Response::new(self.announcements_of(scope).await?))
    }

    async fn scope(&self, subject: AnnounceSubject) -> Result<AnnounceScope, Status> {
        self.actors.controller.send(GetAnnounceScope(subject)).await.or_status()?.or_status()
    }

    async fn announcements_of(&self, scope: AnnounceScope) -> Result<pb::Announcements, Status> {
        let listed = self.actors.announcer.send(GetAnnouncements).await.or_status()?;
        let ListedAnnouncements(listing) = listed;
        let overrides = self.actors.controller.send(GetOverrides).await.or_status()?;
        Ok(announcement_info::listing(&listing.of(scope), &overrides))
    }
}

/// # Errors
/// INVALID_ARGUMENT: none or several are given, or the address is none.
fn parse_subject(
    address: &str,
    frontend_name: String,
    all: bool,
) -> Result<AnnounceSubject, Status> {
    match (address, frontend_name.as_str(), all) {
        ("", "", true) => Ok(AnnounceSubject::All),
        ("", name, false) if !name.is_empty() => {
            Ok(AnnounceSubject::Frontend(parse_name_field("frontend_name", frontend_name)?))
        }
        (address, "", false) if !address.is_empty() => {
            let prefix = match address.parse::<IpAddr>() {
                Ok(address) => Ok(VipPrefix::new(address)),
                Err(_) => address.parse(),
            };
            let invalid = |error| Status::invalid_argument(format!("address: {error}"));
            Ok(AnnounceSubject::Prefix(prefix.map_err(invalid)?))
        }
        _ => Err(Status::invalid_argument(
            "give one of address, frontend_name and all, and no more than one",
        )),
    }
}
