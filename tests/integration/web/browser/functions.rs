//! The page's functions that decide: what is wrong, in which order, what is asked for,
//! how a moment is written. They run where they are used, in the browser.

use super::bed::WebBed;
use super::page::Page;

/// Runs a file of `pure` in the page; it gives a list of what failed.
async fn run(name: &str, test: &str) {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    // A document of the same place in which the page itself does not run.
    page.go("theme.js").await;
    let prelude = include_str!("pure/prelude.js");
    let failed = page.run(&format!("{prelude}\n{test}\nreturn failed;")).await;
    assert_eq!(failed, serde_json::json!([]), "{name}");
}

#[tokio::test]
async fn moments_spans_and_numbers_are_written_as_operators_read_them() {
    run("format.js", include_str!("pure/format.js")).await;
}

#[tokio::test]
async fn every_state_has_its_level_and_its_reason() {
    run("judge.js", include_str!("pure/judge.js")).await;
}

#[tokio::test]
async fn rows_are_the_worst_first_whatever_changes() {
    run("rows.js", include_str!("pure/rows.js")).await;
}

#[tokio::test]
async fn the_state_takes_what_comes_twice_and_is_never_green_while_something_is_wrong() {
    run("state.js", include_str!("pure/state.js")).await;
}

#[tokio::test]
async fn trees_addresses_lists_and_requests() {
    run("page.js", include_str!("pure/page.js")).await;
}

#[tokio::test]
async fn the_stream_goes_on_after_every_end() {
    run("stream.js", include_str!("pure/stream.js")).await;
}
