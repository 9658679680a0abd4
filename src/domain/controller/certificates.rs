//! The certificates that servers show.

use super::ControllerState;
use crate::domain::health::certificate::{CertificateNews, CertificateView};
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;

impl ControllerState {
    /// Processes a prober's report of its server's certificate. Returns what is to be told.
    pub fn certificate_seen(
        &mut self,
        prober: ProberId,
        name: &BackendName,
        certificate: Option<CertificateView>,
    ) -> Option<CertificateNews> {
        let record = self.backends.get_mut(name).filter(|it| it.prober == prober)?;
        let before = std::mem::replace(&mut record.certificate, certificate);
        CertificateNews::between(before, certificate)
    }
}
