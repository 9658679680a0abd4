//! What can be watched, and how clients find out that the daemon serves: event
//! streams, the health service, reflection.

use crate::support::{ReadyDaemon, TestBed, Watch, soon};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use vpp_maglev::pb::{BackendRequest, ResumePoint, WatchRequest};

fn backend(name: &str) -> BackendRequest {
    BackendRequest { name: name.into(), ..Default::default() }
}

/// The next events, one line each.
async fn lines(watch: &mut Watch, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for count in 0..count {
        let line = watch.next().await.unwrap();
        lines.push(line.unwrap_or_else(|| panic!("no event in time after {count}")));
    }
    lines
}

#[tokio::test]
async fn a_stream_brings_what_was_asked_for_in_order() {
    let mut system = ReadyDaemon::start().await;
    let only = |log, backend, frontend, dataplane| WatchRequest {
        log: Some(log),
        backend: Some(backend),
        frontend: Some(frontend),
        dataplane: Some(dataplane),
        ..WatchRequest::default()
    };
    let mut backends = system.daemon.watch_as(only(false, true, false, false)).await;
    let mut frontends = system.daemon.watch_as(only(false, false, true, false)).await;
    let mut dataplane = system.daemon.watch_as(only(false, false, false, true)).await;
    let mut log = system.daemon.watch_as(only(true, false, false, false)).await;
    let (change, audit) = (Some(true), Some(true));
    let all = WatchRequest { change, audit, ..WatchRequest::default() };
    let mut all = system.daemon.watch_as(all).await;
    for name in ["a", "b", "c"] {
        system.client.pause_backend(backend(name)).await.unwrap();
    }
    let up = ["backend a up>up", "backend b up>up", "backend c up>up"];
    let paused = ["backend a up>paused", "backend b up>paused", "backend c up>paused"];
    assert_eq!(lines(&mut backends, 6).await, [up, paused].concat());
    let down = ["frontend v4 up>down", "frontend v6 up>down"];
    let present = ["frontend v4 up>up", "frontend v6 up>up"];
    assert_eq!(lines(&mut frontends, 4).await, [present, down].concat());
    let written = [
        "dataplane v4 as_weight_updated v4 a weight 0 (was 100)",
        "dataplane v6 as_weight_updated v6 a weight 0 (was 100)",
        "dataplane v4 as_weight_updated v4 c weight 100 (was 0)",
        "dataplane v4 as_weight_updated v4 b weight 0 (was 40)",
    ];
    // Between them VPP's confirmations come, each once its flip is answered.
    let confirmed = |line: &String| line.ends_with(" programmed VPP holds what is desired");
    let mut seen = dataplane.until_all(&written).await;
    seen.retain(|line| !confirmed(line));
    assert_eq!(seen, written);
    log.until("log vpp-lbsync-as-weight").await;
    all.until_all(&[paused[2], down[1], written[3], "log backend-transition"]).await;

    // Numbers rise by one, whatever is watched; of the present state only the
    // end has one.
    let seqs: Vec<_> = all.events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs[..4], [0; 4]);
    assert!(seqs[4] > 0 && seqs[4..].is_sorted_by(|one, next| one + 1 == *next), "{seqs:?}");
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_stream_resumes_where_another_ended() {
    let mut system = ReadyDaemon::start().await;
    let no = Some(false);
    let quiet = WatchRequest { log: no, dataplane: no, frontend: no, ..WatchRequest::default() };
    let mut first = system.daemon.watch_as(quiet.clone()).await;
    first.until("backend c up>up").await;
    system.client.pause_backend(backend("a")).await.unwrap();
    first.until("backend a up>paused").await;
    let point = first.resume_point();
    drop(first);
    system.client.pause_backend(backend("b")).await.unwrap();
    system.client.resume_backend(backend("a")).await.unwrap();
    let mut resumed =
        system.daemon.watch_as(WatchRequest { resume: Some(point), ..quiet.clone() }).await;
    let said = resumed.until("backend a unknown>up").await;
    assert_eq!(said, ["backend b up>paused", "backend a paused>unknown"]);

    // Of another life, or of the future: missed, and the present state follows.
    let last = resumed.resume_point();
    for (boot_id, seq) in [(point.boot_id ^ 1, last.seq), (point.boot_id, u64::MAX)] {
        let resume = Some(ResumePoint { boot_id, seq });
        let mut watch = system.daemon.watch_as(WatchRequest { resume, ..quiet.clone() }).await;
        let said = lines(&mut watch, 4).await;
        assert!(said[0].starts_with("missed "), "{said:?}");
        let present = ["backend a up>up", "backend b paused>paused", "backend c up>up"];
        assert_eq!(said[1..], present);
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn health_and_reflection_are_served() {
    let bed = TestBed::new(&[]);
    let daemon = bed.start().await;
    let mut health = HealthClient::new(daemon.channel().await);
    for service in ["", "maglev.Maglev"] {
        let request = HealthCheckRequest { service: service.into() };
        let mut watch = health.watch(request.clone()).await.unwrap().into_inner();
        let serving = async {
            while watch.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        };
        soon(serving).await.expect("it serves");
        let status = health.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving);
    }

    let mut reflection = ServerReflectionClient::new(daemon.channel().await);
    let mut ask = async |message_request| {
        let message_request = Some(message_request);
        let request = ServerReflectionRequest { host: String::new(), message_request };
        let answers = reflection.server_reflection_info(tokio_stream::once(request)).await;
        let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap();
        answer.message_response.unwrap()
    };
    let listed = ask(MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(listed) = listed else { panic!("{listed:?}") };
    let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["maglev.Maglev", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let file = ask(MessageRequest::FileContainingSymbol("maglev.Maglev".into())).await;
    let MessageResponse::FileDescriptorResponse(file) = file else { panic!("{file:?}") };
    let contains =
        |bytes: &Vec<u8>, text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(file.file_descriptor_proto.iter().any(|file| contains(file, "SyncVPPLBState")));
    daemon.terminate().await;

    let daemon = bed.start_with(&["--reflection=false"]).await;
    let mut reflection = ServerReflectionClient::new(daemon.channel().await);
    let nothing = tokio_stream::empty::<ServerReflectionRequest>();
    let refused = reflection.server_reflection_info(nothing).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
    daemon.terminate().await;
}
