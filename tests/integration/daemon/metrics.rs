//! What Prometheus and load balancers ask the daemon over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::process::{Command, Stdio};

use crate::support::probe::missing;
use crate::support::{ReadyDaemon, TestBed, VIP4, get, metrics_address, ran};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vpp_maglev::domain::dataplane::net::{Service, Vip, Weight};
use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::vpp::embedded::{FaultCondition, InjectedFault};

#[tokio::test]
async fn the_page_tells_of_backends_frontends_vpp_and_streams() {
    let mut system = ReadyDaemon::start().await;
    system.daemon.logged("ready").await;
    let address = metrics_address(&mut system.daemon).await;
    let (status, page) = get(&address, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    for series in [
        "maglev_backend_state{backend=\"a\",state=\"up\"} 1",
        "maglev_backend_state{backend=\"a\",state=\"down\"} 0",
        "maglev_backend_health{backend=\"b\"} 1",
        "maglev_backend_enabled{backend=\"c\"} 1",
        "maglev_frontend_state{frontend=\"v6\",state=\"up\"} 1",
        "maglev_frontend_pool_backend_weight{frontend=\"v4\",pool=\"pool0\",backend=\"b\"} 40",
        "maglev_frontend_pool_backend_effective_weight{frontend=\"v4\",pool=\"pool1\",backend=\"c\"} 0",
        "maglev_vpp_connected 1",
        "maglev_vpp_dead_clients_total 0",
        "maglev_vpp_model_mismatch_total 0",
        "maglev_events_missed_total 0",
        "# TYPE maglev_flip_duration_seconds histogram",
        "maglev_vpp_lbsync_total{scope=\"all\",kind=\"vip-add\"} 2",
    ] {
        assert!(page.lines().any(|line| line == series), "no {series} in\n{page}");
    }
    assert!(page.contains("maglev_vpp_info{version=\"26.10-embedded"), "{page}");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&address, path).await.0, "HTTP/1.1 200 OK", "{path}");
    }
    assert_eq!(get(&address, "/else").await.0, "HTTP/1.1 404 Not Found");
    check_with_promtool(&page);

    // maglevc says so when it is given this address.
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let (status, _, err) = ran(maglevc.args(["--server", &address, "show", "frontends"])).await;
    let expected = format!("maglevd at {address}: something else answers there, not maglevd; or");
    assert!(status == 3 && err.contains(&expected), "{status}: {err}");
}

/// Prometheus' own judgement of the page.
fn check_with_promtool(page: &str) {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        return missing("promtool is not installed (Debian package prometheus)");
    };
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
}

#[tokio::test]
async fn a_daemon_without_its_vpp_lives_and_is_not_ready() {
    let bed = TestBed::new(&["a", "b", "c"])
        .configured(|config| config.sync_interval("10s").both(&["a b c"]));
    let nowhere = bed.dir().join("api.sock").display().to_string();
    let bed = bed.vpp(nowhere);
    let mut daemon = bed.start().await;
    daemon.all(&["a", "b", "c"], "up").await;
    daemon.logged("ready").await;
    let address = metrics_address(&mut daemon).await;
    assert_eq!(get(&address, "/healthz").await.0, "HTTP/1.1 200 OK");
    let (status, why) = get(&address, "/readyz").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert!(why.contains("VPP is not connected"), "{why}");
    let (_, page) = get(&address, "/metrics").await;
    assert!(page.lines().any(|line| line == "maglev_vpp_connected 0"), "{page}");
    assert!(!page.contains("maglev_vpp_info"), "{page}");
    daemon.terminate().await;
}

#[tokio::test]
async fn a_taken_metrics_address_is_a_clear_failure() {
    let bed = TestBed::new(&[]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0", "--metrics-addr", &address]);
    let (status, _, errors) = ran(&mut command).await;
    assert_eq!(status, 1);
    assert!(
        errors.starts_with(&format!("maglevd: cannot serve metrics on {address}: ")),
        "{errors}"
    );
}

/// Name, type and labels of each series in the tables of docs/metrics.md.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = include_str!("../../../docs/metrics.md");
    let rows = text.lines().filter(|line| line.starts_with("| `")).filter_map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, name, kind, labels, _, _] = cells[..] else { return None };
        let labels = labels.split(", ").filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        Some((name.trim_matches('`').to_owned(), (kind.to_owned(), labels)))
    });
    rows.collect()
}

/// Name, type and labels of each series of a page.
fn served(page: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut families: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let mut last = String::new();
    for line in page.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            name.clone_into(&mut last);
            let again = families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
            assert_eq!(again, None, "{name} comes twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&last), "{line} stands under {last}");
            let Some((_, rest)) = line.split_once('{') else { continue };
            let labels = rest.rsplit_once('}').unwrap().0;
            let names = labels.split("\",").map(|label| label.split_once('=').unwrap().0);
            let names = names.filter(|name| *name != "le").map(str::to_owned);
            families.get_mut(&last).unwrap().1.extend(names);
        }
    }
    families
}

#[tokio::test]
async fn the_series_are_those_that_are_documented_and_go_with_what_they_tell_of() {
    let mut bed =
        TestBed::new(&["a", "b"]).configured(|config| config.sync_interval("100ms").both(&["a b"]));
    let dataplane = bed.dataplane();
    let stats = bed.dir().join("stats.sock");
    let mut daemon = bed.start_with(&["--vpp-stats-addr", stats.to_str().unwrap()]).await;
    let address = metrics_address(&mut daemon).await;
    daemon.logged("ready").await;
    dataplane.until_both("a=100 b=100").await;

    // Another client writes, which is drift, and then VPP refuses the correction.
    let vip = Vip::new(
        VIP4.parse::<IpAddr>().unwrap().into(),
        Service::Port { protocol: 6, port: 80.try_into().unwrap() },
    );
    let weight = Weight::try_from(7).unwrap();
    let meddle = |server| vec![Step::SetWeight { vip, server, weight, flush: false }];
    dataplane.meddle(meddle(bed.backends[0].ip())).await;
    dataplane.until_both("a=100 b=100").await;
    let weights = FaultCondition::message("lb_as_set_weight").after(1).times(u32::MAX);
    dataplane.control.inject(weights, InjectedFault::Refuse(-1)).unwrap();
    dataplane.meddle(meddle(bed.backends[0].ip())).await;
    let refused =
        |record: &serde_json::Value| record["msg"] == "vpp-lbsync-done" && record["failed"] == 1;
    daemon.logged_as("refusal", refused).await;
    let (_, page) = get(&address, "/metrics").await;
    let (mut served, documented) = (served(&page), documented());
    // None here has a name; the test of those that have looks at it.
    served.get_mut("maglev_backend_unresolved").unwrap().1.insert("backend".into());
    // None may fail open; the test of one that does looks at it.
    served.get_mut("maglev_frontend_fail_open").unwrap().1.insert("frontend".into());
    // Nothing is overridden; the test of what is looks at its labels.
    for name in ["maglev_override", "maglev_override_age_seconds"] {
        let labels = ["set", "frontend", "pool", "backend", "prefix"].map(str::to_owned);
        served.get_mut(name).unwrap().1.extend(labels);
    }
    // Nothing is announced; the test of what is looks at its labels.
    for (name, labels) in [
        ("maglev_announcement", &["prefix", "state"][..]),
        ("maglev_announcement_held", &["prefix"]),
        ("maglev_announcement_changes_total", &["prefix"]),
        ("maglev_announcement_placed", &["prefix", "driver"]),
        ("maglev_announcer_read_age_seconds", &["driver"]),
        ("maglev_announcer_failing", &["driver"]),
        ("maglev_announcer_refused", &["driver"]),
        ("maglev_announcer_failures_total", &["driver"]),
    ] {
        let labels = labels.iter().map(|label| (*label).to_owned());
        served.get_mut(name).unwrap().1.extend(labels);
    }
    // No check warns of certificates; the test of one that does looks at it.
    for name in ["certificate_end_timestamp_seconds", "certificate_expires_soon"] {
        served.get_mut(&format!("maglev_backend_{name}")).unwrap().1.insert("backend".into());
    }
    // Nothing is drained; the test of what is looks at its labels.
    for name in ["maglev_drain_flows", "maglev_drain_overdue"] {
        served.get_mut(name).unwrap().1.insert("backend".into());
    }
    let only_served: Vec<_> =
        served.iter().filter(|of| !documented.iter().any(|o| o == *of)).collect();
    let only_documented: Vec<_> =
        documented.iter().filter(|of| !served.iter().any(|o| o == *of)).collect();
    assert_eq!(
        (only_served, only_documented),
        (vec![], vec![]),
        "what is served, and what docs/metrics.md has"
    );
    check_with_promtool(&page);
    let of_b = |page: &str| page.lines().filter(|line| line.contains("backend=\"b\"")).count();
    assert!(of_b(&page) > 20, "{page}");

    let without = bed.config().without("b").frontend("v4", VIP4, &["a"]);
    bed.write_config(&without.text());
    daemon.signal(Signal::HUP);
    daemon.logged("config-reload-done").await;
    let (_, page) = get(&address, "/metrics").await;
    assert_eq!(of_b(&page), 0, "{page}");
    assert!(!page.contains("frontend=\"v6\""), "{page}");
    assert!(
        page.contains(
            "maglev_backend_transitions_total{backend=\"a\",from=\"unknown\",to=\"up\"} 1"
        ),
        "{page}"
    );
    daemon.terminate().await;
}

#[tokio::test]
async fn the_page_is_compressed_for_those_who_ask_for_it() {
    let bed = TestBed::new(&["a", "b", "c"]).pools(&["a b c"]);
    let mut daemon = bed.start().await;
    let address = metrics_address(&mut daemon).await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: m\r\nAccept-Encoding: br, gzip\r\n\
                   Connection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8(answer[..end].to_vec()).unwrap(), &answer[end + 4..]);
    for line in [
        "content-encoding: gzip",
        "vary: accept-encoding",
        "content-type: text/plain; version=0.0.4",
    ] {
        assert!(head.contains(line), "no {line} in {head}");
    }
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let mut page = String::new();
    flate2::read::GzDecoder::new(body).read_to_string(&mut page).unwrap();
    assert!(page.contains("maglev_backend_health{backend=\"a\"} "), "{page}");
    assert!(page.len() > 4 * body.len(), "{} of {}", body.len(), page.len());
    check_with_promtool(&page);
    // Those who do not ask get it as it is.
    let (status, plain) = get(&address, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(plain.starts_with("# HELP "), "{plain}");
    daemon.terminate().await;
}
