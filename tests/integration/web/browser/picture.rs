//! The picture of the overview in the README.

use openssl::base64::decode_block;
use vpp_maglev::pb::{BackendRequest, SetWeightRequest};
use vpp_maglev::vpp::embedded::EmbeddedOptions;

use super::bed::WebBed;
use super::page::Page;
use crate::support::probe::skipped;
use crate::support::{Backend, Config, Dataplane, Fleet, Member, Names, TestBed};

const BACKENDS: [&str; 9] =
    ["web1", "web2", "web3", "spare1", "api1", "api2", "api3", "cache1", "cache2"];

/// Three daemons of one configuration, with something for each colour.
async fn fleet() -> Fleet {
    let backends: Vec<_> = BACKENDS.into_iter().map(Backend::start).collect();
    let text = Config::of(&backends)
        .frontend_on(443, "www", "192.0.2.10", &["web1 web2 web3", "spare1"])
        .frontend_on(443, "www6", "2001:db8::10", &["web1 web2 web3", "spare1"])
        .frontend_on(8443, "api", "192.0.2.20", &["api1 api2 api3"])
        .frontend_on(6379, "cache", "192.0.2.30", &["cache1 cache2"])
        .text();
    let mut members = Vec::new();
    for _ in 0..3 {
        let bed = TestBed::with_text(&text);
        let names = Names::of(&backends);
        let dataplane = Dataplane::start(bed.dir(), names, EmbeddedOptions::default());
        let bed = bed.vpp(dataplane.socket());
        let daemon = bed.start().await;
        daemon.all(&BACKENDS, "up").await;
        members.push(Member { daemon, dataplane, bed });
    }
    Fleet { members, backends }
}

/// Where to write it.
fn path() -> Option<std::path::PathBuf> {
    let path = std::env::var_os("MAGLEV_TEST_PICTURE").map(Into::into);
    if path.is_none() {
        skipped("MAGLEV_TEST_PICTURE does not say where the picture of the page is to be written");
    }
    path
}

#[tokio::test]
async fn the_picture_of_the_overview() {
    let Some(path) = path() else { return };
    let mut fleet = fleet().await;
    for member in &fleet.members {
        let mut client = member.daemon.client().await;
        let why = "kernel upgrade, ann".to_owned();
        let pause = BackendRequest { name: "cache2".into(), why, ..BackendRequest::default() };
        client.pause_backend(pause).await.unwrap();
    }
    let weight = SetWeightRequest {
        frontend: "api".into(),
        pool: "pool0".into(),
        backend: "api3".into(),
        weight: 20,
        why: "canary".into(),
        ..SetWeightRequest::default()
    };
    let mut client = fleet.members[1].daemon.client().await;
    client.set_frontend_pool_backend_weight(weight).await.unwrap();
    let web2 = fleet.backends.iter_mut().find(|backend| backend.name == "web2").unwrap();
    web2.stop().await;
    for member in &fleet.members {
        member.daemon.all(&["web2"], "down").await;
    }
    let bed = WebBed::before(fleet).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.resize(1280, 940, 1.0).await;
    page.sees(".differences", "20 by an operator").await;
    page.until("document.querySelectorAll('.backends tr.row.fault').length === 1").await;
    let png = decode_block(&page.picture().await).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() < 400_000, "{} bytes", png.len());
    std::fs::write(path, png).unwrap();
    page.assert_quiet(&[]).await;
}
