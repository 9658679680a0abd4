//! What operators do: what each action would move is shown first, a reason is asked for,
//! and VPP is as the page says.

use serde_json::json;
use vpp_maglev::domain::dataplane::net::Weight;
use vpp_maglev::domain::dataplane::step::Step;

use super::bed::WebBed;
use super::page::{Page, key};
use super::users::PASSWORD;

/// A page on which ann operates two daemons; `None` without a browser.
async fn operated() -> Option<(WebBed, Page)> {
    let bed = WebBed::with_users(2).await;
    let page = Page::open(&bed.url()).await?;
    page.log_in("ann", PASSWORD).await;
    Some((bed, page))
}

/// Opens the dialog of an action, and waits for what it would do.
async fn open(page: &Page, action: &str, foretold: &str) {
    page.click(&format!("main [data-action={action}]")).await;
    page.sees("dialog[open] .forecast", foretold).await;
    let able = "return document.querySelector('dialog [type=submit]').disabled;";
    assert_eq!(page.run(able).await, json!(true), "a reason is asked for");
}

/// Why, in words that would be markup elsewhere.
const REASON: &str = "a test <b>of</b> the page & no more";

/// Gives the reason, does it, and waits for what came of it.
async fn confirm(page: &Page, outcome: &str) {
    page.fill("dialog [name=why]", REASON).await;
    page.click("dialog [type=submit]").await;
    page.sees("dialog .result", outcome).await;
}

async fn close(page: &Page) {
    page.click("dialog .dialog-foot .button").await;
    page.until("document.querySelector('dialog') === null").await;
}

async fn done(page: &Page, action: &str, foretold: &str) {
    open(page, action, foretold).await;
    confirm(page, "Done.").await;
    close(page).await;
}

#[tokio::test]
async fn a_backend_is_paused_resumed_drained_disabled_and_left_to_the_file_at_all_daemons() {
    let Some((bed, page)) = operated().await else { return };
    page.go("#/backend/nginx0").await;
    open(&page, "pause", "moves 70.5 %").await;
    page.until("document.querySelector('main .cause').textContent.includes('gets new flows')")
        .await;
    confirm(&page, "VPP confirmed it.").await;
    // As soon as it is shown as paused, nothing says that it gets new flows.
    let cause = "return document.querySelector('main .cause').textContent;";
    page.until("document.querySelector('.object-head .state.held')").await;
    let cause = page.run(cause).await;
    assert!(cause.as_str().unwrap().contains(REASON), "{cause}");
    page.sees("dialog .results", "lb2").await;
    close(&page).await;
    bed.until_all("b=40 nginx0=0").await;
    page.sees(".cause", REASON).await;
    page.sees(".overrides", "ann").await;
    done(&page, "unset", "depends on its next probes").await;
    bed.until_all("b=40 nginx0=100").await;

    done(&page, "pause", "moves").await;
    bed.until_all("b=40 nginx0=0").await;
    done(&page, "resume", "depends on its next probes").await;
    bed.until_all("b=40 nginx0=100").await;

    bed.take_writes();
    done(&page, "disable", "moves").await;
    bed.until_all("b=40 nginx0=0").await;
    let flushed =
        bed.take_writes().iter().filter(|write| write.ends_with("nginx0 0 flush")).count();
    assert_eq!(flushed, 4, "two VIPs at two daemons");
    done(&page, "enable", "depends on its next probes").await;
    bed.until_all("b=40 nginx0=100").await;

    // Who did what and why is in the timeline of both.
    page.go("#/timeline?kind=change&who=ann").await;
    page.until("document.querySelectorAll('tr.row').length >= 12").await;
    page.sees("tr.row", REASON).await;
    page.go("#/timeline?kind=audit&who=ann").await;
    page.sees("tr.row", "pause backend nginx0").await;
    assert_eq!(page.count("main b").await, 0, "what operators write is text");
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_drain_shows_its_flows_until_none_is_left() {
    let Some((bed, page)) = operated().await else { return };
    bed.put_flows(0, "nginx0", 40);
    page.go("#/backend/nginx0").await;
    open(&page, "drain", "moves").await;
    // At the first daemon alone.
    page.click("dialog [name=daemon][value=lb2]").await;
    page.sees("dialog [type=submit]", "Drain on lb1").await;
    page.fill("dialog [name=timeout]", "1h").await;
    confirm(&page, "Done.").await;
    page.sees("dialog .drain", "40 of 40 flows left").await;
    bed.reuse_entries(0, ("nginx0", "b"), 30);
    page.sees("dialog .drain", "10 of 40 flows left").await;
    assert_eq!(
        page.run("return document.querySelector('dialog progress').value;").await,
        json!(30)
    );
    bed.reuse_entries(0, ("nginx0", "b"), 10);
    page.sees("dialog .drain", "no flow is left").await;
    close(&page).await;
    bed.until_one(0, "b=40 nginx0=0").await;
    bed.until_one(1, "b=40 nginx0=100").await;
    page.sees("main .drain", "drained").await;
    page.sees(".cause.fault", "Daemons differ").await;
    open(&page, "undrain", "depends on its next probes").await;
    page.click("dialog [name=daemon][value=lb2]").await;
    confirm(&page, "Done.").await;
    close(&page).await;
    bed.until_one(0, "b=40 nginx0=100").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_weight_is_set_by_keys_alone_and_unset() {
    let Some((bed, page)) = operated().await else { return };
    page.go("#/frontend/v4").await;
    page.until("document.querySelector('main [data-action=weight]')").await;
    // The first member is b.
    page.press(&["a", key::ENTER]).await;
    page.until("document.activeElement.matches('dialog [name=why]')").await;
    page.types("less for b").await;
    let to_weight =
        "const field = document.querySelector('dialog #weight'); field.focus(); field.select();";
    page.run(to_weight).await;
    page.types("10").await;
    page.sees("dialog .forecast", "40 → 10").await;
    page.until("!document.querySelector('dialog [type=submit]').disabled").await;
    page.press(&[key::ENTER]).await;
    page.sees("dialog .result", "Done.").await;
    page.press(&[key::ESCAPE]).await;
    page.until("document.querySelector('dialog') === null").await;
    for member in 0..2 {
        bed.until_held(member, "v4 b=10 nginx0=100 / v6 b=40 nginx0=100").await;
    }
    page.sees(".override", "less for b").await;
    page.click("main [data-action=unset_weight]").await;
    page.sees("dialog .forecast", "10 → 40").await;
    confirm(&page, "Done.").await;
    bed.until_all("b=40 nginx0=100").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_sync_shows_its_steps_first_and_writes_them() {
    let Some((bed, page)) = operated().await else { return };
    let server = bed.fleet.backends[1].ip();
    let weight = Weight::try_from(7).unwrap();
    let step = Step::SetWeight { vip: WebBed::vip4(), server, weight, flush: false };
    bed.first().dataplane.meddle(vec![step]).await;
    bed.until_held(0, "v4 b=7 nginx0=100 / v6 b=40 nginx0=100").await;
    page.go("#/vpp?daemon=lb1").await;
    open(&page, "sync", "1 step").await;
    page.sees("dialog .steps", "as-weight").await;
    bed.until_held(0, "v4 b=7 nginx0=100 / v6 b=40 nginx0=100").await;
    confirm(&page, "Done.").await;
    page.sees("dialog .results", "1 step written").await;
    close(&page).await;
    bed.until_all("b=40 nginx0=100").await;
    open(&page, "sync", "Nothing would be written").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_reload_shows_the_check_of_the_file_first() {
    let Some((bed, page)) = operated().await else { return };
    let path = bed.first().bed.dir().join("maglev.yaml");
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, file.replace("b: {weight: 40}", "nobody: {weight: 40}")).unwrap();
    page.go("#/vpp?daemon=lb1").await;
    open(&page, "reload", "The file is not used").await;
    page.sees("dialog .forecast", "nobody").await;
    page.press(&[key::ESCAPE]).await;
    page.until("document.querySelector('dialog') === null").await;
    std::fs::write(&path, file.replace("b: {weight: 40}", "b: {weight: 60}")).unwrap();
    open(&page, "reload", "The file has no fault").await;
    confirm(&page, "Done.").await;
    close(&page).await;
    bed.until_one(0, "b=60 nginx0=100").await;
    bed.until_one(1, "b=40 nginx0=100").await;
    // The other daemon has another configuration now, and that is red.
    page.go("#/").await;
    page.sees(".tone-fault h2", "Daemons differ").await;
    page.sees(".differences", "60, as in the file").await;
    page.sees("h1", "Something is wrong").await;
    page.assert_quiet(&[]).await;
}
