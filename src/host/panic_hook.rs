//! A panic ends the process: actix would silently end the one actor and leave
//! the others talking to nobody. The service manager starts it anew.

use std::panic::PanicHookInfo;

use crate::vpp::client::GoodbyeHandle;
use tokio::sync::watch;
use tracing::error;

use crate::host::log_writer::LogWriter;

/// Has every panic from now on, on whatever thread, logged with its place and
/// end the process. VPP is told goodbye, as it would not notice that we are
/// gone.
pub fn end_on_panic(
    log: LogWriter,
    goodbye_handle: Option<watch::Receiver<Option<GoodbyeHandle>>>,
) {
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(goodbye_handle) = &goodbye_handle
            && let Some(words) = &*goodbye_handle.borrow()
        {
            words.say();
        }
        let (what, place) = (what(panic), panic.location().map(ToString::to_string));
        let place = place.unwrap_or_default();
        error!(panic = what, place, "bug: stopping");
        eprintln!("maglevd: bug, stopping: {what} at {place}");
        log.flush();
        std::process::abort();
    }));
}

fn what<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    let formatted = || payload.downcast_ref::<String>().map(String::as_str);
    let constant = payload.downcast_ref::<&str>().copied();
    constant.or_else(formatted).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    //! Each test runs its own program again, for one test that has to die.

    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Output};

    use crate::actors::Outbox;
    use crate::actors::broadcaster::{Broadcaster, Limits};
    use crate::actors::event_batcher::EventBatcher;
    use crate::actors::vpp_connection::{GetVppInfo, VppConnection};
    use crate::host::log_stream::LogDemand;
    use crate::vpp::client::ClientOptions;
    use crate::vpp::embedded::{Embedded, EmbeddedOptions};
    use actix::prelude::*;

    use super::*;

    /// Names the API socket of the one that dies.
    const SOCKET: &str = "MAGLEV_TEST_DOOMED_VPP";

    /// Runs the test `name`, which is ignored otherwise, in another process.
    fn doomed(name: &str, socket: Option<&str>) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            &format!("host::panic_hook::tests::{name}"),
            "--ignored",
            "--nocapture",
        ]);
        command.env_remove(SOCKET);
        if let Some(socket) = socket {
            command.env(SOCKET, socket);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.signal(), Some(6), "not aborted: {output:?}");
        output
    }

    fn errors(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).unwrap()
    }

    fn log() -> LogWriter {
        LogWriter::start(std::io::stdout(), |_| {}).unwrap()
    }

    struct Clumsy;

    impl Actor for Clumsy {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Stumble;

    impl Handler<Stumble> for Clumsy {
        type Result = ();

        fn handle(&mut self, _: Stumble, _: &mut Self::Context) {
            let step = 1;
            panic!("{step} too many");
        }
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct EndActor;

    impl Handler<EndActor> for Clumsy {
        type Result = ();

        fn handle(&mut self, _: EndActor, ctx: &mut Self::Context) {
            ctx.stop();
        }
    }

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_of_a_panic_in_a_handler() {
        let log = log();
        tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).init();
        end_on_panic(log, None);
        System::new().block_on(async {
            let arbiter = Arbiter::new();
            let clumsy = Clumsy::start_in_arbiter(&arbiter.handle(), |_| Clumsy);
            // There is no answer: the process ends.
            let _ = clumsy.send(Stumble).await;
            std::future::pending::<()>().await;
        });
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_aborts() {
        let output = doomed("dies_of_a_panic_in_a_handler", None);
        let errors = errors(&output);
        assert!(
            errors.contains("maglevd: bug, stopping: 1 too many at src/host/panic_hook.rs:"),
            "{errors}"
        );
        let log = String::from_utf8(output.stdout).unwrap();
        let record = "ERROR maglevd::fatal: bug: stopping panic=\"1 too many\" place=\"src/bin";
        assert!(log.contains(record), "{log}");
    }

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_of_a_closed_mailbox() {
        end_on_panic(log(), None);
        System::new().block_on(async {
            let clumsy = Clumsy.start();
            let outbox = Outbox::new(clumsy.clone().recipient::<Stumble>());
            clumsy.send(EndActor).await.unwrap();
            outbox.send(Stumble);
            std::future::pending::<()>().await;
        });
    }

    #[test]
    fn a_closed_mailbox_is_fatal_and_says_whose() {
        let errors = errors(&doomed("dies_of_a_closed_mailbox", None));
        assert!(errors.contains("mailbox-closed: "), "{errors}");
        assert!(errors.contains("Stumble has ended while others rely on it"), "{errors}");
    }

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_with_a_connection_to_vpp() {
        let socket = std::env::var_os(SOCKET).unwrap();
        System::new().block_on(async {
            let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
            let options = ClientOptions::default();
            let vpp =
                VppConnection::new(Some(socket.into()), options, EventBatcher::of(&broadcaster));
            let words = vpp.goodbye_handle();
            end_on_panic(log(), Some(words.clone()));
            let vpp = vpp.start();
            let mut connected = words;
            connected.wait_for(Option::is_some).await.unwrap();
            vpp.send(GetVppInfo).await.unwrap().unwrap();
            panic!("in the midst of it");
        });
    }

    #[test]
    fn vpp_hears_the_goodbye_of_one_that_panics() {
        let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
        let output = doomed("dies_with_a_connection_to_vpp", vpp.api_path().to_str());
        assert!(errors(&output).contains("in the midst of it"), "{output:?}");
        // The dataplane reads what was written before the end in its own time.
        let clients = || {
            let seen = vpp.control().snapshot().unwrap();
            (seen.clients.len(), seen.dead_clients.len())
        };
        let begun = std::time::Instant::now();
        while clients() != (0, 0) {
            assert!(begun.elapsed().as_secs() < 60, "{:?} is left behind", clients());
            std::thread::yield_now();
        }
    }
}
