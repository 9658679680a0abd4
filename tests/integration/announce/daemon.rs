//! The built daemon announces what serves, through a program.

use std::path::Path;

use rustix::process::Signal;

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, VIP4, VIP6};

/// Places whatever is wanted, unless there is a file `hang`: keeps it in a file, and notes
/// every set in another one.
const PROGRAM: &str = r#"
line=$(cat)
case "$line" in *'"action":"apply"'*)
    if [ -e hang ]; then sleep 60; fi
    echo "$line" | sed 's/.*"wanted":\(\[.*\]\)}/\1/' > placed
    cat placed >> log;;
esac
printf '{"placed": %s}' "$(cat placed 2>/dev/null || echo '[]')"
"#;

/// Backends a and b, and c, which no frontend uses and which is a witness. Both frontends
/// are announced, without holds.
pub(super) fn bed(names: &[&'static str], healthchecker: &str) -> TestBed {
    let bed = TestBed::new(names).pools(&["a b"]);
    let program = bed.dir().join("place");
    std::fs::write(&program, format!("cd {}\n{PROGRAM}", bed.dir().display())).unwrap();
    let text = bed.text().replace(
        "      protocol: tcp\n",
        "      protocol: tcp\n      announce: { hold-down: 0s, hold-up: 0s }\n",
    );
    let text = text.replace("  healthchecker:\n", &format!("  healthchecker:\n{healthchecker}"));
    let command = format!("[/bin/sh, {}]", program.display());
    bed.with_config(text + &format!("  announce: {{ leave: 50ms, command: {command} }}\n"))
}

pub(super) fn file(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_default()
}

/// Waits until exactly these VIPs are placed.
pub(super) async fn placed(dir: &Path, vips: &[&str]) {
    let what = format!("{vips:?} are announced");
    eventually(&what, DEADLINE, async || {
        let text = file(dir, "placed");
        text.matches("\"announced\"").count() == vips.len()
            && vips.iter().all(|vip| text.contains(&format!("\"{vip}/")))
    })
    .await;
}

#[tokio::test]
async fn what_serves_is_announced_and_what_does_not_is_withdrawn() {
    let mut bed = bed(&["a", "b", "c"], "");
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    dataplane.until_both("a=100 b=100").await;
    placed(bed.dir(), &[VIP4, VIP6]).await;

    for backend in &mut bed.backends[..2] {
        backend.stop().await;
    }
    placed(bed.dir(), &[]).await;
    bed.backends[1].serve();
    placed(bed.dir(), &[VIP4, VIP6]).await;

    // A daemon that is killed leaves what there is, and its successor, too.
    daemon.signal(Signal::KILL);
    let mut daemon = daemon;
    daemon.ended().await;
    std::fs::remove_file(bed.dir().join("log")).unwrap();
    let mut next = bed.start().await;
    next.all(&["b"], "up").await;
    next.all(&["a"], "down").await;
    eventually("the set is wanted", DEADLINE, async || !file(bed.dir(), "log").is_empty()).await;
    let sets = file(bed.dir(), "log");
    assert!(sets.lines().all(|set| set.contains(VIP4) && set.contains(VIP6)), "{sets}");
    assert_eq!(next.records("announcement"), [] as [serde_json::Value; 0]);
    next.signal(Signal::TERM);
    next.ended().await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
}

#[tokio::test]
async fn servers_that_all_fail_without_a_witness_are_announced_all_the_same() {
    let mut bed = bed(&["a", "b"], "    doubt-limit: 200ms\n");
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    dataplane.until_both("a=100 b=100").await;
    placed(bed.dir(), &[VIP4, VIP6]).await;
    for backend in &mut bed.backends {
        backend.stop().await;
    }
    daemon.all(&["a", "b"], "down").await;
    dataplane.until_both("a=0 b=0").await;
    assert_eq!(file(bed.dir(), "placed").matches("\"announced\"").count(), 2);
    assert!(held(&daemon));
}

/// Nothing was withdrawn.
fn held(daemon: &Daemon) -> bool {
    daemon.records("announcement").iter().all(|record| record["to"] != "withdrawn")
}
