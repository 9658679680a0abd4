//! TCP probes and source addresses, against peers inside the test's own process.

use std::io::ErrorKind;
use std::time::Duration;

use crate::support::probe::*;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use vpp_maglev::probe::{Probe, ThreadResources};

#[test]
fn tcp_is_accepted_or_refused() {
    local(async {
        let shared = ThreadResources::new();
        for address in [V4, V6] {
            let open = listen(address, |_| async {}).await;
            assert_found(tcp(open, None), address, &shared, "L4OK").await;
            let closed = closed_port(address).await;
            assert_found(tcp(closed, None), address, &shared, "L4CON connection refused").await;
        }
    });
}

#[test]
fn a_server_never_hears_of_a_tcp_probe() {
    local(async {
        let listener = std::net::TcpListener::bind((V4, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let open = listener.local_addr().unwrap();
        let shared = ThreadResources::new();
        let mut unheard = 0;
        for _ in 0..20 {
            assert_found(tcp(open, None), V4, &shared, "L4OK").await;
            let accepted = listener.accept().map_err(|error| error.kind());
            unheard += usize::from(accepted.is_err_and(|kind| kind == ErrorKind::WouldBlock));
        }
        // Where the machine stands still for 40 ms, the kernel acknowledges after
        // all.
        assert!(unheard > 10, "{unheard} of 20");
    });
}

#[test]
fn a_connection_that_hangs_is_a_timeout_of_layer_4() {
    local(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((V4, 0).into()).unwrap();
        let full = socket.local_addr().unwrap();
        let _listener = socket.listen(1).unwrap();
        let short = Duration::from_millis(200);
        // Nobody accepts, so each connection takes a place for good; a full
        // backlog drops further SYNs.
        let mut places = Vec::new();
        while let Ok(Ok(place)) = timeout(short, TcpStream::connect(full)).await {
            places.push(place);
            assert!(places.len() < 16, "the backlog never fills");
        }
        let probe =
            Probe::prepare(&check(tcp(full, None), short), V4, &ThreadResources::new()).unwrap();
        let result = probe.run().await.to_string();
        assert_eq!(result, "L4TOUT no connection within 200ms");
    });
}

#[test]
fn the_source_address_is_the_configured_one() {
    local(async {
        let shared = ThreadResources::new();
        let open = listen(V4, |mut stream| async move {
            request(&mut stream).await;
            let from = stream.peer_addr().unwrap().ip();
            let answer = format!("HTTP/1.1 200 OK\r\n\r\n{from}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut from_elsewhere = check(http(open, 200..=200, Some(r"^127\.0\.0\.9$")), LONG);
        from_elsewhere.source_v4 = Some([127, 0, 0, 9].into());
        let probe = Probe::prepare(&from_elsewhere, V4, &shared).unwrap();
        assert_eq!(probe.run().await.to_string(), "L7OK 200 OK");

        // TEST-NET-1 (RFC 5737) belongs to no host.
        for kind in [tcp(open, None), dns(open, false, "a.example", "A", "NOERROR")] {
            let mut foreign = check(kind, LONG);
            foreign.source_v4 = Some([192, 0, 2, 77].into());
            let result = Probe::prepare(&foreign, V4, &shared).unwrap().run().await;
            assert_eq!(
                result.to_string(),
                "SOCKERR source address 192.0.2.77 is not an address of this machine"
            );
        }
    });
}
