//! What VPP has confirmed of the desired state.

use super::*;
use crate::domain::reconcile::FrontendProgress;

impl ControllerState {
    /// Processes the Reconciler's report of what VPP holds. A frontend that changed
    /// after the reported generation is not programmed yet.
    pub fn progressed(&mut self, generation: Generation, changes: Vec<FrontendProgress>) {
        for FrontendProgress { frontend, programmed, serving } in changes {
            if let Some(record) = self.frontends.get_mut(&frontend) {
                record.programmed = programmed && record.since <= generation;
                record.serving = serving;
                self.announce.note(&frontend);
            }
        }
    }

    /// The frontends that use a backend, and the generation of their desired state.
    ///
    /// # Errors
    /// There is no such backend.
    pub fn uses(&self, backend: &str) -> Result<(Vec<FrontendName>, Generation), CommandRefused> {
        let record = self.backends.get(backend);
        let record = record.ok_or_else(|| CommandRefused::NoBackend(backend.into()))?;
        Ok((record.frontends.clone(), self.generation))
    }
}
