//! What is said of a backend itself, whoever uses it: its verdict, the evidence, and what
//! operators and the file want of it.

use std::time::SystemTime;

use super::facts::{BackendSituation, ProbeSituation};
use super::{CauseKind, ExplainStage, Statement, probes};
use crate::domain::health::probe_result::ResultCode;
use crate::domain::health::{Admin, State};
use crate::domain::overrides::OverrideOrigin;
use crate::domain::readiness::ReloadRefusal;
use crate::domain::utc::for_people;

impl OverrideOrigin {
    /// `, until 2026-03-01 12:00:00 UTC`; nothing, where it does not end by itself.
    pub(super) fn end(&self) -> String {
        self.term.until.map_or_else(String::new, |until| format!(", until {}", for_people(until)))
    }

    /// ` (alice: kernel upgrade, until 2026-03-01 12:00:00 UTC)`
    pub(super) fn in_brackets(&self) -> String {
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let end = match self.term.until {
            Some(_) => self.end(),
            None => ", until it is taken back".into(),
        };
        format!(" ({}{why}{end})", self.who)
    }
}

/// What keeps a backend itself from new flows, or what is said against it.
pub(super) enum Own {
    /// It is not to get new flows.
    Out(CauseKind, String, Option<SystemTime>),
    /// It fails, or has no result, and keeps what it has.
    Open(CauseKind, String, Option<SystemTime>),
    /// Nothing.
    Well,
}

pub(super) fn own(backend: &BackendSituation, probed: &ProbeSituation) -> Own {
    let last = backend.last_transition.as_ref();
    let since = last.map(|last| last.at);
    // Its prober may not have reported yet that it stopped.
    let stopped = matches!(backend.state, State::Paused | State::Disabled);
    let by = last.filter(|last| stopped && !last.why.is_empty());
    let by = by.map(|last| format!(": {}", last.why)).unwrap_or_default();
    let origin = backend.overridden.as_deref();
    let end = origin.map(OverrideOrigin::end).unwrap_or_default();
    let asked = since.filter(|_| stopped).or(origin.map(|origin| origin.term.since));
    match (backend.admin, origin) {
        (Admin::Disabled, Some(_)) => {
            let text = format!("an operator disabled it{by}{end}");
            return Own::Out(CauseKind::Disabled, text, asked);
        }
        (Admin::Disabled, None) => {
            let text = "the configuration file has `enabled: false` for it";
            return Own::Out(CauseKind::Disabled, text.into(), asked);
        }
        (Admin::Paused, origin) => {
            let does =
                if origin.is_some_and(|it| it.drain.is_some()) { "drains" } else { "paused" };
            let text = format!("an operator {does} it{by}{end}");
            return Own::Out(CauseKind::Paused, text, asked);
        }
        (Admin::Enabled, _) => {}
    }
    if backend.address.is_none() {
        let name = backend.dns_name.as_deref().unwrap_or("its name");
        let why = backend.unresolved.as_deref().unwrap_or("it was not looked up yet");
        let text = format!("{name} does not resolve: {why}");
        return Own::Out(CauseKind::Unresolved, text, None);
    }
    if backend.state == State::Down {
        return down(backend, probed);
    }
    let cannot_probe = probed.last.as_ref().filter(|last| last.code == ResultCode::SocketError);
    if let Some(last) = cannot_probe {
        let since = backend.doubt.as_ref().map(|doubt| doubt.since).or(since);
        let text = format!("this machine cannot probe it: {last}");
        return Own::Open(CauseKind::CannotProbe, text, since);
    }
    if let Some(doubt) = &backend.doubt {
        let text = format!("its failures are not believed: {}", doubt.why);
        return Own::Open(CauseKind::Doubted, text, Some(doubt.since));
    }
    if backend.state == State::Unknown {
        return Own::Open(CauseKind::NoResult, "it has had no result yet".into(), since);
    }
    Own::Well
}

fn down(backend: &BackendSituation, probed: &ProbeSituation) -> Own {
    let since = backend.last_transition.as_ref().map(|last| last.at);
    let rise = backend.check.as_ref().map_or(1, |check| check.rise);
    let fall = backend.check.as_ref().map_or(1, |check| check.fall);
    if let Some(damping) = &backend.damping {
        let text = format!(
            "it flaps: its health check passes again, and after {} falls it is kept out until {} \
             (set backend {} resume lets it in)",
            damping.falls,
            for_people(damping.until),
            backend.name
        );
        return Own::Out(CauseKind::Recovers, text, Some(damping.since));
    }
    let passes = probes::last_passes(&probed.history);
    if passes > 0 && passes < rise {
        let text =
            format!("its health check passes again, and not often enough yet: {passes} of {rise}");
        return Own::Out(CauseKind::Recovers, text, since);
    }
    let why = match (&probed.last, &backend.last_transition) {
        (Some(last), _) if !last.passed() => last.to_string(),
        (_, Some(last)) => last.why.to_string(),
        (_, None) => "no reason is known".into(),
    };
    let failures = probes::last_failures(&probed.history).min(fall);
    let count = match failures {
        0 => String::new(),
        failures if failures < fall => ", its first result".into(),
        failures => format!(", {failures} of {fall}"),
    };
    let check = backend.check.as_ref();
    let check = check.map(|it| format!(" {} ({})", it.name, it.what)).unwrap_or_default();
    Own::Out(CauseKind::CheckFails, format!("its health check{check} fails: {why}{count}"), since)
}

pub(super) fn verdict_statement(backend: &BackendSituation) -> Statement {
    let statement = match &backend.last_transition {
        None => Statement::new(
            ExplainStage::Verdict,
            format!("it is {} since it is known", backend.state),
        ),
        Some(last) if last.why.is_empty() => Statement::new(
            ExplainStage::Verdict,
            format!("it is {}, and was {}", last.to, last.from),
        )
        .since(Some(last.at)),
        Some(last) => {
            let text = format!("it is {}, and was {}: {}", last.to, last.from, last.why);
            Statement::new(ExplainStage::Verdict, text).since(Some(last.at))
        }
    };
    let name = &backend.name;
    match (&backend.check, backend.state) {
        (Some(_), State::Down) if backend.damping.is_some() => {
            statement.remedy(format!("set backend {name} resume"))
        }
        (Some(check), State::Down) => statement.remedy(format!(
            "{} passes of health check {} in a row make it up",
            check.rise, check.name
        )),
        (Some(check), State::Up) => statement.remedy(format!(
            "{} failures of health check {} in a row make it down; set backend {name} pause",
            check.fall, check.name
        )),
        _ => statement,
    }
}

pub(super) fn evidence_statement(backend: &BackendSituation) -> Statement {
    match &backend.doubt {
        None => Statement::new(ExplainStage::Evidence, "no failure of it is in doubt"),
        Some(doubt) => {
            let what = if doubt.is_held { "its verdict is held" } else { "others are asked" };
            let text = format!("{what}: {}", doubt.why);
            Statement::new(ExplainStage::Evidence, text)
                .since(Some(doubt.since))
                .remedy("`doubt-limit` and `witnesses` in the configuration file")
        }
    }
}

/// Which file it is that everything goes by, where that is not the present one.
pub(super) fn reload_statement(refused: ReloadRefusal) -> Statement {
    let (why, remedy) = match refused {
        ReloadRefusal::Fault => ("the file has a fault", "config check"),
        ReloadRefusal::Excessive => {
            ("it would take away too much to be meant", "config reload force")
        }
    };
    let text = format!(
        "the configuration file is not in force as it is: the last reload was refused, since {why}"
    );
    Statement::new(ExplainStage::Operator, text).remedy(remedy)
}

pub(super) fn operator_statement(backend: &BackendSituation) -> Statement {
    let name = &backend.name;
    let last = backend.last_transition.as_ref();
    let since = last.filter(|last| last.to == backend.state).map(|last| last.at);
    let origin = backend.overridden.as_deref();
    let is_drained = origin.is_some_and(|origin| origin.drain.is_some());
    let (what, remedy) = match (backend.admin, origin) {
        (Admin::Enabled, None) => ("it is enabled, as in the file", "pause"),
        (Admin::Enabled, Some(_)) => ("an operator enabled it, against the file", "disable"),
        (Admin::Paused, _) if is_drained => ("an operator drains it", "resume"),
        (Admin::Paused, _) => ("an operator paused it", "resume"),
        (Admin::Disabled, Some(_)) => ("an operator disabled it", "enable"),
        (Admin::Disabled, None) => ("the file has it disabled", "enable"),
    };
    let text = origin.map_or_else(|| what.to_owned(), |it| format!("{what}{}", it.in_brackets()));
    let statement =
        Statement::new(ExplainStage::Operator, text).remedy(format!("set backend {name} {remedy}"));
    match backend.admin {
        Admin::Enabled => statement,
        Admin::Paused | Admin::Disabled => statement.since(since),
    }
}
