//! Why a TLS handshake failed.

use std::io;

use tokio_rustls::rustls::{self, CertificateError};

/// Why a handshake failed, for operators.
pub(super) fn why(error: &io::Error) -> String {
    use rustls::Error as Tls;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match tls {
        Some(Tls::NoCertificatesPresented) => {
            "the client showed no certificate, and --grpc-tls-client-ca asks for one".into()
        }
        Some(Tls::InvalidCertificate(fault)) => {
            let fault = match fault {
                CertificateError::UnknownIssuer => {
                    "is of no authority in --grpc-tls-client-ca".into()
                }
                fault => format!("cannot be used: {fault}"),
            };
            format!("the client's certificate {fault}")
        }
        Some(Tls::InvalidMessage(_)) => "the client does not speak TLS".into(),
        Some(Tls::AlertReceived(alert)) => format!("the client refused: {alert:?}"),
        _ => error.to_string(),
    }
}
