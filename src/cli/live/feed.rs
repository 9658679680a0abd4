//! What the live view is fed with: the whole state at the beginning, every
//! event as it happens, and after an event the frontends that it concerns.
//! What no event tells (an older daemon's weights, VPP's version) is asked for
//! at long intervals.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until};

use super::model::{Answers, DaemonStatus, Update, VppStatus};
use crate::cli::answer::CliAnswer;
use crate::cli::command::request::DaemonRequest;
use crate::cli::error::CliError;
use crate::cli::execute::{execute, frontends};
use crate::cli::watch::{AGAIN, next, open};
use crate::client::server::DaemonClient;
use crate::pb;
use crate::pb::event::Event;

/// How long events are gathered before what they concern is asked for: a
/// rack that goes away is one question, not forty.
const GATHER: Duration = Duration::from_millis(200);

/// How often the state is asked for as a whole.
const REFRESH: Duration = Duration::from_secs(15);

/// Feeds the view for ever, over every loss of the daemon. It ends when the
/// view does, or when the daemon refuses.
pub(super) async fn feed(client: DaemonClient, tell: Sender<Update>) {
    loop {
        let error = match life(&client, &tell).await {
            Ok(()) => return,
            Err(error) => error,
        };
        let lost = matches!(error, CliError::Unreachable { .. });
        let update = if lost {
            Update::Link(DaemonStatus::Down(error.to_string()))
        } else {
            Update::End(error)
        };
        if tell.send(update).await.is_err() || !lost {
            return;
        }
        sleep(AGAIN).await;
    }
}

/// What events concern, until it is asked for.
#[derive(Default)]
struct Concerned {
    frontends: BTreeSet<String>,
    /// Backends that became known by an event.
    backends: BTreeSet<String>,
    vpp: bool,
    /// Events were lost: anything may have changed.
    all: bool,
    /// When it is asked for; `None`: nothing is concerned.
    due: Option<Instant>,
}

impl Concerned {
    /// Notes what an event concerns. `known` are the frontends as they were.
    fn note(&mut self, event: &pb::Event, known: &[pb::FrontendInfo]) {
        match &event.event {
            Some(Event::Backend(changed)) => {
                let last = changed.transition.as_ref();
                if last.is_some_and(|last| last.from == "removed") {
                    self.backends.insert(changed.backend_name.clone());
                }
                if last.is_some_and(|last| last.from == last.to) {
                    return;
                }
                self.frontends.extend(users(known, &changed.backend_name));
            }
            Some(Event::Frontend(changed)) => {
                if changed.transition.as_ref().is_some_and(|last| last.from == last.to) {
                    return;
                }
                self.frontends.insert(changed.frontend_name.clone());
            }
            Some(Event::Dataplane(write)) => {
                if write.frontend_name.is_empty() {
                    self.vpp = true;
                } else {
                    self.frontends.insert(write.frontend_name.clone());
                }
            }
            // Of a frontend: its weights. Of none: the file was read again, or
            // a backend's transition tells the rest.
            Some(Event::Change(change)) if !change.frontend_name.is_empty() => {
                self.frontends.insert(change.frontend_name.clone());
            }
            Some(Event::Change(change)) if change.kind == "config" => self.all = true,
            Some(Event::Missed(_)) => self.all = true,
            _ => return,
        }
        self.due.get_or_insert_with(|| Instant::now() + GATHER);
    }
}

/// The frontends that use a backend.
fn users<'a>(known: &'a [pb::FrontendInfo], backend: &'a str) -> impl Iterator<Item = String> + 'a {
    let uses = move |frontend: &&pb::FrontendInfo| {
        frontend.pools.iter().flat_map(|pool| &pool.backends).any(|member| member.name == backend)
    };
    known.iter().filter(uses).map(|frontend| frontend.name.clone())
}

/// Feeds the view from one stream. `Ok`: the view is gone.
async fn life(client: &DaemonClient, tell: &Sender<Update>) -> Result<(), CliError> {
    let wanted =
        pb::WatchRequest { log: Some(false), change: Some(true), ..pb::WatchRequest::default() };
    let mut stream = open(client, wanted).await?;
    let all = everything(client, true).await?;
    let mut known = all.frontends.clone();
    for update in [Update::Link(DaemonStatus::Up), Update::All(all)] {
        if tell.send(update).await.is_err() {
            return Ok(());
        }
    }
    let mut concerned = Concerned::default();
    let mut refresh = Instant::now() + REFRESH;
    loop {
        let due = concerned.due.unwrap_or(refresh).min(refresh);
        let updates = tokio::select! {
            event = next(client, &mut stream) => {
                let event = event?;
                concerned.note(&event, &known);
                vec![Update::Event(event)]
            }
            () = sleep_until(due) => {
                if due == refresh || concerned.all {
                    refresh = Instant::now() + REFRESH;
                    let lost = std::mem::take(&mut concerned.all);
                    let all = everything(client, lost).await?;
                    known.clone_from(&all.frontends);
                    vec![Update::All(all)]
                } else {
                    answers(client, std::mem::take(&mut concerned), &mut known).await?
                }
            }
        };
        for update in updates {
            if tell.send(update).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Asks for the whole state; for the backends only at the beginning, because
/// events tell everything of them.
async fn everything(client: &DaemonClient, backends: bool) -> Result<Answers, CliError> {
    let frontends = match execute(client, DaemonRequest::ShowFrontends).await? {
        CliAnswer::Frontends(frontends) => frontends,
        _ => Vec::new(),
    };
    let backends = if !backends {
        None
    } else {
        match execute(client, DaemonRequest::ShowBackends).await? {
            CliAnswer::Backends(backends) => Some(backends),
            _ => None,
        }
    };
    Ok(Answers { frontends, backends, vpp: vpp(client).await? })
}

async fn vpp(client: &DaemonClient) -> Result<VppStatus, CliError> {
    match execute(client, DaemonRequest::ShowVppInfo).await {
        Ok(CliAnswer::VppInfo(info)) => Ok(VppStatus::Connected(info)),
        Ok(_) => Ok(VppStatus::Unknown),
        Err(CliError::Refused { message }) => Ok(VppStatus::Away(message)),
        Err(error) => Err(error),
    }
}

/// Asks for what events concerned.
async fn answers(
    client: &DaemonClient,
    concerned: Concerned,
    known: &mut Vec<pb::FrontendInfo>,
) -> Result<Vec<Update>, CliError> {
    let mut updates = Vec::new();
    for name in concerned.backends {
        match execute(client, DaemonRequest::ShowBackend { name }).await {
            Ok(CliAnswer::Backend { backend, .. }) => updates.push(Update::Backend(backend)),
            Ok(_) | Err(CliError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let names: Vec<String> = concerned.frontends.into_iter().collect();
    let frontends = frontends(client, &names).await?;
    known.retain(|frontend| !names.contains(&frontend.name));
    known.extend(frontends.iter().cloned());
    updates.push(Update::Some { names, frontends });
    if concerned.vpp {
        updates.push(Update::Vpp(vpp(client).await?));
    }
    Ok(updates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(event: Event) -> Concerned {
        let members = vec![pb::PoolBackendInfo { name: "nginx0".into(), ..Default::default() }];
        let pools = vec![pb::PoolInfo { name: "p".into(), backends: members }];
        let web = pb::FrontendInfo { name: "web".into(), pools, ..Default::default() };
        let mut concerned = Concerned::default();
        concerned.note(&pb::Event { event: Some(event), ..Default::default() }, &[web]);
        concerned
    }

    fn backend(name: &str, from: &str, to: &str) -> Event {
        let transition =
            pb::TransitionRecord { from: from.into(), to: to.into(), ..Default::default() };
        let backend_name = name.into();
        Event::Backend(pb::BackendEvent { backend_name, transition: Some(transition) })
    }

    #[test]
    fn a_backend_concerns_the_frontends_that_use_it() {
        assert!(noted(backend("nginx0", "up", "down")).frontends.contains("web"));
        assert!(noted(backend("other", "up", "down")).frontends.is_empty());
    }

    #[test]
    fn the_present_state_concerns_nothing() {
        assert!(noted(backend("nginx0", "up", "up")).due.is_none());
    }

    #[test]
    fn a_new_backend_is_asked_for() {
        assert!(noted(backend("new", "removed", "unknown")).backends.contains("new"));
    }

    #[test]
    fn a_connection_a_weight_and_a_reload_concern_what_they_change() {
        let dataplane = |frontend: &str| {
            let frontend_name = frontend.to_owned();
            noted(Event::Dataplane(pb::DataplaneEvent { frontend_name, ..Default::default() }))
        };
        assert!(dataplane("").vpp && !dataplane("web").vpp);
        assert!(dataplane("web").frontends.contains("web"));
        let change = |kind: &str, frontend: &str| {
            let (kind, frontend_name) = (kind.to_owned(), frontend.to_owned());
            noted(Event::Change(pb::ChangeEvent { kind, frontend_name, ..Default::default() }))
        };
        assert!(change("weight", "web").frontends.contains("web"));
        assert!(change("config", "").all && !change("admin", "").all);
        assert!(noted(Event::Missed(pb::MissedEvent { count: 1 })).all);
    }
}
