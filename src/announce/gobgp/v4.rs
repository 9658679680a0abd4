//! GoBGP 4: `api.GoBgpService`. NLRI and attributes are variants of one message each.

use tonic::transport::Channel;
use tonic::{Code, Status};

use super::path::{
    AS_SEQUENCE, CHUNK, ESTABLISHED, Neighbor, ORIGIN_IGP, PEER_STATE, RibPath, RibWrite, UNICAST,
    afi, is_own, next_hop,
};
use super::pb::v4::attribute::Attr;
use super::pb::v4::go_bgp_service_client::GoBgpServiceClient;
use super::pb::v4::{
    AddPathStreamRequest, AsPathAttribute, AsSegment, Attribute, CommunitiesAttribute, Family,
    GetBgpRequest, IpAddressPrefix, ListPathRequest, ListPeerRequest, MpReachNlriAttribute,
    NextHopAttribute, Nlri, OriginAttribute, Path, WatchEventRequest, WatchEventResponse, nlri,
    watch_event_request, watch_event_response,
};
use crate::domain::announce::placement::VipPrefix;

type V4Client = GoBgpServiceClient<Channel>;

/// In version 3 this is the number of another table.
const GLOBAL: i32 = 1;
const ADJ_OUT: i32 = 4;
const BEST: i32 = 1;

pub(super) async fn asn(client: &mut V4Client) -> Result<u32, Status> {
    let answer = client.get_bgp(GetBgpRequest {}).await?.into_inner();
    Ok(answer.global.map_or(0, |global| global.asn))
}

pub(super) async fn neighbors(client: &mut V4Client) -> Result<Vec<Neighbor>, Status> {
    let mut answers = client.list_peer(ListPeerRequest {}).await?.into_inner();
    let mut found = Vec::new();
    while let Some(answer) = answers.message().await? {
        found.extend(answer.peer.and_then(|peer| peer.state).map(|state| Neighbor {
            address: state.neighbor_address,
            asn: state.peer_asn,
            is_established: state.session_state == ESTABLISHED,
        }));
    }
    Ok(found)
}

pub(super) async fn own_paths(client: &mut V4Client) -> Result<Vec<RibPath>, Status> {
    let mut found = Vec::new();
    for is_ipv6 in [false, true] {
        for (prefix, paths) in list(client, GLOBAL, "", is_ipv6).await? {
            let own = paths.iter().filter(|path| is_own(&path.neighbor_ip));
            found.extend(own.map(|path| RibPath { prefix, communities: communities(path) }));
        }
    }
    Ok(found)
}

pub(super) async fn sent_to(
    client: &mut V4Client,
    neighbor: &str,
) -> Result<Vec<VipPrefix>, Status> {
    let mut found = Vec::new();
    for is_ipv6 in [false, true] {
        match list(client, ADJ_OUT, neighbor, is_ipv6).await {
            Ok(sent) => found.extend(sent.into_iter().map(|(prefix, _)| prefix)),
            // The session has no such family, or is gone meanwhile.
            Err(status) if matches!(status.code(), Code::Unknown | Code::NotFound) => {}
            Err(status) => return Err(status),
        }
    }
    Ok(found)
}

async fn list(
    client: &mut V4Client,
    table_type: i32,
    name: &str,
    is_ipv6: bool,
) -> Result<Vec<(VipPrefix, Vec<Path>)>, Status> {
    let family = Some(family(is_ipv6));
    let request = ListPathRequest { table_type, name: name.to_owned(), family };
    let mut answers = client.list_path(request).await?.into_inner();
    let mut found = Vec::new();
    while let Some(answer) = answers.message().await? {
        let Some(destination) = answer.destination else { continue };
        if let Ok(prefix) = destination.prefix.parse() {
            found.push((prefix, destination.paths));
        }
    }
    Ok(found)
}

pub(super) async fn write(client: &mut V4Client, writes: Vec<RibWrite>) -> Result<(), Status> {
    let requests: Vec<_> = writes
        .chunks(CHUNK)
        .map(|chunk| AddPathStreamRequest {
            table_type: GLOBAL,
            paths: chunk.iter().map(path).collect(),
        })
        .collect();
    client.add_path_stream(tokio_stream::iter(requests)).await.map(drop)
}

/// Best paths that change, and sessions.
pub(super) async fn watch(
    client: &mut V4Client,
) -> Result<tonic::Streaming<WatchEventResponse>, Status> {
    let best = watch_event_request::table::Filter { r#type: BEST };
    let request = WatchEventRequest {
        peer: Some(watch_event_request::Peer {}),
        table: Some(watch_event_request::Table { filters: vec![best] }),
    };
    client.watch_event(request).await.map(tonic::Response::into_inner)
}

/// Whether an event is about a session, or about a path to a single address.
pub(super) fn matters(event: &WatchEventResponse) -> bool {
    match &event.event {
        Some(watch_event_response::Event::Peer(peer)) => peer.r#type == PEER_STATE,
        Some(watch_event_response::Event::Table(table)) => table.paths.iter().any(|path| {
            let nlri = path.nlri.as_ref().and_then(|nlri| nlri.nlri.as_ref());
            nlri.is_none_or(|nlri::Nlri::Prefix(it)| it.prefix_len == 32 || it.prefix_len == 128)
        }),
        None => false,
    }
}

fn family(is_ipv6: bool) -> Family {
    Family { afi: afi(is_ipv6), safi: UNICAST }
}

fn path(write: &RibWrite) -> Path {
    let is_ipv6 = write.prefix.is_ipv6();
    let nlri = Nlri {
        nlri: Some(nlri::Nlri::Prefix(IpAddressPrefix {
            prefix_len: u32::from(write.prefix.length()),
            prefix: write.prefix.address().to_string(),
        })),
    };
    let to = next_hop(is_ipv6).to_owned();
    let mut attributes = vec![Attr::Origin(OriginAttribute { origin: ORIGIN_IGP })];
    attributes.push(if is_ipv6 {
        let (family, nlris) = (Some(family(true)), vec![nlri.clone()]);
        Attr::MpReach(MpReachNlriAttribute { family, next_hops: vec![to], nlris })
    } else {
        Attr::NextHop(NextHopAttribute { next_hop: to })
    });
    if !write.as_path.is_empty() {
        let segment = AsSegment { r#type: AS_SEQUENCE, numbers: write.as_path.clone() };
        attributes.push(Attr::AsPath(AsPathAttribute { segments: vec![segment] }));
    }
    if !write.communities.is_empty() {
        let communities = write.communities.clone();
        attributes.push(Attr::Communities(CommunitiesAttribute { communities }));
    }
    Path {
        nlri: Some(nlri),
        pattrs: attributes.into_iter().map(|attr| Attribute { attr: Some(attr) }).collect(),
        is_withdraw: write.is_withdraw,
        family: Some(family(is_ipv6)),
        neighbor_ip: String::new(),
    }
}

fn communities(path: &Path) -> Vec<u32> {
    let found = path.pattrs.iter().filter_map(|attribute| match &attribute.attr {
        Some(Attr::Communities(found)) => Some(&found.communities),
        _ => None,
    });
    found.flatten().copied().collect()
}
