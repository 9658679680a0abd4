//! The terminal's alternate screen, and its restoration, however the view ends.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
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

/// The alternate screen. Dropping it restores the terminal.
pub(crate) struct Screen<W: Write> {
    /// Not dropped: where the terminal is gone its drop would panic, as it reports on
    /// standard error that it cannot show the cursor. [`leave`] shows it.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<W>>>,
    /// The panic hook from before.
    hook: Arc<Hook>,
}

impl<W: Write> Screen<W> {
    /// Switches to the alternate screen.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn enter(mut out: W) -> io::Result<Self> {
        enable_raw_mode()?;
        // A panic is reported on the restored terminal, where it can be read.
        let hook: Arc<Hook> = Arc::new(panic::take_hook());
        let previous = Arc::clone(&hook);
        panic::set_hook(Box::new(move |panic| {
            leave(&mut io::stdout());
            previous(panic);
        }));
        let entered = execute!(out, EnterAlternateScreen, Hide);
        let terminal = ManuallyDrop::new(Terminal::new(CrosstermBackend::new(out))?);
        let screen = Self { terminal, hook };
        entered.map(|()| screen)
    }

    /// Draws a frame of the terminal's present size.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        leave(self.terminal.backend_mut());
        // During a panic the hook cannot be replaced, and has run already.
        if !std::thread::panicking() {
            let hook = Arc::clone(&self.hook);
            panic::set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

/// Restores the terminal. Failures cannot be reported anywhere.
fn leave(out: &mut impl Write) {
    let _ = execute!(out, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
