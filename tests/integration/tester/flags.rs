//! Exit statuses, wrong flags, documents and completions.

use std::net::SocketAddr;
use std::process::Command;

use super::line_server::LineServer;
use super::process::{maglevt, ran};
use crate::support::probe::missing;
use socket2::{Domain, Socket, Type};

/// An address without a listener, and without one as long as the socket lives.
fn nobody() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_flags_exits_with_2_and_says_so() {
    for (line, part) in [
        ("", "nothing to test: give VIP:port, --config FILE or --server ADDR"),
        ("192.0.2.1:80 --interval 5", "it has no unit; write for example 5s"),
        ("192.0.2.1:80 --interval 0s", "it must be at least 1ms"),
        ("2001:db8::1:80", "an IPv6 address stands in brackets"),
        ("tcp://192.0.2.1", "it has no port"),
        ("--nonsense", "unexpected argument '--nonsense'"),
        ("-config /nowhere.yaml", "--config /nowhere.yaml:"),
        ("192.0.2.1:80 --expect a", "write NAME=WEIGHT, as in nginx0=100"),
        ("192.0.2.1:80 --server x", "neither host:port"),
    ] {
        let (status, out, err) = ran(line).await;
        assert_eq!((status, &*out), (2, ""), "{line}: {err}");
        assert!(err.contains(part), "{line}: {err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_exits_with_3_and_a_vip_that_works_is_enough() {
    let (_socket, address) = nobody();
    let (status, _, err) = ran(&format!("{address} --for 100ms")).await;
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("no VIP can be reached") && err.contains("refused"), "{err}");
    let (status, _, err) = ran(&format!("--server {address}")).await;
    assert_eq!(status, 3, "{err}");
    assert!(err.contains(&format!("maglevd at {address}: cannot be reached")), "{err}");

    let server = LineServer::start(&["a"]).await;
    let line = format!("{} {address} --for 200ms --max-failed 1000", server.address);
    let (status, out, _) = ran(&line).await;
    assert_eq!(status, 1, "{out}");
    assert!(out.contains(&format!("FAILED {address}: it never answered")), "{out}");
    let (status, out, _) = ran(&format!("{} --for 200ms", server.address)).await;
    assert_eq!(status, 0, "{out}");
    assert!(out.trim_end().ends_with("PASSED"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn frontends_come_from_the_file_and_the_filter_chooses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maglev.yaml");
    let server = LineServer::start(&["nginx0", "nginx1"]).await;
    let text = include_str!("../../../config/demo.yaml")
        .replace("address: 192.0.2.80", "address: 127.0.0.1")
        .replace("port: 80\n", &format!("port: {}\n", server.address.port()));
    std::fs::write(&path, text).unwrap();
    let config = path.display();
    let line = format!(
        "-config {config} -filter ^web$ -interval 5ms --send hello --for 500ms --output json"
    );
    let (status, out, err) = ran(&line).await;
    assert_eq!((status, &*err), (0, ""), "{out}");
    let start: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(start["vips"].as_array().unwrap().len(), 1);
    assert_eq!(start["vips"][0]["expected"]["nginx2"], 0.2);
    let summary: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let shares = &summary["vips"][0]["shares"];
    assert_eq!(shares["verdict"], "wrong", "{shares}");
    let (status, _, err) = ran(&format!("-config {config} -filter ^x")).await;
    assert_eq!(status, 2);
    assert!(err.contains("no frontend's name matches --filter ^x"), "{err}");
}

#[test]
fn every_flag_is_documented() {
    let text = include_str!("../../../docs/maglevt.md");
    let help = maglevt("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let words = help.lines().filter_map(|line| line.trim().split(' ').next());
    let flags: Vec<_> = words.filter(|word| word.starts_with("--")).collect();
    assert!(flags.len() > 25, "the flags are not understood: {help}");
    for flag in flags {
        let flag = flag.split(['[', '=']).next().unwrap();
        assert!(flag == "--help" || flag == "--version" || text.contains(flag), "{flag}");
    }
}

#[test]
fn bash_completes_flags_and_their_values() {
    let script = maglevt("--completions bash").output().unwrap().stdout;
    let script = String::from_utf8(script).unwrap();
    let tail = "COMP_WORDS=(maglevt --max-) COMP_CWORD=1; _maglevt; echo ${COMPREPLY[*]}
        COMP_WORDS=(maglevt --output j) COMP_CWORD=2; _maglevt; echo ${COMPREPLY[*]}";
    let output = match Command::new("bash").arg("-c").arg(script + tail).output() {
        Ok(output) => String::from_utf8(output.stdout).unwrap(),
        Err(error) => return missing(&format!("bash cannot be run: {error}")),
    };
    assert_eq!(output, "--max-broken --max-moved --max-failed --max-gap\njson\n");
}
