//! The signals of the process, taken at its first moment: one that comes while it
//! starts is served once it has started, and ends nothing by itself.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::process::Signal as Number;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use vpp_maglev::host::terminal::{TerminalWatch, is_to_outlive};

/// Signals that ask the process to end. Each would end it without a goodbye to VPP,
/// which then does not notice that it is gone.
const STOPS: [Number; 10] = [
    Number::TERM,
    Number::INT,
    Number::QUIT,
    Number::XCPU,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
    Number::STKFLT,
    Number::POWER,
];

/// Signals that would end the process and mean nothing to it. A log in a file that
/// may not grow (`ulimit -f`) loses records, as on a full disk.
const IGNORED: [Number; 1] = [Number::XFSZ];

#[derive(Debug)]
pub struct Signals {
    /// SIGHUP.
    pub hangup: Signal,
    /// SIGUSR1.
    pub debug: Signal,
    /// SIGUSR2.
    pub configured: Signal,
    pub stop: StopSignals,
    /// Whether the process is to live on when its terminal is gone.
    pub outlives_terminal: bool,
}

/// Any of the signals that end the process.
#[derive(Debug)]
pub struct StopSignals(Vec<(Number, Signal)>);

impl Signals {
    /// From this call on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn take() -> io::Result<Self> {
        let outlives_terminal = is_to_outlive();
        // It is needed to set the handlers. Signals are received on whichever runtime
        // waits for them.
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let _context = runtime.enter();
        let of = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        let stops = STOPS.map(|number| Ok((number, of(number)?)));
        let signals = Self {
            hangup: of(Number::HUP)?,
            debug: of(Number::USR1)?,
            configured: of(Number::USR2)?,
            stop: StopSignals(stops.into_iter().collect::<io::Result<_>>()?),
            outlives_terminal,
        };
        IGNORED.into_iter().try_for_each(|number| of(number).map(|_| ()))?;
        Ok(signals)
    }

    /// The terminal whose end ends a mode for people at a keyboard. SIGHUP alone does
    /// not: it means to reload, and does not come with every end.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn terminal(&self) -> io::Result<TerminalWatch> {
        if self.outlives_terminal { Ok(TerminalWatch::none()) } else { TerminalWatch::of_process() }
    }
}

impl StopSignals {
    /// The next of them.
    pub async fn next(&mut self) -> Number {
        poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(*number);
                }
            }
            Poll::Pending
        })
        .await
    }
}
