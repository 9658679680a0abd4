//! VPPs with and without weights under one daemon, each programmed in its own dialect.

use crate::support::{Dataplane, TestBed};
use vpp_maglev::pb::{GetFrontendRequest, GetVppInfoRequest, PredictChangeRequest};
use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{EmbeddedOptions, WriteRequest};
use vpp_maglev::vpp::wire::VipKey;
use vpp_maglev::vpp::wire::types::AF_IP4;

fn options(api: PluginApi) -> EmbeddedOptions {
    EmbeddedOptions { api, ..EmbeddedOptions::default() }
}

/// What was written since the last call: the changes, those of them that are of the
/// other dialect or refused, and the flushes.
fn counted(dataplane: &Dataplane, api: PluginApi) -> (usize, usize, usize) {
    let is_foreign = |vip: VipKey| {
        // 1.1.0 counts the length of an IPv4 prefix from 96 on.
        let counts_from_96 = vip.prefix.length >= 96;
        vip.prefix.address.af == AF_IP4 && counts_from_96 != (api == PluginApi::V1_1)
    };
    let writes = dataplane.control.take_writes().unwrap();
    let (mut wrong, mut flushes) = (0, 0);
    for write in &writes {
        let (is_wrong, is_flush) = match write.write {
            WriteRequest::Conf(_) => (false, false),
            WriteRequest::Vip(vip) => (is_foreign(vip.vip), false),
            WriteRequest::Server(server) => (is_foreign(server.vip), server.is_flush),
            WriteRequest::Weight(set) => {
                (is_foreign(set.vip) || api == PluginApi::V1_1, set.is_flush)
            }
            WriteRequest::FlushVip(_) => (true, true),
        };
        wrong += usize::from(is_wrong || write.retval != 0);
        flushes += usize::from(is_flush);
    }
    (writes.len(), wrong, flushes)
}

#[tokio::test]
async fn a_vpp_that_comes_back_as_another_release_is_programmed_in_its_own_dialect() {
    let mut bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:50", "c"]);
    let dataplane = bed.dataplane_with(options(PluginApi::V1_1));
    let daemon = bed.start().await;
    daemon.all(&["a", "b", "c"], "up").await;
    let mut client = daemon.client().await;
    let rounds = [
        (PluginApi::V1_1, "a=1 b=1", "membership"),
        (PluginApi::V1_2, "a=100 b=50 c=0", "weights"),
        (PluginApi::V1_1, "a=1 b=1", "membership"),
        (PluginApi::V1_2, "a=100 b=50 c=0", "weights"),
    ];
    for (round, (api, held, dialect)) in rounds.into_iter().enumerate() {
        if round > 0 {
            dataplane.control.restart_as(api).unwrap();
        }
        dataplane.until_both(held).await;
        let info = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap().into_inner();
        assert_eq!((info.dialect.as_str(), info.missing_messages.len()), (dialect, 0));
        let (writes, wrong, flushes) = counted(&dataplane, api);
        assert!(writes >= 7, "the settings, two VIPs and their servers: {writes}");
        assert_eq!((wrong, flushes), (0, 0), "round {round}");
    }
}

#[tokio::test]
async fn without_weights_servers_are_added_and_removed_in_place_of_weighed() {
    let mut bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:50", "c"]);
    let dataplane = bed.dataplane_with(options(PluginApi::V1_1));
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b", "c"], "up").await;
    dataplane.until_both("a=1 b=1").await;
    daemon.logged("vpp-no-weights: this VPP's lb plugin has no weights: servers with a weight above 0 get equal shares of new flows, and slow starts cannot ramp; VPP 26.10 has them").await;

    // Weights that differ are told of, with what they become.
    let mut client = daemon.client().await;
    let request = GetFrontendRequest { name: "v4".into() };
    let frontend = client.get_frontend(request).await.unwrap().into_inner();
    assert_eq!(frontend.warnings.len(), 1, "{:?}", frontend.warnings);
    let warning = &frontend.warnings[0];
    assert!(
        warning.contains("this VPP has no weights: a takes 50.0% of new flows instead of 66.7%"),
        "{warning}"
    );
    let shares: Vec<_> = frontend.pools[0].backends.iter().map(|it| it.real_share).collect();
    assert_eq!(shares, [Some(0.5), Some(0.5)]);

    // A forecast is of this VPP.
    let request = PredictChangeRequest { frontend: "v4".into(), backend: "b".into(), weight: 100 };
    let predicted = client.predict_change(request).await.unwrap().into_inner();
    assert_eq!(predicted.dialect, "membership");
    let moves = predicted.moves.unwrap();
    assert_eq!((moves.own, moves.collateral), (0, 0), "one weight above 0 is like another");

    // One is gone: removed, with its flows. The pool is gone: the next is added before.
    let [a, b, _] = &mut bed.backends[..] else { panic!() };
    a.stop().await;
    dataplane.until_both("b=1").await;
    b.stop().await;
    dataplane.until_both("c=1").await;
    a.serve();
    dataplane.until_both("a=1").await;
    let (_, wrong, flushes) = counted(&dataplane, PluginApi::V1_1);
    assert_eq!((wrong, flushes), (0, 4));
    let servers = dataplane.control.snapshot().unwrap().servers;
    assert_eq!(servers.len(), 6, "a came back in its row: {servers:?}");
}

#[tokio::test]
async fn a_restart_with_a_vpp_without_weights_writes_its_settings_alone() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    let dataplane = bed.dataplane_with(options(PluginApi::V1_1));
    let first = bed.start().await;
    first.all(&["a", "b"], "up").await;
    dataplane.until_both("a=1 b=1").await;
    first.terminate().await;
    dataplane.control.take_writes().unwrap();
    let second = bed.start().await;
    second.all(&["a", "b"], "up").await;
    let names = ["backend a", "backend b", "frontend v4", "frontend v6"];
    second.published_up(&names).await;
    let request =
        vpp_maglev::pb::SyncVpplbStateRequest { frontend_name: None, dry_run: false, force: false };
    let report = second.client().await.sync_vpplb_state(request).await.unwrap().into_inner();
    assert_eq!(report.steps, []);
    let writes = dataplane.control.take_writes().unwrap();
    assert!(
        matches!(writes[..], [write] if matches!(write.write, WriteRequest::Conf(_))),
        "{writes:?}"
    );
}
