//! The gRPC interface from the outside: every call, every status code, what
//! operators' commands do to VPP.

use std::fmt::Debug;

use crate::support::{ReadyDaemon, TestBed, VIP4, VIP6};
use tonic::{Code, Response, Status};
use vpp_maglev::pb::*;

fn backend(name: &str) -> BackendRequest {
    BackendRequest { name: name.into(), ..Default::default() }
}

#[tokio::test]
async fn every_question_is_answered() {
    let mut system = ReadyDaemon::start().await;
    let client = &mut system.client;
    let frontends = client.list_frontends(ListFrontendsRequest {}).await.unwrap().into_inner();
    assert_eq!(frontends.frontend_names, ["v4", "v6"]);
    // As it is already, and answered once VPP's last answers are in.
    let request = SetWeightRequest {
        frontend: "v6".into(),
        pool: "pool0".into(),
        backend: "a".into(),
        weight: 100,
        wait_ns: 30_000_000_000,
        ..SetWeightRequest::default()
    };
    client.set_frontend_pool_backend_weight(request).await.unwrap();
    let request = GetFrontendRequest { name: "v6".into() };
    let frontend = client.get_frontend(request).await.unwrap().into_inner();
    let member = |name: &str, weight, effective_weight, asked: f64, held: u32| PoolBackendInfo {
        name: name.into(),
        weight,
        effective_weight,
        weight_overridden: false,
        asked_share: Some(asked / 140.0),
        real_share: Some(f64::from(held) / 1024.0),
        vpp_buckets: Some(held),
        weight_override: None,
        slow_start: None,
        doubt: None,
    };
    let expected = FrontendInfo {
        name: "v6".into(),
        address: VIP6.into(),
        protocol: "tcp".into(),
        port: 80,
        pools: vec![
            PoolInfo {
                name: "pool0".into(),
                backends: vec![member("a", 100, 100, 100.0, 722), member("b", 40, 40, 40.0, 302)],
            },
            PoolInfo { name: "pool1".into(), backends: vec![member("c", 100, 0, 0.0, 0)] },
        ],
        description: String::new(),
        src_ip_sticky: false,
        flush_on_down: true,
        state: "up".into(),
        new_flows_table_length: 1024,
        warnings: vec![],
        vpp_refusal: String::new(),
        programmed: true,
        not_programmed: String::new(),
        // Only once it was read back.
        serving: frontend.serving,
        fail_open: None,
        announcement: None,
    };
    assert_eq!(frontend, expected);

    let backends = client.list_backends(ListBackendsRequest {}).await.unwrap().into_inner();
    assert_eq!(backends.backend_names, ["a", "b", "c"]);
    let request = GetBackendRequest { name: "a".into() };
    let a = client.get_backend(request).await.unwrap().into_inner();
    let [first] = &a.transitions[..] else { panic!("{a:?}") };
    assert_eq!((first.from.as_str(), first.to.as_str()), ("unknown", "up"));
    assert_eq!(first.why, "L7OK 200 OK");
    assert!(first.at_unix_ns > 1_600_000_000_000_000_000);
    let expected = BackendInfo {
        name: "a".into(),
        address: system.bed.backends[0].ip().to_string(),
        state: "up".into(),
        transitions: a.transitions.clone(),
        enabled: true,
        healthcheck: "a".into(),
        counter: 3,
        last_result: "L7OK 200 OK".into(),
        enabled_overridden: false,
        dns_name: String::new(),
        unresolved: String::new(),
        programmed: true,
        not_programmed: String::new(),
        doubt: None,
        damping: None,
        admin_override: None,
        drain: None,
        slow_starts: vec![],
        now_unix_ns: a.now_unix_ns,
        port: 0,
        certificate: None,
        probes: a.probes.clone(),
    };
    assert!((1..=10).contains(&a.probes.len()) && a.probes.iter().all(|probe| probe.passed));
    assert!(a.probes.is_sorted_by_key(|probe| probe.at_unix_ns), "{:?}", a.probes);
    assert_eq!(a, expected);
    assert!(a.now_unix_ns >= first.at_unix_ns);

    let checks = client.list_health_checks(ListHealthChecksRequest {}).await.unwrap().into_inner();
    assert_eq!(checks.names, ["a", "b", "c"]);
    let request = GetHealthCheckRequest { name: "b".into() };
    let check = client.get_health_check(request).await.unwrap().into_inner();
    assert_eq!((check.r#type.as_str(), check.interval_ns), ("http", 50_000_000));
    assert_eq!((check.rise, check.fall, check.timeout_ns), (2, 2, 20_000_000_000));
    assert_eq!(check.port, u32::from(system.bed.backends[1].address.port()));

    let info = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap().into_inner();
    // The dataplane is part of this process.
    assert_eq!((info.pid, info.missing_messages), (std::process::id(), vec![]));
    assert!(!info.version.is_empty() && info.connecttime_ns > 0);
    assert!(info.now_unix_ns >= info.connecttime_ns);
    // Without the stats socket it is not known when VPP started.
    assert!(info.connected_for_ns > 0 && info.uptime_ns == 0, "{}", info.uptime_ns);

    let state = client.get_vpplb_state(GetVpplbStateRequest {}).await.unwrap().into_inner();
    let conf = state.conf.unwrap();
    assert_eq!((conf.ip4_src_address.as_str(), conf.flow_timeout), ("192.0.2.1", 40));
    let vips: Vec<_> = state.vips.iter().map(|vip| (vip.prefix.as_str(), vip.port)).collect();
    assert_eq!(vips, [(format!("{VIP4}/32").as_str(), 80), (&format!("{VIP6}/128"), 80)]);
    for vip in &state.vips {
        assert_eq!((vip.encap.as_str(), vip.flow_table_length, vip.protocol), ("gre4", 1024, 6));
        let weights: Vec<_> = vip.application_servers.iter().map(|server| server.weight).collect();
        assert_eq!(weights, [100, 40, 0]);
        let buckets = vip.application_servers.iter().map(|server| server.num_buckets);
        assert_eq!(buckets.sum::<u32>(), 1024);
    }
    system.daemon.terminate().await;
}

fn refused<T: Debug>(result: Result<Response<T>, Status>, code: Code, part: &str) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(part), "{part:?} is not in: {status}");
}

#[tokio::test]
async fn what_is_not_there_or_makes_no_sense_is_refused() {
    let mut system = ReadyDaemon::start().await;
    let client = &mut system.client;
    let name = || "ghost".to_owned();
    let gone = |part| move |result| refused::<BackendInfo>(result, Code::NotFound, part);
    gone("ghost")(client.get_backend(GetBackendRequest { name: name() }).await);
    gone("ghost")(client.pause_backend(backend("ghost")).await);
    gone("ghost")(client.resume_backend(backend("ghost")).await);
    gone("ghost")(client.enable_backend(backend("ghost")).await);
    gone("ghost")(client.disable_backend(backend("ghost")).await);
    let frontend = client.get_frontend(GetFrontendRequest { name: name() }).await;
    refused(frontend, Code::NotFound, "ghost");
    let check = client.get_health_check(GetHealthCheckRequest { name: name() }).await;
    refused(check, Code::NotFound, "ghost");
    let request =
        SyncVpplbStateRequest { frontend_name: Some(name()), dry_run: false, force: false };
    refused(client.sync_vpplb_state(request).await, Code::NotFound, "ghost");

    let good = SetWeightRequest {
        frontend: "v4".into(),
        pool: "pool0".into(),
        backend: "a".into(),
        weight: 1,
        ..SetWeightRequest::default()
    };
    for (request, code) in [
        (SetWeightRequest { frontend: name(), ..good.clone() }, Code::NotFound),
        (SetWeightRequest { pool: name(), ..good.clone() }, Code::NotFound),
        (SetWeightRequest { backend: name(), ..good.clone() }, Code::NotFound),
        (SetWeightRequest { weight: -1, ..good.clone() }, Code::InvalidArgument),
        (SetWeightRequest { weight: 101, ..good.clone() }, Code::InvalidArgument),
        (SetWeightRequest { wait_ns: -7, ..good.clone() }, Code::InvalidArgument),
    ] {
        let part = match (code, request.wait_ns) {
            (Code::NotFound, _) => "ghost".into(),
            (_, 0) => request.weight.to_string(),
            (_, wait_ns) => wait_ns.to_string(),
        };
        refused(client.set_frontend_pool_backend_weight(request).await, code, &part);
    }
    for (request, code, part) in [
        (SetWeightRequest { for_ns: -7, ..good.clone() }, Code::InvalidArgument, "for_ns -7"),
        (SetWeightRequest { for_ns: i64::MAX, ..good.clone() }, Code::InvalidArgument, "366 days"),
        (SetWeightRequest { why: "a\nb".into(), ..good.clone() }, Code::InvalidArgument, "why: "),
        (SetWeightRequest { why: "x".repeat(201), ..good.clone() }, Code::InvalidArgument, "201"),
        // It would not override anything.
        (
            SetWeightRequest { weight: 100, for_ns: 7, ..good.clone() },
            Code::FailedPrecondition,
            "leave out how long",
        ),
    ] {
        refused(client.set_frontend_pool_backend_weight(request).await, code, part);
    }
    let request = WatchRequest { log_level: "loud".into(), ..WatchRequest::default() };
    refused(client.watch_events(request).await, Code::InvalidArgument, "loud");

    client.disable_backend(backend("a")).await.unwrap();
    refused(client.pause_backend(backend("a")).await, Code::FailedPrecondition, "disabled");
    refused(client.resume_backend(backend("a")).await, Code::FailedPrecondition, "disabled");
    client.enable_backend(backend("a")).await.unwrap();
    system.dataplane.until_both("a=100 b=40 c=0").await;
    system.daemon.terminate().await;
}

#[tokio::test]
async fn without_a_vpp_its_calls_are_unavailable_and_the_rest_works() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    let mut client = daemon.client().await;
    let part = "no VPP is configured";
    refused(client.get_vpp_info(GetVppInfoRequest {}).await, Code::Unavailable, part);
    refused(client.get_vpplb_state(GetVpplbStateRequest {}).await, Code::Unavailable, part);
    let request = SyncVpplbStateRequest::default();
    refused(client.sync_vpplb_state(request).await, Code::Unavailable, part);
    client.pause_backend(backend("a")).await.unwrap();
    daemon.terminate().await;
}

#[tokio::test]
async fn operators_commands_reach_vpp_and_are_shown_as_overrides() {
    let mut system = ReadyDaemon::start().await;
    let shown = |info: &BackendInfo| (info.state.clone(), info.enabled, info.enabled_overridden);

    // Paused: no new flows, established ones go on.
    let a = system.client.pause_backend(backend("a")).await.unwrap().into_inner();
    assert_eq!(shown(&a), ("paused".into(), true, true));
    assert!(a.transitions.last().unwrap().why.starts_with("pause by 127.0.0.1:"), "{a:?}");
    assert_eq!(system.written("a=0 b=40 c=0").await, ["v4 a 0", "v6 a 0"]);
    let again = system.client.pause_backend(backend("a")).await.unwrap().into_inner();
    assert_eq!(again.transitions, a.transitions);

    // Disabled: its flows are forgotten, although its weight is 0 already.
    let a = system.client.disable_backend(backend("a")).await.unwrap().into_inner();
    assert_eq!(shown(&a), ("disabled".into(), false, true));
    system.dataplane.until_written(2).await;
    assert_eq!(system.dataplane.writes(), ["v4 a 0 flush", "v6 a 0 flush"]);

    // The other goes as well: the fallback serves.
    system.client.disable_backend(backend("b")).await.unwrap();
    let writes = system.written("a=0 b=0 c=100").await;
    assert_eq!(writes, ["v4 c 100", "v4 b 0 flush", "v6 c 100", "v6 b 0 flush"]);

    // Enabled: probed anew, and back with the first pass.
    let a = system.client.enable_backend(backend("a")).await.unwrap().into_inner();
    assert_eq!((a.enabled, a.enabled_overridden), (true, false));
    assert_eq!(system.written("a=100 b=0 c=0").await, ["v4 a 100", "v4 c 0", "v6 a 100", "v6 c 0"]);
    system.client.enable_backend(backend("b")).await.unwrap();
    system.written("a=100 b=40 c=0").await;

    // A weight is of one pool of one frontend.
    let v4 = system.weight("pool0", "a", 7).await;
    let a = &v4.pools[0].backends[0];
    assert_eq!((a.weight, a.effective_weight, a.weight_overridden), (7, 7, true));
    system.dataplane.until("v4 a=7 b=40 c=0 / v6 a=100 b=40 c=0").await;
    assert_eq!(system.dataplane.writes(), ["v4 a 7"]);
    // Without weight no server of the pool serves; then the file's own weights again.
    system.weight("pool0", "a", 0).await;
    // Two changes that meet would go out as one plan.
    system.dataplane.until("v4 a=0 b=40 c=0 / v6 a=100 b=40 c=0").await;
    system.weight("pool0", "b", 0).await;
    system.dataplane.until("v4 a=0 b=0 c=100 / v6 a=100 b=40 c=0").await;
    assert_eq!(system.dataplane.writes(), ["v4 a 0", "v4 c 100", "v4 b 0"]);
    system.weight("pool0", "a", 100).await;
    let v4 = system.weight("pool0", "b", 40).await;
    assert!(!v4.pools[0].backends.iter().any(|backend| backend.weight_overridden));
    system.dataplane.until_both("a=100 b=40 c=0").await;
    system.daemon.terminate().await;
}

#[tokio::test]
async fn a_change_does_what_was_foreseen() {
    let mut system = ReadyDaemon::start().await;
    let client = &mut system.client;
    let ask = |frontend: &str, backend: &str, weight| PredictChangeRequest {
        frontend: frontend.into(),
        backend: backend.into(),
        weight,
    };
    for (request, code) in [
        (ask("nowhere", "b", 10), Code::NotFound),
        (ask("v6", "nobody", 10), Code::NotFound),
        (ask("v6", "b", 101), Code::InvalidArgument),
    ] {
        assert_eq!(client.predict_change(request).await.unwrap_err().code(), code);
    }
    let standby = client.predict_change(ask("v6", "c", 50)).await.unwrap().into_inner();
    assert_eq!(standby.moves, Some(TableMoves { entries: 1024, own: 0, collateral: 0 }));

    // Without b only a is left; without a's pool the standby serves.
    let foreseen = client.predict_change(ask("v6", "b", 80)).await.unwrap().into_inner();
    let moves = foreseen.moves.unwrap();
    assert!(moves.own > 0 && moves.own + moves.collateral < 512, "{moves:?}");
    let request = SetWeightRequest {
        frontend: "v6".into(),
        pool: "pool0".into(),
        backend: "b".into(),
        weight: 80,
        ..SetWeightRequest::default()
    };
    client.set_frontend_pool_backend_weight(request).await.unwrap();
    client.sync_vpplb_state(SyncVpplbStateRequest::default()).await.unwrap();
    let state = client.get_vpplb_state(GetVpplbStateRequest {}).await.unwrap().into_inner();
    let vip = state.vips.iter().find(|vip| vip.prefix == format!("{VIP6}/128")).unwrap();
    for server in &foreseen.servers {
        let held = vip.application_servers.iter().find(|held| held.address == server.address);
        let held = held.unwrap();
        assert_eq!((held.weight, held.num_buckets), (server.weight_after, server.buckets_after));
    }
}
