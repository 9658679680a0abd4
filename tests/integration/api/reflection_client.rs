//! A client that was not written for this daemon: Python's grpcio, which knows
//! of it by reflection alone, makes every call, and so does the standard health
//! client.
//!
//! It takes Python's `grpcio`, `grpcio-reflection` and `grpcio-health-checking`.
//! Without them the test says that it is skipped; `make test-integration`, which
//! sets `MAGLEV_TEST_GRPCIO`, fails.

use std::process::{Command, Stdio};

use crate::support::TestBed;

fn python() -> Command {
    let mut command = Command::new("python3");
    command.stdin(Stdio::null());
    command
}

#[tokio::test]
async fn a_foreign_client_makes_every_call() {
    let imports = ["-c", "import grpc, grpc_reflection.v1alpha, grpc_health.v1"];
    let found = python().args(imports).output();
    if !found.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("MAGLEV_TEST_GRPCIO").is_none(),
            "python3 has no grpcio, grpcio-reflection and grpcio-health-checking"
        );
        eprintln!("skipped: python3 with grpcio, -reflection and -health-checking is not here");
        return;
    }
    // A dataplane with counters, in the daemon's own process.
    let bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:40", "c"]).vpp("embedded");
    let socket = format!("unix:{}", bed.dir().join("grpc.sock").display());
    let mut command = bed.command();
    command.args(["--grpc-addr", &format!("127.0.0.1:0,{socket}")]);
    let mut daemon = bed.run(&mut command).await;
    daemon.all(&["a", "b", "c"], "up").await;
    daemon.logged("vpp-lbsync-done").await;
    // Its library names the socket in its own way where there is no host.
    for address in [daemon.address(), socket] {
        let mut client = python();
        client.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/integration/api/reflection_client.py"
        ));
        client.arg(&address);
        // On a thread of its own: what the daemon probes is on this one.
        let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{address}: {said}{errors}");
        assert_eq!(said, "34 calls\n");
        daemon.all(&["a", "b", "c"], "up").await;
    }
    daemon.terminate().await;
}
