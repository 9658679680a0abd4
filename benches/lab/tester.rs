//! maglevt as the client of the VIP, and what it writes.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::process::Signal;

use super::configuration::{PORT, VIP};
use super::namespaces::{CLIENT, command};
use super::record::Record;
use super::row::{Counted, RATE};
use super::support::DEADLINE;
use super::support::process::Process;

/// See the module's description. It ends by itself, if nothing ends it.
pub(crate) struct Tester {
    process: Process,
    records: Receiver<Record>,
}

/// Longer than any scenario.
const LONGEST: &str = "180s";

impl Tester {
    /// Starts it, with a copy of what it writes in `copy`, and waits until it
    /// holds so many connections and each has said some lines.
    pub(crate) fn start(copy: &Path, held: u64) -> Self {
        let mut maglevt = command(CLIENT, Path::new(env!("CARGO_BIN_EXE_maglevt")));
        maglevt.arg(format!("tcp://{VIP}:{PORT}"));
        maglevt.args(["--hold", &held.to_string(), "--hold-interval", "125ms"]);
        maglevt.args(["--interval", &format!("{}ms", 1000 / RATE)]);
        maglevt.args(["--lines", "2", "--line-interval", "300ms", "--timeout", "2s"]);
        maglevt.args(["--for", LONGEST, "--output", "json"]);
        let mut copy = File::create(copy).unwrap();
        maglevt.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(copy.try_clone().unwrap());
        let mut process = Process::start(&mut maglevt);
        let lines = BufReader::new(process.child().stdout.take().unwrap()).lines();
        let (sender, records) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                writeln!(copy, "{line}").unwrap();
                // Whoever waited may have failed meanwhile.
                let _ = Record::parse(&line).map(|record| sender.send(record));
            }
        });
        let tester = Self { process, records };
        while !matches!(tester.next(), Record::Interval { held_open, .. } if held_open == held) {}
        tester.whole_interval();
        tester
    }

    /// Waits for the end of an interval that begins from now on.
    fn whole_interval(&self) {
        while self.records.try_recv().is_ok() {}
        for _ in 0..2 {
            while !matches!(self.next(), Record::Interval { .. }) {}
        }
    }

    fn next(&self) -> Record {
        self.records.recv_timeout(DEADLINE).unwrap()
    }

    /// Ends it; what it counted.
    pub(crate) fn stop(mut self) -> Counted {
        self.process.signal(Signal::TERM);
        let counted = loop {
            if let Record::Summary(counted) = self.next() {
                break counted;
            }
        };
        self.process.ended();
        counted
    }
}
