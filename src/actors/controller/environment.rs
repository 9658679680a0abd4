//! What a reload changes for all probers at once: the namespace and the slots.
//! And what all of them have counted.

use actix::prelude::*;

use super::{Controller, GetProbes, LoadFailed, Probes};
use crate::actors::prober;
use crate::domain::config::HealthCheckerSettings;
use crate::probe::{Namespace, Slots};

impl Controller {
    /// Enters the namespace that `settings` name, if it is another one.
    pub(super) fn enter(
        &self,
        settings: &HealthCheckerSettings,
    ) -> Result<Option<Namespace>, LoadFailed> {
        let now = self.environment.namespace.as_ref();
        match settings.netns.as_deref() {
            None => Ok(None),
            wanted if wanted == now.map(Namespace::name) => Ok(now.cloned()),
            Some(name) => Ok(Some(Namespace::enter(name)?)),
        }
    }

    /// Has all probers probe from `namespace`, within the bound of `settings`.
    pub(super) fn set_environment(
        &mut self,
        namespace: Option<Namespace>,
        settings: &HealthCheckerSettings,
    ) {
        self.environment.slots.resize(Slots::bound(settings.max_probes));
        let name =
            |namespace: &Option<Namespace>| namespace.as_ref().map(|it| it.name().to_owned());
        if name(&namespace) != name(&self.environment.namespace) {
            self.environment.namespace = namespace;
            for prober in self.all_probers() {
                prober.do_send(prober::Relocated(self.environment.clone()));
            }
        }
    }
}

impl Handler<GetProbes> for Controller {
    type Result = ResponseFuture<Probes>;

    fn handle(&mut self, _: GetProbes, _: &mut Self::Context) -> Self::Result {
        // All are asked before the first answer is awaited.
        let asked: Vec<_> =
            self.all_probers().map(|prober| prober.send(prober::GetProbeStats)).collect();
        let (slots, late) = (self.environment.slots.stats(), self.environment.late.counted());
        Box::pin(async move {
            let mut backends = Vec::with_capacity(asked.len());
            for answer in asked {
                // A prober that was stopped meanwhile has nothing to tell.
                backends.extend(answer.await.ok());
            }
            Probes { backends, slots, late }
        })
    }
}
