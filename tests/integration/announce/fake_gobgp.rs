//! GoBGP as far as the driver calls it, of version 3 or 4: a table of paths that
//! does what gobgpd 3.10 was seen to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use vpp_maglev::announce::gobgp_pb::{v3, v4};

type Items<T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// One daemon. Its state is what the API tells, and what it was told.
pub(super) struct FakeGobgp {
    pub(super) address: String,
    state: Arc<State>,
    server: tokio::task::JoinHandle<()>,
}

pub(super) struct State {
    pub(super) table: Mutex<Table>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<()>>>,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) of_3: BTreeMap<String, v3::Path>,
    pub(super) of_4: BTreeMap<String, v4::Path>,
    /// AS numbers of neighbors, and whether the session stands.
    pub(super) neighbors: Vec<(u32, bool)>,
    /// Messages of paths that were received.
    pub(super) messages: usize,
    /// What the next stream of paths is answered.
    pub(super) refusal: Option<Status>,
}

pub(super) const OWN_AS: u32 = 65001;

impl FakeGobgp {
    pub(super) async fn start(version: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let neighbors = vec![(65000, true)];
        let table = Mutex::new(Table { neighbors, ..Table::default() });
        let state = Arc::new(State { table, watchers: Mutex::default() });
        let mut server = tonic::transport::Server::builder();
        let served = match version {
            3 => {
                let service = v3::gobgp_api_server::GobgpApiServer::from_arc(state.clone());
                server.add_service(service)
            }
            _ => {
                let service =
                    v4::go_bgp_service_server::GoBgpServiceServer::from_arc(state.clone());
                server.add_service(service)
            }
        };
        let incoming = TcpListenerStream::new(listener);
        let server =
            tokio::spawn(async move { served.serve_with_incoming(incoming).await.unwrap() });
        Self { address, state, server }
    }

    pub(super) fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.state.table.lock().unwrap()
    }

    /// Tells watchers that a path to one address changed.
    pub(super) fn tell(&self) {
        for watcher in self.state.watchers.lock().unwrap().iter() {
            let _ = watcher.send(());
        }
    }

    pub(super) async fn is_watched(&self) {
        let watched = async || !self.state.watchers.lock().unwrap().is_empty();
        let deadline = crate::support::wait::DEADLINE;
        crate::support::wait::eventually("a watcher", deadline, watched).await;
    }
}

impl Drop for FakeGobgp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn items<T: Send + 'static>(items: Vec<T>) -> Response<Items<T>> {
    Response::new(Box::pin(tokio_stream::iter(items.into_iter().map(Ok))))
}

fn refused(what: &str) -> Status {
    Status::unknown(what)
}

/// What gobgpd insists on, also for a withdraw: the URLs of attributes.
fn check_3(path: &v3::Path) -> Result<(), Status> {
    let has = |name: &str| path.pattrs.iter().any(|it| it.type_url.ends_with(name));
    if !has("apipb.OriginAttribute") {
        return Err(refused("no origin path attr"));
    }
    if !has("apipb.NextHopAttribute") && !has("apipb.MpReachNLRIAttribute") {
        return Err(refused("nexthop not found"));
    }
    Ok(())
}

fn check_4(path: &v4::Path) -> Result<(), Status> {
    use v4::attribute::Attr;
    let has = |is: fn(&Attr) -> bool| path.pattrs.iter().flat_map(|it| &it.attr).any(is);
    if !has(|it| matches!(it, Attr::Origin(_))) {
        return Err(refused("no origin path attr"));
    }
    if !has(|it| matches!(it, Attr::NextHop(_) | Attr::MpReach(_))) {
        return Err(refused("nexthop not found"));
    }
    Ok(())
}

fn prefix_3(path: &v3::Path) -> String {
    let nlri = path.nlri.as_ref().unwrap();
    assert_eq!(nlri.type_url, "type.googleapis.com/apipb.IPAddressPrefix");
    let nlri: v3::IpAddressPrefix = prost::Message::decode(nlri.value.as_slice()).unwrap();
    format!("{}/{}", nlri.prefix, nlri.prefix_len)
}

fn prefix_4(path: &v4::Path) -> String {
    let v4::nlri::Nlri::Prefix(nlri) = path.nlri.as_ref().unwrap().nlri.as_ref().unwrap();
    format!("{}/{}", nlri.prefix, nlri.prefix_len)
}

fn is_of(prefix: &str, afi: i32) -> bool {
    prefix.contains(':') == (afi == 2)
}

/// The service of one version: the two differ in names and numbers alone.
macro_rules! service {
    ($version:ident, $service:path, $done:ty, $table:ident, $global:literal, $out:literal,
     $check:ident, $prefix:ident, $own:literal) => {
        #[tonic::async_trait]
        impl $service for State {
            async fn get_bgp(
                &self,
                _: Request<$version::GetBgpRequest>,
            ) -> Result<Response<$version::GetBgpResponse>, Status> {
                let global = Some($version::Global { asn: OWN_AS });
                Ok(Response::new($version::GetBgpResponse { global }))
            }

            type ListPeerStream = Items<$version::ListPeerResponse>;

            async fn list_peer(
                &self,
                _: Request<$version::ListPeerRequest>,
            ) -> Result<Response<Self::ListPeerStream>, Status> {
                let table = self.table.lock().unwrap();
                let peers = table.neighbors.iter().map(|(peer_asn, is_established)| {
                    let state = Some($version::PeerState {
                        neighbor_address: "198.18.79.1".into(),
                        peer_asn: *peer_asn,
                        session_state: if *is_established { 6 } else { 3 },
                    });
                    $version::ListPeerResponse { peer: Some($version::Peer { state }) }
                });
                Ok(items(peers.collect()))
            }

            type ListPathStream = Items<$version::ListPathResponse>;

            async fn list_path(
                &self,
                request: Request<$version::ListPathRequest>,
            ) -> Result<Response<Self::ListPathStream>, Status> {
                let request = request.into_inner();
                assert!([$global, $out].contains(&request.table_type), "{request:?}");
                assert_eq!(request.name.is_empty(), request.table_type == $global);
                let afi = request.family.unwrap().afi;
                let table = self.table.lock().unwrap();
                let of_family = table.$table.iter().filter(|(prefix, _)| is_of(prefix, afi));
                let found = of_family.map(|(prefix, path)| {
                    let (prefix, paths) = (prefix.clone(), vec![path.clone()]);
                    let destination = Some($version::Destination { prefix, paths });
                    $version::ListPathResponse { destination }
                });
                Ok(items(found.collect()))
            }

            async fn add_path_stream(
                &self,
                request: Request<Streaming<$version::AddPathStreamRequest>>,
            ) -> Result<Response<$done>, Status> {
                let mut messages = request.into_inner();
                while let Some(message) = messages.message().await? {
                    assert_eq!(message.table_type, $global);
                    let mut table = self.table.lock().unwrap();
                    table.messages += 1;
                    if let Some(refusal) = table.refusal.take() {
                        return Err(refusal);
                    }
                    for mut path in message.paths {
                        $check(&path)?;
                        let prefix = $prefix(&path);
                        path.neighbor_ip = $own.into();
                        if path.is_withdraw {
                            table.$table.remove(&prefix);
                        } else {
                            table.$table.insert(prefix, path);
                        }
                    }
                }
                Ok(Response::new(<$done>::default()))
            }

            type WatchEventStream = Items<$version::WatchEventResponse>;

            async fn watch_event(
                &self,
                request: Request<$version::WatchEventRequest>,
            ) -> Result<Response<Self::WatchEventStream>, Status> {
                let request = request.into_inner();
                assert!(request.peer.is_some() && request.table.is_some());
                let (to, told) = mpsc::unbounded_channel();
                self.watchers.lock().unwrap().push(to);
                let told = UnboundedReceiverStream::new(told).map(|()| {
                    let paths = vec![Default::default()];
                    let table = $version::watch_event_response::TableEvent { paths };
                    let event = Some($version::watch_event_response::Event::Table(table));
                    Ok($version::WatchEventResponse { event })
                });
                Ok(Response::new(Box::pin(told)))
            }
        }
    };
}

service!(v3, v3::gobgp_api_server::GobgpApi, v3::Empty, of_3, 0, 3, check_3, prefix_3, "<nil>");
service!(
    v4,
    v4::go_bgp_service_server::GoBgpService,
    v4::AddPathStreamResponse,
    of_4,
    1,
    4,
    check_4,
    prefix_4,
    "invalid IP"
);
