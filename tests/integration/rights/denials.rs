//! What whoever is denied is told, and what the daemon keeps of it.

use tonic::Code;
use tonic::transport::Channel;

use super::calls::call;
use super::clients::{RightsDaemon, Token};
use crate::support::{TestBed, get, metrics_address, sample, soon};

async fn denied(channel: &Channel, token: Option<&str>, method: &str) -> (Code, String) {
    let status = call(channel, token, method, false).await.unwrap_err();
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn whoever_is_denied_is_told_who_they_are_what_is_missing_and_how_to_get_it() {
    let rights = format!("  eyes: {{ role: viewer, tokens: [\"sha256:{}\"] }}\n", "0".repeat(64));
    let listeners = "127.0.0.1:0,role=viewer,unix:DIR/maglevd.sock,role=operator,\
                     127.0.0.1:0,role=none";
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let token = Token::new(bed.dir()).await;
    let rights = rights.replace(&format!("sha256:{}", "0".repeat(64)), &token.digest);
    let mut system = RightsDaemon::start_on(bed, listeners, &rights, &[]).await;
    let socket = system.socket().display().to_string();
    let (viewer, nobody) = (system.tcp(0).await, system.tcp(1).await);
    let address = system.addresses()[0].clone();

    let (code, said) = denied(&viewer, None, "PauseBackend").await;
    assert_eq!(code, Code::PermissionDenied);
    let parts = [
        "PauseBackend takes the role operator, and 127.0.0.1:",
        &format!(" has viewer, by the listener {address}: ask over unix:{socket}, or have "),
        "have yourself named in the rights file",
        "maglevc show identity",
    ];
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    let (_, said) = denied(&viewer, Some(&token.token), "PauseBackend").await;
    let part = "and eyes 127.0.0.1:";
    assert!(said.contains(part), "{said}");
    let part = "has viewer, by rights.eyes of the rights file, by token: have the role changed";
    assert!(said.contains(part), "{said}");
    let (code, said) = denied(&nobody, None, "ListBackends").await;
    assert_eq!(code, Code::PermissionDenied);
    assert!(said.contains("takes the role viewer") && said.contains("has no role"), "{said}");
    let (code, said) = denied(&viewer, Some("maglev-wrong"), "ListBackends").await;
    assert_eq!(code, Code::Unauthenticated);
    assert!(said.contains("the token is of nobody in the rights file"), "{said}");

    let line = system.daemon.logged("api-denied").await;
    assert_eq!(line["method"], "PauseBackend");
    assert_eq!(line["role"], "viewer");
    assert_eq!(line["listener"], address.as_str());
    assert!(line["who"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");

    let metrics = metrics_address(&mut system.daemon).await;
    let counted = async |method: &str, cause: &str| {
        let series = format!("maglev_api_denied_total{{method=\"{method}\",cause=\"{cause}\"}}");
        sample(&metrics, &series).await
    };
    assert_eq!(counted("PauseBackend", "role").await, "2");
    assert_eq!(counted("ListBackends", "role").await, "1");
    assert_eq!(counted("ListBackends", "token").await, "1");
    assert_eq!(counted("GetBackend", "role").await, "0");
    // Methods that nobody knows make no series of their own.
    for number in 0..20 {
        call(&nobody, None, &format!("NoSuch{number}"), false).await.unwrap_err();
    }
    assert_eq!(counted("other", "role").await, "20");
    let (_, page) = get(&metrics, "/metrics").await;
    assert!(!page.contains("NoSuch"), "{page}");
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_flood_of_denied_calls_is_cut_in_the_log_and_in_the_audit_and_counted() {
    let mut system = RightsDaemon::start("127.0.0.1:0,role=viewer", "", &[]).await;
    let viewer = system.tcp(0).await;
    for _ in 0..300 {
        denied(&viewer, None, "PauseBackend").await;
    }
    let metrics = metrics_address(&mut system.daemon).await;
    let series = "maglev_api_denied_total{method=\"PauseBackend\",cause=\"role\"}";
    assert_eq!(sample(&metrics, series).await, "300");
    system.daemon.signal(rustix::process::Signal::TERM);
    soon(system.daemon.ended()).await.unwrap();
    assert_eq!(system.daemon.records("api-denied").len(), 10);
    assert_eq!(system.daemon.records("audit").len(), 100);
}

#[tokio::test]
async fn a_token_is_nowhere_in_the_log() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let token = Token::new(bed.dir()).await;
    let rights = format!("  eyes: {{ role: viewer, tokens: [\"{}\"] }}\n", token.digest);
    let flags = ["--log-level", "debug"];
    let listeners = "127.0.0.1:0,role=none";
    let mut system = RightsDaemon::start_on(bed, listeners, &rights, &flags).await;
    let channel = system.tcp(0).await;
    let wrong = format!("{}0", token.token);
    call(&channel, Some(&token.token), "ListBackends", false).await.unwrap();
    call(&channel, Some(&token.token), "PauseBackend", false).await.unwrap_err();
    call(&channel, Some(&wrong), "PauseBackend", false).await.unwrap_err();
    let metrics = metrics_address(&mut system.daemon).await;
    let (_, page) = get(&metrics, "/metrics").await;
    system.daemon.signal(rustix::process::Signal::TERM);
    soon(system.daemon.ended()).await.unwrap();
    let secret = &token.token["maglev-".len()..];
    let digest = &token.digest["sha256:".len()..];
    let log = system.daemon.everything();
    assert!(log.contains("api-denied") && log.contains("\"audit\""), "{log}");
    for text in [&log, &page, &system.daemon.errors()] {
        assert!(!text.contains(secret) && !text.contains(digest), "{text}");
    }
}
