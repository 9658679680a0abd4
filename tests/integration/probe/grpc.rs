//! gRPC checks against tonic's health service and Python's.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::support::probe::*;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic_health::ServingStatus;
use vpp_maglev::probe::ThreadResources;

/// Serves on a free port until it is dropped.
struct Tonic(SocketAddr, tokio::task::JoinHandle<()>);

impl Drop for Tonic {
    fn drop(&mut self) {
        self.1.abort();
    }
}

impl Tonic {
    /// A server that knows `up` and `down`, or without a health service.
    async fn start(tls: Option<ServerTlsConfig>, has_health: bool) -> Self {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("up", ServingStatus::Serving).await;
        reporter.set_service_status("down", ServingStatus::NotServing).await;
        reporter.set_service_status("unsure", ServingStatus::Unknown).await;
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .unwrap();
        let router = server.add_service(reflection);
        let router = if has_health { router.add_service(health) } else { router };
        let listener = TcpListener::bind((V4, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let incoming = TcpListenerStream::new(listener);
        let serving = tokio::spawn(async move {
            router.serve_with_incoming(incoming).await.unwrap();
        });
        Self(at, serving)
    }

    fn keys(&self, params: &str) -> String {
        format!("type: grpc, port: {}, params: {{{params}}}", self.0.port())
    }
}

const ANSWERS: [(&str, &str); 5] = [
    ("", "L7OK SERVING"),
    ("service: up", "L7OK SERVING"),
    ("service: down", "L7STS NOT_SERVING: \"down\" is not served"),
    ("service: none", "L7CNT NOT_FOUND: the health service does not know \"none\""),
    ("service: unsure", "L7STS UNKNOWN: the state of \"unsure\" is not known"),
];

#[tokio::test]
async fn tonic_answers() {
    let shared = ThreadResources::new();
    let server = Tonic::start(None, true).await;
    for (params, expected) in ANSWERS {
        assert_eq!(found(&server.keys(params), &shared).await, expected, "{params}");
    }
    let without = Tonic::start(None, false).await;
    assert_eq!(
        found(&without.keys(""), &shared).await,
        "L7RSP UNIMPLEMENTED: there is no health service (grpc.health.v1.Health)"
    );
    let closed = closed_port(V4).await.port();
    let keys = format!("type: grpc, port: {closed}");
    assert_eq!(found(&keys, &shared).await, "L4CON connection refused");
}

#[tokio::test]
async fn tonic_answers_over_tls() {
    let Some(certificates) = Certificates::make() else { return };
    let identity = Identity::from_pem(certificates.read("good.pem"), certificates.read("good.key"));
    let server = Tonic::start(Some(ServerTlsConfig::new().identity(identity)), true).await;
    let ca = certificates.path("ca.pem");
    let shared = ThreadResources::new();
    let keys = |params: &str| {
        server.keys(&format!("ssl: true, server-name: localhost, {params}, service: down"))
    };
    let trusted = keys(&format!("ca-file: {}", ca.display()));
    assert_eq!(found(&trusted, &shared).await, "L7STS NOT_SERVING: \"down\" is not served");
    let unknown = found(&keys("min-tls: 1.3"), &shared).await;
    assert_eq!(unknown, "L6RSP certificate: unable to get local issuer certificate");
    let plain = found(&server.keys(""), &shared).await;
    assert!(plain.starts_with("L7RSP "), "{plain}");
}

#[test]
fn what_speaks_something_else_is_told_as_that() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    local(async {
        let shared = ThreadResources::new();
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "L7RSP not as HTTP/2 has it: "),
            ("", "L7RSP "),
        ] {
            let server = listen(V4, move |mut stream| async move {
                let _ = stream.write_all(answer.as_bytes()).await;
                if !answer.is_empty() {
                    // What is not read would have the kernel reset the connection.
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            })
            .await;
            let result = found(&format!("type: grpc, port: {}", server.port()), &shared).await;
            assert!(result.starts_with(expected), "{result}");
        }
    });
}

const PYTHON: &str = r#"
from concurrent import futures
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
servicer = health.HealthServicer()
S = health_pb2.HealthCheckResponse
for name, status in [("", S.SERVING), ("up", S.SERVING), ("down", S.NOT_SERVING), ("unsure", S.UNKNOWN)]:
    servicer.set(name, status)
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"#;

#[tokio::test]
async fn grpcio_answers() {
    use std::io::{BufRead, BufReader};
    let has = Command::new("python3").args(["-c", "import grpc_health.v1.health"]).output();
    if !has.is_ok_and(|it| it.status.success()) {
        skipped("Python's grpcio-health-checking is not installed");
        return;
    }
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let _peer = crate::probe::peers::Peer::of(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    let shared = ThreadResources::new();
    for (params, expected) in ANSWERS {
        let keys = format!("type: grpc, port: {port}, params: {{{params}}}");
        assert_eq!(found(&keys, &shared).await, expected, "{params}");
    }
}
