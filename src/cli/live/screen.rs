//! The terminal as a whole screen, and back as it was, however the view ends.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static>;

/// The whole screen. The terminal is as it was when this is dropped.
pub(super) struct Screen<W: Write> {
    terminal: Terminal<CrosstermBackend<W>>,
    /// What told of panics before.
    hook: Arc<Hook>,
}

impl<W: Write> Screen<W> {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn enter(mut out: W) -> io::Result<Self> {
        enable_raw_mode()?;
        // A panic is told where it can be read: on the terminal as it was.
        let hook: Arc<Hook> = Arc::new(panic::take_hook());
        let told = Arc::clone(&hook);
        panic::set_hook(Box::new(move |panic| {
            leave(&mut io::stdout());
            told(panic);
        }));
        let entered = execute!(out, EnterAlternateScreen, Hide);
        let screen = Self { terminal: Terminal::new(CrosstermBackend::new(out))?, hook };
        entered.map(|()| screen)
    }

    /// Draws a frame of the size that the terminal has now.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        leave(self.terminal.backend_mut());
        // While it panics, the hook must stay, and has done its work.
        if !std::thread::panicking() {
            let hook = Arc::clone(&self.hook);
            panic::set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

/// Gives the terminal back. There is nobody left to tell of failures.
fn leave(out: &mut impl Write) {
    let _ = execute!(out, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
