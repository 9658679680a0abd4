//! `watch state`: frontends, pools, servers, weights and transitions on the
//! whole terminal, as they change.
//!
//! ```text
//! events, answers ─▶ feed ─▶ Update ─▶ Model ─▶ rows ─▶ draw ─▶ screen
//! keys ─────────────────────▶ Key ─────┘
//! ```
//!
//! The model is a value and the drawing a function of it and the moment.

mod draw;
mod feed;
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

pub use draw::draw;
pub use keys::PressedKey;
pub use model::{Answers, DaemonStatus, Model, Update, VppStatus};

use super::error::CliError;
use crate::cli::command::options::Format;
use crate::cli::render::output::{Output, now_ns};
use crate::client::server::DaemonClient;
use screen::Screen;

/// Updates that may wait to be shown.
const WAITING: usize = 1024;

/// The screen is drawn at most this often, however much happens.
const FRAME: Duration = Duration::from_millis(50);

/// And at least this often: ages grow.
const TICK: Duration = Duration::from_secs(1);

/// Shows the state until the operator has seen enough.
///
/// # Errors
/// [`CliError::Options`] without a terminal or with JSON; what `connect` says;
/// [`CliError::Refused`] when the daemon takes no more watchers.
pub async fn run(
    connect: impl AsyncFnOnce() -> Result<DaemonClient, CliError>,
    output: Output,
) -> Result<(), CliError> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if output.format == Format::Json || !terminal {
        let message = "`watch state` needs a terminal; `watch events` writes JSON anywhere".into();
        return Err(CliError::Options { message });
    }
    let client = connect().await?;
    let mut model = Model::new(&client.server().to_string());
    let (tell, updates) = mpsc::channel(WAITING);
    let feed = tokio::spawn(feed::feed(client, tell));
    let result = show(&mut model, updates, output.color.colour(&std::io::stdout())).await;
    feed.abort();
    result
}

fn local(source: std::io::Error) -> CliError {
    CliError::Local { attempted: "use the terminal", source }
}

/// Draws the model, keeps it up to date, and obeys keys.
async fn show(
    model: &mut Model,
    mut updates: mpsc::Receiver<Update>,
    colour: bool,
) -> Result<(), CliError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(local)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(local)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(local)?;
    let mut screen = Screen::enter(std::io::stdout()).map_err(local)?;
    let mut keys = EventStream::new();
    let mut drawn = Instant::now();
    let mut dirty = true;
    loop {
        if dirty && drawn.elapsed() >= FRAME || model.is_new() {
            screen.draw(|frame| draw(frame, model, now_ns(), colour)).map_err(local)?;
            (drawn, dirty) = (Instant::now(), false);
        }
        let due = if dirty { drawn + FRAME } else { drawn + TICK };
        tokio::select! {
            update = updates.recv() => match update {
                Some(Update::End(error)) => return Err(error),
                Some(update) => model.update(update),
                None => return Ok(()),
            },
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) => {
                    if let Some(key) = PressedKey::of(&key, model.is_typing())
                        && model.press(key)
                    {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(local(error)),
                None => return Ok(()),
            },
            () = sleep_until(due) => {}
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
        dirty = true;
    }
}
