//! The read model against docs/cli.md: every key of every object is in the
//! object's table there, and no other.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::pb;
use crate::pb::event::Event;

const PAGE: &str = include_str!("../../../docs/cli.md");

/// The names in backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of the first table after a line, without its titles.
fn table_after(line: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(&format!("\n{line}\n")).unwrap();
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split(" | ").collect()).collect()
}

/// The keys of an object as its table has them.
fn documented(title: &str) -> BTreeSet<String> {
    let rows = table_after(&format!("#### {title}"));
    rows.iter().flat_map(|cells| quoted(cells[0])).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn check(title: &str, object: impl Serialize) {
    assert_eq!(documented(title), keys(&serde_json::to_value(object).unwrap()), "{title}");
}

#[test]
fn the_page_has_every_key_of_every_object() {
    let doubt = pb::DoubtInfo::default();
    check("Doubt", DoubtJson::from(&doubt));
    check("Certificate", CertificateJson::from(&pb::CertificateInfo::default()));
    check("Damping", DampingJson::from(&pb::DampingInfo::default()));
    let slow_starts = vec![pb::SlowStartInfo::default()];
    let drain = Some(pb::DrainInfo::default());
    let backend = pb::BackendInfo { doubt: Some(doubt), drain, slow_starts, ..Default::default() };
    check("Backend", BackendJson::from(&backend));
    check("Probe", ProbeJson::from(&pb::ProbeRecord::default()));
    check("Explanation", ExplanationJson::from(&pb::Explanation::default()));
    check("Statement", StatementJson::from(&pb::ExplainStatement::default()));
    let value = DifferenceValueJson { server: String::new(), value: None };
    check("Value", &value);
    let (aspect, what) = (String::new(), String::new());
    check("Difference", DifferenceJson { aspect, what, values: vec![value] });
    check("Transition", TransitionJson::from(&pb::TransitionRecord::default()));
    let members = vec![pb::PoolBackendInfo::default()];
    let pools = vec![pb::PoolInfo { name: String::new(), backends: members }];
    let frontend = pb::FrontendInfo { pools, ..Default::default() };
    let frontend = FrontendJson::with_states(&frontend, &[backend]);
    check("Pool", &frontend.pools[0]);
    check("Pool backend", &frontend.pools[0].backends[0]);
    check("Frontend", frontend);
    check("Prediction", PredictionJson::new("", "", &pb::PredictChangeResponse::default()));
    check("Predicted server", PredictedServerJson::from(&pb::PredictedServer::default()));
    check("Moves", TableMovesJson::from(&pb::TableMoves::default()));
    let flap_damping = Some(pb::FlapDampingParams::default());
    let damped = pb::HealthCheckInfo { flap_damping, ..Default::default() };
    let damped = HealthCheckJson::from(&damped);
    check("Flap damping", damped.flap_damping.as_ref().unwrap());
    check("Health check", damped);
    check("HTTP check", HttpCheckJson::from(&pb::HttpCheckParams::default()));
    let header = HttpCheckHeaderJson { name: String::new(), value: None, file: None };
    check("HTTP check header", header);
    check("Check step", CheckStepJson::from(&pb::CheckStep::default()));
    check("gRPC check", GrpcCheckJson::from(&pb::GrpcCheckParams::default()));
    check("TLS check", TlsCheckJson::from(&pb::TlsCheckParams::default()));
    check("TCP check", TcpCheckJson::from(&pb::TcpCheckParams::default()));
    check("Fail-open", FailOpenJson::from(&pb::FailOpenInfo::default()));
    check("DNS check", DnsCheckJson::from(&pb::DnsCheckParams::default()));
    check("VPP", VppInfoJson::from(&pb::VppInfo::default()));
    check("Load balancer", LbStateJson::from(&pb::VpplbState::default()));
    check("Settings", LbConfJson::from(&pb::VpplbConf::default()));
    check("VIP", LbVipJson::from(&pb::Vpplbvip::default()));
    check("Server", LbServerJson::from(&pb::Vpplbas::default()));
    check("Counters", VipCountersJson::from(&pb::VpplbvipCounters::default()));
    check("Sync", SyncJson::new(&pb::SyncVpplbStateResponse::default(), false));
    check("Step", SyncStepJson::from(&pb::SyncStep::default()));
    check("Configuration check", ConfigCheckJson::default());
    check("Announcements", AnnouncementsJson::from(&pb::Announcements::default()));
    check("Announcement", AnnouncementJson::from(&pb::AnnouncementInfo::default()));
    let placed = pb::PlacedAnnouncementInfo::default();
    check("Placed announcement", PlacedAnnouncementJson::from(&placed));
    check("Driver", AnnounceDriverJson::from(&pb::AnnounceDriverInfo::default()));
    check("Identity", IdentityJson::from(&pb::CallerIdentity::default()));
}

#[test]
fn the_page_has_every_key_of_every_event() {
    let kinds = [
        Some(Event::Backend(pb::BackendEvent::default())),
        Some(Event::Frontend(pb::FrontendEvent::default())),
        Some(Event::FailOpen(pb::FailOpenEvent::default())),
        Some(Event::Dataplane(pb::DataplaneEvent::default())),
        Some(Event::Log(pb::LogEvent::default())),
        Some(Event::Hold(pb::HoldEvent::default())),
        Some(Event::Drain(pb::DrainEvent::default())),
        Some(Event::Audit(Box::default())),
        Some(Event::Announcement(pb::AnnouncementEvent::default())),
        Some(Event::Change(pb::ChangeEvent::default())),
        Some(Event::Missed(pb::MissedEvent::default())),
        None,
    ];
    let rows = table_after("### Events");
    assert_eq!(rows.len(), kinds.len());
    for (event, row) in kinds.into_iter().zip(rows) {
        let event = EventJson::from(&pb::Event { event, ..Default::default() });
        let value = serde_json::to_value(event).unwrap();
        assert_eq!(quoted(row[0]), BTreeSet::from([value["type"].as_str().unwrap().to_owned()]));
        let mut expected = quoted(row[1]);
        expected.extend(["type", "seq", "boot_id"].map(str::to_owned));
        assert_eq!(keys(&value), expected);
    }
}

#[test]
fn a_change_says_what_was_asked_for_and_by_whom() {
    let change = pb::ChangeEvent {
        kind: "weight".into(),
        frontend_name: "web".into(),
        pool_name: "primary".into(),
        backend_name: "nginx0".into(),
        from: "100".into(),
        to: "50".into(),
        overridden: true,
        who: "192.0.2.1:4711".into(),
        at_unix_ns: 1,
        why: "kernel upgrade".into(),
        until_unix_ns: 2,
        ended: String::new(),
        prefix: String::new(),
    };
    let event = pb::Event { event: Some(Event::Change(change)), seq: 7, boot_id: 0xfeed };
    let expected = serde_json::json!({
        "type": "change",
        "at": "1970-01-01T00:00:00.000000001Z",
        "kind": "weight",
        "frontend": "web",
        "pool": "primary",
        "backend": "nginx0",
        "prefix": null,
        "from": "100",
        "to": "50",
        "overridden": true,
        "who": "192.0.2.1:4711",
        "why": "kernel upgrade",
        "until": "1970-01-01T00:00:00.000000002Z",
        "ended": null,
        "seq": 7,
        "boot_id": "000000000000feed",
    });
    assert_eq!(serde_json::to_value(EventJson::from(&event)).unwrap(), expected);
}

#[test]
fn what_is_absent_is_null() {
    let value = serde_json::to_value(FrontendJson::from(&pb::FrontendInfo::default())).unwrap();
    for key in ["description", "protocol", "port", "vpp_refusal", "serving_pool"] {
        assert!(value[key].is_null(), "{key}");
    }
    let member = pb::PoolBackendInfo { effective_weight: -1, ..Default::default() };
    let value = serde_json::to_value(PoolBackendJson::from(&member)).unwrap();
    assert!(value["effective_weight"].is_null() && value.get("state").is_none(), "{value}");
}
