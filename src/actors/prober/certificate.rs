//! Reports the certificates that servers show.

use std::time::SystemTime;

use super::{CertificateSeen, PreparedProbe, Prober};

impl Prober {
    /// Reports the server's certificate, where the check asks for that and there is
    /// something new to say.
    pub(super) fn note_certificate(&mut self) {
        let end = match self.probe.as_deref() {
            Some(PreparedProbe::Network(probe)) => probe.certificate_end(),
            _ => None,
        };
        if end.is_none() && self.certificate.is_none() {
            return;
        }
        let view = end.map(|end| end.view(SystemTime::now()));
        if self.certificate.as_deref() == view.as_ref() {
            return;
        }
        self.certificate = view.map(Box::new);
        if let Some(shared) = &self.shared {
            let (prober, backend) = (self.id, self.name.clone());
            shared.certificates.send(CertificateSeen { prober, backend, certificate: view });
        }
    }
}
