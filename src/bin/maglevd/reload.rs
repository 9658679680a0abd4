//! Reloads the configuration, and changes the log level, while the daemon runs.

use std::future::pending;
use std::time::SystemTime;

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use vpp_maglev::actors::audit;
use vpp_maglev::actors::controller::Reload;
use vpp_maglev::actors::mailbox_closed;
use vpp_maglev::actors::watchdog::{Reloaded, Reloading};
use vpp_maglev::api::{Actors, RightsInForce, Serving};
use vpp_maglev::config::ConfigSource;
use vpp_maglev::domain::events::{AuditOutcome, AuditRecord, Change, LogLevel};
use vpp_maglev::domain::rights::Role;
use vpp_maglev::host::logging::LogLevels;
use vpp_maglev::host::sd_notify;

/// What triggers a reload: SIGHUP, and changes that the configuration's source
/// announces.
pub struct ReloadTriggers {
    hangup: Signal,
    changes: Option<watch::Receiver<()>>,
}

impl ReloadTriggers {
    pub fn new(hangup: Signal, source: &dyn ConfigSource) -> Self {
        Self { hangup, changes: source.changes() }
    }

    /// Waits for the next trigger. Several changes between two calls are one.
    async fn next(&mut self) -> ReloadCause {
        let changed = async {
            let announced = match &mut self.changes {
                Some(changes) => changes.changed().await.is_ok(),
                None => false,
            };
            if !announced {
                // The source announces nothing, or has ended.
                pending::<()>().await;
            }
        };
        tokio::select! {
            Some(()) = self.hangup.recv() => ReloadCause::Hangup,
            () = changed => ReloadCause::Changed,
        }
    }
}

/// Reloads at every trigger, one reload after the other, and notifies the service
/// manager. Never ends.
pub async fn reload_on(
    mut triggers: ReloadTriggers,
    actors: &Actors,
    rights: &RightsInForce,
    serving: &Serving,
) {
    loop {
        let cause = triggers.next().await;
        let began = SystemTime::now();
        let monotonic_us = sd_notify::monotonic_us();
        let begun = actors.watchdog.send(Reloading { monotonic_us }).await;
        begun.unwrap_or_else(|_| mailbox_closed("Watchdog"));
        // First, as a right that is taken away does not wait for a configuration.
        let rights_fault = rights.renew().await.err().map(|error| error.to_string());
        // The Controller logs the outcome.
        let reloaded = actors.controller.send(Reload { force: false }).await;
        let reloaded = reloaded.unwrap_or_else(|_| mailbox_closed("Controller"));
        let mut faults: Vec<_> =
            reloaded.as_ref().err().map(ToString::to_string).into_iter().collect();
        if let Some(certificates) = serving.certificates() {
            faults.extend(certificates.renew().await.err().map(|error| error.to_string()));
        }
        faults.extend(rights_fault);
        audit::record(&actors.broadcaster, record(cause, began, &faults));
        let refusal = reloaded.err().as_ref().map(Into::into);
        actors
            .watchdog
            .send(Reloaded { refusal })
            .await
            .unwrap_or_else(|_| mailbox_closed("Watchdog"));
    }
}

/// Why a reload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReloadCause {
    /// SIGHUP: of the service manager, root or the daemon's own user.
    Hangup,
    /// The configuration's source has announced a change.
    Changed,
}

impl ReloadCause {
    /// Who and by what.
    fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => AuditRecord::HANGUP,
            Self::Changed => Change::FILE,
        }
    }
}

/// The audit record of a reload that no client asked for. A signal does not say who sent
/// it; none but root and the daemon's own user may.
fn record(cause: ReloadCause, began: SystemTime, faults: &[String]) -> AuditRecord {
    let is_done = faults.is_empty();
    AuditRecord {
        who: cause.as_str().into(),
        identity: None,
        listener: None,
        peer: String::new(),
        role: Role::Operator,
        method: cause.as_str(),
        what: "config reload".into(),
        why: String::new(),
        outcome: if is_done { AuditOutcome::Done } else { AuditOutcome::Refused },
        detail: faults.join("; ").replace('\n', "; "),
        backend: None,
        frontend: None,
        began,
        at: SystemTime::now(),
        withheld: 0,
    }
}

/// The signals that change the log level.
pub struct LogLevelSignals {
    /// SIGUSR1.
    pub debug: Signal,
    /// SIGUSR2.
    pub configured: Signal,
}

impl LogLevelSignals {
    /// Logs everything after SIGUSR1, and what the flag asks for after SIGUSR2.
    pub async fn apply_to(mut self, levels: LogLevels) {
        loop {
            let level = tokio::select! {
                Some(()) = self.debug.recv() => LogLevel::Debug,
                Some(()) = self.configured.recv() => levels.configured,
                else => return,
            };
            levels.set(level);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt;
    use std::task::Poll;

    use tokio::signal::unix::{SignalKind, signal};
    use vpp_maglev::config::{ConfigLoad, FileSource};

    use super::*;

    /// A source that announces its changes.
    #[derive(Debug)]
    struct AnnouncingSource(watch::Sender<()>);

    impl fmt::Display for AnnouncingSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("test://")
        }
    }

    impl ConfigSource for AnnouncingSource {
        fn load(&self) -> ConfigLoad {
            unreachable!("only its changes are tested")
        }

        fn changes(&self) -> Option<watch::Receiver<()>> {
            Some(self.0.subscribe())
        }
    }

    async fn is_triggered(triggers: &mut ReloadTriggers) -> bool {
        let mut next = std::pin::pin!(triggers.next());
        std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_change_that_the_source_announces_triggers_a_reload() {
        let source = AnnouncingSource(watch::Sender::new(()));
        let hangup = || signal(SignalKind::hangup()).unwrap();
        let mut triggers = ReloadTriggers::new(hangup(), &source);
        assert!(!is_triggered(&mut triggers).await, "nothing has changed yet");
        source.0.send_replace(());
        source.0.send_replace(());
        assert!(is_triggered(&mut triggers).await);
        assert!(!is_triggered(&mut triggers).await, "both changes were one trigger");
        drop(source);
        assert!(!is_triggered(&mut triggers).await, "a source that has ended announces nothing");

        let mut triggers = ReloadTriggers::new(hangup(), &FileSource::new("/none"));
        assert!(!is_triggered(&mut triggers).await, "a file announces nothing");
    }
}
