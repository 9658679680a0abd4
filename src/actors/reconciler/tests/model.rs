//! Tests the comparison of VPP's tables with the model's.

use super::bed::{ReconcilerTestBed, SYNC_INTERVAL, frontend};
use super::*;

#[actix_rt::test]
async fn a_mismatch_with_the_model_is_reported_once_for_each_change() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100, 50])]).await;
    let mismatches =
        async || bed.reconciler.send(GetReconcilerStats).await.unwrap().model_mismatches;
    let miscount = |by: u32| {
        let mut vpp = bed.vpp();
        let server = vpp.observed.vips.get_mut(&vip(1)).unwrap().servers.values_mut().next();
        server.unwrap().buckets += by;
    };
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(mismatches().await, 0);
    miscount(1);
    for _ in 0..3 {
        tokio::time::sleep(SYNC_INTERVAL).await;
        assert_eq!(mismatches().await, 1, "however often it is observed");
    }
    miscount(1);
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(mismatches().await, 2);
    // A written weight makes VPP recompute the table.
    bed.change(&[frontend(1, &[100, 60])]).await;
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(mismatches().await, 2);
}
