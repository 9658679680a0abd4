//! The families of the process, under the names of Prometheus' own client
//! libraries. A value that the system does not give is left out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::page::{MetricsPage, count};

/// `program`: what the process is called in the help.
pub(crate) fn collect(page: &mut MetricsPage, program: &str) {
    let cpu = seconds(ClockId::ProcessCPUTime);
    let help = format!("CPU time that {program} has used.");
    page.process("process_cpu_seconds_total", "counter", &help, cpu);
    if let Some(pages) = nth("/proc/self/statm", 1) {
        let help = format!("Memory that {program} holds.");
        let bytes = count(pages) * count(page_size() as u64);
        page.process("process_resident_memory_bytes", "gauge", &help, bytes);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the open directory itself.
        let open = open.count().saturating_sub(1) as u64;
        page.process("process_open_fds", "gauge", "Open descriptors.", count(open));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        page.process("process_max_fds", "gauge", "The most descriptors.", count(most));
    }
    // proc(5): the name, field 2, may hold anything and ends at the last ")".
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    if let Some(threads) = field(20) {
        page.process("process_threads", "gauge", "Threads.", count(threads));
    }
    if let Some(begun) = field(22) {
        let begun = count(begun) / count(clock_ticks_per_second());
        let age = Duration::try_from_secs_f64(seconds(ClockId::Boottime) - begun);
        let at = SystemTime::now().checked_sub(age.unwrap_or_default());
        let at = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let help = format!("When {program} started, as Unix time.");
        page.process("process_start_time_seconds", "gauge", &help, at.as_secs_f64());
    }
}

/// The time that a clock shows.
fn seconds(clock: ClockId) -> f64 {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default().as_secs_f64()
}

/// The word at `index` of a file, as a number.
fn nth(path: &str, index: usize) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let mut page = MetricsPage::default();
        collect(&mut page, "maglevd");
        page.into_text()
    }

    fn value(page: &str, name: &str) -> f64 {
        let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {page}"))[name.len() + 1..].parse().unwrap()
    }

    #[test]
    fn the_values_are_those_of_this_process() {
        let page = page();
        let value = |name| value(&page, name);
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_threads") >= 1.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - value("process_start_time_seconds");
        // The tests run for less than a day, and clocks are read one after the other.
        assert!((-1.0..86_400.0).contains(&age), "{age}");
    }

    #[test]
    fn cpu_time_grows_by_what_a_thread_uses() {
        let name = "process_cpu_seconds_total";
        let before = value(&page(), name);
        let begun = seconds(ClockId::ThreadCPUTime);
        while seconds(ClockId::ThreadCPUTime) - begun < 0.02 {}
        let used = value(&page(), name) - before;
        assert!(used >= 0.02, "{used} s");
    }
}
