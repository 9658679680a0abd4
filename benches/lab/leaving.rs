//! Connections that end by themselves, one after the other, as those of users do.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::configuration::{PORT, VIP};
use super::namespaces::{CLIENT, enter};

/// Between two lines of a connection.
const INTERVAL: Duration = Duration::from_millis(250);
/// More than a line may take.
const SILENCE: Duration = Duration::from_secs(5);

/// See the module's description.
pub(crate) struct Leaving {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    broken: AtomicUsize,
    /// Those that have said a line, by the name of the server.
    open: Mutex<Vec<String>>,
}

impl Leaving {
    /// Opens so many, of which the first ends at once and the last after `last`, and the
    /// others evenly between, and waits until each has said a line.
    pub(crate) fn start(count: u32, last: Duration) -> Self {
        let shared = Arc::<Shared>::default();
        // Opening them takes a while, in which none is to end.
        let begun = Instant::now() + INTERVAL * 4;
        let threads = (0..count).map(|number| {
            let (shared, ends) = (shared.clone(), begun + last * (number + 1) / count);
            thread::spawn(move || shared.converse(ends))
        });
        let threads = threads.collect();
        super::support::eventually("every connection has said a line", || {
            shared.open.lock().unwrap().len() + shared.broken.load(Ordering::Relaxed)
                >= count as usize
        });
        Self { shared, threads }
    }

    /// Those that are open to a server.
    pub(crate) fn open(&self, server: &str) -> usize {
        self.shared.open.lock().unwrap().iter().filter(|name| *name == server).count()
    }

    /// Waits until each has ended; how many broke.
    pub(crate) fn broken(self) -> usize {
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        self.shared.broken.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn converse(&self, ends: Instant) {
        enter(CLIENT);
        if self.say_lines(ends).is_none() {
            self.broken.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nothing, if it broke, or another server answered.
    fn say_lines(&self, ends: Instant) -> Option<()> {
        let mut stream = TcpStream::connect((VIP, PORT)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(SILENCE)).ok()?;
        let mut answers = BufReader::new(stream.try_clone().ok()?).lines();
        let mut say = || {
            stream.write_all(b"line\n").ok()?;
            answers.next()?.ok()
        };
        let server = say()?;
        self.open.lock().unwrap().push(server.clone());
        let mut is_whole = true;
        while is_whole && Instant::now() < ends {
            thread::sleep(INTERVAL.min(ends.saturating_duration_since(Instant::now())));
            is_whole = say().as_ref() == Some(&server);
        }
        let mut open = self.open.lock().unwrap();
        let place = open.iter().position(|name| *name == server);
        place.map(|place| open.swap_remove(place));
        is_whole.then_some(())
    }
}
