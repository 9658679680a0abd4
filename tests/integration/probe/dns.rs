//! DNS probes against peers inside the test's own process.

use crate::support::probe::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use vpp_maglev::probe::ThreadResources;

/// Answers a DNS query with `rcode` and, if `with_record`, an address.
fn answer(query: &[u8], rcode: u8, with_record: bool) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x80;
    answer[3] = rcode;
    if with_record {
        answer[7] = 1;
        answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01");
    }
    answer
}

#[test]
fn dns_over_udp_waits_for_its_own_answer() {
    local(async {
        let shared = ThreadResources::new();
        let server = UdpSocket::bind((V6, 0)).await.unwrap();
        let to = server.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 512];
            while let Ok((size, from)) = server.recv_from(&mut buffer).await {
                let query = &buffer[..size];
                // `a…` has a record, `b…` fails, `c…` is empty.
                let (rcode, with_record) = match query[13] {
                    b'a' => (0, true),
                    b'b' => (2, false),
                    _ => (0, false),
                };
                let mut stray = answer(query, 5, false);
                stray[0] ^= 0xff;
                server.send_to(&stray, from).await.unwrap();
                server.send_to(&answer(query, rcode, with_record), from).await.unwrap();
            }
        });
        for (query, expected) in [
            ("a.example", "L7OK NOERROR"),
            ("b.example", "L7STS SERVFAIL"),
            ("c.example", "L7CNT NOERROR without a record for c.example. IN A"),
        ] {
            assert_found(dns(to, false, query, "A", "NOERROR"), V6, &shared, expected).await;
        }
    });
}

#[test]
fn a_closed_udp_port_is_refused_and_a_silent_one_times_out() {
    local(async {
        let shared = ThreadResources::new();
        let held = UdpSocket::bind((V4, 0)).await.unwrap();
        let to = held.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            held.recv_from(&mut [0; 512]).await.unwrap();
            let_time_run_out().await;
        });
        let expected = "L7TOUT no whole answer within 30s";
        assert_found(dns(to, false, "a.example", "A", "NOERROR"), V4, &shared, expected).await;
    });
    local(async {
        let to = UdpSocket::bind((V4, 0)).await.unwrap().local_addr().unwrap();
        let expected = "L4CON connection refused";
        assert_found(
            dns(to, false, "a.example", "A", "NOERROR"),
            V4,
            &ThreadResources::new(),
            expected,
        )
        .await;
    });
}

#[test]
fn dns_over_tcp_is_framed() {
    local(async {
        let shared = ThreadResources::new();
        for (whole, expected) in
            [(true, "L7OK NOERROR"), (false, "L7RSP connection closed inside the response")]
        {
            let server = listen(V4, move |mut stream| async move {
                let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut query).await.unwrap();
                let answer = answer(&query, 0, true);
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                let sent = if whole { answer.len() } else { 20 };
                stream.write_all(&answer[..sent]).await.unwrap();
            })
            .await;
            assert_found(dns(server, true, "a.example", "A", "NOERROR"), V4, &shared, expected)
                .await;
        }
    });
}
