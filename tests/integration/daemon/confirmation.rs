//! A command is answered with VPP's word on it, for those who wait for that.

use std::time::Duration;

use crate::support::ReadyDaemon;
use crate::support::TestBed;
use vpp_maglev::pb::{BackendRequest, GetFrontendRequest, SetWeightRequest};
use vpp_maglev::vpp::embedded::{FaultCondition, InjectedFault};

/// Longer than anything here takes.
const LONG_NS: i64 = 30_000_000_000;

fn weight(weight: i32, wait_ns: i64) -> SetWeightRequest {
    let (frontend, pool, backend) = ("v4".into(), "pool0".into(), "a".into());
    SetWeightRequest { frontend, pool, backend, weight, wait_ns, ..SetWeightRequest::default() }
}

#[tokio::test]
async fn a_change_that_waits_is_answered_once_vpp_has_it() {
    let mut ready = ReadyDaemon::start().await;
    let client = &mut ready.client;
    let mut watch = ready.daemon.watch().await;
    watch.until("frontend v6 up>up").await;
    let answer = client.set_frontend_pool_backend_weight(weight(7, LONG_NS)).await.unwrap();
    assert_eq!(ready.dataplane.held(), "v4 a=7 b=40 c=0 / v6 a=100 b=40 c=0");
    let answer = answer.into_inner();
    assert!(answer.programmed && answer.not_programmed.is_empty(), "{answer:?}");
    watch.until("dataplane v4 programmed VPP holds what is desired").await;

    // Of a backend, all frontends that use it.
    let request =
        BackendRequest { name: "b".into(), wait_ns: LONG_NS, ..BackendRequest::default() };
    let answer = client.disable_backend(request).await.unwrap().into_inner();
    assert_eq!(ready.dataplane.held(), "v4 a=7 b=0 c=0 / v6 a=100 b=0 c=0");
    assert!(answer.programmed && answer.state == "disabled", "{answer:?}");
}

#[tokio::test]
async fn a_change_that_vpp_refuses_or_does_not_answer_says_so() {
    let mut ready = ReadyDaemon::start().await;
    let client = &mut ready.client;
    let control = ready.dataplane.control.clone();
    let next = FaultCondition::message("lb_as_set_weight").times(2);
    control.inject(next, InjectedFault::Refuse(-7)).unwrap();
    let answer = client.set_frontend_pool_backend_weight(weight(8, LONG_NS)).await.unwrap();
    let answer = answer.into_inner();
    assert!(!answer.programmed, "{answer:?}");
    assert!(answer.not_programmed.starts_with("VPP refuses as-weight"), "{answer:?}");

    // Not waited for, it may be either; waited for shortly, it is not there.
    // The pass that follows a refusal is refused as well.
    ready.dataplane.until_written(2).await;
    let next = FaultCondition::message("lb_as_set_weight");
    control.inject(next, InjectedFault::HoldReply).unwrap();
    let short = weight(9, Duration::from_millis(50).as_nanos().try_into().unwrap());
    let answer = client.set_frontend_pool_backend_weight(short).await.unwrap().into_inner();
    assert_eq!(answer.not_programmed, "VPP has not answered yet");
    control.release().unwrap();
    let answer = client.set_frontend_pool_backend_weight(weight(9, LONG_NS)).await.unwrap();
    assert!(answer.into_inner().programmed);
}

#[tokio::test]
async fn without_a_vpp_nobody_waits() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    let mut client = daemon.client().await;
    let answer = client.set_frontend_pool_backend_weight(weight(7, LONG_NS)).await.unwrap();
    assert_eq!(answer.into_inner().not_programmed, "VPP is not connected");
    let request = GetFrontendRequest { name: "v4".into() };
    let answer = client.get_frontend(request).await.unwrap().into_inner();
    assert!(!answer.programmed && !answer.serving, "{answer:?}");
}
