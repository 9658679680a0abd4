//! The goodbye to VPP from a process that panics: VPP does not notice by itself that
//! an API client is gone.

use tokio::sync::watch;
use vpp_maglev::vpp::client::GoodbyeHandle;

/// Says goodbye on the connection of the moment, if there is one.
pub fn say_goodbye(handle: watch::Receiver<Option<GoodbyeHandle>>) -> impl Fn() + Send + Sync {
    move || {
        if let Some(handle) = &*handle.borrow() {
            handle.say();
        }
    }
}

#[cfg(test)]
mod tests {
    //! Each test runs its own program again, for one test that has to die.

    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Output};
    use std::time::{Duration, Instant};

    use actix::prelude::*;
    use vpp_maglev::actors::Outbox;
    use vpp_maglev::actors::broadcaster::{Broadcaster, Limits};
    use vpp_maglev::actors::event_batcher::EventBatcher;
    use vpp_maglev::actors::vpp_connection::{GetVppInfo, VppConnection};
    use vpp_maglev::host::logging::{LogDemand, LogWriter};
    use vpp_maglev::host::panic_hook::end_on_panic;
    use vpp_maglev::vpp::client::ClientOptions;
    use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

    use super::*;

    /// The API socket for the process that dies.
    const SOCKET: &str = "MAGLEV_TEST_DOOMED_VPP";

    /// Runs the test `name`, which is ignored otherwise, in another process.
    fn doomed(name: &str, socket: Option<&str>) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let name = format!("goodbye::tests::{name}");
        command.args(["--exact", &name, "--ignored", "--nocapture"]).env_remove(SOCKET);
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

    struct ShortLived;

    impl Actor for ShortLived {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct EndActor;

    impl Handler<EndActor> for ShortLived {
        type Result = ();

        fn handle(&mut self, _: EndActor, ctx: &mut Self::Context) {
            ctx.stop();
        }
    }

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_of_a_closed_mailbox() {
        end_on_panic(log(), || {});
        System::new().block_on(async {
            let actor = ShortLived.start();
            let outbox = Outbox::new(actor.clone().recipient::<EndActor>());
            actor.send(EndActor).await.unwrap();
            outbox.send(EndActor);
        });
    }

    #[test]
    fn a_closed_mailbox_is_fatal_and_says_whose() {
        let errors = errors(&doomed("dies_of_a_closed_mailbox", None));
        assert!(errors.contains("mailbox-closed: "), "{errors}");
        assert!(errors.contains("EndActor has ended while others rely on it"), "{errors}");
    }

    #[test]
    #[ignore = "dies: run by another test"]
    fn dies_with_a_connection_to_vpp() {
        let socket = std::env::var_os(SOCKET).unwrap();
        System::new().block_on(async {
            let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
            let options = ClientOptions::default();
            let events = EventBatcher::new(&broadcaster);
            let vpp = VppConnection::new(Some(socket.into()), options, events);
            let mut handle = vpp.goodbye_handle();
            end_on_panic(log(), say_goodbye(handle.clone()));
            let vpp = vpp.start();
            handle.wait_for(Option::is_some).await.unwrap();
            vpp.send(GetVppInfo).await.unwrap().unwrap();
            panic!("in the midst of it");
        });
    }

    #[test]
    fn vpp_gets_the_goodbye_of_a_process_that_panics() {
        let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
        let output = doomed("dies_with_a_connection_to_vpp", vpp.api_path().to_str());
        assert!(errors(&output).contains("in the midst of it"), "{output:?}");
        // The dataplane reads what was written before the end in its own time.
        let clients = || {
            let snapshot = vpp.control().snapshot().unwrap();
            (snapshot.clients.len(), snapshot.dead_clients.len())
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while clients() != (0, 0) {
            assert!(Instant::now() < deadline, "{:?} is left behind", clients());
            std::thread::yield_now();
        }
    }
}
