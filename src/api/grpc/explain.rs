//! `ExplainBackend` and `ExplainFrontend`: collects the facts, and has the domain explain
//! them.

use std::time::SystemTime;

use tonic::Status;

use super::nanos::{now_ns, unix_ns};
use super::service::{MaglevService, blocking};
use super::status::OrStatus;
use crate::actors::announcer::GetAnnouncement;
use crate::actors::controller::{GetBackendSituation, GetFrontendSituation};
use crate::actors::doctor::GetVipWarning;
use crate::actors::reconciler::{GetHeldRemovals, GetTrace};
use crate::actors::vpp_connection::{DataplaneError, GetVppInfo};
use crate::domain::announce::AnnouncementReport;
use crate::domain::announce::placement::VipPrefix;
use crate::domain::controller::CommandRefused;
use crate::domain::explain::facts::{FrontendSituation, ProbeSituation, VppLink, VppSituation};
use crate::domain::explain::{self, Explanation, Statement};
use crate::pb;

impl MaglevService {
    pub(super) async fn explain_backend(&self, name: String) -> Result<pb::Explanation, Status> {
        let question = GetBackendSituation(name.clone());
        let (backend, reading) =
            self.actors.controller.send(question).await.or_status()?.or_status()?;
        let link = self.vpp_link().await?;
        let mut vpp = Vec::with_capacity(backend.frontends.len());
        for frontend in &backend.frontends {
            vpp.push(self.vpp_situation(frontend, link.clone()).await?);
        }
        let probed = ProbeSituation {
            counter: reading.counter,
            last: reading.last,
            history: reading.history,
        };
        let now = SystemTime::now();
        let explain = move || explain::backend::explain(&backend, &probed, &vpp, now);
        Ok(explanation(name, &blocking(explain).await?))
    }

    pub(super) async fn explain_frontend(&self, name: String) -> Result<pb::Explanation, Status> {
        let question = GetFrontendSituation(name.clone());
        let found = self.actors.controller.send(question).await.or_status()?;
        if let Err(CommandRefused::NoFrontend(_)) = &found {
            let held = self.actors.reconciler.send(GetHeldRemovals).await.or_status()?;
            return Err(Status::not_found(explain::no_such_frontend(&name, &held)));
        }
        let frontend = found.or_status()?;
        let link = self.vpp_link().await?;
        let vpp = self.vpp_situation(&frontend, link).await?;
        let now = SystemTime::now();
        let question = GetAnnouncement(VipPrefix::new(frontend.vip.prefix().addr()));
        let announcement = self.actors.announcer.send(question).await.or_status()?;
        let is_its = |it: &AnnouncementReport| it.view.frontends.contains(&frontend.name);
        let announcement = announcement.filter(|it| is_its(it));
        let explain = move || {
            let explanation = explain::frontend::explain(&frontend, &vpp, now);
            match announcement {
                Some(it) => explain::with_announcement(explanation, &frontend.name, &it),
                None => explanation,
            }
        };
        Ok(explanation(name, &blocking(explain).await?))
    }

    async fn vpp_link(&self) -> Result<VppLink, Status> {
        let info = self.actors.vpp.send(GetVppInfo).await.or_status()?;
        Ok(match info {
            Ok(info) if info.missing.is_empty() => VppLink::Ready,
            Ok(info) => VppLink::Lacking(DataplaneError::Missing(info.missing).to_string()),
            Err(DataplaneError::Off) => VppLink::Off,
            Err(error) => VppLink::Away(error.to_string()),
        })
    }

    async fn vpp_situation(
        &self,
        frontend: &FrontendSituation,
        link: VppLink,
    ) -> Result<VppSituation, Status> {
        let vip = frontend.vip;
        let question = GetTrace { frontend: frontend.name.clone(), vip };
        let trace = self.actors.reconciler.send(question).await.or_status()?;
        let unreached = self.actors.doctor.send(GetVipWarning(vip)).await.or_status()?;
        Ok(VppSituation { link, trace, unreached })
    }
}

fn explanation(name: String, explanation: &Explanation) -> pb::Explanation {
    let Explanation { cause, chain } = explanation;
    pb::Explanation {
        name,
        kind: cause.kind.as_str().into(),
        cause: cause.text.clone(),
        since_unix_ns: cause.since.map_or(0, unix_ns),
        chain: chain.iter().map(statement).collect(),
        now_unix_ns: now_ns(),
    }
}

fn statement(statement: &Statement) -> pb::ExplainStatement {
    pb::ExplainStatement {
        stage: statement.stage.as_str().into(),
        frontend_name: statement.frontend.as_ref().map(ToString::to_string).unwrap_or_default(),
        text: statement.text.clone(),
        since_unix_ns: statement.since.map_or(0, unix_ns),
        remedy: statement.remedy.clone().unwrap_or_default(),
    }
}
