//! An event of a daemon.

use std::collections::BTreeMap;

use serde::Serialize;

use super::backend::TransitionJson;
use super::text::present;
use super::time::known_moment;
use crate::pb;
use crate::pb::event::Event;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventJson {
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKindJson,
    /// Rises by one for each event of a daemon's run; 0 for `missed` and for
    /// the events of a snapshot but the last.
    pub seq: u64,
    /// 16 hexadecimal digits, which change when the daemon restarts.
    pub boot_id: String,
}

/// What happened; the key `type` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKindJson {
    /// A record of the daemon's log.
    Log {
        /// When it was written.
        at: Option<String>,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// The name of the record.
        msg: String,
        /// Its fields.
        attrs: BTreeMap<String, String>,
    },
    /// A backend's state.
    Backend {
        backend: String,
        /// Equal states in an event of a snapshot.
        #[serde(flatten)]
        transition: TransitionJson,
    },
    /// A frontend's state.
    Frontend {
        frontend: String,
        /// Equal states in an event of a snapshot.
        #[serde(flatten)]
        transition: TransitionJson,
    },
    /// A frontend begins to fail open, or ceases to.
    FailOpen {
        frontend: String,
        /// Between `closed` and `open`; equal states in an event of a snapshot.
        #[serde(flatten)]
        transition: TransitionJson,
        /// The pool whose enabled backends all count as up, or did.
        pool: Option<String>,
        /// The share of the weight below which it begins, 1..=100.
        threshold_percent: u32,
        /// The weights of the backends that were up.
        up_weight: u64,
        /// The weights of all backends in use.
        total_weight: u64,
    },
    /// Something was written to VPP, or happened to its connection.
    Dataplane {
        /// When.
        at: Option<String>,
        /// `None`: VPP as a whole, or a VIP of no frontend.
        frontend: Option<String>,
        /// The kind, by the words of `DataplaneEvent.kind`.
        kind: String,
        /// The values, for people.
        detail: Option<String>,
    },
    /// An operator or the file changed what is desired.
    Change {
        /// When.
        at: Option<String>,
        /// `admin`, `weight`, `announcement` or `config`.
        kind: String,
        /// Of a weight.
        frontend: Option<String>,
        /// Of a weight.
        pool: Option<String>,
        /// Of a weight and of `admin`.
        backend: Option<String>,
        /// Of an announcement: the address with its length, or `all`.
        prefix: Option<String>,
        /// The desired value before.
        from: Option<String>,
        /// The desired value now.
        to: Option<String>,
        /// Whether `to` is an operator's override of the file.
        overridden: bool,
        /// The client, `file`, or `time` at the end of an override.
        who: String,
        /// In the operator's words.
        why: Option<String>,
        /// When the override ends by itself.
        until: Option<String>,
        /// How the override ended: `unset`, `expired` or `reconfigured`.
        ended: Option<String>,
    },
    /// The verdicts of backends that are probed over one way wait for evidence, or
    /// do so no longer.
    Hold {
        /// When.
        at: Option<String>,
        /// The way: `ipv4`, or `ipv6 from 2001:db8::1`.
        probes: String,
        /// `began` or `ended`.
        kind: String,
        /// How it ended: `passed`, `believed` or `dropped`.
        outcome: Option<String>,
        /// Nanoseconds; of one that ended.
        lasted_ns: Option<i64>,
        /// `doubt-limit`, in nanoseconds; of one that began.
        limit_ns: Option<i64>,
    },
    /// A drain begins, comes further, or is followed no longer.
    Drain {
        /// When.
        at: Option<String>,
        backend: String,
        /// `draining`, `overdue`, `flushing`, `drained` or `ended`.
        kind: String,
        /// The last count; `None`: they were not counted yet.
        flows: Option<u64>,
        /// When the drain began.
        since: Option<String>,
        /// Who began it.
        who: Option<String>,
        /// The cause, for people.
        why: Option<String>,
    },
    /// Somebody changed something, or tried to.
    Audit {
        /// When the outcome was known.
        at: Option<String>,
        who: String,
        /// The caller's name in the rights file.
        identity: Option<String>,
        /// Where it came in; `None`: by a signal.
        listener: Option<String>,
        /// Where it came from.
        peer: Option<String>,
        /// `none`, `viewer` or `operator`.
        role: String,
        /// The RPC, or `SIGHUP`.
        method: String,
        /// What was asked for, in words.
        what: String,
        /// In the caller's words.
        why: Option<String>,
        /// `done`, `denied`, `refused`, `failed` or `abandoned`.
        outcome: String,
        /// What became of it, for people.
        detail: Option<String>,
        backend: Option<String>,
        frontend: Option<String>,
        /// When the call came.
        began: Option<String>,
        /// Calls that were denied before this one and have no event of their own.
        withheld: u64,
    },
    /// An announcement changes, or how a driver fares.
    Announcement {
        /// When.
        at: Option<String>,
        /// `wanted`, `placed` or `driver`.
        kind: String,
        /// The address with its length.
        prefix: Option<String>,
        /// Those that share it.
        frontends: Vec<String>,
        /// Of `placed` and `driver`.
        driver: Option<String>,
        from: String,
        to: String,
        /// For people.
        why: Option<String>,
    },
    /// Events were lost to this stream; a snapshot follows.
    Missed {
        /// How many.
        count: u64,
    },
    /// A kind that only a newer daemon knows.
    Unknown,
}

impl From<&pb::Event> for EventJson {
    fn from(event: &pb::Event) -> Self {
        Self {
            kind: event.event.as_ref().map_or(EventKindJson::Unknown, EventKindJson::from),
            seq: event.seq,
            boot_id: format!("{:016x}", event.boot_id),
        }
    }
}

impl From<&Event> for EventKindJson {
    fn from(event: &Event) -> Self {
        match event {
            Event::Log(log) => Self::Log {
                at: known_moment(log.at_unix_ns),
                level: log.level.clone(),
                msg: log.msg.clone(),
                attrs: log.attrs.iter().map(|a| (a.key.clone(), a.value.clone())).collect(),
            },
            Event::Backend(event) => Self::Backend {
                backend: event.backend_name.clone(),
                transition: transition(event.transition.as_ref()),
            },
            Event::Frontend(event) => Self::Frontend {
                frontend: event.frontend_name.clone(),
                transition: transition(event.transition.as_ref()),
            },
            Event::FailOpen(event) => Self::FailOpen {
                frontend: event.frontend_name.clone(),
                transition: transition(event.transition.as_ref()),
                pool: present(&event.pool_name),
                threshold_percent: event.threshold_percent,
                up_weight: event.up_weight,
                total_weight: event.total_weight,
            },
            Event::Dataplane(event) => Self::Dataplane {
                at: known_moment(event.at_unix_ns),
                frontend: present(&event.frontend_name),
                kind: event.kind.clone(),
                detail: present(&event.detail),
            },
            Event::Change(change) => Self::Change {
                at: known_moment(change.at_unix_ns),
                kind: change.kind.clone(),
                frontend: present(&change.frontend_name),
                pool: present(&change.pool_name),
                backend: present(&change.backend_name),
                prefix: present(&change.prefix),
                from: present(&change.from),
                to: present(&change.to),
                overridden: change.overridden,
                who: change.who.clone(),
                why: present(&change.why),
                until: known_moment(change.until_unix_ns),
                ended: present(&change.ended),
            },
            Event::Hold(hold) => Self::Hold {
                at: known_moment(hold.at_unix_ns),
                probes: hold.probes.clone(),
                kind: hold.kind.clone(),
                outcome: present(&hold.outcome),
                lasted_ns: (hold.kind == "ended").then_some(hold.lasted_ns),
                limit_ns: (hold.kind == "began").then_some(hold.limit_ns),
            },
            Event::Drain(drain) => Self::Drain {
                at: known_moment(drain.at_unix_ns),
                backend: drain.backend_name.clone(),
                kind: drain.kind.clone(),
                flows: drain.flows,
                since: known_moment(drain.since_unix_ns),
                who: present(&drain.who),
                why: present(&drain.why),
            },
            Event::Audit(audit) => Self::Audit {
                at: known_moment(audit.at_unix_ns),
                who: audit.who.clone(),
                identity: present(&audit.identity),
                listener: present(&audit.listener),
                peer: present(&audit.peer),
                role: audit.role.clone(),
                method: audit.method.clone(),
                what: audit.what.clone(),
                why: present(&audit.why),
                outcome: audit.outcome.clone(),
                detail: present(&audit.detail),
                backend: present(&audit.backend_name),
                frontend: present(&audit.frontend_name),
                began: known_moment(audit.began_unix_ns),
                withheld: audit.withheld,
            },
            Event::Announcement(event) => Self::Announcement {
                at: known_moment(event.at_unix_ns),
                kind: event.kind.clone(),
                prefix: present(&event.prefix),
                frontends: event.frontend_names.clone(),
                driver: present(&event.driver),
                from: event.from.clone(),
                to: event.to.clone(),
                why: present(&event.why),
            },
            Event::Missed(missed) => Self::Missed { count: missed.count },
        }
    }
}

fn transition(record: Option<&pb::TransitionRecord>) -> TransitionJson {
    record.map_or_else(|| TransitionJson::from(&pb::TransitionRecord::default()), Into::into)
}
