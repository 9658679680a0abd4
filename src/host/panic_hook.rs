//! A panic ends the process. Otherwise actix would silently end one actor, and the
//! others would send messages to none. The service manager starts the daemon again.

use std::io::Write;
use std::panic::PanicHookInfo;

use tracing::error;

use crate::domain::printable::printable;
use crate::host::logging::LogWriter;

/// Sets a hook for panics on all threads: it calls `goodbye`, logs the panic with
/// its place, and aborts the process. `goodbye` is for peers that would not notice
/// that the process is gone; it must not wait for anything.
pub fn end_on_panic(log: LogWriter, goodbye: impl Fn() + Send + Sync + 'static) {
    end_program_on_panic("maglevd", log, goodbye);
}

/// The same of another program.
pub fn end_program_on_panic(
    program: &'static str,
    log: LogWriter,
    goodbye: impl Fn() + Send + Sync + 'static,
) {
    std::panic::set_hook(Box::new(move |panic| {
        goodbye();
        let (text, place) = (text_of(panic), panic.location().map(ToString::to_string));
        let place = place.unwrap_or_default();
        error!(panic = text, place, "bug: stopping");
        // `eprintln!` would panic where standard error is gone.
        let line = printable(&format!("{program}: bug, stopping: {text} at {place}"));
        let _ = writeln!(std::io::stderr(), "{line}");
        log.flush();
        std::process::abort();
    }));
}

fn text_of<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    let formatted = || payload.downcast_ref::<String>().map(String::as_str);
    let constant = payload.downcast_ref::<&str>().copied();
    constant.or_else(formatted).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    //! The test runs its own program again, for one test that has to die.

    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_of_a_panic_on_another_thread() {
        let log = LogWriter::start(std::io::stdout(), |_| {}).unwrap();
        tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).init();
        end_on_panic(log, || eprintln!("goodbye"));
        let thread = std::thread::spawn(|| {
            let step = 1;
            panic!("{step} too many");
        });
        // The process ends before the thread does.
        let _ = thread.join();
        std::process::exit(0);
    }

    #[test]
    fn a_panic_says_goodbye_is_logged_with_its_place_and_aborts() {
        let name = "host::panic_hook::tests::dies_of_a_panic_on_another_thread";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        assert_eq!(output.status.signal(), Some(6), "not aborted: {output:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        let expected = "goodbye\nmaglevd: bug, stopping: 1 too many at src/host/panic_hook.rs:";
        assert!(errors.contains(expected), "{errors}");
        let log = String::from_utf8(output.stdout).unwrap();
        let record = "ERROR vpp_maglev::host::panic_hook: bug: stopping panic=\"1 too many\" \
                      place=\"src/host";
        assert!(log.contains(record), "{log}");
    }
}
