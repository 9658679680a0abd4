//! TLS probes against peers inside the test's own process.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::support::probe::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio_native_tls::native_tls::Identity;
use tokio_native_tls::{TlsAcceptor, native_tls};
use vpp_maglev::domain::config::TlsSettings;
use vpp_maglev::probe::ThreadResources;

/// A server with the certificate `name`.
fn acceptor(certificates: &Certificates, name: &str) -> TlsAcceptor {
    let pem = certificates.read(&format!("{name}.pem"));
    let key = certificates.read(&format!("{name}.key"));
    let identity = Identity::from_pkcs8(&pem, &key).unwrap();
    native_tls::TlsAcceptor::new(identity).unwrap().into()
}

/// Serves `answer` over TLS with the certificate `name`.
async fn listen_tls(certificates: &Certificates, name: &str, answer: &'static str) -> SocketAddr {
    let acceptor = acceptor(certificates, name);
    listen(V4, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut head = [0; 4096];
            if let Ok(1..) = stream.read(&mut head).await {
                // No farewell: the abrupt end of many an HTTP server.
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await
}

#[test]
fn a_tls_probe_ends_tls_in_order() {
    let Some(certificates) = Certificates::make() else { return };
    local(async {
        let acceptor = acceptor(&certificates, "good");
        let (expected, ended) = oneshot::channel();
        let once = Rc::new(Cell::new(Some((acceptor, expected))));
        let server = listen(V4, move |stream| {
            let (acceptor, expected) = once.take().unwrap();
            async move {
                let mut stream = acceptor.accept(stream).await.unwrap();
                // TLS's own end is a record; a bare FIN would be no bytes.
                let socket = stream.get_ref().get_ref().get_ref();
                let bytes = socket.peek(&mut [0; 64]).await.map_err(|error| error.to_string());
                let end = stream.read(&mut [0; 16]).await.map_err(|error| error.to_string());
                expected.send((bytes, end)).unwrap();
                // A backend that does not answer close_notify delays no probe.
                std::future::pending::<()>().await;
            }
        })
        .await;
        assert_found(tcp(server, unverified()), V4, &ThreadResources::new(), "L6OK").await;
        let (bytes, end) = ended.await.unwrap();
        assert!(bytes.is_ok_and(|size| size > 0));
        assert_eq!(end, Ok(0));
    });
}

#[test]
fn certificates_are_verified_unless_told_otherwise() {
    let Some(certificates) = Certificates::make() else { return };
    local(async {
        let trusting = certificates.trusted();
        let answer = "HTTP/1.1 200 OK\r\n\r\nok";
        for (name, expected) in [
            ("good", None),
            ("expired", Some("L6RSP certificate: certificate has expired")),
            ("wrong-name", Some("L6RSP certificate: hostname mismatch")),
            ("self-signed", Some("L6RSP certificate: self-signed certificate")),
        ] {
            let server = listen_tls(&certificates, name, answer).await;
            for (tls, expected) in [(verified("localhost"), expected), (unverified(), None)] {
                let to = expected.unwrap_or("L6OK");
                assert_found(tcp(server, tls.clone()), V4, &trusting, to).await;
                let to = expected.unwrap_or("L7OK 200 OK");
                let kind = https(server, tls, "/", 200..=200, Some("^ok$"));
                assert_found(kind, V4, &trusting, to).await;
            }
        }

        let server = listen_tls(&certificates, "good", answer).await;
        // The address is in the certificate too, and is the last resort.
        let nameless = Some(TlsSettings::new(None, true));
        assert_found(tcp(server, nameless), V4, &trusting, "L6OK").await;
        let unknown = "L6RSP certificate: unable to get local issuer certificate";
        let kind = tcp(server, verified("localhost"));
        assert_found(kind, V4, &ThreadResources::new(), unknown).await;
    });
}

#[test]
fn a_failed_handshake_is_told_of_layer_6() {
    local(async {
        let shared = ThreadResources::new();
        let plain = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
        })
        .await;
        let expected = "L6RSP the backend does not speak TLS on this port (wrong version number)";
        assert_found(tcp(plain, unverified()), V4, &shared, expected).await;

        let silent = listen(V4, |mut stream| async move {
            // Takes the whole ClientHello, lest its end be a reset.
            stream.readable().await.unwrap();
            assert!(stream.read(&mut [0; 65536]).await.unwrap() > 0);
        })
        .await;
        let expected = "L6RSP connection closed in the TLS handshake";
        assert_found(tcp(silent, unverified()), V4, &shared, expected).await;

        let resetting = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
        })
        .await;
        let expected = "L6RSP connection reset in the TLS handshake";
        assert_found(tcp(resetting, unverified()), V4, &shared, expected).await;

        let hanging = listen(V4, |mut stream| async move {
            stream.read_u8().await.unwrap();
            let_time_run_out().await;
            while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
        })
        .await;
        let expected = "L6TOUT no TLS handshake within 30s";
        assert_found(tcp(hanging, unverified()), V4, &shared, expected).await;
    });
}
