//! Sends full packets to a VIP, and looks for the size that passes where they do
//! not.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::asks::Asks;
use super::conversation::Conversation;
use super::new_flows::ask;
use super::observer::Observer;
use super::open::{FlowTransport, open};
use super::path_size::{never_fragment, path_mtu, segment, tcp_headers, tcp_packet, udp_headers};
use crate::domain::tester::fact::{FailureKind, FlowFailure, TestFact};
use crate::domain::tester::full_size::{FullSizeTry, SMALLEST, judge, next_size};
use crate::tester::targets::target::TargetKind;

/// Flows of one round, so that several servers get one.
const FLOWS: usize = 8;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(30);

/// Servers take headers of 8 KiB.
const USUAL_HEADER: usize = 7000;

/// What the length field of IP can say.
const LARGEST: u32 = 65_535;

/// A search takes many flows that wait in vain.
const SEARCH_TIMEOUT: Duration = Duration::from_millis(1000);

/// Rounds until the task is aborted.
pub(super) async fn run(asks: Arc<Asks>, within: Duration, observer: Observer) {
    loop {
        let (tries, why_none) = round(&asks, within, None).await;
        let full = tries.iter().map(|found| found.packet).max();
        let largest = match full {
            Some(full) if tries.iter().any(|found| !found.passes) => {
                search(&asks, &tries, full, within.min(SEARCH_TIMEOUT)).await
            }
            _ => None,
        };
        let is_ipv6 = asks.address.is_ipv6();
        let mss = full.filter(|_| asks.kind != TargetKind::Udp);
        let mss = mss.map(|full| full.saturating_sub(tcp_headers(asks.address)));
        let finding = judge(&tries, largest, is_ipv6, mss, why_none.as_deref());
        observer.report(TestFact::FullSize(finding)).await;
        sleep(EVERY).await;
    }
}

/// The largest packet that passes to all servers that full ones do not reach.
async fn search(
    asks: &Arc<Asks>,
    tries: &[FullSizeTry],
    full: u32,
    within: Duration,
) -> Option<u32> {
    let broken: Vec<_> =
        tries.iter().filter(|found| !found.passes).map(|found| &found.server).collect();
    let passes = async |size| {
        let (tries, _) = round(asks, within, Some(size)).await;
        let mut of_broken = tries.iter().filter(|found| broken.contains(&&found.server)).peekable();
        of_broken.peek().is_some() && of_broken.all(|found| found.passes)
    };
    if !passes(SMALLEST).await {
        return None;
    }
    let (mut good, mut bad) = (SMALLEST, full);
    while let Some(size) = next_size(good, bad) {
        if passes(size).await {
            good = size;
        } else {
            bad = size;
        }
    }
    Some(good)
}

/// Several flows at once; what they found, and a reason why some found nothing.
async fn round(
    asks: &Arc<Asks>,
    within: Duration,
    size: Option<u32>,
) -> (Vec<FullSizeTry>, Option<String>) {
    let mut flows = JoinSet::new();
    for _ in 0..FLOWS {
        let asks = Arc::clone(asks);
        flows.spawn(async move { attempt(&asks, within, size).await });
    }
    let (mut tries, mut why_none) = (Vec::new(), None);
    while let Some(found) = flows.join_next().await {
        match found {
            Ok(Ok(found)) => tries.push(found),
            Ok(Err(failure)) => why_none = Some(failure.why),
            Err(_) => {}
        }
    }
    (tries, why_none)
}

/// A small request, which must be answered, and then full packets.
async fn attempt(
    asks: &Asks,
    within: Duration,
    size: Option<u32>,
) -> Result<FullSizeTry, FlowFailure> {
    let mut conversation = Conversation::new(open(asks, within, size).await?);
    let answer = ask(&mut conversation, asks, asks.prepared(true), within).await?;
    let server = answer.server;
    if answer.closes {
        // Another flow may go to another server.
        conversation.close().await;
        conversation = Conversation::new(open(asks, within, size).await?);
        let found = full(conversation, asks, within, size).await?;
        return Ok(FullSizeTry { server: None, ..found });
    }
    let found = full(conversation, asks, within, size).await?;
    Ok(FullSizeTry { server, ..found })
}

async fn full(
    mut conversation: Conversation,
    asks: &Asks,
    within: Duration,
    size: Option<u32>,
) -> Result<FullSizeTry, FlowFailure> {
    let peer = asks.address;
    let known = mtu(&conversation, peer).ok_or_else(|| unknown("the path's MTU"))?;
    let (packet, request) = match conversation.transport() {
        FlowTransport::Udp(socket) => {
            let _ = never_fragment(socket, peer);
            let packet = size.unwrap_or(known).min(known).min(LARGEST);
            let room = packet.saturating_sub(udp_headers(peer)) as usize;
            let bare = asks.padded(1).len() - 1;
            (packet, asks.padded(room.saturating_sub(bare).max(1)))
        }
        FlowTransport::Tcp(stream) => (tcp_size(stream, size, known, peer)?, Vec::new()),
        FlowTransport::Tls(stream) => {
            (tcp_size(stream.get_ref().get_ref().get_ref(), size, known, peer)?, Vec::new())
        }
    };
    let request = if request.is_empty() { asks.padded(padding(packet as usize)) } else { request };
    let answered = ask(&mut conversation, asks, &request, within).await;
    let passes = match answered {
        // Whatever else came is an answer to full packets too: that they are too many,
        // or not understood.
        Err(failure) => failure.kind != FailureKind::Timeout,
        Ok(_) => true,
    };
    let now = mtu(&conversation, peer).filter(|now| *now < known);
    conversation.close().await;
    Ok(FullSizeTry { server: None, packet, passes, learnt_mtu: now })
}

/// Bytes that make several full packets, or at least one.
fn padding(packet: usize) -> usize {
    (3 * packet).min(USUAL_HEADER).max(packet + packet / 4)
}

fn tcp_size(
    stream: &tokio::net::TcpStream,
    size: Option<u32>,
    mtu: u32,
    peer: std::net::SocketAddr,
) -> Result<u32, FlowFailure> {
    let segment = segment(stream).ok_or_else(|| unknown("the segments' size"))?;
    let packet = tcp_packet(segment, mtu, peer).min(LARGEST);
    Ok(size.map_or(packet, |size| size.min(packet)))
}

fn mtu(conversation: &Conversation, peer: std::net::SocketAddr) -> Option<u32> {
    match conversation.transport() {
        FlowTransport::Tcp(stream) => path_mtu(stream, peer),
        FlowTransport::Tls(stream) => path_mtu(stream.get_ref().get_ref().get_ref(), peer),
        FlowTransport::Udp(socket) => path_mtu(socket, peer),
    }
}

fn unknown(what: &str) -> FlowFailure {
    FlowFailure::new(FailureKind::Local, format!("the system does not say {what}"))
}
