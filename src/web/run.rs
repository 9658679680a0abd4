//! The server's life: start the actors, listen, reload, stop.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use clap::Parser;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::comparer::{ComparedDaemon, Comparer, SetComparedDaemons};
use super::daemon::{DaemonMirror, GetDaemonSummary, ShutDownMirror};
use super::demo::{DemoLogin, end_of_input};
use super::listen::{Listening, WebListenError, listen};
use super::login_config::LoginConfig;
use super::options::{HeaderWord, WebCommand, WebOptions};
use super::page::PageFiles;
use super::passwd::{self, PasswdError};
use super::password::PasswordChecker;
use super::read_cache::ReadCache;
use super::server::{ServedDaemon, ServerParts, WebServer};
use super::session_keeper::{GetLoginStats, ReplaceUsers, SessionKeeper};
use super::state::{SharedState, StateSources};
use super::stats::RequestStats;
use super::tabs::{EndTabs, GetLastEventId, TabBroker};
use super::users::{UsersError, WebUsers};
use crate::VERSION;
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::domain::printable::printable_lines;
use crate::domain::web::access::LoginMode;
use crate::domain::web::sessions::{LoginMethod, SessionLimits};
use crate::host::panic_hook::end_program_on_panic;
use crate::host::sd_notify::{self, Notification};
use crate::host::{allocator, logging};

const PROGRAM: &str = "maglev-web";
/// How long requests under way may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// Forecasts that are made at the same time.
const FORECASTS: usize = 4;
const MOST_SESSIONS: usize = 1000;
const MOST_SESSIONS_OF_USER: usize = 20;

/// Why the server did not start.
#[derive(Debug, Error)]
pub(super) enum WebStartError {
    #[error(transparent)]
    Listen(#[from] WebListenError),
    #[error(transparent)]
    Daemon(#[from] ClientError),
    #[error(transparent)]
    Users(#[from] UsersError),
    #[error(transparent)]
    Passwd(#[from] PasswdError),
    #[error("--server names {0} twice: give each daemon a name of its own")]
    SameName(String),
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

pub(super) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    allocator::share_between_threads();
    let options = match WebOptions::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => return refuse(&error),
    };
    let done = match &options.command {
        Some(WebCommand::Passwd(passwd)) => passwd::run(passwd).map_err(WebStartError::from),
        None => serve(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{PROGRAM}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints an error in the options on one line; help and the version as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that closed the pipe has read enough.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
    let message = lines.collect::<Vec<_>>().join(" ");
    complain(&format!("{PROGRAM}: {}", message.strip_prefix("error: ").unwrap_or(&message)));
    ExitCode::from(2)
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable_lines(text));
}

fn serve(options: &WebOptions) -> Result<(), WebStartError> {
    let logging = logging::start_as(PROGRAM, options.log_level, options.log_format)?;
    let _flush = logging.writer.flush_on_drop();
    end_program_on_panic(PROGRAM, logging.writer.clone(), || {});
    info!(version = VERSION, "starting");
    let system = System::new();
    let outcome = system.block_on(live(options));
    // A drop would run each actor once more. The process ends anyway.
    std::mem::forget(system);
    outcome
}

async fn live(options: &WebOptions) -> Result<(), WebStartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let notify = sd_notify::service_manager();
    let demo = options.demo.then(DemoLogin::new).transpose()?;
    let users = match &demo {
        Some(demo) => Some(demo.users.clone()),
        None => options.users.as_deref().map(WebUsers::read).transpose()?,
    };
    let server = start(options, users)?;
    let listening = listen(options, server.clone()).await?;
    for address in &listening.addresses {
        info!(%address, "web-listening");
    }
    if let Some(address) = &listening.metrics {
        info!(address, "metrics-listening");
    }
    notify(&[Notification::Ready]);
    if let (Some(demo), Some(address)) = (&demo, listening.addresses.first()) {
        demo.tell(address);
    }
    let mut watchdog = std::pin::pin!(watchdog(&server));
    let end_of_demo = async {
        match demo {
            Some(_) => end_of_input().await,
            None => std::future::pending().await,
        }
    };
    let mut end_of_demo = std::pin::pin!(end_of_demo);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = &mut watchdog => break,
            () = &mut end_of_demo => break,
            _ = hangup.recv() => {
                notify(&[Notification::Reloading { monotonic_us: sd_notify::monotonic_us() }]);
                reload(options, &server, &listening).await;
                notify(&[Notification::Ready]);
            }
        }
    }
    info!("stopping");
    notify(&[Notification::Stopping]);
    server.daemons.iter().for_each(|daemon| daemon.mirror.do_send(ShutDownMirror));
    let _ = server.tabs.send(EndTabs).await;
    if tokio::time::timeout(STOP_TIMEOUT, listening.stop()).await.is_err() {
        warn!("some requests were cut off");
    }
    Ok(())
}

/// Reads the files anew: certificates, and who may log in. What cannot be used leaves
/// what was there before.
async fn reload(options: &WebOptions, server: &WebServer, listening: &Listening) {
    if let Some(certificates) = &listening.certificates {
        // The outcome is logged.
        let _ = certificates.renew().await;
    }
    let Some(path) = options.users.clone() else { return };
    let read = tokio::task::spawn_blocking(move || WebUsers::read(&path)).await;
    match read {
        Ok(Ok(users)) => {
            info!(users = users.0.len(), "users-read");
            let _ = server.sessions.send(ReplaceUsers(users)).await;
        }
        Ok(Err(error)) => warn!(%error, "users-kept"),
        Err(_) => {}
    }
}

/// Starts every actor.
fn start(options: &WebOptions, users: Option<WebUsers>) -> Result<WebServer, WebStartError> {
    let login = login_config(options, users.as_ref());
    if login.mode == LoginMode::None {
        info!("viewing-only: no way to log in is configured, see --users");
    }
    let tabs = TabBroker::new(fastrand::u64(1..)).start();
    let comparer = Comparer::new(tabs.clone()).start();
    let daemons = daemons(options, &tabs, &comparer)?;
    let compared = daemons.iter().map(|daemon| ComparedDaemon {
        name: daemon.name.clone(),
        client: daemon.client.clone(),
        mirror: daemon.mirror.clone().recipient(),
    });
    comparer.do_send(SetComparedDaemons(compared.collect()));
    let limits = SessionLimits {
        idle: options.session_idle,
        whole: options.session_max,
        most: MOST_SESSIONS,
        most_of_user: MOST_SESSIONS_OF_USER,
    };
    let mirrors = daemons.iter().map(|daemon| (daemon.name.clone(), daemon.mirror.clone()));
    let sources =
        StateSources { tabs: tabs.clone(), comparer: comparer.clone(), mirrors: mirrors.collect() };
    Ok(WebServer(Arc::new(ServerParts {
        daemons,
        tabs,
        comparer,
        reads: ReadCache::default().start(),
        sessions: SessionKeeper::new(users.unwrap_or_default(), limits).start(),
        passwords: PasswordChecker::new()?,
        forecasts: Semaphore::new(FORECASTS),
        state: SharedState::new(&sources),
        login,
        page: PageFiles::load(),
        base_path: options.base_path.clone(),
        requests: RequestStats::default(),
    })))
}

fn login_config(options: &WebOptions, users: Option<&WebUsers>) -> LoginConfig {
    let proxy_header = options.trusted_proxy_header.clone().map(|HeaderWord(name)| name);
    let methods = [
        users.is_some().then_some(LoginMethod::Password),
        options.listen_tls_client_ca.as_ref().map(|_| LoginMethod::Certificate),
        proxy_header.as_ref().map(|_| LoginMethod::Proxy),
    ];
    let methods: Vec<_> = methods.into_iter().flatten().collect();
    let mode = match (methods.is_empty(), options.anonymous_view || options.demo) {
        (true, _) => LoginMode::None,
        (false, true) => LoginMode::Optional,
        (false, false) => LoginMode::Required,
    };
    LoginConfig {
        mode,
        methods,
        default_role: options.default_role.0,
        proxy_header,
        proxies: options.trusted_proxies.clone(),
        hosts: options.host.clone(),
    }
}

fn daemons(
    options: &WebOptions,
    tabs: &Addr<TabBroker>,
    comparer: &Addr<Comparer>,
) -> Result<Vec<ServedDaemon>, WebStartError> {
    let mut daemons: Vec<ServedDaemon> = Vec::new();
    for server in &options.server {
        if daemons.iter().any(|daemon| daemon.name == server.name) {
            return Err(WebStartError::SameName(server.name.clone()));
        }
        let access = options.tls.access(server.address.clone());
        let client = DaemonClient::lazy(&access)?;
        let (tabs, comparer) = (tabs.clone(), comparer.clone().recipient());
        let mirror = DaemonMirror::new(&server.name, client.clone(), tabs, comparer).start();
        daemons.push(ServedDaemon { name: server.name.clone(), access, client, mirror });
    }
    Ok(daemons)
}

/// Says to the service manager that the actors answer, for as long as they do. Never ends
/// where nobody watches.
async fn watchdog(server: &WebServer) {
    let Some(timeout) = sd_notify::watchdog_timeout() else {
        return std::future::pending().await;
    };
    let notify = sd_notify::service_manager();
    let mut rounds = tokio::time::interval(timeout / 3);
    loop {
        rounds.tick().await;
        let answers = async {
            server.tabs.send(GetLastEventId).await?;
            server.sessions.send(GetLoginStats).await?;
            for daemon in &server.daemons {
                daemon.mirror.send(GetDaemonSummary).await?;
            }
            Ok::<_, MailboxError>(())
        };
        match tokio::time::timeout(timeout / 2, answers).await {
            Ok(Ok(())) => notify(&[Notification::Alive]),
            Ok(Err(_)) => return,
            Err(_) => warn!("an actor does not answer"),
        }
    }
}
