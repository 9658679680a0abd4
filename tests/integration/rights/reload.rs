//! The rights file: at the start, and when it is read again.

use rustix::process::Signal;
use tonic::Code;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{BackendRequest, CheckConfigRequest, ReloadConfigRequest, WatchRequest};

use super::calls::call;
use super::clients::{RightsDaemon, tokens, write_rights};
use crate::support::{TestBed, ran, soon};

#[tokio::test]
async fn a_file_that_cannot_be_used_ends_the_start_with_its_faults() {
    let bed = TestBed::new(&["a"]);
    let path = bed.dir().join("rights.yaml");
    write_rights(bed.dir(), "  a: { role: admin, users: [0] }\n  b: { role: viewer }\n");
    let command = |more: &[&str]| {
        let mut command = bed.command();
        command.args(["--grpc-addr", "127.0.0.1:0"]).arg("--rights").arg(&path).args(more);
        command
    };
    let faults = [
        format!("{}: rights.a.role: \"admin\" is no role", path.display()),
        format!("{}: rights.b: names nobody", path.display()),
    ];
    let (status, _, errors) = ran(&mut command(&[])).await;
    assert_eq!(status, 1, "{errors}");
    assert!(faults.iter().all(|fault| errors.contains(fault.as_str())), "{errors}");
    let (status, said, errors) = ran(&mut command(&["--check"])).await;
    assert_eq!(status, 2, "{errors}");
    assert!(said.contains("maglev.yaml: valid"), "{said}");
    assert!(faults.iter().all(|fault| errors.contains(fault.as_str())), "{errors}");
    write_rights(bed.dir(), "");
    let (status, said, _) = ran(&mut command(&["--check"])).await;
    assert_eq!((status, said.lines().count()), (0, 2), "{said}");
    std::fs::remove_file(&path).unwrap();
    let (status, _, errors) = ran(&mut command(&[])).await;
    assert_eq!((status, errors.lines().count()), (1, 1), "{errors}");
    assert!(errors.contains("give the right file with --rights"), "{errors}");
}

#[tokio::test]
async fn a_file_that_is_read_again_counts_at_once_and_a_bad_one_changes_nothing() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let (tokens, rights) = tokens(bed.dir()).await;
    let listeners = "127.0.0.1:0,role=none,unix:DIR/maglevd.sock";
    let mut system = RightsDaemon::start_on(bed, listeners, &rights, &[]).await;
    let channel = system.tcp(0).await;
    let viewer = Some(&*tokens[1].token);
    call(&channel, viewer, "ListBackends", false).await.unwrap();

    // A stream that was let in ends with the right to it.
    let mut client = MaglevClient::new(channel.clone());
    let mut request = tonic::Request::new(WatchRequest::default());
    let value = format!("Bearer {}", tokens[1].token).parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    let mut stream = client.watch_events(request).await.unwrap().into_inner();
    let mut unix = MaglevClient::new(system.unix().await);
    let mut kept = unix.watch_events(WatchRequest::default()).await.unwrap().into_inner();

    system.write_rights("  a: { role: admin, users: [0] }\n");
    system.daemon.signal(Signal::HUP);
    let line = system.daemon.logged_as("rights-kept", |line| {
        line["msg"].as_str().is_some_and(|msg| msg.starts_with("rights-kept"))
    });
    let line = line.await;
    assert!(line["error"].as_str().unwrap().contains("\"admin\" is no role"), "{line}");
    call(&channel, viewer, "ListBackends", false).await.unwrap();
    let answer = unix.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner();
    assert!(!answer.ok, "{answer:?}");
    let part = "the configuration was taken, the old rights stay: ";
    assert!(answer.reload_error.starts_with(part), "{answer:?}");
    let checked = unix.check_config(CheckConfigRequest {}).await.unwrap().into_inner();
    assert!(!checked.ok && checked.semantic_error.contains("rights.a.role"), "{checked:?}");

    system.write_rights("");
    let answer = unix.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner();
    assert!(answer.ok, "{answer:?}");
    let denied = call(&channel, viewer, "ListBackends", false).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let end = soon(async {
        loop {
            if let Err(end) = stream.message().await.map(Option::unwrap) {
                return end;
            }
        }
    });
    let end = end.await.unwrap();
    assert_eq!(end.code(), Code::PermissionDenied, "{end}");
    assert!(end.message().contains("was taken away"), "{end}");
    // Those whose rights have not changed go on.
    let request = BackendRequest { name: "a".into(), ..Default::default() };
    unix.pause_backend(request).await.unwrap();
    let goes_on = soon(async {
        while let Ok(Some(event)) = kept.message().await {
            if format!("{event:?}").contains("pause by uid") {
                return true;
            }
        }
        false
    });
    assert_eq!(goes_on.await, Some(true));

    // What is taken away does not wait for a configuration without faults.
    system.write_rights(&rights);
    assert!(unix.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner().ok);
    call(&channel, viewer, "ListBackends", false).await.unwrap();
    system.write_rights("");
    system.bed.write_config("maglev: { frontend: 1 }\n");
    assert!(!unix.reload_config(ReloadConfigRequest::default()).await.unwrap().into_inner().ok);
    let denied = call(&channel, viewer, "ListBackends", false).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_tcp_listener_where_anybody_may_operate_is_warned_of() {
    let is_warning = |line: &serde_json::Value| {
        line["msg"].as_str().is_some_and(|msg| msg.starts_with("grpc-open"))
    };
    let bed = TestBed::new(&[]);
    let listeners =
        "127.0.0.1:0,127.0.0.1:0,role=viewer,127.0.0.1:0,role=none,unix:DIR/maglevd.sock";
    let mut system = RightsDaemon::start_on(bed, listeners, "", &[]).await;
    let line = system.daemon.logged_as("grpc-open", is_warning).await;
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["address"], system.addresses()[0].as_str());
    let log = system.daemon.everything();
    assert_eq!(log.matches("grpc-open").count(), 1, "{log}");
    system.daemon.terminate().await;
}
