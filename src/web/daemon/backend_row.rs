//! A backend as tabs are told of it. There may be tens of thousands: what few of them
//! have stands in boxes.

use serde::{Serialize, Serializer};

use crate::api::views::time::known_moment;
use crate::api::views::{DampingJson, DoubtJson, DrainJson, OverrideJson, SlowStartJson};
use crate::pb;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct BackendRow {
    pub(super) name: String,
    address: Option<String>,
    dns_name: Option<String>,
    unresolved: Option<String>,
    pub(super) state: String,
    #[serde(serialize_with = "moment", rename = "since")]
    since_ns: i64,
    /// The first sentence of the explanation, or else what the events say.
    pub(super) reason: Option<String>,
    /// The kind of cause; `None`: the daemon was not asked to explain.
    pub(super) kind: Option<String>,
    healthcheck: Option<String>,
    last_result: Option<String>,
    enabled: bool,
    admin_override: Option<Box<OverrideJson>>,
    doubt: Option<Box<DoubtJson>>,
    damping: Option<Box<DampingJson>>,
    drain: Option<Box<DrainJson>>,
    slow_starts: Vec<SlowStartJson>,
    programmed: bool,
}

fn moment<S: Serializer>(at_ns: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    known_moment(*at_ns).serialize(serializer)
}

fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl BackendRow {
    pub(super) fn new(backend: pb::BackendInfo) -> Self {
        let last = backend.transitions.last().cloned().unwrap_or_default();
        let reason = reason(&backend, &last);
        Self {
            reason,
            kind: None,
            since_ns: last.at_unix_ns,
            admin_override: backend.admin_override.as_ref().map(|it| Box::new(it.into())),
            doubt: backend.doubt.as_ref().map(|it| Box::new(it.into())),
            damping: backend.damping.as_ref().map(|it| Box::new(it.into())),
            drain: backend.drain.as_ref().map(|it| Box::new(it.into())),
            slow_starts: backend.slow_starts.iter().map(SlowStartJson::from).collect(),
            name: backend.name,
            address: present(backend.address),
            dns_name: present(backend.dns_name),
            unresolved: present(backend.unresolved),
            state: backend.state,
            healthcheck: present(backend.healthcheck),
            last_result: present(backend.last_result),
            enabled: backend.enabled,
            programmed: backend.programmed,
        }
    }

    /// One of which only an event has told.
    pub(super) fn of_event(name: &str) -> Self {
        Self::new(pb::BackendInfo { name: name.to_owned(), enabled: true, ..Default::default() })
    }

    /// Whether an explanation says more than the state.
    pub(super) fn is_to_be_explained(&self) -> bool {
        self.kind.is_none()
            && (self.state != "up" || self.doubt.is_some() || self.unresolved.is_some())
    }

    /// Whether what an explanation is about is the same: it still holds.
    pub(super) fn has_cause_of(&self, before: &Self) -> bool {
        let facts = |view: &Self| (view.state.clone(), view.since_ns, view.enabled);
        facts(self) == facts(before)
            && self.doubt == before.doubt
            && self.damping.is_some() == before.damping.is_some()
            && self.unresolved == before.unresolved
    }

    /// What an event says of a transition, or of the present state.
    pub(super) fn change(&mut self, transition: &pb::TransitionRecord) {
        if transition.from != transition.to {
            self.doubt = None;
            self.kind = None;
        }
        self.state.clone_from(&transition.to);
        self.since_ns = transition.at_unix_ns;
        if self.kind.is_none() {
            self.reason = match transition.to.as_str() {
                "up" => None,
                _ => present(transition.why.clone()),
            };
        }
    }
}

fn reason(backend: &pb::BackendInfo, last: &pb::TransitionRecord) -> Option<String> {
    if let Some(doubt) = &backend.doubt {
        return present(doubt.why.clone());
    }
    if let Some(damping) = &backend.damping {
        let falls = damping.falls;
        return Some(format!("it passes again and is kept out, because it fell {falls} times"));
    }
    if let Some(why) = present(backend.unresolved.clone()) {
        return Some(why);
    }
    match backend.state.as_str() {
        "up" => None,
        _ => present(last.why.clone()).or_else(|| present(backend.last_result.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(from: &str, to: &str, why: &str) -> pb::TransitionRecord {
        let (from, to, why) = (from.into(), to.into(), why.into());
        pb::TransitionRecord { from, to, at_unix_ns: 1_000_000_000, why }
    }

    #[test]
    fn a_reason_is_what_is_known_and_none_where_all_is_well() {
        let of = |change: fn(&mut pb::BackendInfo)| {
            let mut info = pb::BackendInfo { state: "down".into(), ..Default::default() };
            info.last_result = "L4TOUT".into();
            change(&mut info);
            BackendRow::new(info).reason
        };
        assert_eq!(of(|it| it.state = "up".into()), None);
        assert_eq!(of(|_| {}).unwrap(), "L4TOUT");
        let fell =
            |it: &mut pb::BackendInfo| it.transitions.push(transition("up", "down", "L7STS"));
        assert_eq!(of(fell).unwrap(), "L7STS");
        let doubted = |it: &mut pb::BackendInfo| {
            it.state = "up".into();
            it.doubt = Some(pb::DoubtInfo { why: "nobody passes".into(), ..Default::default() });
        };
        assert_eq!(of(doubted).unwrap(), "nobody passes");
        let damped = |it: &mut pb::BackendInfo| {
            it.damping = Some(pb::DampingInfo { falls: 3, ..Default::default() });
        };
        assert!(of(damped).unwrap().contains("fell 3 times"));
    }

    #[test]
    fn an_explanation_holds_until_something_happens() {
        let mut view = BackendRow::of_event("a");
        view.change(&transition("unknown", "down", "L4TOUT"));
        assert_eq!(view.reason.as_deref(), Some("L4TOUT"));
        assert!(view.is_to_be_explained());
        (view.reason, view.kind) = (Some("its check fails".into()), Some("check_fails".into()));
        view.change(&transition("down", "down", "L4TOUT"));
        assert_eq!(view.reason.as_deref(), Some("its check fails"), "a snapshot is no change");
        let before = view.clone();
        assert!(view.has_cause_of(&before) && !view.is_to_be_explained());
        view.change(&transition("down", "up", "L7OK"));
        assert!((view.reason.clone(), view.kind.clone()) == (None, None));
        assert!(!view.has_cause_of(&before) && !view.is_to_be_explained());
    }

    #[test]
    fn its_json_has_the_keys_of_the_contract() {
        let mut view = BackendRow::of_event("a");
        view.change(&transition("unknown", "up", "L7OK"));
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["since"], "1970-01-01T00:00:01.000000000Z");
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        let expected = [
            "address",
            "admin_override",
            "damping",
            "dns_name",
            "doubt",
            "drain",
            "enabled",
            "healthcheck",
            "kind",
            "last_result",
            "name",
            "programmed",
            "reason",
            "since",
            "slow_starts",
            "state",
            "unresolved",
        ];
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
    }
}
