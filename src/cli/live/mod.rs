//! `watch state`: frontends, pools, servers, weights and transitions on the
//! whole terminal, as they change.
//!
//! ```text
//! client::mirror::feed ─▶ MirrorUpdate ─┬─▶ LiveModel ─▶ rows ─▶ draw ─▶ screen
//! keys ──────────────────▶ PressedKey ──┘
//! ```
//!
//! The model is a value, and drawing a function of it and the moment.

mod changes;
mod draw;
mod keys;
mod model;
mod rows;
mod screen;

use std::io::IsTerminal;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt;

pub use draw::{DrawTime, draw};
pub use keys::PressedKey;
pub use model::LiveModel;

use super::error::CliError;
use crate::cli::render::format::OutputFormat;
use crate::cli::render::output::{Output, now_ns};
use crate::client::connection::DaemonClient;
use crate::client::mirror::{MirrorUpdate, RefreshPolicy, feed};
use crate::host::terminal::TerminalWatch;
pub(crate) use draw::Ink;
pub(crate) use screen::Screen;

/// Updates that may be queued for the view.
const QUEUE: usize = 1024;

/// The least time between two drawings.
const FRAME: Duration = Duration::from_millis(50);

/// The most time between two drawings, because ages grow.
const TICK: Duration = Duration::from_secs(1);

/// Shows the state until the operator leaves.
///
/// # Errors
/// [`CliError::Options`] without a terminal or with JSON; those of `connect`;
/// [`CliError::Daemon`] when the daemon refuses the stream or a request.
pub async fn run(
    connect: impl AsyncFnOnce() -> Result<DaemonClient, CliError>,
    output: Output,
) -> Result<(), CliError> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if output.format == OutputFormat::Json || !terminal {
        let message = "`watch state` needs a terminal; `watch events` writes JSON anywhere".into();
        return Err(CliError::Options { message });
    }
    let client = connect().await?;
    let mut model = LiveModel::new(&client.server().to_string());
    let (sender, updates) = mpsc::channel(QUEUE);
    let feed = tokio::spawn(feed(client, RefreshPolicy::default(), sender));
    match show(&mut model, updates, output.color.colour(&std::io::stdout())).await? {
        ViewEnd::Left => feed.abort(),
        // The feed ended first, with a refusal.
        ViewEnd::NoMoreUpdates => {
            if let Ok(result) = feed.await {
                result?;
            }
        }
    }
    Ok(())
}

/// Why the view ended.
enum ViewEnd {
    /// The operator left, the terminal is gone, or the process is to end.
    Left,
    /// There will be no more updates.
    NoMoreUpdates,
}

fn local(source: std::io::Error) -> CliError {
    CliError::Local { attempted: "use the terminal", source }
}

/// Draws the model and applies updates and keys to it.
async fn show(
    model: &mut LiveModel,
    mut updates: mpsc::Receiver<MirrorUpdate>,
    colour: bool,
) -> Result<ViewEnd, CliError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(local)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(local)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(local)?;
    let mut screen = Screen::enter(std::io::stdout()).map_err(local)?;
    let terminal = TerminalWatch::of(std::io::stdin()).map_err(local)?;
    let mut keys = EventStream::new();
    let mut drawn = Instant::now();
    let mut dirty = true;
    loop {
        if dirty && drawn.elapsed() >= FRAME || model.is_new() {
            let time = DrawTime { at: std::time::Instant::now(), client_ns: now_ns() };
            screen.draw(|frame| draw(frame, model, time, colour)).map_err(local)?;
            (drawn, dirty) = (Instant::now(), false);
        }
        let due = if dirty { drawn + FRAME } else { drawn + TICK };
        tokio::select! {
            update = updates.recv() => match update {
                Some(update) => model.update(update),
                None => return Ok(ViewEnd::NoMoreUpdates),
            },
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) => {
                    if let Some(key) = PressedKey::of(&key, model.is_typing())
                        && model.press(key)
                    {
                        return Ok(ViewEnd::Left);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(local(error)),
                None => return Ok(ViewEnd::Left),
            },
            () = sleep_until(due) => {}
            // Without this the stream of keys would spin, and never end.
            () = terminal.gone() => return Ok(ViewEnd::Left),
            _ = terminate.recv() => return Ok(ViewEnd::Left),
            _ = hangup.recv() => return Ok(ViewEnd::Left),
            _ = interrupt.recv() => return Ok(ViewEnd::Left),
        }
        dirty = true;
    }
}
