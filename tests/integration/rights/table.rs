//! Every RPC, by every role, over every way in.

use std::collections::BTreeSet;

use rustix::process::{getegid, geteuid};
use tonic::Code;
use tonic_health::pb::health_client::HealthClient;
use vpp_maglev::domain::rights::METHODS;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{ReloadConfigRequest, SyncVpplbStateRequest};

use super::calls::{CHANGING, OPEN, READING, ROLES, assert_role, call_path, methods};
use super::clients::{RightsDaemon, tokens, unix_as, with_certificate};
use crate::support::TestBed;
use crate::support::certificates::{Authority, Holds};

#[test]
fn every_rpc_of_the_interface_has_a_role() {
    let names: Vec<String> = methods().into_iter().map(|(name, _)| name).collect();
    let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let table: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    assert_eq!(table, names, "domain::rights::METHODS has every RPC, in the interface's order");
    let listed: BTreeSet<&str> = [READING, CHANGING, OPEN].concat().into_iter().collect();
    assert_eq!(listed, known, "a new RPC belongs into one of the lists of this test");
    assert_eq!(listed.len(), READING.len() + CHANGING.len() + OPEN.len());
}

#[tokio::test]
async fn a_listener_lets_everybody_in_with_its_role() {
    let listeners = "127.0.0.1:0,role=none,127.0.0.1:0,role=viewer,127.0.0.1:0,role=operator,\
                     127.0.0.1:0";
    let system = RightsDaemon::start(listeners, "", &[]).await;
    for (place, role) in ROLES.into_iter().chain(["operator"]).enumerate() {
        let channel = system.tcp(place).await;
        assert_role(&channel, None, role, &format!("listener {place}")).await;
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_token_has_its_role_on_every_listener() {
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
    let (tokens, rights) = tokens(bed.dir()).await;
    let listeners = "127.0.0.1:0,role=none,127.0.0.1:0,role=operator";
    let system = RightsDaemon::start_on(bed, listeners, &rights, &[]).await;
    for place in 0..2 {
        let channel = system.tcp(place).await;
        for (token, role) in tokens.iter().zip(ROLES) {
            assert_role(&channel, Some(&token.token), role, "a token").await;
        }
        // One that is of nobody opens nothing, not even what the listener would.
        for (method, is_stream) in methods() {
            let path = format!("/maglev.Maglev/{method}");
            let answer = call_path(&channel, Some("maglev-unknown"), &path, is_stream).await;
            assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated, "{method}");
        }
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_name_of_a_certificate_has_its_role() {
    let bed = TestBed::new(&["a", "b"]).pools(&["a b"]).vpp("embedded");
    let authority = Authority::new("house");
    let (cert, key) = authority.issue("maglevd", Holds::Now).write(bed.dir(), "maglevd");
    let ca = bed.dir().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let flags = [("--grpc-tls-cert", cert), ("--grpc-tls-key", key), ("--grpc-tls-client-ca", ca)];
    let flags: Vec<String> = flags
        .into_iter()
        .flat_map(|(flag, path)| [flag.to_owned(), path.display().to_string()])
        .collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let rights: String = ROLES
        .iter()
        .map(|role| format!("  by-cn-{role}: {{ role: {role}, certificates: [\"cn:{role}\"] }}\n"))
        .collect();
    let listeners =
        "127.0.0.1:0,role=none,127.0.0.1:0,role=operator,unix:DIR/maglevd.sock,role=operator";
    let system = RightsDaemon::start_on(bed, listeners, &rights, &flags).await;
    for address in system.addresses() {
        for role in ROLES {
            let channel = with_certificate(&address, &authority, role).await;
            assert_role(&channel, None, role, "a common name").await;
        }
    }
    let address = &system.addresses()[0];
    let channel = with_certificate(address, &authority, "stranger").await;
    assert_role(&channel, None, "none", "a name that nobody has").await;

    // Every certificate of this authority has the alternative names localhost and
    // 127.0.0.1.
    let dns = |role| format!("  by-dns: {{ role: {role}, certificates: [\"dns:LOCALHOST\"] }}\n");
    let by_ip = "  by-ip: { role: viewer, certificates: [\"ip:127.0.0.1\"] }\n";
    for (rights, role) in [
        (dns("none"), "none"),
        (dns("viewer"), "viewer"),
        (dns("operator"), "operator"),
        (dns("operator") + by_ip, "viewer"),
    ] {
        system.write_rights(&rights);
        let mut reloader = MaglevClient::new(system.unix().await);
        let answer = reloader.reload_config(ReloadConfigRequest::default()).await;
        assert!(answer.unwrap().into_inner().ok);
        assert_role(&channel, None, role, "alternative names").await;
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_user_and_a_group_of_a_unix_socket_have_their_roles() {
    let system =
        RightsDaemon::start("unix:DIR/maglevd.sock,role=none,127.0.0.1:0,role=operator", "", &[])
            .await;
    let mut reloader = MaglevClient::new(system.tcp(0).await);
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    for key in [format!("users: [{user}]"), format!("groups: [{group}]")] {
        for role in ROLES {
            system.write_rights(&format!("  self: {{ role: {role}, {key} }}\n"));
            let answer = reloader.reload_config(ReloadConfigRequest::default()).await;
            assert!(answer.unwrap().into_inner().ok);
            assert_role(&system.unix().await, None, role, &key).await;
        }
    }
    system.daemon.terminate().await;
}

#[tokio::test]
async fn supplementary_groups_count_and_a_user_before_them() {
    if !geteuid().is_root() {
        eprintln!("skipped: to be another user for a moment takes root");
        return;
    }
    let rights = "  ops: { role: operator, groups: [5001] }\n  \
                  eyes: { role: viewer, groups: [5002] }\n  \
                  left: { role: none, users: [6002] }\n";
    let listeners = "unix:DIR/maglevd.sock,role=none,127.0.0.1:0,role=viewer";
    let system = RightsDaemon::start(listeners, rights, &["--grpc-unix-mode", "0666"]).await;
    let open = |path: &std::path::Path, mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(system.bed.dir(), 0o755);
    let socket = system.socket();
    let many: Vec<u32> = (7000..7200).chain([5001]).collect();
    for (user, group, groups, role) in [
        (6001, 5001, &[][..], "operator"),
        (6001, 9, &[8, 5001], "operator"),
        (6001, 9, &many, "operator"),
        (6001, 5002, &[5001], "viewer"),
        (6001, 9, &[8], "none"),
        (6002, 5001, &[5001], "none"),
        (5001, 9, &[], "none"),
    ] {
        let channel = unix_as(&socket, user, group, groups).await;
        assert_role(&channel, None, role, &format!("user {user} group {group}")).await;
    }
    system.daemon.terminate().await;
}

/// A dry run of a sync is for viewers; health and reflection are, too.
#[tokio::test]
async fn viewers_see_what_a_sync_would_do_and_use_health_and_reflection() {
    let system =
        RightsDaemon::start("127.0.0.1:0,role=viewer,127.0.0.1:0,role=none", "", &[]).await;
    let (viewer, nobody) = (system.tcp(0).await, system.tcp(1).await);
    let dry_run = || SyncVpplbStateRequest { dry_run: true, ..Default::default() };
    let answer = MaglevClient::new(viewer.clone()).sync_vpplb_state(dry_run()).await;
    let code = answer.err().map(|status| status.code());
    assert!(matches!(code, None | Some(Code::Unavailable)), "{code:?}");
    let answer = MaglevClient::new(nobody.clone()).sync_vpplb_state(dry_run()).await;
    assert_eq!(answer.unwrap_err().code(), Code::PermissionDenied);

    let mut health = HealthClient::new(viewer.clone());
    health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();
    let mut health = HealthClient::new(nobody.clone());
    let denied = health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    call_path(&viewer, None, reflection, true).await.unwrap();
    let denied = call_path(&nobody, None, reflection, true).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    // What there is not is said to viewers alone.
    let missing = call_path(&viewer, None, "/maglev.Maglev/NoSuch", false).await.unwrap_err();
    assert_eq!(missing.code(), Code::Unimplemented);
    let denied = call_path(&nobody, None, "/maglev.Maglev/NoSuch", false).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    system.daemon.terminate().await;
}
