//! Checks with steps: the examples of the guide against the servers that they are for, as
//! Debian packages them, and the rest against peers of the test's own.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::probe::peers::Peer;
use crate::support::probe::*;
use crate::support::wait::{DEADLINE, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vpp_maglev::config;
use vpp_maglev::domain::config::HealthCheck;
use vpp_maglev::probe::{Probe, ThreadResources};

const GUIDE: &str = include_str!("../../../docs/healthchecks.md");

/// The check of the guide's example for this server, at another port.
fn example(server: &str, port: u16) -> HealthCheck {
    let (_, section) = GUIDE.split_once(&format!("\n#### {server}\n")).expect(server);
    let (_, block) = section.split_once("```yaml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let checks: String = block.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}}}\n  \
         healthchecks:\n{checks}"
    );
    let loaded = config::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let check = loaded.config.checks.values().next().unwrap();
    let mut check = check.at_port(port.try_into().unwrap());
    // The servers of a test may be slow to answer the first time.
    check.timing.timeout = LONG;
    check
}

async fn answers(check: &HealthCheck) -> String {
    Probe::prepare(check, V4, &ThreadResources::new()).unwrap().run().await.to_string()
}

/// Waits until the server answers as the example has it.
async fn eventually_answers(server: &str, port: u16) {
    let check = example(server, port);
    let mut found = String::new();
    eventually(server, DEADLINE, async || {
        found = answers(&check).await;
        found == "L7OK"
    })
    .await;
}

/// The path of a program that is installed.
fn program(name: &str, folders: &[&str]) -> Option<PathBuf> {
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|it| it.is_file());
    if found.is_none() {
        is_installed(name);
    }
    found
}

#[tokio::test]
async fn redis_answers() {
    let Some(redis) = program("redis-server", &["/usr/bin"]) else { return };
    let (_peer, [port]) = Peer::start(|[port]| {
        let mut command = Command::new(&redis);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--loglevel", "warning"]);
        command
    })
    .await;
    assert_eq!(answers(&example("Redis", port)).await, "L7OK");
    // It is no memcached, and says so in words of its own.
    let other = example("memcached", port);
    let found = Probe::prepare(
        &HealthCheck { timing: check(other.kind.clone(), SHORT).timing, ..other },
        V4,
        &ThreadResources::new(),
    );
    let found = found.unwrap().run().await.to_string();
    assert!(
        found.starts_with("L7CNT step 2: does not match, after \"-ERR unknown command"),
        "{found}"
    );
}

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn memcached_answers() {
    let Some(memcached) = program("memcached", &["/usr/bin"]) else { return };
    let (_peer, [port]) = Peer::start(|[port]| {
        let mut command = Command::new(&memcached);
        command.args(["-p", &port.to_string(), "-l", "127.0.0.1", "-U", "0", "-u", "nobody"]);
        command
    })
    .await;
    assert_eq!(answers(&example("memcached", port)).await, "L7OK");
}

#[tokio::test]
async fn postgresql_answers() {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let Some(bin) = versions.map(|it| it.path().join("bin")).find(|it| it.join("initdb").is_file())
    else {
        skipped("postgresql is not installed");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // It does not run as root.
    let is_root = rustix::process::geteuid().is_root();
    let as_user = |program: &str| {
        let program = bin.join(program);
        if !is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]);
        command.arg(program);
        command
    };
    let made = as_user("initdb").arg("-D").arg(&data).args(["-A", "trust", "-N"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (_peer, [port]) = Peer::start(|[port]| {
        let mut command = as_user("postgres");
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1"]);
        command.arg("-k").arg(directory.path());
        command
    })
    .await;
    assert_eq!(answers(&example("PostgreSQL", port)).await, "L7OK");
}

#[tokio::test]
async fn smtp_answers() {
    let Some(smtpd) = program("smtpd", &["/usr/sbin"]) else { return };
    if !rustix::process::geteuid().is_root() {
        skipped("OpenSMTPD runs as root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("smtpd.conf");
    let (_peer, [port]) = Peer::start(|[port]| {
        let text = format!(
            "listen on 127.0.0.1 port {port}\naction here mbox\nmatch for local action here\n"
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new(&smtpd);
        command.arg("-d").arg("-f").arg(&file);
        command
    })
    .await;
    eventually_answers("SMTP", port).await;
}

#[tokio::test]
async fn ntp_answers() {
    let Some(chronyd) = program("chronyd", &["/usr/sbin"]) else { return };
    if !rustix::process::geteuid().is_root() {
        skipped("chronyd runs as root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().display().to_string();
    let port = UdpSocket::bind((V4, 0)).unwrap().local_addr().unwrap().port();
    let file = directory.path().join("chrony.conf");
    // It takes its own clock for good, and does not set it.
    let text = format!(
        "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\nlocal stratum 8\ncmdport 0\n\
         pidfile {at}/pid\nbindcmdaddress {at}/sock\n"
    );
    fs::write(&file, text).unwrap();
    let mut command = Command::new(&chronyd);
    command.args(["-d", "-x", "-u", "root", "-f"]).arg(&file);
    let _peer = Peer::run(&mut command);
    eventually_answers("NTP", port).await;
}

#[tokio::test]
async fn what_needs_no_answer_passes_unless_it_is_refused() {
    let receiver = UdpSocket::bind((V4, 0)).unwrap();
    let check = example("Syslog", receiver.local_addr().unwrap().port());
    assert_eq!(answers(&check).await, "L4OK not refused");
    let mut text = [0; 100];
    let size = receiver.recv(&mut text).unwrap();
    assert_eq!(&text[..size], b"<46>maglevd: are you there?");
    drop(receiver);
    assert_eq!(answers(&check).await, "L4CON connection refused");
}

#[test]
fn a_conversation_over_tcp_is_found_to_be_what_it_is() {
    local(async {
        let server = listen(V4, |mut stream| async move {
            stream.write_all(b"hello\r\n").await.unwrap();
            let mut line = [0; 4];
            if stream.read_exact(&mut line).await.is_ok() && line == *b"name" {
                // In pieces, and with what is no text.
                for piece in [&b"\x00\x01I am"[..], b" a ser", b"ver\xff"] {
                    stream.write_all(piece).await.unwrap();
                }
            }
        })
        .await;
        let port = server.port();
        let shared = ThreadResources::new();
        for (steps, expected) in [
            ("{expect: ^hello}", "L7OK"),
            ("{expect-hex: 0d0a}", "L7OK"),
            // Two expectations of the same text.
            ("{expect: ^hello}, {expect: 'o\\r'}", "L7OK"),
            ("{expect: hello}, {send: name}, {expect: a server}, {expect-hex: 00 01}", "L7OK"),
            ("{expect: hello}, {send: name}, {expect: '(?s-u)^\\x00.*\\xff$'}", "L7OK"),
            (
                // What came before it was sent does not count.
                "{expect: hello}, {send: name}, {expect: hello}",
                "L7RSP step 3: connection closed after \"\\x00\\x01I am a server\\xff\"",
            ),
            (
                "{expect: hello}, {send-hex: 00000000}, {expect: x}",
                "L7RSP step 3: connection closed after no answer",
            ),
        ] {
            let keys = format!("type: tcp, port: {port}, params: {{steps: [{steps}]}}");
            assert_eq!(found(&keys, &shared).await, expected, "{steps}");
        }
    });
}

#[test]
fn a_conversation_over_udp_is_found_to_be_what_it_is() {
    local(async {
        let server = tokio::net::UdpSocket::bind((V4, 0)).await.unwrap();
        let port = server.local_addr().unwrap().port();
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 100];
            while let Ok((size, from)) = server.recv_from(&mut buffer).await {
                for part in buffer[..size].split(|byte| *byte == b' ') {
                    server.send_to(part, from).await.unwrap();
                }
            }
        });
        let shared = ThreadResources::new();
        for (steps, expected) in [
            ("{send: one two three}, {expect: ^three$}", "L7OK"),
            ("{send: one two}, {expect: ^two$}, {expect: ^one$}", "L7OK"),
            // Each datagram is looked at by itself.
            ("{send: one two}, {expect: onetwo}", "L7CNT step 2: does not match, after \"two\""),
            (
                "{send: one}, {expect: one}, {send: two}, {expect: one}",
                "L7CNT step 4: does not match, after \"two\"",
            ),
        ] {
            let keys = format!("type: udp, port: {port}, params: {{steps: [{steps}]}}");
            let check = configured(&keys);
            let timing = check_timing(expected);
            let probe = Probe::prepare(&HealthCheck { timing, ..check }, V4, &shared).unwrap();
            assert_eq!(probe.run().await.to_string(), expected, "{steps}");
        }
        let closed = closed_port(V4).await.port();
        let keys =
            format!("type: udp, port: {closed}, params: {{steps: [{{send: x}}, {{expect: x}}]}}");
        assert_eq!(found(&keys, &shared).await, "L4CON connection refused");
    });
}

/// Where the probe is to fail, it does so soon.
fn check_timing(expected: &str) -> vpp_maglev::domain::config::Timing {
    let timeout = if expected == "L7OK" { LONG } else { SHORT };
    check(vpp_maglev::domain::config::CheckKind::Icmp, timeout).timing
}

#[tokio::test]
async fn silence_is_told_from_a_wrong_answer() {
    let silent = std::net::TcpListener::bind((V4, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let check = configured(&format!("type: tcp, port: {port}, params: {{steps: [{{expect: x}}]}}"));
    let timing = check_timing("L7TOUT");
    let probe = Probe::prepare(&HealthCheck { timing, ..check }, V4, &ThreadResources::new());
    let found = probe.unwrap().run().await.to_string();
    assert_eq!(found, "L7TOUT step 1: no answer in time");
}
