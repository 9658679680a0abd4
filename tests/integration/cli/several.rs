//! One command for several daemons: each a built maglevd with an embedded dataplane, some
//! of them away, some that refuse.

use std::net::SocketAddr;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::fake_daemon::Behaviour;
use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::{Config, Fleet, ask};
use vpp_maglev::vpp::embedded::plugin::PluginApi;

/// An address without a listener, as long as the socket lives.
fn nobody() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    (socket, address)
}

/// A line for each server, in order.
fn lines(servers: &[String], said: &[&str]) -> String {
    servers.iter().zip(said).map(|(server, said)| format!("{server}: {said}\n")).collect()
}

#[tokio::test]
async fn a_change_is_made_at_all_and_told_in_a_line_each() {
    let fleet = Fleet::start(3).await;
    let servers = fleet.addresses();
    let said = fleet.ask("set backend nginx0 pause").await;
    let paused = "nginx0 is paused, written";
    assert_eq!(said, (0, lines(&servers, &[paused; 3]), String::new()));
    for member in &fleet.members {
        member.dataplane.until_both("b=40 nginx0=0").await;
    }
    let (status, out, _) =
        fleet.ask("--output json set frontend v4 pool pool0 backend b weight 7").await;
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, value.as_array().unwrap().len()), (0, 3));
    for (answer, server) in value.as_array().unwrap().iter().zip(&servers) {
        assert_eq!(answer["server"], **server);
        assert_eq!(answer["answer"]["pools"][0]["backends"][0]["weight"], 7, "{answer}");
    }
    for member in &fleet.members {
        member.dataplane.until("v4 b=7 nginx0=0 / v6 b=40 nginx0=0").await;
    }
}

#[tokio::test]
async fn who_refuses_or_is_away_is_named_and_the_others_change() {
    let fleet = Fleet::start(2).await;
    let servers = fleet.addresses();
    let (_socket, away) = nobody();
    let three = [servers[0].clone(), away.clone(), servers[1].clone()];
    let (status, out, err) = ask(&three, "set backend nginx0 pause").await;
    let paused = "nginx0 is paused, written";
    let unreached =
        format!("not reached: maglevd at {away}: cannot be reached: connection refused");
    assert_eq!(out, lines(&three, &[paused, &unreached, paused]));
    assert_eq!((status, err), (3, format!("1 of 3 daemons did not do it: not reached: {away}\n")));

    let (status, _, _) = ask(&servers[..1], "set backend nginx0 disable").await;
    assert_eq!(status, 0);
    let (status, out, err) = fleet.ask("set backend nginx0 resume").await;
    let refused = "refused: backend \"nginx0\" is disabled: enable it before you resume it";
    assert_eq!(out.lines().next().unwrap(), format!("{}: {refused}", servers[0]));
    let expected = format!("1 of 2 daemons did not do it: refused by: {}\n", servers[0]);
    assert_eq!((status, err), (1, expected));
    fleet.members[1].dataplane.until_both("b=40 nginx0=100").await;

    // A refusal counts more than one that is away.
    let (status, _, err) = ask(&three, "set backend nginx0 resume").await;
    assert_eq!(status, 1, "{err}");
}

#[tokio::test]
async fn all_or_none_changes_none_where_one_would_refuse_or_is_away() {
    let fleet = Fleet::start(2).await;
    let servers = fleet.addresses();
    let (_socket, away) = nobody();
    let three = [servers[0].clone(), away.clone(), servers[1].clone()];
    let (status, out, err) = ask(&three, "--all-or-none set backend nginx0 pause").await;
    assert_eq!(status, 3, "{out}{err}");
    let spared = "would, and was not changed";
    assert_eq!(out.lines().next().unwrap(), format!("{}: {spared}", servers[0]));
    assert!(out.lines().nth(1).unwrap().contains("not reached:"), "{out}");

    let (status, _, _) = ask(&servers[..1], "set backend b disable").await;
    assert_eq!(status, 0);
    fleet.members[0].dataplane.writes();
    let (status, out, err) = fleet.ask("--all-or-none set backend b pause").await;
    let refused = "refused: backend \"b\" is disabled: enable it before you pause it";
    assert_eq!(out, lines(&servers, &[refused, spared]));
    assert_eq!(status, 1, "{err}");

    // Another daemon does not know how to be asked: it is not changed either.
    let old = BackgroundDaemon::start(Behaviour { old: true, ..Behaviour::USUAL });
    let with_old = [servers[1].clone(), old.address.clone()];
    let (status, out, _) = ask(&with_old, "--all-or-none set backend nginx0 pause").await;
    let is_older = "refused: the daemon does not know this command; is it older?";
    assert_eq!((status, out), (1, lines(&with_old, &[spared, is_older])));

    let (status, _, _) = fleet.ask("--all-or-none set backend nginx0 disable").await;
    assert_eq!(status, 0);
    // Of nginx0, nothing was written but what was done at last.
    let written = fleet.members[1].dataplane.writes();
    assert!(written.iter().all(|write| write.ends_with("nginx0 0 flush")), "{written:?}");
    assert_eq!(written.len(), 2, "{written:?}");
}

#[tokio::test]
async fn what_some_did_is_undone_where_one_fails() {
    let fleet = Fleet::start(2).await;
    let fickle = BackgroundDaemon::start(Behaviour { fickle: true, ..Behaviour::USUAL });
    let servers = fleet.addresses();
    let three = [servers[0].clone(), fickle.address.clone(), servers[1].clone()];
    let (status, out, err) = ask(&three, "--all-or-none set backend nginx0 disable").await;
    let refused = "refused: there is no room for it any more";
    let undone = "was changed back: unset";
    assert_eq!(out, lines(&three, &[undone, refused, undone]));
    let expected = format!("1 of 3 daemons did not do it: refused by: {}\n", fickle.address);
    assert_eq!((status, err), (1, expected));
    for member in &fleet.members {
        // It was done, and undone.
        member.dataplane.until_both("b=40 nginx0=100").await;
        let written = member.dataplane.writes();
        let (done, back) = written.split_at(2);
        assert!(done.iter().all(|write| write.ends_with("nginx0 0 flush")), "{written:?}");
        assert!(back.iter().all(|write| write.ends_with("nginx0 100")), "{written:?}");
        assert_eq!(back.len(), 2, "{written:?}");
    }
    let (status, out, err) = fleet.ask("compare").await;
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
}

const SAME: &str = "2 daemons have the same configuration, states, overrides, weights and tables\n";

#[tokio::test]
async fn compare_finds_nothing_between_equals_and_each_kind_of_difference() {
    let mut fleet = Fleet::start(2).await;
    let servers = fleet.addresses();
    let (a, b) = (&servers[0], &servers[1]);
    assert_eq!(fleet.ask("compare").await, (0, SAME.into(), String::new()));
    assert_eq!(fleet.ask("--output json compare").await, (0, "[]\n".into(), String::new()));

    let set = "set frontend v4 pool pool0 backend b weight 7";
    assert_eq!(ask(&servers[..1], set).await.0, 0);
    let (status, out, err) = fleet.ask("compare").await;
    assert_eq!((status, err.as_str()), (1, "there are 3 differences\n"), "{out}");
    let lines: Vec<_> = out.lines().collect();
    let weight =
        format!("weight of b in v4/pool0: 7 by an operator on {a}; 40, as in the file on {b}");
    let effective = format!("effective weight of b in v4/pool0: 7 on {a}; 40 on {b}");
    assert_eq!(&lines[..2], [weight, effective]);
    assert!(lines[2].starts_with("table of v4: "), "{out}");
    // What is set at both is no difference.
    assert_eq!(ask(&servers[1..], set).await.0, 0);
    assert_eq!(fleet.ask("compare").await.1, SAME);

    assert_eq!(ask(&servers[..1], "set backend nginx0 pause").await.0, 0);
    let (status, out, _) = fleet.ask("--output json compare").await;
    let value: Value = serde_json::from_str(&out).unwrap();
    let aspects = value.as_array().unwrap().iter().map(|it| it["aspect"].as_str().unwrap());
    let expected = ["override", "state", "effective_weight", "effective_weight", "table", "table"];
    assert_eq!((status, aspects.collect::<Vec<_>>()), (1, expected.to_vec()), "{out}");
    assert_eq!(value[0]["values"][0]["value"], "paused by an operator");
    assert_eq!(ask(&servers[..1], "set backend nginx0 resume").await.0, 0);
    fleet.members[0].dataplane.until("v4 b=7 nginx0=100 / v6 b=40 nginx0=100").await;
    assert_eq!(fleet.ask("compare").await.1, SAME);

    // Another file: the frontend, and one that the other lacks.
    let text = Config::of(&fleet.backends)
        .both(&["nginx0:99 b:40"])
        .frontend_on(81, "more", "192.0.2.81", &["b"])
        .text();
    fleet.members[1].bed.write_config(&text);
    assert_eq!(ask(&servers[1..], "config reload").await.0, 0);
    let (status, out, _) = fleet.ask("compare").await;
    assert_eq!(status, 1);
    let has = |line: &str| out.lines().any(|found| found.starts_with(line));
    for line in ["configuration: ", "frontend v4 in the file: ", "frontend v6 in the file: "] {
        assert!(has(line), "{line} in {out}");
    }
    assert!(has(&format!("frontend more: missing on {a}; ")), "{out}");
    assert!(!has("backend"), "{out}");

    // Where one is away, the others are compared, and the status says so.
    fleet.members.pop();
    let (status, out, err) = ask(&servers, "compare").await;
    assert_eq!((status, out.as_str()), (3, "there is nothing to compare\n"));
    assert!(err.ends_with(&format!("1 of 2 daemons gave no answer: not reached: {b}\n")), "{err}");
    let (status, _, err) = ask(&servers[..1], "compare").await;
    assert_eq!((status, err.lines().count()), (2, 1), "{err}");
}

#[tokio::test]
async fn compare_tells_vpps_with_and_without_weights_apart_where_their_tables_differ() {
    let both = [PluginApi::V1_2, PluginApi::V1_1];
    for weights in [[100, 40], [100, 100]] {
        let fleet = Fleet::with(&both, weights).await;
        let (status, out, _) = fleet.ask("compare").await;
        assert_eq!((status, out.lines().count()), (1, 2), "{out}");
        let [a, b] = &fleet.addresses()[..] else { panic!() };
        for (line, vip) in out.lines().zip(["v4", "v6"]) {
            let table = line.strip_prefix(&format!("table of {vip}: ")).expect(line);
            let (ours, theirs) = table.split_once("; ").expect(line);
            assert!(ours.ends_with(&format!(" (weights) on {a}")), "{line}");
            assert!(theirs.ends_with(&format!(" (membership) on {b}")), "{line}");
        }
    }
    // With weights of 1 flows go to the same servers.
    let fleet = Fleet::with(&both, [1, 1]).await;
    assert_eq!(fleet.ask("compare").await, (0, SAME.into(), String::new()));
}

#[tokio::test]
async fn a_timeline_of_several_is_in_one_order() {
    let fleet = Fleet::start(2).await;
    let servers = fleet.addresses();
    for (index, change) in [(1, "pause"), (0, "pause"), (1, "resume")] {
        let line = format!("set backend nginx0 {change}");
        assert_eq!(ask(&servers[index..=index], &line).await.0, 0);
    }
    let (status, out, err) = fleet.ask("--output json show timeline backend nginx0 since 1h").await;
    assert_eq!((status, err.as_str()), (0, ""));
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    let moments: Vec<_> = rows.iter().map(|row| row["event"]["at"].as_str().unwrap()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let asked = rows.iter().filter(|row| row["event"]["type"] == "change");
    let asked = asked.map(|row| {
        (row["server"].as_str().unwrap(), row["event"]["to"].as_str().unwrap_or_default())
    });
    let expected = [
        (servers[1].as_str(), "paused"),
        (servers[0].as_str(), "paused"),
        (servers[1].as_str(), "enabled"),
    ];
    assert_eq!(asked.collect::<Vec<_>>(), expected);
    let of = |kind: &'static str| rows.iter().filter(move |row| row["event"]["type"] == kind);
    assert!(of("backend").all(|row| row["event"]["backend"] == "nginx0"));
    let written = |row: &&Value| row["event"]["kind"] == "as_weight_updated";
    assert!(of("dataplane").any(|row| written(&row)), "{out}");
    let (status, out, _) = fleet.ask("show timeline frontend v4").await;
    assert_eq!(status, 0);
    assert!(out.lines().next().unwrap().contains("DAEMON"), "{out}");
    assert!(out.contains("enabled → paused by 127.0.0.1:"), "{out}");

    // Where one is away, the others' is told, and the status says so.
    let (_socket, away) = nobody();
    let with_away = [servers[0].clone(), away.clone()];
    let (status, out, err) = ask(&with_away, "show timeline backend nginx0").await;
    assert!(status == 3 && out.contains(&servers[0]) && !out.contains(&away), "{status} {out}");
    assert!(err.ends_with(&format!("not reached: {away}\n")), "{err}");
}

#[tokio::test]
async fn an_explanation_begins_with_the_cause() {
    let mut fleet = Fleet::start(1).await;
    let first = async |fleet: &Fleet, line: &str| {
        let (status, out, err) = fleet.ask(line).await;
        assert_eq!((status, err.as_str()), (0, ""));
        out.lines().next().unwrap().to_owned()
    };
    let well = first(&fleet, "explain backend nginx0").await;
    let expected = "nginx0 gets new flows of v4, v6: its health check passes, since ";
    assert!(well.starts_with(expected), "{well}");

    fleet.backends[0].stop().await;
    fleet.members[0].dataplane.until_both("b=40 nginx0=0").await;
    let down = first(&fleet, "explain backend nginx0").await;
    let (expected, why) = ("nginx0 gets no new flows because its health check ", ", port ");
    let fails = ") fails: L4CON connection refused, 2 of 2, since ";
    assert!(down.starts_with(expected) && down.contains(why) && down.contains(fails), "{down}");
    let degraded = first(&fleet, "explain frontend v4").await;
    let expected = "v4 sends new flows to 1 of 2 backends of pool pool0: nginx0 is down (L4CON connection refused), since ";
    assert!(degraded.starts_with(expected), "{degraded}");

    let (_, out, _) = fleet.ask("--output json explain backend nginx0").await;
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&value["kind"], &value["name"]), (&"check_fails".into(), &"nginx0".into()));
    let stages: Vec<_> =
        value["chain"].as_array().unwrap().iter().map(|it| it["stage"].as_str().unwrap()).collect();
    let of_frontend = ["pool", "share", "write", "read_back"];
    let expected = [&["probes", "verdict", "evidence", "operator"][..], &of_frontend, &of_frontend];
    assert_eq!(stages, expected.concat());
    let write = &value["chain"][6];
    assert_eq!(write["text"], "weight 0 was written (was 100); VPP confirmed all that is due");
    assert!(write["since"].is_string(), "{write}");

    assert_eq!(fleet.ask("set backend b pause").await.0, 0);
    let none = first(&fleet, "explain frontend v6").await;
    let expected = "v6 gets no new flows because no backend can take them: ";
    assert!(none.starts_with(expected), "{none}");
    let paused = first(&fleet, "explain backend b").await;
    assert!(
        paused.starts_with("b gets no new flows because an operator paused it: pause by "),
        "{paused}"
    );

    let (status, _, err) = fleet.ask("explain frontend old").await;
    assert_eq!((status, err.as_str()), (1, "there is no frontend \"old\"\n"));
}

#[tokio::test]
async fn what_makes_no_sense_for_several_is_refused_with_the_remedy() {
    let servers = ["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()];
    let cases = [
        ("watch events", "a watch follows one daemon: name one --server"),
        ("watch state", "a watch follows one daemon: name one --server"),
        ("--all-or-none config reload", "--all-or-none is for `set …`, which can be undone"),
        ("--all-or-none show backends", "--all-or-none is for `set …`, which can be undone"),
        ("", "without a command there can be one --server only"),
    ];
    for (line, expected) in cases {
        let (status, out, err) = ask(&servers, line).await;
        assert_eq!((status, out.as_str()), (2, ""), "{line}");
        assert!(err.starts_with(expected) && err.lines().count() == 1, "{line}: {err}");
    }
    let (status, out, _) = ask(&servers, "show version").await;
    assert!(status == 0 && out.starts_with("maglevc "), "{out}");
}
