//! What is written down, and whether it grew.

use std::fmt;
use std::time::Duration;

/// One look at the daemon.
pub(super) struct Measurement {
    pub(super) at: Duration,
    /// Resident memory.
    pub(super) rss_kib: u64,
    /// Open descriptors.
    pub(super) descriptors: u64,
    /// Threads of the process.
    pub(super) threads: u64,
    /// Lines of the metrics page that are samples.
    pub(super) series: u64,
    /// Accepted reloads so far.
    pub(super) reloads: u64,
    /// Transitions of backends so far.
    pub(super) transitions: u64,
    /// CPU time so far.
    pub(super) cpu: Duration,
}

impl Measurement {
    pub(super) const HEAD: &str =
        "    at s   RSS KiB   descr  threads   series  reloads  transitions   CPU s";
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8} {:9} {:7} {:8} {:8} {:8} {:12} {:7.1}",
            self.at.as_secs(),
            self.rss_kib,
            self.descriptors,
            self.threads,
            self.series,
            self.reloads,
            self.transitions,
            self.cpu.as_secs_f64()
        )
    }
}

/// One of the numbers.
type Number = fn(&Measurement) -> u64;

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

/// Compares the last quarter with the second one: by then everything that is
/// made once is there. Says what it finds; true if something grew.
pub(super) fn judge(log: &[Measurement]) -> bool {
    let quarter = log.len() / 4;
    if quarter < 5 {
        println!("too short to tell whether anything grows");
        return false;
    }
    let mut grew = false;
    // What probes hold varies, and an allocator keeps what it will need again.
    let kinds: [(&str, Number, u64); 4] = [
        ("RSS KiB", |measured| measured.rss_kib, 4096),
        ("descriptors", |measured| measured.descriptors, 64),
        ("threads", |measured| measured.threads, 4),
        ("series", |measured| measured.series, 64),
    ];
    for (name, number, slack) in kinds {
        let of = |log: &[Measurement]| median(log.iter().map(number).collect());
        let early = of(&log[quarter..2 * quarter]);
        let late = of(&log[log.len() - quarter..]);
        let most = early + early / 20 + slack;
        let verdict = if late <= most { "flat" } else { "GREW" };
        println!("{name:12} second quarter {early:9}, last quarter {late:9}: {verdict}");
        grew |= late > most;
    }
    grew
}
