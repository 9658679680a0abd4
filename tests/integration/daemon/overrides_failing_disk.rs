//! A disk that is full, or fails when it is to keep what it was given: changes are refused and
//! change nothing.

use std::path::Path;
use std::process::Command;

use tonic::Code;
use vpp_maglev::pb::SetWeightRequest;

use super::overrides_kept::{FILE, bed, killed, listing, request, start};
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon, TestBed, metrics_address, sample};

/// A daemon that another program starts, by these words and those of the daemon.
async fn run_by(wrapper: &mut Command, bed: &TestBed, state: &Path) -> Daemon {
    let daemon = bed.command();
    wrapper.arg(daemon.get_program()).args(daemon.get_args());
    wrapper.args(["--grpc-addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"]);
    wrapper.arg("--state-dir").arg(state);
    for (name, value) in daemon.get_envs() {
        match value {
            Some(value) => wrapper.env(name, value),
            None => wrapper.env_remove(name),
        };
    }
    bed.run(wrapper).await
}

/// What is overridden, by backend and value.
async fn values(daemon: &Daemon) -> Vec<(String, String)> {
    let all = listing(daemon).await.overrides.into_iter();
    all.map(|it| (it.backend_name, it.value)).collect()
}

fn pairs(values: &[(&str, &str)]) -> Vec<(String, String)> {
    values.iter().map(|(backend, value)| ((*backend).into(), (*value).into())).collect()
}

async fn until_failing_is(metrics: &str, value: &str) {
    eventually(&format!("failing is {value}"), DEADLINE, async || {
        sample(metrics, "maglev_override_write_failing").await == value
    })
    .await;
}

/// The state directory is a small tmpfs in a mount namespace of the daemon's own.
#[tokio::test]
async fn on_a_full_disk_a_change_fails_and_changes_nothing() {
    let may = Command::new("unshare").args(["--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        return println!("skipped: unshare makes no mount namespace here (root may)");
    }
    let bed = bed();
    let state = bed.dir().join("state");
    std::fs::create_dir(&state).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=64k tmpfs \"$1\" && shift && exec \"$@\"");
    command.arg("sh").arg(&state);
    let mut daemon = run_by(&mut command, &bed, &state).await;
    let metrics = metrics_address(&mut daemon).await;
    let inside = Path::new("/proc").join(daemon.pid().to_string()).join("root");
    let inside = inside.join(state.strip_prefix("/").unwrap());
    let mut client = daemon.client().await;
    client.pause_backend(request("a")).await.unwrap();
    let before = std::fs::read(inside.join(FILE)).unwrap();

    let filler = inside.join("filler");
    let full = std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    for refused in [
        client.disable_backend(request("b")).await.unwrap_err(),
        client.unset_backend(request("a")).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        let text = refused.message();
        assert!(
            text.contains("No space left on device") && text.ends_with("nothing has changed"),
            "{text}"
        );
    }
    daemon.logged("overrides-not-kept").await;
    until_failing_is(&metrics, "1").await;
    assert_eq!(values(&daemon).await, pairs(&[("a", "paused")]));
    assert_eq!(std::fs::read(inside.join(FILE)).unwrap(), before);
    let entries = std::fs::read_dir(&inside).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(entries.filter(|name| name != "filler").collect::<Vec<_>>(), [FILE]);

    // There is room again, which nobody tells the daemon.
    std::fs::remove_file(filler).unwrap();
    daemon.logged("overrides-kept-again").await;
    until_failing_is(&metrics, "0").await;
    client.disable_backend(request("b")).await.unwrap();
    assert_eq!(values(&daemon).await.len(), 2);
    daemon.terminate().await;
}

/// A daemon whose `number`th fsync fails, as on a disk that cannot write what it has taken.
async fn with_failing_fsync(bed: &TestBed, state: &Path, number: u32) -> Option<Daemon> {
    let strace = |number: u32| {
        let mut strace = Command::new("strace");
        // The daemon stays this process's child, and is traced by its grandchild.
        strace.args(["-D", "-f", "--quiet=all", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
        strace.arg(format!("inject=fsync:error=EIO:when={number}"));
        strace
    };
    let may = strace(1).arg("true").status().is_ok_and(|status| status.success());
    if !may {
        println!("skipped: there is no strace, or it may not trace here");
        return None;
    }
    Some(run_by(&mut strace(number), bed, state).await)
}

/// The file and its directory are synchronised before a change is answered: where either
/// fails, the change is refused.
#[tokio::test]
async fn what_the_disk_does_not_confirm_is_refused_and_not_there_after_a_kill() {
    for (number, attempted, outcome) in [
        (1, "write a new file", "nothing has changed"),
        (2, "fsync the directory", "and is taken out of the file as soon as that works"),
    ] {
        let bed = bed();
        let state = bed.dir().join("state");
        let Some(daemon) = with_failing_fsync(&bed, &state, number).await else { return };
        let mut client = daemon.client().await;
        let refused = client.pause_backend(request("a")).await.unwrap_err();
        let text = refused.message();
        assert!(text.contains(attempted) && text.contains("Input/output error"), "{text}");
        assert!(text.ends_with(outcome), "{text}");
        assert_eq!(values(&daemon).await, []);
        // The disk works again.
        let weight = SetWeightRequest {
            frontend: "web".into(),
            pool: "p".into(),
            backend: "b".into(),
            weight: 7,
            ..SetWeightRequest::default()
        };
        client.set_frontend_pool_backend_weight(weight).await.unwrap();
        killed(daemon).await;
        let daemon = start(&bed, &state).await;
        assert_eq!(values(&daemon).await, pairs(&[("b", "7")]));
        daemon.terminate().await;
    }
}
