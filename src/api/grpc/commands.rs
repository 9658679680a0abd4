//! Operators' commands, and what a backend and a frontend look like after them.
//! A command is answered once VPP has confirmed what follows from it, if the
//! request waits for that.

use std::time::Duration;

use tonic::{Request, Response, Status};

use super::caller::who;
use super::names::{parse_name, parse_name_field};
use super::overrides::parse_origin;
use super::service::MaglevService;
use super::status::OrStatus;
use super::{convert, table};
use crate::actors::controller::{
    AdministerBackend, CommandOrigin, GetBackend, GetFrontend, GetUses, SetWeight, WouldCommand,
};
use crate::actors::doctor::GetVipWarning;
use crate::actors::reconciler::{
    AwaitAnswer, AwaitProgress, GetPendingReason, GetRefusalOf, GetVip,
};
use crate::domain::controller::{AdminCommand, OverrideCommand};
use crate::domain::dataplane::net::Weight;
use crate::domain::names::FrontendName;
use crate::domain::reconcile::Generation;
use crate::pb;

/// The longest that a request may wait for VPP.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The reason where the Reconciler has not yet received what is desired.
const ON_ITS_WAY: &str = "VPP has not answered yet";

impl MaglevService {
    pub(super) async fn backend(&self, name: String) -> Result<pb::BackendInfo, Status> {
        let (view, reading) =
            self.actors.controller.send(GetBackend(name)).await.or_status()?.or_status()?;
        let why = self.why_pending(view.programmed, view.frontends.clone()).await?;
        let info = convert::backend(&view, &reading);
        Ok(pb::BackendInfo { programmed: why.is_empty(), not_programmed: why, ..info })
    }

    pub(super) async fn frontend(&self, name: String) -> Result<pb::FrontendInfo, Status> {
        let question = GetFrontend(name.clone());
        let view = self.actors.controller.send(question).await.or_status()?.or_status()?;
        let refusal = self.actors.reconciler.send(GetRefusalOf(name)).await.or_status()?;
        let observed = self.actors.reconciler.send(GetVip(view.settings.vip)).await.or_status()?;
        let why = self.why_pending(view.programmed, vec![view.name.clone()]).await?;
        let shadowed = GetVipWarning(view.settings.vip);
        let shadowed = self.actors.doctor.send(shadowed).await.or_status()?;
        let announced = view.settings.announced_prefix();
        let mut info = convert::frontend(&view, refusal);
        if let Some(prefix) = announced {
            info.announcement = self.announcement(prefix).await?;
        }
        (info.programmed, info.not_programmed) = (why.is_empty(), why);
        table::add_shares(&mut info, &view, &observed);
        info.warnings.splice(0..0, shadowed);
        Ok(info)
    }

    /// Why VPP does not hold yet what is desired; empty: it does.
    async fn why_pending(
        &self,
        programmed: bool,
        frontends: Vec<FrontendName>,
    ) -> Result<String, Status> {
        if programmed {
            return Ok(String::new());
        }
        let why = self.actors.reconciler.send(GetPendingReason(frontends)).await.or_status()?;
        Ok(why.unwrap_or_else(|| ON_ITS_WAY.into()))
    }

    pub(super) async fn administer(
        &self,
        request: Request<pb::BackendRequest>,
        command: AdminCommand,
    ) -> Result<Response<pb::BackendInfo>, Status> {
        let who = who(&request);
        let pb::BackendRequest { name, wait_ns, for_ns, why, validate_only, .. } =
            request.into_inner();
        let (backend, wait) = (parse_name(name)?, parse_wait(wait_ns)?);
        if command == AdminCommand::Unset && for_ns != 0 {
            return Err(Status::invalid_argument("for_ns: an override ends now or not"));
        }
        let given = parse_origin(&who, &why, for_ns)?;
        if validate_only {
            let command = OverrideCommand::Admin { backend: backend.clone(), command };
            let question = WouldCommand { command, given };
            self.actors.controller.send(question).await.or_status()?.or_status()?;
            return Ok(Response::new(self.backend(backend).await?));
        }
        let message = AdministerBackend { backend: backend.clone(), command, given };
        self.actors.controller.send(message).await.or_status()?.or_status()?;
        self.answer_command(backend, wait).await
    }

    /// The backend after a command, once VPP has confirmed what follows from it, or after
    /// `wait`.
    pub(super) async fn answer_command(
        &self,
        backend: String,
        wait: Duration,
    ) -> Result<Response<pb::BackendInfo>, Status> {
        // The answer comes after the prober's transition has reached the
        // Controller, so what is read from now on has what follows from it.
        let uses = GetUses(backend.clone());
        let (frontends, generation) =
            self.actors.controller.send(uses).await.or_status()?.or_status()?;
        let not_yet = self.wait_for_vpp(frontends, generation, wait).await?;
        let mut info = self.backend(backend).await?;
        if let Some(why) = not_yet.filter(|_| !info.programmed) {
            info.not_programmed = why;
        }
        Ok(Response::new(info))
    }

    pub(super) async fn set_weight(
        &self,
        request: Request<pb::SetWeightRequest>,
    ) -> Result<Response<pb::FrontendInfo>, Status> {
        let who = who(&request);
        let pb::SetWeightRequest {
            frontend,
            pool,
            backend,
            weight,
            wait_ns,
            for_ns,
            why,
            validate_only,
        } = request.into_inner();
        let weight = Weight::try_from(i64::from(weight)).or_status()?;
        let given = parse_origin(&who, &why, for_ns)?;
        let (member, change) = ((frontend, pool, backend), (Some(weight), given));
        self.change_weight(member, change, wait_ns, validate_only).await
    }

    pub(super) async fn unset_weight(
        &self,
        request: Request<pb::UnsetWeightRequest>,
    ) -> Result<Response<pb::FrontendInfo>, Status> {
        let who = who(&request);
        let pb::UnsetWeightRequest { frontend, pool, backend, wait_ns, why, validate_only } =
            request.into_inner();
        let given = parse_origin(&who, &why, 0)?;
        let (member, change) = ((frontend, pool, backend), (None, given));
        self.change_weight(member, change, wait_ns, validate_only).await
    }

    async fn change_weight(
        &self,
        (frontend, pool, backend): (String, String, String),
        (weight, given): (Option<Weight>, CommandOrigin),
        wait_ns: i64,
        validate_only: bool,
    ) -> Result<Response<pb::FrontendInfo>, Status> {
        let frontend = parse_name_field("frontend", frontend)?;
        let pool = parse_name_field("pool", pool)?;
        let backend = parse_name_field("backend", backend)?;
        let wait = parse_wait(wait_ns)?;
        if validate_only {
            let name = frontend.clone();
            let command = OverrideCommand::Weight { frontend, pool, backend, weight };
            let question = WouldCommand { command, given };
            self.actors.controller.send(question).await.or_status()?.or_status()?;
            return Ok(Response::new(self.frontend(name).await?));
        }
        let message = SetWeight { frontend: frontend.clone(), pool, backend, weight, given };
        let generation = self.actors.controller.send(message).await.or_status()?.or_status()?;
        let frontends = vec![frontend.as_str().into()];
        let not_yet = self.wait_for_vpp(frontends, generation, wait).await?;
        let mut info = self.frontend(frontend).await?;
        if let Some(why) = not_yet.filter(|_| !info.programmed) {
            info.not_programmed = why;
        }
        Ok(Response::new(info))
    }

    /// Waits until VPP holds what was desired at this generation. The reason why
    /// it does not yet, if the wait ended without.
    async fn wait_for_vpp(
        &self,
        frontends: Vec<FrontendName>,
        generation: Generation,
        within: Duration,
    ) -> Result<Option<String>, Status> {
        if within.is_zero() || frontends.is_empty() {
            return Ok(None);
        }
        let wait = AwaitProgress { frontends, generation, within };
        Ok(match self.actors.reconciler.send(wait).await.or_status()? {
            AwaitAnswer::Written => None,
            AwaitAnswer::NotYet(why) => Some(why),
        })
    }
}

pub(super) fn parse_wait(wait_ns: i64) -> Result<Duration, Status> {
    let wait = u64::try_from(wait_ns).map(Duration::from_nanos);
    wait.map(|wait| wait.min(LONGEST_WAIT))
        .map_err(|_| Status::invalid_argument(format!("wait_ns {wait_ns} is negative")))
}
