//! Single flips, one at a time, over a connection of their own and without the daemon:
//! what a flip of the daemon cannot be faster than.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vpp_maglev::vpp::client::{CallError, ClientOptions, Retval, VppClient};

use super::scene::bare_flip;

/// Between two of them, as between two flips.
const PAUSE: Duration = Duration::from_millis(10);

/// See the module's description.
pub(super) struct Bare {
    times: Arc<Mutex<Vec<Duration>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Bare {
    pub(super) fn start(socket: &Path) -> Self {
        let times = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (socket, sink, stopped) = (socket.to_owned(), Arc::clone(&times), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = VppClient::connect(&socket, ClientOptions::default()).await.unwrap();
                let dialect = client.lb_dialect().unwrap();
                // Ends with the server up.
                for up in [false, true].into_iter().cycle() {
                    let begun = Instant::now();
                    let answer = client.apply(vec![bare_flip(dialect, up)], true).await.remove(0);
                    sink.lock().unwrap().push(begun.elapsed());
                    match answer {
                        // A full sync of the daemon's has put the server back meanwhile.
                        Err(CallError::Refused { retval: Retval::VALUE_EXIST, .. }) if up => {}
                        answer => answer.unwrap(),
                    }
                    if up && stopped.load(Relaxed) {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                client.close().await;
            });
        });
        Self { times, stop, thread }
    }

    /// Those since the last call.
    pub(super) fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.times.lock().unwrap())
    }

    pub(super) fn stop(self) {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap();
    }
}
