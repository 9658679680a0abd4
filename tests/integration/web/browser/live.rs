//! What happens is on the page at once, and stays right over everything that ends its
//! stream.

use serde_json::Value;

use super::bed::{RestartedBed, WebBed};
use super::page::Page;
use super::proxy::CuttingProxy;

/// From the event's arrival in the page until it is painted.
const SOON_MS: f64 = 500.0;

const WELL: &str = "All 2 frontends serve at 1 daemon";

/// A second reader of the same events in the page: when the first one arrives that takes
/// `backend` down, it waits until that is in the document and a frame was painted.
fn stopwatch(backend: &str) -> String {
    format!(
        "const state = await (await fetch('./api/state')).json();
         window.painted = new Promise((done) => {{
           const source = new EventSource('./api/events?after=' + encodeURIComponent(state.event_id));
           source.addEventListener('batch', ({{ data }}) => {{
             const down = (JSON.parse(data).backends ?? []).some((it) => it.name === '{backend}' && it.state === 'down');
             if (!down) return;
             source.close();
             const since = performance.now();
             const look = () => {{
               const row = [...document.querySelectorAll('tr.row.fault')].find((it) => it.textContent.includes('{backend}'));
               if (row) requestAnimationFrame(() => done([performance.now() - since, row.textContent]));
               else requestAnimationFrame(look);
             }};
             look();
           }});
         }});"
    )
}

/// Marks the document, so that one that was loaded anew is known.
async fn mark(page: &Page) {
    page.run("window.same = true;").await;
}

async fn assert_not_reloaded(page: &Page) {
    assert_eq!(page.run("return window.same;").await, Value::Bool(true), "it was loaded anew");
}

/// How often the timeline has a line with this.
async fn lines(page: &Page, text: &str) -> u64 {
    let lines = format!(
        "return [...document.querySelectorAll('tr.row')].filter((it) => it.textContent.includes('{text}')).length;"
    );
    page.run(&lines).await.as_u64().unwrap()
}

#[tokio::test]
async fn a_backend_that_fails_is_red_with_its_reason_at_once_and_green_again() {
    let mut bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees("h1", WELL).await;
    mark(&page).await;
    page.run(&stopwatch("nginx0")).await;
    bed.fleet.backends[0].stop().await;
    let painted = page.run("return window.painted;").await;
    let (took, row) = (painted[0].as_f64().unwrap(), painted[1].as_str().unwrap());
    assert!(took <= SOON_MS, "painted {took} ms after the event");
    assert!(row.contains("L4CON connection refused"), "{row}");
    page.sees("h1", "Something is wrong").await;
    page.sees("#live", "1 backend down").await;
    bed.fleet.backends[0].serve();
    page.sees("h1", WELL).await;
    assert_not_reloaded(&page).await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_behind_its_last_event_and_loses_nothing() {
    let mut bed = WebBed::start(1).await;
    let proxy = CuttingProxy::start(bed.address()).await;
    let Some(page) = Page::open(&proxy.url()).await else { return };
    page.sees("h1", WELL).await;
    mark(&page).await;
    page.go("#/timeline?kind=backend").await;
    proxy.close();
    page.sees(".fresh", "away since").await;
    // What happens meanwhile is over before the page is back.
    bed.fleet.backends[1].stop().await;
    bed.fleet.members[0].daemon.all(&["b"], "down").await;
    bed.fleet.backends[1].serve();
    bed.fleet.members[0].daemon.all(&["b"], "up").await;
    proxy.open(bed.address());
    page.sees("tr.row", "down → up").await;
    assert_eq!([lines(&page, "b up → down").await, lines(&page, "b down → up").await], [1, 1]);
    page.until("document.querySelector('.fresh.live')").await;
    page.go("#/").await;
    page.sees("h1", WELL).await;
    assert_not_reloaded(&page).await;
    page.assert_quiet(&["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE", "net::"]).await;
}

#[tokio::test]
async fn a_maglev_web_that_restarts_is_followed_again() {
    let mut bed = WebBed::start(1).await;
    let proxy = CuttingProxy::start(bed.address()).await;
    let Some(page) = Page::open(&proxy.url()).await else { return };
    page.sees("h1", WELL).await;
    mark(&page).await;
    proxy.close();
    page.sees(".fresh", "away since").await;
    bed.restart_web().await;
    proxy.open(bed.address());
    page.until("document.querySelector('.fresh.live')").await;
    bed.fleet.backends[0].stop().await;
    page.sees("tr.row.fault", "nginx0").await;
    assert_not_reloaded(&page).await;
    page.assert_quiet(&["net::"]).await;
}

#[tokio::test]
async fn a_daemon_that_restarts_is_away_and_comes_back() {
    let mut bed = RestartedBed::start().await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees("h1", WELL).await;
    mark(&page).await;
    drop(bed.daemon.take());
    page.sees(".verdict", "lb1 is away").await;
    // What was known is shown as old, and not as well.
    page.until("document.querySelectorAll('tr.row.old').length >= 4").await;
    assert_eq!(page.count("tr.row.ok").await, 0);
    bed.start_daemon().await;
    page.sees("h1", WELL).await;
    bed.backends[0].stop().await;
    page.sees("tr.row.fault", "L4CON connection refused").await;
    assert_not_reloaded(&page).await;
    page.assert_quiet(&[]).await;
}
