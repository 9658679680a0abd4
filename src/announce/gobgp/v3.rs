//! GoBGP 3: `apipb.GobgpApi`. NLRI and attributes are packed with their type's name.

use prost::Message;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::path::{
    AS_SEQUENCE, CHUNK, ESTABLISHED, Neighbor, ORIGIN_IGP, PEER_STATE, RibPath, RibWrite, UNICAST,
    afi, is_own, next_hop,
};
use super::pb::v3::gobgp_api_client::GobgpApiClient;
use super::pb::v3::{
    AddPathStreamRequest, Any, AsPathAttribute, AsSegment, CommunitiesAttribute, Family,
    GetBgpRequest, IpAddressPrefix, ListPathRequest, ListPeerRequest, MpReachNlriAttribute,
    NextHopAttribute, OriginAttribute, Path, WatchEventRequest, WatchEventResponse,
    watch_event_request, watch_event_response,
};
use crate::domain::announce::placement::VipPrefix;

type V3Client = GobgpApiClient<Channel>;

const GLOBAL: i32 = 0;
const ADJ_OUT: i32 = 3;
const BEST: i32 = 0;
const TYPE_PREFIX: &str = "type.googleapis.com/apipb.";
const NLRI: &str = "IPAddressPrefix";
const COMMUNITIES: &str = "CommunitiesAttribute";

pub(super) async fn asn(client: &mut V3Client) -> Result<u32, Status> {
    let answer = client.get_bgp(GetBgpRequest {}).await?.into_inner();
    Ok(answer.global.map_or(0, |global| global.asn))
}

pub(super) async fn neighbors(client: &mut V3Client) -> Result<Vec<Neighbor>, Status> {
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

pub(super) async fn own_paths(client: &mut V3Client) -> Result<Vec<RibPath>, Status> {
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
    client: &mut V3Client,
    neighbor: &str,
) -> Result<Vec<VipPrefix>, Status> {
    let mut found = Vec::new();
    for is_ipv6 in [false, true] {
        match list(client, ADJ_OUT, neighbor, is_ipv6).await {
            Ok(sent) => found.extend(sent.into_iter().map(|(prefix, _)| prefix)),
            // The session has no such family, or is gone meanwhile.
            Err(status) if status.code() == Code::Unknown => {}
            Err(status) => return Err(status),
        }
    }
    Ok(found)
}

async fn list(
    client: &mut V3Client,
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

pub(super) async fn write(client: &mut V3Client, writes: Vec<RibWrite>) -> Result<(), Status> {
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
    client: &mut V3Client,
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
            let nlri = path.nlri.as_ref().and_then(|nlri| unpack::<IpAddressPrefix>(NLRI, nlri));
            nlri.is_none_or(|nlri| nlri.prefix_len == 32 || nlri.prefix_len == 128)
        }),
        None => false,
    }
}

fn family(is_ipv6: bool) -> Family {
    Family { afi: afi(is_ipv6), safi: UNICAST }
}

fn path(write: &RibWrite) -> Path {
    let is_ipv6 = write.prefix.is_ipv6();
    let nlri = IpAddressPrefix {
        prefix_len: u32::from(write.prefix.length()),
        prefix: write.prefix.address().to_string(),
    };
    let nlri = pack(NLRI, &nlri);
    let to = next_hop(is_ipv6).to_owned();
    let mut pattrs = vec![pack("OriginAttribute", &OriginAttribute { origin: ORIGIN_IGP })];
    pattrs.push(if is_ipv6 {
        let (family, nlris) = (Some(family(true)), vec![nlri.clone()]);
        let reach = MpReachNlriAttribute { family, next_hops: vec![to], nlris };
        pack("MpReachNLRIAttribute", &reach)
    } else {
        pack("NextHopAttribute", &NextHopAttribute { next_hop: to })
    });
    if !write.as_path.is_empty() {
        let segment = AsSegment { r#type: AS_SEQUENCE, numbers: write.as_path.clone() };
        pattrs.push(pack("AsPathAttribute", &AsPathAttribute { segments: vec![segment] }));
    }
    if !write.communities.is_empty() {
        let communities = write.communities.clone();
        pattrs.push(pack(COMMUNITIES, &CommunitiesAttribute { communities }));
    }
    Path {
        nlri: Some(nlri),
        pattrs,
        is_withdraw: write.is_withdraw,
        family: Some(family(is_ipv6)),
        neighbor_ip: String::new(),
    }
}

fn communities(path: &Path) -> Vec<u32> {
    let found = path.pattrs.iter().filter_map(|any| unpack(COMMUNITIES, any));
    found.flat_map(|attribute: CommunitiesAttribute| attribute.communities).collect()
}

fn pack(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("{TYPE_PREFIX}{name}"), value: message.encode_to_vec() }
}

fn unpack<M: Message + Default>(name: &str, any: &Any) -> Option<M> {
    any.type_url.strip_prefix(TYPE_PREFIX).filter(|packed| *packed == name)?;
    M::decode(any.value.as_slice()).ok()
}
