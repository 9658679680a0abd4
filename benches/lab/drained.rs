//! Drains that are waited for, and what is said of their end meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bed::Bed;
use super::leaving::Leaving;
use super::namespaces::server;
use super::support::DEADLINE;

/// Between two looks at a drain.
const LOOK: Duration = Duration::from_millis(500);
/// How many times as long, or as short, as the truth an estimate at half-time may be.
const FACTOR: f64 = 2.0;

/// What was said at one time.
struct Look {
    at: Duration,
    /// Seconds until the end, as estimated.
    estimate: Option<f64>,
    counted: u64,
}

/// Drains a server whose connections end by themselves until it is drained: none breaks,
/// and at half-time the end is known about.
pub(crate) fn drain_to_zero(bed: &mut Bed<'_>, connections: u32, last: Duration) {
    let leaving = Leaving::start(connections, last);
    let name = bed.daemon.name(0);
    let begun = Instant::now();
    let mut drain = bed.daemon.begin(&["drain", "backend", &name, "wait"]);
    let mut looks = Vec::new();
    while drain.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < DEADLINE, "the drain does not end");
        thread::sleep(LOOK);
        let backend = bed.daemon.ask(&["show", "backend", &name]);
        looks.extend(look(&backend["drain"], begun.elapsed()));
    }
    let (took, left) = (begun.elapsed(), leaving.open(&server(0)));
    let output = drain.wait_with_output().unwrap();
    let is_told = output.status.code() == Some(0) && said(&output.stdout)["phase"] == "drained";
    bed.find(format!("`wait` ends with 0 after {:.0} s", took.as_secs_f64()), is_told);
    bed.find(format!("{left} connections were left (0)"), left == 0);
    let counted = looks.last().map_or(0, |look| look.counted);
    bed.find(format!("VPP counted {counted} to the last"), true);
    let half = looks.iter().min_by_key(|look| look.at.abs_diff(took / 2));
    let ratio = half.and_then(|look| Some(look.estimate? / (took - look.at).as_secs_f64()));
    let is_near = ratio.is_some_and(|ratio| (1.0 / FACTOR..=FACTOR).contains(&ratio));
    let ratio = ratio.map_or("none".into(), |ratio| format!("{ratio:.2} times the truth"));
    bed.find(format!("estimate at half-time {ratio} (0.5 to 2)"), is_near);
    let broken = leaving.broken();
    bed.find(format!("{broken} of {connections} that end by themselves broke (0)"), broken == 0);
}

/// Drains a server whose connections stay, for no longer than a timeout.
pub(crate) fn drain_for(bed: &mut Bed<'_>, timeout: &str) {
    let name = bed.daemon.name(0);
    let held = bed.servers[0].held();
    let drain = bed.daemon.begin(&["drain", "backend", &name, "timeout", timeout, "wait"]);
    let output = drain.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let words = format!("{name} was not drained within {timeout}: ");
    let last = error.lines().last().unwrap_or("");
    let is_told = output.status.code() == Some(1) && last.contains(&words);
    let is_overdue = said(&output.stdout)["phase"] == "overdue";
    let code = output.status.code().map_or("a signal".into(), |code| code.to_string());
    bed.find(format!("`wait` ends with {code} (1): {last}"), is_told && is_overdue);
    bed.find(format!("{held} were held and {} are", bed.servers[0].held()), held > 0);
    bed.watch(2000);
}

fn look(drain: &Value, at: Duration) -> Option<Look> {
    let counted = drain["flows"].as_u64()?;
    let estimate = drain["ends_in_ns"].as_f64().map(|nanoseconds| nanoseconds / 1e9);
    (drain["phase"] == "draining").then_some(Look { at, estimate, counted })
}

/// The drain of the backend that `drain … wait` answers with.
fn said(output: &[u8]) -> Value {
    let backend: Value = serde_json::from_slice(output).unwrap_or(Value::Null);
    backend["drain"].clone()
}
