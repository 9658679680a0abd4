//! What limits the probes of the built maglevd: a namespace that is missing,
//! the bound on probes in flight, an operator's word.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Backend, TestBed, get, metrics_address, ran, sample, soon};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use vpp_maglev::pb::{BackendRequest, GetBackendRequest};

/// A configuration with these lines in `healthchecker`, and backends `a` and
/// `b` that are probed at `port`.
fn config(checker: &str, port: u16) -> String {
    format!(
        "maglev:\n  healthchecker: {{{checker}}}\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, \
         ipv6-src-address: 2001:db8::1}}}}\n  healthchecks: {{c: {{type: http, port: {port}, \
         interval: 50ms, timeout: 1h}}}}\n  backends:\n    a: {{address: 127.0.0.1, healthcheck: \
         c}}\n    b: {{address: 127.0.0.1, healthcheck: c}}\n"
    )
}

#[tokio::test]
async fn a_namespace_that_is_missing_is_a_clear_failure_to_start() {
    let bed = TestBed::with_text(config("netns: maglev-missing", 9));
    let (code, _, err) = ran(&mut bed.command()).await;
    assert_eq!(code, 1);
    let expected = "healthchecker.netns: there is no network namespace \"maglev-missing\": make it with \
                `ip netns add maglev-missing`";
    assert!(err.contains(expected), "{err}");
}

#[tokio::test]
async fn a_bound_that_bites_shows_and_an_operators_word_closes_the_socket() {
    // Accepts connections and sends nothing.
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let text = config("max-probes-in-flight: 1", server.local_addr().unwrap().port());
    let bed = TestBed::with_text(text);
    let mut daemon = bed.start().await;
    let metrics = metrics_address(&mut daemon).await;

    let (mut first, _) = soon(server.accept()).await.unwrap().unwrap();
    eventually("a probe waits", DEADLINE, async || {
        sample(&metrics, "maglev_probes_waiting").await == "1"
    })
    .await;
    for (name, number) in [
        ("maglev_probes_in_flight", "1"),
        ("maglev_probes_in_flight_max", "1"),
        ("maglev_probes_waited_total", "1"),
    ] {
        assert_eq!(sample(&metrics, name).await, number, "{name}");
    }

    // Whichever of the two it is that is probed: its socket is closed, and the
    // other one's turn has come.
    let mut client = daemon.client().await;
    let mut request = Vec::new();
    for name in ["a", "b"] {
        client
            .pause_backend(BackendRequest { name: name.into(), ..Default::default() })
            .await
            .unwrap();
    }
    assert!(soon(first.read_to_end(&mut request)).await.is_some(), "the socket stays open");
    eventually("no probe is in flight", DEADLINE, async || {
        sample(&metrics, "maglev_probes_in_flight").await == "0"
    })
    .await;
    assert_eq!(sample(&metrics, "maglev_probes_waiting").await, "0");
    daemon.terminate().await;
}

/// A daemon that may have few descriptors, and many backends that say nothing.
#[tokio::test]
async fn backends_that_say_nothing_take_no_descriptors_from_the_others() {
    const SILENT: usize = 60;
    let honest = Backend::start("honest");
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut text = format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         healthchecks:\n    honest: {{type: http, port: {}, interval: 50ms, timeout: 1h}}\n    \
         silent: {{type: http, port: {}, interval: 50ms, timeout: 300ms}}\n  backends:\n    \
         honest: {{address: {}, healthcheck: honest}}\n",
        honest.address.port(),
        silent.local_addr().unwrap().port(),
        honest.ip()
    );
    for number in 0..SILENT {
        writeln!(text, "    silent{number}: {{address: 127.0.0.1, healthcheck: silent}}").unwrap();
    }
    let bed = TestBed::with_text(text);
    let cores = available_parallelism().map_or(1, usize::from);
    let limit = 56 + 4 * cores;
    let mut command = Command::new("sh");
    let unlimited = bed.command();
    command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
    command.arg(unlimited.get_program()).args(unlimited.get_args());
    command.args(["--grpc-addr", "127.0.0.1:0"]).current_dir(bed.dir()).stdin(Stdio::null());
    for (name, value) in unlimited.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut daemon = bed.run(&mut command).await;
    let metrics = metrics_address(&mut daemon).await;
    // What each backend's probes found, without those that found this.
    let others = |page: &str, backend: &str, code: &str| {
        let series = format!("maglev_probe_total{{backend=\"{backend}\"");
        let code = format!("code=\"{code}\"");
        page.lines().filter(|line| line.starts_with(&series) && !line.contains(&code)).count()
    };
    eventually("each was probed", DEADLINE, async || {
        let (_, page) = get(&metrics, "/metrics").await;
        let probed = page.lines().filter(|line| line.starts_with("maglev_probe_total{")).count();
        assert!(!page.contains("SOCKERR"), "{page}");
        probed > SILENT
    })
    .await;
    let (_, page) = get(&metrics, "/metrics").await;
    assert_eq!(others(&page, "honest", "L7OK"), 0, "{page}");
    assert_eq!(others(&page, "silent7", "L7TOUT"), 0, "{page}");
    assert_ne!(sample(&metrics, "maglev_probes_waited_total").await, "0");
    daemon.terminate().await;
}

#[tokio::test]
async fn one_check_serves_backends_on_several_ports() {
    let [one, other, silent] =
        [(); 3].map(|()| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let port = |of: &std::net::TcpListener| of.local_addr().unwrap().port();
    let closed = port(&silent);
    drop(silent);
    let bed = TestBed::with_text(format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         healthchecks: {{c: {{type: tcp, port: {}, interval: 50ms, timeout: 1h}}}}\n  backends:\n    \
         a: {{address: 127.0.0.1, healthcheck: c}}\n    \
         b: {{address: 127.0.0.1, healthcheck: c, port: {}}}\n    \
         c: {{address: 127.0.0.1, healthcheck: c, port: {closed}}}\n",
        port(&one),
        port(&other),
    ));
    let daemon = bed.start().await;
    let mut client = daemon.client().await;
    for (name, state, at) in [("a", "up", 0), ("b", "up", port(&other)), ("c", "down", closed)] {
        eventually("it is probed", DEADLINE, async || {
            let request = GetBackendRequest { name: name.into() };
            let found = client.get_backend(request).await.unwrap().into_inner();
            assert_eq!(found.port, u32::from(at), "{name}");
            found.state == state
        })
        .await;
    }
    daemon.terminate().await;
}
