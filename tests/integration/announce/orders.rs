//! Operators order what the built daemon announces, and see it.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tonic::Code;
use vpp_maglev::pb::{
    Announcements, ExplainRequest, GetAnnouncementsRequest, GetFrontendRequest,
    GetOverridesRequest, GetTimelineRequest, SetAnnouncementRequest, UnsetAnnouncementRequest,
    event,
};

use super::daemon::{bed, file, placed};
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, Dataplane, TestBed, VIP4, VIP6, get, metrics_address, ran};

/// Longer than a test takes: what is waited for has to happen.
const WAIT_NS: i64 = 30_000_000_000;

fn order(address: &str, order: &str) -> SetAnnouncementRequest {
    SetAnnouncementRequest {
        address: address.into(),
        order: order.into(),
        wait_ns: WAIT_NS,
        why: "maintenance".into(),
        ..SetAnnouncementRequest::default()
    }
}

fn for_all(order: &str) -> SetAnnouncementRequest {
    SetAnnouncementRequest { all: true, ..self::order("", order) }
}

async fn shown(daemon: &Daemon) -> Announcements {
    let mut client = daemon.client().await;
    client.get_announcements(GetAnnouncementsRequest::default()).await.unwrap().into_inner()
}

/// What is wanted, and what is placed, by address.
fn states(shown: &Announcements) -> Vec<(&str, &str)> {
    let state = |it| -> (&str, &str) {
        let it: &vpp_maglev::pb::AnnouncementInfo = it;
        (it.wanted.as_str(), it.placed[0].state.as_str())
    };
    shown.announcements.iter().map(state).collect()
}

/// The daemon, with a VPP that has to be kept.
async fn started(bed: &mut TestBed, state: &Path) -> (Daemon, Dataplane) {
    let dataplane = bed.dataplane();
    let daemon = bed.start_with(&["--state-dir", state.to_str().unwrap()]).await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    (daemon, dataplane)
}

#[tokio::test]
async fn an_order_is_done_when_it_is_answered_and_outlasts_the_daemon() {
    let mut bed = bed(&["a", "b", "c"], "");
    let state = bed.dir().join("state");
    let (mut daemon, _dataplane) = started(&mut bed, &state).await;
    let mut client = daemon.client().await;

    let answer = client.set_announcement(order(VIP4, "withdraw")).await.unwrap().into_inner();
    assert_eq!(states(&answer), [("withdrawn", "withdrawn")]);
    assert_eq!(answer.unsettled, Vec::<String>::new());
    placed(bed.dir(), &[VIP6]).await;
    let drained = SetAnnouncementRequest { frontend_name: "v6".into(), ..order("", "drain") };
    let answer = client.set_announcement(drained).await.unwrap().into_inner();
    assert_eq!(states(&answer), [("drained", "drained")]);
    assert_eq!(answer.announcements[0].order.as_ref().unwrap().why, "maintenance");
    assert!(file(bed.dir(), "placed").contains("drained"));

    daemon.signal(Signal::KILL);
    daemon.ended().await;
    let next = bed.start_with(&["--state-dir", state.to_str().unwrap()]).await;
    next.all(&["a", "b"], "up").await;
    eventually("what was ordered is wanted again", DEADLINE, async || {
        states(&shown(&next).await) == [("withdrawn", "withdrawn"), ("drained", "drained")]
    })
    .await;
    let mut client = next.client().await;
    let listed = client.get_overrides(GetOverridesRequest {}).await.unwrap().into_inner();
    let listed: Vec<_> =
        listed.overrides.iter().map(|it| (it.prefix.as_str(), it.value.as_str())).collect();
    let (v4, v6) = (format!("{VIP4}/32"), format!("{VIP6}/128"));
    assert_eq!(listed, [(v4.as_str(), "withdraw"), (v6.as_str(), "drain")]);
    for address in [VIP4, VIP6] {
        let rules = UnsetAnnouncementRequest {
            address: address.into(),
            wait_ns: WAIT_NS,
            ..UnsetAnnouncementRequest::default()
        };
        let answer = client.unset_announcement(rules).await.unwrap().into_inner();
        assert_eq!(states(&answer), [("announced", "announced")]);
    }
    placed(bed.dir(), &[VIP4, VIP6]).await;
}

#[tokio::test]
async fn the_whole_site_is_withdrawn_and_every_view_says_so() {
    let mut bed = bed(&["a", "b", "c"], "");
    let state = bed.dir().join("state");
    let (mut daemon, _dataplane) = started(&mut bed, &state).await;
    let metrics = metrics_address(&mut daemon).await;
    let mut client = daemon.client().await;
    let ends = SetAnnouncementRequest { for_ns: 3_600_000_000_000, ..for_all("withdraw") };
    let answer = client.set_announcement(ends).await.unwrap().into_inner();
    assert_eq!(states(&answer), [("withdrawn", "withdrawn"); 2]);
    let for_all = answer.order_for_all.unwrap();
    assert!(for_all.left_ns.is_some() && for_all.prefix == "all", "{for_all:?}");
    placed(bed.dir(), &[]).await;

    let frontend = GetFrontendRequest { name: "v4".into() };
    let frontend = client.get_frontend(frontend).await.unwrap().into_inner();
    let announcement = frontend.announcement.unwrap();
    assert_eq!(announcement.wanted, "withdrawn");
    let explained = ExplainRequest { name: "v4".into() };
    let explained = client.explain_frontend(explained).await.unwrap().into_inner();
    assert_eq!(explained.kind, "withdrawn", "{explained:?}");
    let last = explained.chain.last().unwrap();
    assert_eq!((last.stage.as_str(), &*last.remedy), ("announce", "unset announcement all"));

    let timeline = GetTimelineRequest { frontend_name: "v4".into(), ..Default::default() };
    let timeline = client.get_timeline(timeline).await.unwrap().into_inner();
    let told: Vec<_> = timeline
        .events
        .iter()
        .filter_map(|event| match event.event.as_ref()? {
            event::Event::Change(it) if it.kind == "announcement" => {
                Some(("ordered".to_owned(), it.from.clone(), it.to.clone()))
            }
            event::Event::Announcement(it) => {
                Some((it.kind.clone(), it.from.clone(), it.to.clone()))
            }
            event::Event::Audit(it) => Some(("asked".into(), it.what.clone(), it.outcome.clone())),
            _ => None,
        })
        .collect();
    let word = |words: [&str; 3]| {
        let [a, b, c] = words.map(str::to_owned);
        (a, b, c)
    };
    for expected in [
        ["ordered", "rules", "withdraw"],
        ["wanted", "announced", "withdrawn"],
        ["placed", "announced", "withdrawn"],
        ["asked", "set announcement all withdraw for 1h", "done"],
    ] {
        assert!(told.contains(&word(expected)), "{expected:?} in {told:?}");
    }

    let (_, page) = get(&metrics, "/metrics").await;
    for series in [
        format!("maglev_announcement{{prefix=\"{VIP4}/32\",state=\"withdrawn\"}} 1"),
        format!("maglev_announcement{{prefix=\"{VIP4}/32\",state=\"announced\"}} 0"),
        format!("maglev_announcement_placed{{prefix=\"{VIP6}/128\",driver=\"command\"}} 1"),
        format!("maglev_announcement_held{{prefix=\"{VIP4}/32\"}} 0"),
        format!("maglev_announcement_changes_total{{prefix=\"{VIP4}/32\"}} 2"),
        "maglev_announcer_failing{driver=\"command\"} 0".into(),
        "maglev_announcer_refused{driver=\"command\"} 0".into(),
        "maglev_announcer_failures_total{driver=\"command\"} 0".into(),
        "maglev_override{set=\"withdraw\",frontend=\"\",pool=\"\",backend=\"\",prefix=\"all\"} 1"
            .into(),
    ] {
        assert!(page.lines().any(|line| line == series), "no {series} in\n{page}");
    }

    assert!(page.contains("\nmaglev_announcer_read_age_seconds{driver=\"command\"} "), "{page}");

    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let arguments = ["--server", &daemon.address(), "announce", "all", "because", "done"];
    let (status, out, errors) = ran(maglevc.args(arguments)).await;
    assert_eq!((status, errors.as_str()), (0, ""), "{out}");
    assert_eq!(out.matches("announced, done").count(), 2, "{out}");
    placed(bed.dir(), &[VIP4, VIP6]).await;
}

#[tokio::test]
async fn what_a_driver_cannot_do_is_said_with_why_and_forgotten_once_it_can() {
    let mut bed = bed(&["a", "b", "c"], "");
    let state = bed.dir().join("state");
    let (daemon, _dataplane) = started(&mut bed, &state).await;
    let program = bed.dir().join("place");
    let working = std::fs::read_to_string(&program).unwrap();
    std::fs::write(&program, "echo it is full >&2; exit 1").unwrap();
    let mut client = daemon.client().await;
    let soon = SetAnnouncementRequest { wait_ns: 1_000_000, ..for_all("withdraw") };
    client.set_announcement(soon).await.unwrap();
    eventually("the failure is shown", DEADLINE, async || {
        let shown = shown(&daemon).await;
        let is_told = shown.drivers[0].error.contains("it is full");
        is_told
            && states(&shown) == [("withdrawn", "unknown"); 2]
            && shown.unsettled.len() == 2
            && shown.unsettled[0].contains("it is full")
    })
    .await;
    let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    let arguments = ["--server", &daemon.address(), "show", "announcements"];
    let (status, out, _) = ran(maglevc.args(arguments)).await;
    assert!(status == 0 && out.contains("failed") && out.contains("it is full"), "{out}");
    std::fs::write(&program, working).unwrap();
    placed(bed.dir(), &[]).await;
    eventually("it works again", DEADLINE, async || {
        let shown = shown(&daemon).await;
        shown.unsettled.is_empty() && shown.drivers[0].error.is_empty()
    })
    .await;
}

#[tokio::test]
async fn what_is_not_announced_takes_no_order_and_a_request_names_one_thing() {
    let mut bed = bed(&["a", "b", "c"], "");
    let state = bed.dir().join("state");
    let (daemon, _dataplane) = started(&mut bed, &state).await;
    let mut client = daemon.client().await;
    let nameless = order("", "withdraw");
    let both = SetAnnouncementRequest { frontend_name: "v4".into(), ..order(VIP4, "withdraw") };
    for (request, code, part) in [
        (order("192.0.2.250", "withdraw"), Code::NotFound, "192.0.2.250"),
        (order(VIP4, "leave"), Code::InvalidArgument, "announce, drain, withdraw"),
        (order("192.0.2.0/24", "drain"), Code::InvalidArgument, "no prefix"),
        (nameless, Code::InvalidArgument, "give one of"),
        (both, Code::InvalidArgument, "give one of"),
    ] {
        let refused = client.set_announcement(request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.message().contains(part), "{refused}");
    }
    let only_asked = SetAnnouncementRequest { validate_only: true, ..for_all("withdraw") };
    client.set_announcement(only_asked).await.unwrap();
    let of_v6 = GetAnnouncementsRequest {
        frontend_name: "v6".into(),
        ..GetAnnouncementsRequest::default()
    };
    let of_v6 = client.get_announcements(of_v6).await.unwrap().into_inner();
    assert_eq!(states(&of_v6), [("announced", "announced")], "nothing was changed");
    assert_eq!(of_v6.announcements[0].prefix, format!("{VIP6}/128"));
    assert!(of_v6.drivers[0].read_ago_ns.is_some());
}
