//! The daemon's life: start the actors, listen, reload, and stop without a change
//! in VPP.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;
use tracing::{error, info, warn};
use vpp_maglev::VERSION;
use vpp_maglev::actors::announcer::{WithdrawAll, WithdrawOutcome};
use vpp_maglev::actors::controller::log_warnings;
use vpp_maglev::actors::mailbox_closed;
use vpp_maglev::actors::vpp_connection::Close;
use vpp_maglev::actors::watchdog::Stopping;
use vpp_maglev::api::{
    self, Actors, DeniedCalls, ListenError, ListenerConfig, MaglevService, NoRandomNumbers,
    RightsFileError, RightsInForce, Serving,
};
use vpp_maglev::config::{ConfigSource, LoadError, Loaded};
use vpp_maglev::domain::config::Config;
use vpp_maglev::domain::reconcile::WITHDRAW_LIMIT;
use vpp_maglev::domain::removals::FirstNames;
use vpp_maglev::host::logging::{self, Logging};
use vpp_maglev::host::panic_hook::end_on_panic;
use vpp_maglev::host::terminal::TerminalWatch;
use vpp_maglev::host::thread_priority::{ThreadPriorities, ThreadPriority};
use vpp_maglev::probe::{NamespaceError, ProbeEnvironment};
use vpp_maglev::state::StateDirError;
use vpp_maglev::vpp::client::ClientOptions;
use vpp_maglev::vpp::embedded::plugin::{PluginApi, UnknownPluginApi};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedError, EmbeddedOptions};

use crate::config_source::{config_source, load_once};
use crate::demo::{Demo, DemoError};
use crate::demo_page::DemoPage;
use crate::flags::{Flags, OnStop};
use crate::kept_state::KeptState;
use crate::reload::{LogLevelSignals, ReloadTriggers, reload_on};
use crate::signals::Signals;
use crate::start::{ActorInputs, RunningActors, start_actors};

/// How long requests under way may take when the daemon stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The exit status if something may still be announced that was to be withdrawn.
const STILL_ANNOUNCED: u8 = 3;

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{name}: {fault}")]
    Config {
        /// The source's.
        name: String,
        fault: LoadError,
    },
    #[error("healthchecker.netns: {0}")]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Http(#[from] api::http::HttpListenError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error("--vpp-api-addr: {0}")]
    EmbeddedApi(#[from] UnknownPluginApi),
    #[error(transparent)]
    Rights(#[from] RightsFileError),
    #[error(transparent)]
    Token(#[from] NoRandomNumbers),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    State(#[from] StateDirError),
    /// The system refused something that every process needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// The version of lb.api that an embedded dataplane is to have: `embedded` or
/// `embedded:1.1.0`; `None` for the path of a socket.
fn embedded_api(addr: &str) -> Result<Option<PluginApi>, UnknownPluginApi> {
    match addr.strip_prefix("embedded") {
        Some("") => Ok(Some(PluginApi::default())),
        Some(rest) => rest.strip_prefix(':').map(str::parse).transpose(),
        None => Ok(None),
    }
}

/// Runs until a signal.
///
/// # Errors
/// Why the daemon did not start.
pub fn run(mut flags: Flags, mut signals: Signals) -> Result<ExitCode, StartError> {
    let logging = logging::start(flags.log_level, flags.log_format)?;
    let _flush = logging.writer.flush_on_drop();
    end_on_panic(logging.writer.clone(), || {});
    let demo = if flags.demo { Some(Demo::prepare(&flags.config)?) } else { None };
    if let Some(demo) = &demo {
        flags.config = demo.config_path();
        flags.vpp_api_addr = "embedded".into();
    }
    let source = config_source(&flags);
    info!(version = VERSION, config = %source, "starting");
    let Ok(loaded) = load_once(&*source, signals.stop.next())? else {
        info!("stopping");
        return Ok(ExitCode::SUCCESS);
    };
    let Loaded { config, warnings } =
        loaded.map_err(|fault| StartError::Config { name: source.to_string(), fault })?;
    log_warnings(&warnings);
    drop(warnings);
    let rights = RightsInForce::load(flags.rights_file())?;
    raise_descriptor_limit();
    let probe_environment = ProbeEnvironment::prepare(&config.healthchecker)?;
    let state_dir = flags.state_dir(std::env::var_os("STATE_DIRECTORY"));
    let kept = state_dir.map(|path| KeptState::open(&path)).transpose()?;
    let embedded = match embedded_api(&flags.vpp_api_addr)? {
        Some(api) => {
            let options = EmbeddedOptions { api, ..EmbeddedOptions::default() };
            Some(Embedded::start_private(options)?)
        }
        None => None,
    };
    if let Some(embedded) = &embedded {
        info!(api = %embedded.api_path().display(), "dataplane-ready");
    }
    let priorities = ThreadPriorities::relative_to_this_thread();
    let runtime = priorities.runtime(ThreadPriority::High)?;
    let system = System::with_tokio_rt(|| runtime);
    let prepared = PreparedDaemon {
        flags: &flags,
        source,
        config,
        rights,
        probe_environment,
        kept,
        logging,
        priorities,
        signals,
    };
    let outcome = system.block_on(prepared.live(embedded.as_ref(), demo));
    drop(embedded);
    // A drop would run each actor once more, and start those that have not started
    // yet: without a reactor that panics. The process ends anyway.
    std::mem::forget(system);
    outcome
}

/// Raises the limit on descriptors to the hard limit. The soft limit is low by
/// default, for programs that use `select`.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If it is refused the limit stays, from which the numbers of probes and of
    // connections are derived.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// All that is ready before the runtime starts.
struct PreparedDaemon<'a> {
    flags: &'a Flags,
    source: Arc<dyn ConfigSource>,
    config: Config,
    rights: RightsInForce,
    probe_environment: ProbeEnvironment,
    kept: Option<KeptState>,
    logging: Logging,
    priorities: ThreadPriorities,
    signals: Signals,
}

impl PreparedDaemon<'_> {
    async fn live(
        self,
        embedded: Option<&Embedded>,
        demo: Option<Demo>,
    ) -> Result<ExitCode, StartError> {
        let Self { flags, source, config, rights, probe_environment, kept, .. } = self;
        let (logging, priorities, signals) = (self.logging, self.priorities, self.signals);
        let terminal = match &demo {
            Some(_) => signals.terminal()?,
            None => TerminalWatch::none(),
        };
        let Signals { hangup, debug, configured, mut stop, .. } = signals;
        let triggers = ReloadTriggers::new(hangup, &*source);
        let log_level_signals = LogLevelSignals { debug, configured };
        let demo = match demo {
            Some(demo) => Some(demo.start(&config).await?),
            None => None,
        };
        let (vpp_api, vpp_stats) = match embedded {
            Some(embedded) => {
                (Some(embedded.api_path().to_owned()), Some(embedded.stats_path().to_owned()))
            }
            None => (path(&flags.vpp_api_addr), path(&flags.vpp_stats_addr)),
        };
        let log_writer = logging.writer.clone();
        actix_rt::spawn(log_level_signals.apply_to(logging.levels.clone()));
        let running = start_actors(ActorInputs {
            source,
            config,
            probe_environment,
            kept,
            vpp_api,
            vpp_stats,
            client_options: ClientOptions {
                stale_client_workaround: flags.vpp_cure,
                ..ClientOptions::default()
            },
            event_history: flags.event_history,
            logging,
            priorities,
        })?;
        let RunningActors { actors, events, serving_arbiter } = running;
        priorities.set(ThreadPriority::High);
        let serving = listen(flags, &rights, &actors, &serving_arbiter).await?;
        for address in &serving.addresses {
            info!(%address, "grpc-listening");
        }
        // Until the demo ends.
        let mut page = None;
        if let Some(demo) = &demo {
            if let Some(address) = serving.addresses.first() {
                page = DemoPage::start(&address.to_string()).await;
            }
            // The introduction comes below what was logged so far.
            log_writer.flush();
            demo.introduce(&serving.addresses, page.as_ref());
        }
        tokio::select! {
            _ = stop.next() => {}
            () = terminal.gone() => {}
            () = reload_on(triggers, &actors, &rights, &serving) => {}
        }
        info!("stopping");
        let status = match flags.on_stop {
            OnStop::Keep => ExitCode::SUCCESS,
            OnStop::Withdraw => withdraw_all(&actors).await,
        };
        drop(page);
        serving.leave();
        actors.watchdog.send(Stopping).await.unwrap_or_else(|_| mailbox_closed("Watchdog"));
        actors.vpp.send(Close).await.unwrap_or_else(|_| mailbox_closed("VppConnection"));
        // Ends the event streams, so that their requests can end.
        events.shut_down().await;
        if tokio::time::timeout(STOP_TIMEOUT, serving.stop()).await.is_err() {
            warn!("some requests were cut off");
        }
        Ok(status)
    }
}

/// `--on-stop=withdraw`: withdraws all that is announced, while VPP goes on serving it.
/// What could not be withdrawn is logged, and makes the exit status that of
/// [`STILL_ANNOUNCED`].
async fn withdraw_all(actors: &Actors) -> ExitCode {
    let withdraw = WithdrawAll { within: WITHDRAW_LIMIT };
    let outcome = actors.announcer.send(withdraw).await;
    let WithdrawOutcome { of, left } = outcome.unwrap_or_else(|_| mailbox_closed("Announcer"));
    for (driver, left) in &left {
        let addresses: Option<Vec<_>> = left.as_ref().map(|it| it.iter().copied().collect());
        let addresses = addresses.as_ref().map(|it| FirstNames(it).to_string());
        error!(driver, addresses, "announcements-left: they are not withdrawn, or it is not known");
    }
    if left.is_empty() {
        info!(addresses = of, "announcements-withdrawn");
        return ExitCode::SUCCESS;
    }
    ExitCode::from(STILL_ANNOUNCED)
}

/// The path that a flag gives, unless it is empty.
fn path(flag: &str) -> Option<PathBuf> {
    (!flag.is_empty()).then(|| PathBuf::from(flag))
}

/// Opens the gRPC sockets and the HTTP listener on `arbiter`.
async fn listen(
    flags: &Flags,
    rights: &RightsInForce,
    actors: &Actors,
    arbiter: &Arbiter,
) -> Result<Serving, StartError> {
    let actors = actors.clone();
    let denied = DeniedCalls::default();
    let config = ListenerConfig {
        listeners: flags.grpc_addr.iter().flat_map(|list| list.0.clone()).collect(),
        reflection: flags.reflection,
        tls: flags.grpc_tls().map_err(ListenError::from)?,
        unix: flags.grpc_unix(),
        rights: rights.clone(),
        denied: denied.clone(),
    };
    let http_addr = flags.metrics_addr.clone();
    let (result, opened) = tokio::sync::oneshot::channel();
    arbiter.spawn(async move {
        let open = async {
            if !http_addr.is_empty() {
                let address = api::http::serve(actors.clone(), &denied, &http_addr).await?;
                info!(address, "metrics-listening");
            }
            Ok(api::serve(MaglevService::new(actors), &config).await?)
        };
        // The receiver lives until it has the result.
        let _ = result.send(open.await);
    });
    opened.await.unwrap_or_else(|_| Ok(Serving::none()))
}
