//! The accept loop over real sockets and paused time.

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};

use super::*;
use crate::api::transport::arrival::ListeningSocket;
use crate::api::transport::peer::Entrance;
use crate::domain::rights::Role;

#[test]
fn a_lack_of_descriptors_is_told_from_a_client_that_went_away() {
    use rustix::io::Errno;
    for (errno, of_one_client) in [
        (Errno::MFILE, false),
        (Errno::NFILE, false),
        (Errno::NOBUFS, false),
        (Errno::NOMEM, false),
        (Errno::CONNABORTED, true),
        (Errno::HOSTUNREACH, true),
        (Errno::PERM, true),
    ] {
        assert_eq!(is_of_one_client(&errno.into()), of_one_client, "{errno:?}");
    }
}

#[test]
fn loopback_is_of_no_network() {
    for (address, expected) in [
        ("127.0.0.1:1", false),
        ("[::1]:1", false),
        ("[::ffff:127.0.0.1]:1", false),
        ("192.0.2.1:1", true),
        ("[2001:db8::1]:1", true),
        ("[::ffff:192.0.2.1]:1", true),
    ] {
        assert_eq!(is_of_a_network(ClientPeer::Tcp(address.parse().unwrap())), expected);
    }
    assert!(!is_of_a_network(ClientPeer::Unix { uid: 0, pid: None }));
}

/// A listener with this many places, and the connections that it accepts. They are
/// open until they are dropped or closed.
async fn open(
    total: usize,
) -> (std::net::SocketAddr, mpsc::Receiver<(AcceptedConnection, Arc<ConnectionActivity>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connections) = mpsc::channel(8);
    let (phase, changes) = watch::channel(DaemonPhase::Serving);
    let acceptor = ConnectionAcceptor {
        service: "test",
        is_grpc: false,
        tls: None,
        limits: ConnectionLimits { total, per_client: total },
        idle_limit: None,
        serve: move |connection: AcceptedConnection, activity: Arc<ConnectionActivity>| {
            let accepted = accepted.clone();
            async move {
                accepted.send((connection, activity)).await.unwrap();
                std::future::pending::<()>().await;
            }
        },
    };
    tokio::spawn(async move {
        let _phase = phase;
        let (socket, address) = (ListeningSocket::Tcp(listener), String::new());
        let entrance = Arc::new(Entrance { address, role: Role::Nobody });
        accept_all(vec![Listener { socket, entrance }], acceptor, changes).await;
    });
    (address, connections)
}

async fn connect(address: std::net::SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"P").await.unwrap();
    client
}

async fn is_closed(client: &mut TcpStream) -> bool {
    // It is reset where the other end has not read the byte that was sent.
    !matches!(client.read(&mut [0]).await, Ok(1..))
}

#[tokio::test]
async fn without_a_place_the_oldest_stranger_goes_and_then_nobody_who_is_in_a_request() {
    let (address, mut connections) = open(2).await;
    let first = connect(address).await;
    let (accepted, of_first) = connections.recv().await.unwrap();
    assert_eq!(accepted.client.peer, ClientPeer::Tcp(first.local_addr().unwrap()));
    let _request = of_first.begin();
    of_first.received();
    let mut second = connect(address).await;
    let (stranger, _) = connections.recv().await.unwrap();
    let third = connect(address).await;
    let (accepted, of_third) = connections.recv().await.unwrap();
    assert_eq!(accepted.client.peer, ClientPeer::Tcp(third.local_addr().unwrap()));
    drop(stranger);
    assert!(is_closed(&mut second).await);
    let _request = of_third.begin();
    of_third.received();
    assert!(is_closed(&mut connect(address).await).await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed_in_time() {
    let (address, mut connections) = open(2).await;
    let begun = Instant::now();
    let _silent = TcpStream::connect(address).await.unwrap();
    let _client = TcpStream::connect(address).await.unwrap();
    let (_stream, silent) = connections.recv().await.unwrap();
    let (_stream, client) = connections.recv().await.unwrap();
    let _request = client.begin();
    client.received();
    // The test holds the streams; what ends is the task that serves one of them, and
    // its place in the table: this handle is the last then.
    sleep_until(begun + FIRST_REQUEST - Duration::from_secs(1)).await;
    assert!(Arc::strong_count(&silent) > 1);
    sleep_until(begun + FIRST_REQUEST + Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&silent), 1, "a connection without a request has no deadline");
    assert!(Arc::strong_count(&client) > 1);
}
