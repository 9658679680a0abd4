//! Every view shows what the daemons say, at any width, light and dark, and to whoever
//! cannot see it or has no mouse.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::bed::WebBed;
use super::page::{Page, key};
use crate::support::probe::skipped;

/// All views, with what is there once they have what they asked for.
const VIEWS: [(&str, &str); 5] = [
    ("#/", "tr.row"),
    ("#/frontend/v4", ".chain li"),
    ("#/backend/nginx0", ".strip li"),
    ("#/timeline", "tr.row"),
    ("#/vpp", ".vips tbody tr"),
];

/// Shows a view, and waits until it is whole.
async fn show(page: &Page, view: &str, whole: &str) {
    page.go(view).await;
    page.until(&format!("document.querySelector({})", json!(whole))).await;
}

#[tokio::test]
async fn a_frontend_has_its_pools_and_shares_and_a_backend_its_probes_and_users() {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    show(&page, "#/frontend/v4", ".chain li").await;
    page.sees(".pools", "Pool pool0").await;
    // Weights 100 and 40 of a table of 1024.
    page.sees(".pools tr", "71.").await;
    // This VPP has no segment of counters.
    page.sees("main", "VPP counts no packets for it.").await;
    page.sees(".facts", "192.0.2.80 tcp/80").await;
    page.click(".pools a[href^='#/backend/b']").await;
    page.sees("h1", "b").await;
    page.sees(".strip li", "L7OK").await;
    page.sees(".users", "v6").await;
    page.sees(".chain", "read-back").await;
    show(&page, "#/vpp", ".vips tbody tr").await;
    page.sees(".vips", "192.0.2.80/32 tcp/80").await;
    page.click("[data-examine=doctor]").await;
    page.sees(".findings", "lb plugin").await;
    page.go("#/backend/nobody").await;
    page.sees("h1", "No backend nobody").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn no_view_is_wider_than_a_narrow_window_or_one_at_200_percent() {
    let bed = WebBed::start(2).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    // The width and the height in CSS pixels, and the zoom.
    for (width, height, zoom) in [(380, 800, 1.0), (640, 450, 2.0), (320, 600, 1.0)] {
        page.resize(width, height, zoom).await;
        for (view, whole) in VIEWS {
            show(&page, view, whole).await;
            let wide = page.run("const { scrollWidth } = document.documentElement; return Math.max(0, scrollWidth - innerWidth);").await;
            assert_eq!(wide, json!(0), "{view} at {width} pixels scrolls sideways");
            let outside = page
                .run(
                    "return [...document.querySelectorAll('main a, main button, header a, header button, h1')]
                       .filter((it) => !it.matches('.skip') && it.getClientRects().length > 0)
                       .filter((it) => { const { left, right } = it.getBoundingClientRect(); return left < 0 || right > innerWidth; })
                       .map((it) => it.textContent);",
                )
                .await;
            assert_eq!(outside, json!([]), "{view} at {width} pixels");
        }
    }
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn a_daemon_that_is_away_has_its_name_whole_in_little_room() {
    let bed = WebBed::with_one_away().await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees(".daemons .reason", "connection refused").await;
    for width in [320, 380, 640] {
        page.resize(width, 800, 1.0).await;
        let lines = page
            .run(
                "return [...document.querySelectorAll('.daemons .name')].map((it) => {
                   const height = parseFloat(getComputedStyle(it).lineHeight);
                   return Math.round(it.getBoundingClientRect().height / height); });",
            )
            .await;
        assert_eq!(lines, json!([1, 1]), "lines of the names at {width} pixels");
    }
    page.sees("h1", "Something is wrong").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn the_theme_is_the_systems_or_the_one_that_was_chosen() {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees("h1", "All 2").await;
    // How bright the page is, 0 to 255.
    let bright = "return Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]);";
    for (scheme, is_dark) in [("dark", true), ("light", false)] {
        page.prefers(scheme).await;
        assert_eq!(page.run(bright).await.as_u64().unwrap() < 128, is_dark, "{scheme}");
    }
    // From the system's to light, and to dark.
    page.press(&["t", "t"]).await;
    page.until("document.documentElement.dataset.theme === 'dark'").await;
    assert!(page.run(bright).await.as_u64().unwrap() < 128);
    page.reload().await;
    page.sees("h1", "All 2").await;
    assert!(page.run(bright).await.as_u64().unwrap() < 128, "the choice is kept");
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn everything_is_reached_by_keys_alone() {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees("h1", "All 2").await;
    page.press(&["/"]).await;
    page.types("nginx").await;
    page.sees("#head-frontends", "Frontends").await;
    page.until("document.querySelectorAll('tr.row').length === 1").await;
    page.press(&[key::ENTER, key::ENTER]).await;
    page.sees("h1", "nginx0").await;
    page.press(&["b"]).await;
    page.until("document.querySelectorAll('tr.row').length === 1").await;
    page.press(&["g", "t"]).await;
    page.sees("h1", "Timeline").await;
    page.press(&["j", "j", "k"]).await;
    page.until("document.activeElement.matches('[data-row] a')").await;
    page.press(&["g", "v"]).await;
    page.sees("h1", "lb1").await;
    page.run("document.querySelector('.brand').focus();").await;
    page.press(&["?"]).await;
    page.sees("dialog[open]", "this list").await;
    page.press(&[key::ESCAPE]).await;
    page.until("document.querySelector('dialog') === null").await;
    page.until("document.activeElement.matches('.brand')").await;
    // The first stop of the tab key leads past what is above.
    page.go("#/").await;
    page.reload().await;
    page.sees("h1", "All 2").await;
    page.press(&[key::TAB]).await;
    page.until("document.activeElement.matches('.skip')").await;
    page.press(&[key::ENTER]).await;
    page.until("document.activeElement.matches('main')").await;
    page.assert_quiet(&[]).await;
}

#[tokio::test]
async fn times_are_utc_or_this_machines() {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    let zone = json!({ "timezoneId": "Asia/Kolkata" });
    page.devtools("Emulation.setTimezoneOverride", &zone).await;
    page.reload().await;
    show(&page, "#/timeline", "tr.row time").await;
    let first = "return document.querySelector('tr.row time').textContent.slice(-8);";
    let utc = page.run(first).await;
    page.press(&["z"]).await;
    page.sees(".tools", "GMT+5:30").await;
    let minutes = |time: &Value| -> i32 {
        let time = time.as_str().unwrap();
        let mut parts = time.split(':').map(|part| part.parse::<i32>().unwrap());
        parts.next().unwrap() * 60 + parts.next().unwrap()
    };
    let ahead = minutes(&page.run(first).await) - minutes(&utc);
    assert_eq!(ahead.rem_euclid(24 * 60), 5 * 60 + 30);
}

/// Where axe-core is: `MAGLEV_TEST_AXE`, or where `npm install axe-core` puts it here.
fn axe() -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
    let named = std::env::var_os("MAGLEV_TEST_AXE").map(PathBuf::from);
    std::fs::read_to_string(named.clone().unwrap_or(here))
        .inspect_err(|error| assert!(named.is_none(), "MAGLEV_TEST_AXE: {error}"))
        .ok()
}

#[tokio::test]
async fn axe_finds_no_serious_fault_in_any_view() {
    let Some(axe) = axe() else {
        skipped(
            "axe-core is not here: npm install axe-core, or name its axe.min.js in MAGLEV_TEST_AXE",
        );
        return;
    };
    let bed = WebBed::start(2).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    let judge = "const { violations } = await axe.run(document);
        return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => `${id}: ${nodes[0].html}`);";
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (380, "light")] {
        page.resize(width, 900, 1.0).await;
        page.prefers(scheme).await;
        for (view, whole) in VIEWS {
            show(&page, view, whole).await;
            let found = page.run(&format!("if (!window.axe) {{ {axe} }}; {judge}")).await;
            assert_eq!(found, json!([]), "{view}, {scheme}, {width} pixels");
        }
        page.press(&["?"]).await;
        page.sees("dialog[open]", "Keys").await;
        assert_eq!(page.run(judge).await, json!([]), "the list of keys, {scheme}");
        page.press(&[key::ESCAPE]).await;
    }
}
