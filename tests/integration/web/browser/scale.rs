//! What a large fleet costs a browser and the server: three daemons with a thousand
//! frontends of ten backends each. It prints its figures, and fails where they are not
//! those of a page that can be used:
//!
//! ```sh
//! cargo test --release --test integration web::browser::scale -- --ignored --nocapture
//! ```

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use vpp_maglev::pb::BackendRequest;

use super::bed::serve;
use super::page::Page;
use crate::support::{Daemon, TestBed};

const DAEMONS: usize = 3;
const FRONTENDS: usize = 1000;
const SERVERS: usize = 10;
/// Other tabs that follow the same events.
const TABS: usize = 200;
/// Backends that are paused or resumed in a second, at all daemons together. Each is
/// told by four or five events: of the backend, the override, the weight in VPP and the audit.
const CHANGES: u32 = 240;
const STORM: Duration = Duration::from_secs(10);

const FIRST_PAINT_MS: f64 = 1000.0;
const LONGEST_TASK_MS: f64 = 100.0;
/// Of the server.
const MEMORY_MIB: u64 = 100;
const CORE: f64 = 0.2;

/// Notes when there are rows and a frame with them was painted, and every long task.
const OBSERVER: &str = "window.long = [];
    new PerformanceObserver((list) => list.getEntries().forEach((it) => window.long.push(it.duration)))
      .observe({ type: 'longtask', buffered: true });
    window.useful = new Promise((done) => {
      const look = () => document.querySelector('tr.row')
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now())))
        : requestAnimationFrame(look);
      look();
    });";

/// Counts the events that the page's server tells.
const COUNTER: &str = "const state = await (await fetch('./api/state')).json();
    window.told = 0;
    window.counter = new EventSource('./api/events?after=' + encodeURIComponent(state.event_id));
    window.counter.addEventListener('batch', ({ data }) => {
      const { timeline = [], timeline_left_out = 0 } = JSON.parse(data);
      window.told += timeline.length + timeline_left_out;
    });";

fn configuration() -> String {
    let mut text = String::from(
        "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      ipv6-src-address: 2001:db8::1\n  backends:\n",
    );
    let server = |frontend: usize, server: usize| format!("web{frontend}-{server}");
    for frontend in 0..FRONTENDS {
        for number in 0..SERVERS {
            let (high, low) = (frontend / 250, frontend % 250);
            let name = server(frontend, number);
            writeln!(text, "    {name}: {{address: 10.{high}.{low}.{}}}", number + 1).unwrap();
        }
    }
    text += "  frontends:\n";
    for frontend in 0..FRONTENDS {
        let (high, low) = (frontend / 250, frontend % 250);
        write!(
            text,
            "    shop{frontend}:\n      address: 198.18.{high}.{low}\n      protocol: tcp\n      port: 443\n      pools:\n        - name: main\n          backends:\n"
        )
        .unwrap();
        for number in 0..SERVERS {
            writeln!(text, "            {}: {{weight: 100}}", server(frontend, number)).unwrap();
        }
    }
    text
}

/// Pauses and resumes backends at an even pace, as long as the storm lasts.
async fn storm(daemon: &Daemon) {
    let mut client = daemon.client().await;
    let pace = Duration::from_secs(1) * u32::try_from(DAEMONS).unwrap() / CHANGES;
    let mut ticks = tokio::time::interval(pace);
    let end = Instant::now() + STORM;
    for number in 0.. {
        ticks.tick().await;
        if Instant::now() > end {
            return;
        }
        let name = format!("web{}-{}", (number / 2) % FRONTENDS, (number / 2) % SERVERS);
        let request = BackendRequest { name, ..BackendRequest::default() };
        let done = match number % 2 {
            0 => client.pause_backend(request).await,
            _ => client.resume_backend(request).await,
        };
        done.unwrap();
    }
}

/// A tab that only reads: how many bytes it was sent.
async fn tab(address: String) -> u64 {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request =
        format!("GET /api/events HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut buffer, mut total) = ([0; 65536], 0);
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(STORM / 2, stream.read(&mut buffer)).await
    {
        total += count as u64;
    }
    total
}

/// Resident memory in MiB, and seconds of CPU time.
fn cost(pid: u32) -> (u64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    (resident >> 10, ticks / 100.0)
}

/// Bytes of the page's heap that are in use.
async fn heap(page: &Page) -> f64 {
    page.devtools("HeapProfiler.collectGarbage", &json!({})).await;
    page.devtools("Runtime.getHeapUsage", &json!({})).await["usedSize"].as_f64().unwrap() / 1e6
}

fn longest(tasks: &Value) -> f64 {
    tasks.as_array().unwrap().iter().filter_map(Value::as_f64).fold(0.0, f64::max)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, a machine of its own and an optimised build"]
async fn a_storm_over_thirty_thousand_servers_leaves_the_page_usable() {
    let beds: Vec<_> =
        (0..DAEMONS).map(|_| TestBed::with_text(configuration()).vpp("embedded")).collect();
    let mut daemons = Vec::new();
    for bed in &beds {
        let mut daemon = bed.start().await;
        daemon.logged("vpp-lbsync-done").await;
        daemons.push(daemon);
    }
    let servers: Vec<_> =
        daemons.iter().enumerate().map(|(n, it)| format!("lb{}={}", n + 1, it.address())).collect();
    let (web, address) = serve(&servers.join(","), &[]).await;
    let Some(page) = Page::open(&format!("http://{address}/")).await else { return };
    let all = format!(
        "[...document.querySelectorAll('.daemons tbody tr')].filter((it) => it.textContent.includes('{FRONTENDS} / {FRONTENDS}')).length === {DAEMONS}"
    );
    page.until(&all.replace("1000", "1,000")).await;
    let observer = json!({ "source": OBSERVER });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", &observer).await;
    page.reload().await;
    let painted = page.run("return window.useful;").await.as_f64().unwrap();
    let at_start = longest(&page.run("return window.long;").await);
    let heap_before = heap(&page).await;
    println!(
        "first useful paint {painted:.0} ms, longest task until then {at_start:.0} ms, heap {heap_before:.1} MB"
    );

    page.run(COUNTER).await;
    let mut tabs = JoinSet::new();
    for _ in 0..TABS {
        tabs.spawn(tab(address.clone()));
    }
    page.run("window.long.length = 0;").await;
    let (memory_before, cpu_before) = cost(web.pid());
    let begun = Instant::now();
    let [a, b, c] = &daemons[..] else { panic!("three daemons") };
    tokio::join!(storm(a), storm(b), storm(c));
    let told =
        page.run("await new Promise((done) => setTimeout(done, 1000)); return window.told;").await;
    let took = begun.elapsed().as_secs_f64();
    let (memory, cpu) = cost(web.pid());
    let in_storm = longest(&page.run("return window.long;").await);
    page.run("window.counter.close();").await;
    let heap_after = heap(&page).await;
    let rate = told.as_f64().unwrap() / took;
    let core = (cpu - cpu_before) / took;
    println!("{rate:.0} events a second for {took:.0} s");
    println!("longest task {in_storm:.0} ms, heap after {heap_after:.1} MB");
    println!("maglev-web with {TABS} tabs: {memory_before} to {memory} MiB, {core:.2} of a core");
    let mut bytes = Vec::new();
    while let Some(count) = tabs.join_next().await {
        bytes.push(count.unwrap());
    }
    println!(
        "each tab was sent {} to {} KiB",
        bytes.iter().min().unwrap() >> 10,
        bytes.iter().max().unwrap() >> 10
    );
    // The page can still be used.
    page.press(&["/"]).await;
    page.types("web77-7").await;
    page.sees(".backends", "web77-7").await;
    assert!(rate >= 1000.0, "that is no storm");
    assert!(memory <= MEMORY_MIB && core <= CORE, "{memory} MiB, {core} of a core");
    assert!(painted <= FIRST_PAINT_MS, "{painted}");
    assert!(in_storm <= LONGEST_TASK_MS, "{in_storm}");
    assert!(heap_after <= heap_before * 1.5 + 10.0, "{heap_before} to {heap_after}");
    page.assert_quiet(&[]).await;
}
