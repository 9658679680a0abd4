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
use tracing::{info, warn};

use super::daemon::{DaemonMirror, ShutDownMirror};
use super::listen::{WebListenError, listen};
use super::options::WebOptions;
use super::page::PageFiles;
use super::server::{ServedDaemon, ServerParts, WebServer};
use super::tabs::{EndTabs, TabBroker};
use crate::VERSION;
use crate::client::connection::{DaemonAccess, DaemonClient};
use crate::client::error::ClientError;
use crate::domain::printable::printable_lines;
use crate::host::logging;
use crate::host::panic_hook::end_on_panic;

/// How long requests under way may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, Error)]
pub(super) enum WebStartError {
    #[error(transparent)]
    Listen(#[from] WebListenError),
    #[error(transparent)]
    Daemon(#[from] ClientError),
    #[error("--server names {0} twice: give each daemon a name of its own")]
    SameName(String),
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

pub(super) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match WebOptions::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => return refuse(&error),
    };
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("maglev-web: {error}"));
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
    complain(&format!("maglev-web: {}", message.strip_prefix("error: ").unwrap_or(&message)));
    ExitCode::from(2)
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable_lines(text));
}

fn serve(options: &WebOptions) -> Result<(), WebStartError> {
    let logging = logging::start(options.log_level, options.log_format)?;
    let _flush = logging.writer.flush_on_drop();
    end_on_panic(logging.writer.clone(), || {});
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
    let tabs = TabBroker::new(fastrand::u64(1..)).start();
    let server = WebServer(Arc::new(ServerParts {
        daemons: daemons(options, &tabs)?,
        tabs: tabs.clone(),
        page: PageFiles::load(),
        base_path: options.base_path.clone(),
    }));
    let listening = listen(options, server.clone()).await?;
    for address in &listening.addresses {
        info!(%address, "web-listening");
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                if let Some(certificates) = &listening.certificates {
                    // The outcome is logged.
                    let _ = certificates.renew().await;
                }
            }
        }
    }
    info!("stopping");
    server.daemons.iter().for_each(|daemon| daemon.mirror.do_send(ShutDownMirror));
    let _ = tabs.send(EndTabs).await;
    if tokio::time::timeout(STOP_TIMEOUT, listening.stop()).await.is_err() {
        warn!("some requests were cut off");
    }
    Ok(())
}

fn daemons(
    options: &WebOptions,
    tabs: &Addr<TabBroker>,
) -> Result<Vec<ServedDaemon>, WebStartError> {
    let tls = options.tls.client_tls();
    let mut daemons: Vec<ServedDaemon> = Vec::new();
    for server in &options.server {
        if daemons.iter().any(|daemon| daemon.name == server.name) {
            return Err(WebStartError::SameName(server.name.clone()));
        }
        let access = DaemonAccess { server: server.address.clone(), tls: tls.clone() };
        let client = DaemonClient::lazy(&access)?;
        let mirror = DaemonMirror::new(&server.name, client.clone(), tabs.clone()).start();
        daemons.push(ServedDaemon { name: server.name.clone(), access, client, mirror });
    }
    Ok(daemons)
}
