//! A socket that is full.

use super::*;
use crate::domain::dataplane::observed::ObservedServers;

/// Dumps of one call: their requests are three times what the kernel holds.
const DUMPS: u16 = 12_000;

#[tokio::test]
async fn what_the_socket_has_no_room_for_goes_out_when_it_has() {
    let mut dumps = 0;
    let scene = peer(
        "",
        Box::new(move |peer, name, head, body, out| {
            dumps += u16::from(name == "lb_as_v2_dump");
            // Every dump comes before the ping that closes them all.
            let ends_call = name == "control_ping" && dumps > 0;
            assert!(!ends_call || std::mem::take(&mut dumps) == DUMPS);
            peer.usual(name, head, body, out)
        }),
    );
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let address = |n: u16| std::net::Ipv4Addr::from((198 << 24) | (18 << 16) | u32::from(n));
    // So few rows are expected that one call has all of the dumps.
    let expected = (0..DUMPS).map(|n| (vip(&format!("{}/32", address(n))), 0)).collect();
    let read = client.read_servers(&expected).await.unwrap();
    assert_eq!(read.len(), usize::from(DUMPS));
    assert!(read.values().all(|servers| *servers == ObservedServers::default()));
    assert_eq!(client.close().await, EndReason::Left);
}
