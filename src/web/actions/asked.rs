//! An action as a request has it, and as it is done once it was checked.

use std::time::Duration;

use serde::Deserialize;

use crate::cli::command::request::{BackendChange, DaemonRequest, DrainOptions, OverrideTerms};
use crate::cli::set;
use crate::domain::printable::is_control;
use crate::web::reply::WebError;
use crate::web::server::{ServedDaemon, WebServer};

/// Characters of a reason, at most; a daemon takes 200, with the user's name.
const LONGEST_REASON: usize = 120;

/// The body of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct ActionBody {
    action: String,
    daemons: Vec<String>,
    all_or_none: bool,
    why: Option<String>,
    backend: Option<String>,
    frontend: Option<String>,
    pool: Option<String>,
    weight: Option<u8>,
    for_ns: Option<u64>,
    slowly: bool,
    timeout_ns: Option<u64>,
    flush: bool,
    force: bool,
    pub(in crate::web) forecast: Option<String>,
}

/// An action that can be done.
#[derive(Clone, Debug)]
pub(in crate::web) struct AskedAction {
    action: &'static str,
    daemons: Vec<String>,
    all_or_none: bool,
    /// In the operator's words.
    why: String,
    operator: Option<String>,
    request: DaemonRequest,
}

const ACTIONS: [&str; 11] = [
    "pause",
    "resume",
    "drain",
    "undrain",
    "enable",
    "disable",
    "unset",
    "weight",
    "unset_weight",
    "sync",
    "reload",
];

impl AskedAction {
    /// `operator`: who does it, and has to say why; `None`: it is only forecast.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::web) fn new(
        server: &WebServer,
        body: ActionBody,
        operator: Option<&str>,
    ) -> Result<Self, WebError> {
        let names: Vec<&str> = server.daemons.iter().map(|daemon| daemon.name.as_str()).collect();
        Self::check(&names, body, operator)
    }

    fn check(names: &[&str], body: ActionBody, operator: Option<&str>) -> Result<Self, WebError> {
        let action = ACTIONS.into_iter().find(|action| *action == body.action);
        let action = action.ok_or_else(|| {
            WebError::bad_request(format!("there is no action \"{}\"", body.action))
                .remedy(format!("name one of {}", ACTIONS.join(", ")))
        })?;
        if body.daemons.is_empty() {
            return Err(WebError::bad_request("no daemon is named"));
        }
        for (place, name) in body.daemons.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                return Err(WebError::not_found(format!("there is no daemon \"{name}\"")));
            }
            if body.daemons[..place].contains(name) {
                return Err(WebError::bad_request(format!("\"{name}\" is named twice")));
            }
        }
        let why = reason(body.why.as_deref(), operator.is_some())?;
        let said = match operator {
            Some(operator) => format!("{why} ({operator})"),
            None => why.clone(),
        };
        let request = request(action, &body, said)?;
        if body.all_or_none && !set::can_be_undone(&request) {
            return Err(WebError::bad_request(format!("{action} cannot be undone"))
                .remedy("leave out all_or_none"));
        }
        let (daemons, all_or_none) = (body.daemons, body.all_or_none);
        let operator = operator.map(str::to_owned);
        Ok(Self { action, daemons, all_or_none, why, operator, request })
    }

    pub(in crate::web) fn action(&self) -> &'static str {
        self.action
    }

    pub(in crate::web) fn why(&self) -> &str {
        &self.why
    }

    /// Who does it; `None`: it is only forecast.
    pub(super) fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    pub(in crate::web) fn is_all_or_none(&self) -> bool {
        self.all_or_none
    }

    pub(in crate::web) fn request(&self) -> DaemonRequest {
        self.request.clone()
    }

    pub(in crate::web) fn daemons<'a>(&self, server: &'a WebServer) -> Vec<&'a ServedDaemon> {
        self.daemons.iter().filter_map(|name| server.daemon(name).ok()).collect()
    }

    /// Whether nobody may do it without having seen what it would do.
    pub(in crate::web) fn needs_forecast(&self) -> bool {
        matches!(self.action, "sync" | "reload")
    }

    /// What it is, without why: a forecast is of the same.
    pub(in crate::web) fn described(&self) -> String {
        format!("{:?} at {:?}", self.request, self.daemons)
    }
}

fn reason(why: Option<&str>, is_required: bool) -> Result<String, WebError> {
    let why = why.unwrap_or_default().trim();
    if why.is_empty() && is_required {
        return Err(WebError::bad_request("no reason is given").remedy("say why, in one line"));
    }
    if why.chars().count() > LONGEST_REASON || why.chars().any(is_control) {
        let message = format!("a reason is one line of at most {LONGEST_REASON} characters");
        return Err(WebError::bad_request(message));
    }
    Ok(why.to_owned())
}

fn request(
    action: &'static str,
    body: &ActionBody,
    said: String,
) -> Result<DaemonRequest, WebError> {
    let named = |what: &str, value: &Option<String>| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.ok_or_else(|| WebError::bad_request(format!("{action} needs a {what}")))
    };
    let said = Some(said).filter(|said| !said.is_empty());
    let lasts = body.for_ns.map(Duration::from_nanos);
    let terms = || OverrideTerms { lasts, reason: said.clone() };
    let allowed = allowed(action);
    for (key, is_given) in [
        ("backend", body.backend.is_some()),
        ("frontend", body.frontend.is_some()),
        ("pool", body.pool.is_some()),
        ("weight", body.weight.is_some()),
        ("for_ns", body.for_ns.is_some()),
        ("slowly", body.slowly),
        ("timeout_ns", body.timeout_ns.is_some()),
        ("flush", body.flush),
        ("force", body.force),
    ] {
        if is_given && !allowed.contains(&key) {
            return Err(WebError::bad_request(format!("{action} has no {key}")));
        }
    }
    let set = |change| {
        let name = named("backend", &body.backend)?;
        Ok(DaemonRequest::SetBackend { name, change, terms: terms() })
    };
    match action {
        "pause" => set(BackendChange::Pause),
        "resume" if body.slowly => set(BackendChange::ResumeSlowly),
        "resume" => set(BackendChange::Resume),
        "enable" => set(BackendChange::Enable),
        "disable" => set(BackendChange::Disable),
        "unset" => set(BackendChange::Unset),
        "drain" => Ok(DaemonRequest::Drain(DrainOptions {
            name: named("backend", &body.backend)?,
            timeout: body.timeout_ns.map(Duration::from_nanos),
            flush: body.flush,
            why: said,
        })),
        "undrain" => {
            Ok(DaemonRequest::Undrain { name: named("backend", &body.backend)?, why: said })
        }
        "weight" | "unset_weight" => {
            if action == "weight" && body.weight.is_none_or(|weight| weight > 100) {
                return Err(WebError::bad_request("weight needs a weight from 0 to 100"));
            }
            Ok(DaemonRequest::SetWeight {
                frontend: named("frontend", &body.frontend)?,
                pool: named("pool", &body.pool)?,
                backend: named("backend", &body.backend)?,
                weight: body.weight,
                terms: terms(),
            })
        }
        "sync" => {
            let frontend = body.frontend.clone().filter(|name| !name.is_empty());
            if frontend.is_some() && body.force {
                return Err(WebError::bad_request("a sync of one frontend removes no VIP")
                    .remedy("leave out force"));
            }
            Ok(DaemonRequest::Sync { frontend, dry_run: false, force: body.force })
        }
        _ => Ok(DaemonRequest::ConfigReload { force: body.force }),
    }
}

/// The keys of an action beside those that each has.
fn allowed(action: &str) -> &'static [&'static str] {
    match action {
        "pause" | "disable" | "enable" => &["backend", "for_ns"],
        "resume" => &["backend", "slowly"],
        "drain" => &["backend", "timeout_ns", "flush"],
        "weight" => &["frontend", "pool", "backend", "weight", "for_ns"],
        "unset_weight" => &["frontend", "pool", "backend"],
        "sync" => &["frontend", "force"],
        "reload" => &["force"],
        _ => &["backend"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(value: Value, operator: Option<&str>) -> Result<AskedAction, String> {
        let body: ActionBody = serde_json::from_value(value).map_err(|error| error.to_string())?;
        AskedAction::check(&["a", "b"], body, operator).map_err(|error| error.to_string())
    }

    #[test]
    fn an_action_is_checked_before_any_daemon_is_asked() {
        for (change, part) in [
            (json!({ "action": "explode" }), "there is no action \"explode\""),
            (json!({ "daemons": [] }), "no daemon is named"),
            (json!({ "daemons": ["x"] }), "there is no daemon \"x\""),
            (json!({ "daemons": ["a", "a"] }), "\"a\" is named twice"),
            (json!({ "why": " " }), "no reason is given"),
            (json!({ "why": "x".repeat(121) }), "at most 120 characters"),
            (json!({ "why": "a\nb" }), "one line"),
            (json!({ "backend": "" }), "pause needs a backend"),
            (json!({ "weight": 5 }), "pause has no weight"),
            (json!({ "weight": 300 }), "invalid value"),
            (json!({ "colour": "red" }), "unknown field"),
            (json!({ "action": "weight" }), "weight needs a weight"),
            (json!({ "action": "weight", "weight": 101 }), "from 0 to 100"),
            (json!({ "action": "weight", "weight": 1, "pool": "p" }), "weight needs a frontend"),
            (json!({ "action": "drain", "all_or_none": true }), "drain cannot be undone"),
            (json!({ "action": "sync" }), "sync has no backend"),
        ] {
            let mut body = json!({
                "action": "pause", "daemons": ["a", "b"], "backend": "web1", "why": "kernel",
            });
            for (key, value) in change.as_object().unwrap() {
                body[key] = value.clone();
            }
            let error = check(body, Some("ann")).unwrap_err();
            assert!(error.contains(part), "{change}: {error}");
        }
    }

    #[test]
    fn the_operator_is_named_in_what_the_daemon_is_told() {
        let body = json!({
            "action": "pause", "daemons": ["b"], "backend": "web1", "why": " kernel ",
            "for_ns": 60_000_000_000_u64,
        });
        let asked = check(body.clone(), Some("ann")).unwrap();
        assert_eq!(asked.why(), "kernel");
        let terms = OverrideTerms {
            lasts: Some(Duration::from_secs(60)),
            reason: Some("kernel (ann)".into()),
        };
        let name = "web1".to_owned();
        let expected = DaemonRequest::SetBackend { name, change: BackendChange::Pause, terms };
        assert_eq!(asked.request(), expected);
        let mut forecast = body;
        forecast["why"] = Value::Null;
        assert!(check(forecast, None).is_ok(), "a forecast needs no reason");
    }

    #[test]
    fn a_sync_and_a_reload_need_a_forecast_of_the_same() {
        let sync = |force: bool| {
            let body = json!({ "action": "sync", "daemons": ["a"], "why": "x", "force": force });
            check(body, Some("ann")).unwrap()
        };
        assert!(sync(true).needs_forecast());
        assert_ne!(sync(true).described(), sync(false).described());
        let forecast = json!({ "action": "sync", "daemons": ["a"], "force": true });
        assert_eq!(check(forecast, None).unwrap().described(), sync(true).described());
    }
}
