//! A VIP that is announced while VPP is away: when its route went and came, beside when
//! VPP had servers in its table again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::bed::Bed;
use super::configuration::VIP;
use super::namespaces::{CLIENT, command};
use super::support::DEADLINE;
use super::vpp::VppCommands;

/// `hold-vpp` of the configuration.
pub(crate) const HOLD: Duration = Duration::from_secs(10);
/// How much later than that it may be withdrawn.
const LATE: Duration = Duration::from_secs(1);

/// Whether the route came, or went, and when.
type Change = (Instant, bool);

/// What happens to the VIP's route in the daemon's namespace.
struct Routes {
    child: Child,
    changes: Receiver<Change>,
}

impl Routes {
    fn watch() -> Self {
        let mut monitor = command(CLIENT, Path::new("ip"));
        monitor.args(["monitor", "route"]).stdout(Stdio::piped());
        let mut child = monitor.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (to, changes) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| line.contains(VIP)) {
                // It is watched until the scenario is over.
                let _ = to.send((Instant::now(), !line.starts_with("Deleted")));
            }
        });
        Self { child, changes }
    }

    fn next(&self) -> Change {
        self.changes.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("the route does not change"))
    }

    fn so_far(&self) -> Vec<Change> {
        self.changes.try_iter().collect()
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks at VPP's table all the time.
struct Table {
    /// When the last look began that saw no server with entries, and when the first ended
    /// after it that saw one.
    looks: Arc<Mutex<(Instant, Option<Instant>)>>,
    is_over: Arc<AtomicBool>,
}

impl Table {
    fn watch(commands: VppCommands) -> Self {
        let looks = Arc::new(Mutex::new((Instant::now(), None)));
        let is_over = Arc::new(AtomicBool::new(false));
        let (of_thread, ends) = (Arc::clone(&looks), Arc::clone(&is_over));
        thread::spawn(move || {
            while !ends.load(Relaxed) {
                let begun = Instant::now();
                let has_entries = has_entries(&commands.run("show lb vips verbose"));
                let mut looks = of_thread.lock().unwrap();
                if has_entries {
                    looks.1.get_or_insert_with(Instant::now);
                } else {
                    *looks = (begun, None);
                }
            }
        });
        Self { looks, is_over }
    }

    fn ended(self) -> (Instant, Option<Instant>) {
        self.is_over.store(true, Relaxed);
        *self.looks.lock().unwrap()
    }
}

/// Whether a server has entries: `10.2.1.2 weight:100 buckets:341 flows:…`, or
/// `10.2.1.2 341 buckets …` where VPP has no weights.
fn has_entries(listing: &str) -> bool {
    let words: Vec<_> = listing.split_whitespace().collect();
    let with_weights = words.iter().filter_map(|word| word.strip_prefix("buckets:"));
    let without = words.windows(2).filter(|pair| pair[1] == "buckets").map(|pair| pair[0]);
    with_weights.chain(without).any(|count| count.parse::<u32>().is_ok_and(|count| count > 0))
}

/// VPP is back within the hold: no router is told anything.
pub(crate) fn restart_within_hold(bed: &mut Bed<'_>) {
    let routes = Routes::watch();
    bed.restart_vpp(0);
    // The hold, if it had not ended.
    bed.watch(u64::try_from(HOLD.as_millis()).unwrap());
    let changes = routes.so_far();
    bed.find(format!("{} changes of the route (0)", changes.len()), changes.is_empty());
}

/// VPP is away for longer: withdrawn in time, and announced once it serves.
pub(crate) fn away_for_longer(bed: &mut Bed<'_>, seconds: u64) {
    let routes = Routes::watch();
    let begun = Instant::now();
    let table = Table::watch(bed.vpp.commands());
    bed.restart_vpp(seconds);
    let (went, is_coming) = routes.next();
    let after = went - begun;
    let is_in_time = !is_coming && (HOLD..HOLD + LATE).contains(&after);
    bed.find(format!("withdrawn after {:.1} s (10 to 11)", after.as_secs_f64()), is_in_time);
    let (came, is_coming) = routes.next();
    let (last_without, first_with) = table.ended();
    let is_served = is_coming && came > last_without && first_with.is_some();
    let after = first_with.map_or(0.0, |first| (came - first.min(came)).as_secs_f64());
    bed.find(format!("announced {after:.2} s after its first server (after it)"), is_served);
    let more = routes.so_far();
    bed.find(format!("{} more changes (0)", more.len()), more.is_empty());
}
