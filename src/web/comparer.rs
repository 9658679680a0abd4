//! The actor that says how the daemons differ. It asks all of them at intervals, and soon
//! after one of them says that something else is asked for.

use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use prost::bytes::Bytes;
use serde_json::{Value, json};

use super::daemon::SetFingerprint;
use super::json::{JsonObject, to_json};
use super::tabs::{PublishFrame, TabBroker};
use crate::api::views::{DifferenceJson, differences};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::domain::utc::unix_rfc3339;
use crate::pb;

const INTERVAL: Duration = Duration::from_secs(30);
/// How long what happened is gathered.
const GATHER: Duration = Duration::from_secs(2);
/// Times as long as a comparison took, nothing is compared.
const REST: u32 = 20;
/// Of all differences, so many are sent to every tab.
const LISTED: usize = 200;

pub(super) struct Comparer {
    daemons: Vec<ComparedDaemon>,
    tabs: Addr<TabBroker>,
    last: ComparisonJson,
    timer: Option<(SpawnHandle, Instant)>,
    is_busy: bool,
    rested: Instant,
}

#[derive(Clone)]
pub(super) struct ComparedDaemon {
    pub(super) name: String,
    pub(super) client: DaemonClient,
    pub(super) mirror: Recipient<SetFingerprint>,
}

/// The daemons to compare.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct SetComparedDaemons(pub(super) Vec<ComparedDaemon>);

/// Something has happened that may make a difference.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct CompareSoon;

/// The last comparison.
#[derive(Message)]
#[rtype(result = "ComparisonJson")]
pub(super) struct GetComparison;

/// A comparison as JSON; `null`: there is nothing to compare, or nothing was compared yet.
#[derive(Clone, MessageResponse)]
pub(super) struct ComparisonJson {
    /// With the first of the differences.
    pub(super) listed: Bytes,
    /// With all of them.
    pub(super) whole: Bytes,
    /// What was found, without its moment.
    found: Bytes,
}

/// What came of asking all.
struct Compared {
    fingerprints: Vec<Option<String>>,
    json: ComparisonJson,
}

impl Comparer {
    pub(super) fn new(tabs: Addr<TabBroker>) -> Self {
        let null = || Bytes::from_static(b"null");
        let last = ComparisonJson { listed: null(), whole: null(), found: null() };
        let rested = Instant::now();
        Self { daemons: Vec::new(), tabs, last, timer: None, is_busy: false, rested }
    }

    fn compare_in(&mut self, delay: Duration, context: &mut Context<Self>) {
        if self.is_busy {
            return;
        }
        let now = Instant::now();
        let due = (now + delay).max(self.rested);
        match self.timer.take() {
            // However much happens meanwhile.
            Some((timer, earlier)) if earlier <= due => self.timer = Some((timer, earlier)),
            later => {
                if let Some((timer, _)) = later {
                    context.cancel_future(timer);
                }
                let timer = context.run_later(due.duration_since(now), Self::compare);
                self.timer = Some((timer, due));
            }
        }
    }

    fn compare(&mut self, context: &mut Context<Self>) {
        (self.timer, self.is_busy) = (None, true);
        let begun = Instant::now();
        let comparing = compare(self.daemons.clone()).into_actor(self);
        context.spawn(comparing.map(move |compared, comparer, context| {
            let now = Instant::now();
            comparer.is_busy = false;
            comparer.rested = now + REST * now.duration_since(begun);
            comparer.compared(compared);
            comparer.compare_in(INTERVAL, context);
        }));
    }

    fn compared(&mut self, compared: Compared) {
        for (daemon, fingerprint) in self.daemons.iter().zip(compared.fingerprints) {
            daemon.mirror.do_send(SetFingerprint(fingerprint));
        }
        if self.daemons.len() < 2 {
            return;
        }
        let is_new = self.last.found != compared.json.found;
        self.last = compared.json;
        if is_new {
            let json = self.last.listed.clone();
            self.tabs.do_send(PublishFrame::Event { kind: "differences", json });
        }
    }
}

async fn compare(daemons: Vec<ComparedDaemon>) -> Compared {
    let asked = daemons.into_iter().map(|daemon| {
        tokio::spawn(async move {
            let request = pb::GetFingerprintsRequest {};
            let response = daemon.client.grpc.clone().get_fingerprints(request).await;
            (daemon.name, daemon.client.message("GetFingerprints", response))
        })
    });
    let asked: Vec<_> = asked.collect();
    let mut answers = Vec::new();
    for asked in asked {
        answers.extend(asked.await);
    }
    // Of a thousand frontends the values are tens of thousands.
    tokio::task::spawn_blocking(move || compared(answers)).await.unwrap_or_else(|_| Compared {
        fingerprints: Vec::new(),
        json: ComparisonJson { listed: Bytes::new(), whole: Bytes::new(), found: Bytes::new() },
    })
}

fn compared(answers: Vec<(String, Result<pb::Fingerprints, ClientError>)>) -> Compared {
    let fingerprints = answers.iter().map(|(_, answer)| Some(answer.as_ref().ok()?.config.clone()));
    let fingerprints = fingerprints.collect();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        match answer {
            Ok(answer) => found.push((name, answer)),
            Err(error) => missing.push(json!({ "daemon": name, "why": error.to_string() })),
        }
    }
    let list = differences(&found);
    let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
    let as_of = unix_rfc3339(SystemTime::now());
    let json = ComparisonJson {
        listed: comparison(
            Some(&as_of),
            &names,
            &missing,
            &list[..list.len().min(LISTED)],
            list.len(),
        ),
        whole: comparison(Some(&as_of), &names, &missing, &list, list.len()),
        found: comparison(None, &names, &missing, &list[..list.len().min(LISTED)], list.len()),
    };
    Compared { fingerprints, json }
}

fn comparison(
    as_of: Option<&str>,
    compared: &[String],
    missing: &[Value],
    list: &[DifferenceJson],
    total: usize,
) -> Bytes {
    let mut object = JsonObject::default();
    object.set("as_of", &as_of).set("compared", &compared).set("missing", &missing);
    object.set("total", &total).set_array("list", list.iter().map(to_json));
    object.finish().into()
}

impl Actor for Comparer {
    type Context = Context<Self>;
}

impl Handler<SetComparedDaemons> for Comparer {
    type Result = ();

    fn handle(
        &mut self,
        SetComparedDaemons(daemons): SetComparedDaemons,
        context: &mut Context<Self>,
    ) {
        self.daemons = daemons;
        self.compare_in(GATHER, context);
    }
}

impl Handler<CompareSoon> for Comparer {
    type Result = ();

    fn handle(&mut self, _: CompareSoon, context: &mut Context<Self>) {
        self.compare_in(GATHER, context);
    }
}

impl Handler<GetComparison> for Comparer {
    type Result = ComparisonJson;

    fn handle(&mut self, _: GetComparison, _: &mut Context<Self>) -> ComparisonJson {
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::error::ConnectionLoss;

    #[test]
    fn all_are_counted_the_first_are_listed_and_who_is_away_is_named() {
        let backend = |number: usize, state: &str| pb::ComparedBackend {
            name: format!("b{number:03}"),
            state: state.into(),
            ..Default::default()
        };
        let of = |state: &str| pb::Fingerprints {
            config: "0000000000000007".into(),
            backends: (0..300).map(|number| backend(number, state)).collect(),
            ..Default::default()
        };
        let server = "c:3".parse().unwrap();
        let away = ClientError::Unreachable {
            attempted: "GetFingerprints",
            server,
            why: ConnectionLoss::Broken,
        };
        let answers =
            vec![("a".into(), Ok(of("up"))), ("b".into(), Ok(of("down"))), ("c".into(), Err(away))];
        let compared = compared(answers);
        assert_eq!(compared.fingerprints[1].as_deref(), Some("0000000000000007"));
        assert_eq!(compared.fingerprints[2], None);
        let value = |json: &Bytes| serde_json::from_slice::<Value>(json).unwrap();
        let listed = value(&compared.json.listed);
        assert_eq!(
            (listed["total"].as_u64(), listed["list"].as_array().unwrap().len()),
            (Some(300), 200)
        );
        assert_eq!(listed["list"][0]["values"][1], json!({ "server": "b", "value": "down" }));
        assert_eq!(listed["compared"], json!(["a", "b"]));
        assert_eq!(listed["missing"][0]["daemon"], "c");
        assert_eq!(value(&compared.json.whole)["list"].as_array().unwrap().len(), 300);
        assert!(value(&compared.json.found)["as_of"].is_null());
    }
}
