//! A program of the operator's: what it gets, and how it may fail.

use std::fs;
use std::time::Duration;

use vpp_maglev::announce::{CommandDriver, CommandOptions, DriverError, RouteDriver};
use vpp_maglev::domain::announce::placement::{
    Exported, PlacedRoute, PlacedRoutes, PrefixStatus, RoutePlacement, WantedRoutes,
};

use super::support::{prefix, wanted};

/// `sh` that runs the script.
fn script(text: &str) -> CommandOptions {
    CommandOptions::new(["/bin/sh", "-c", text].map(str::to_owned).to_vec())
}

fn driver(options: CommandOptions) -> RouteDriver {
    RouteDriver::Command(CommandDriver::new(options))
}

fn both() -> WantedRoutes {
    wanted(&[("192.0.2.1/32", false), ("2001:db8::1/128", true)])
}

#[tokio::test]
async fn it_gets_the_whole_set_and_answers_what_is_placed() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("input");
    let text = format!(
        r#"cat > {}
        echo '{{"placed": [
            {{"prefix": "192.0.2.1/32", "state": "announced", "exported": true}},
            {{"prefix": "192.0.2.9/32", "state": "foreign"}}],
          "failed": [{{"prefix": "2001:db8::1/128", "reason": "no session"}}],
          "more": 1}}'"#,
        input.display()
    );
    let driver = driver(script(&text));
    let report = driver.apply(&both()).await.unwrap();
    assert_eq!(
        fs::read_to_string(&input).unwrap(),
        "{\"version\":1,\"action\":\"apply\",\"wanted\":[\
         {\"prefix\":\"192.0.2.1/32\",\"state\":\"announced\"},\
         {\"prefix\":\"2001:db8::1/128\",\"state\":\"drained\"}]}\n"
    );
    let placed = PrefixStatus::Placed {
        placement: RoutePlacement::Announced,
        exported: Exported::Yes,
        foreign: false,
    };
    let failed = PrefixStatus::Failed { reason: "no session".into() };
    let expected = [(prefix("192.0.2.1/32"), placed), (prefix("2001:db8::1/128"), failed)];
    assert_eq!(report.statuses, expected.into());

    let read = driver.read().await.unwrap();
    assert_eq!(fs::read_to_string(&input).unwrap(), "{\"version\":1,\"action\":\"read\"}\n");
    let ours =
        PlacedRoute { exported: Exported::Yes, ..PlacedRoute::ours(RoutePlacement::Announced) };
    let foreign = (prefix("192.0.2.9/32"), PlacedRoute::foreign());
    assert_eq!(read, PlacedRoutes::from([(prefix("192.0.2.1/32"), ours), foreign]));
}

/// What is said when the script is run.
async fn complaint(options: CommandOptions) -> String {
    driver(options).apply(&both()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_failure_is_told_with_what_the_program_said() {
    for (text, expected) in [
        ("echo no router >&2; echo '{}'; exit 3", "running /bin/sh: exit status: 3: no router"),
        ("exit 1", "running /bin/sh: exit status: 1, and nothing on standard error"),
        ("kill -9 $$", "running /bin/sh: signal: 9 (SIGKILL), and nothing on standard error"),
        (
            r#"echo '{"placed": [{"prefix": "192.0.2.0/24", "state": "announced"}]}'"#,
            "running /bin/sh: not understood: \"192.0.2.0/24\" is no prefix of a single address, \
             such as 192.0.2.1/32 or 2001:db8::1/128 at line 1 column 37",
        ),
        ("true", "running /bin/sh: not understood: EOF while parsing a value at line 1 column 0"),
        (
            "head -c 1048577 /dev/zero",
            "running /bin/sh: not understood: the answer is longer than 1048576 bytes",
        ),
    ] {
        assert_eq!(complaint(script(text)).await, expected);
    }
    let long = complaint(script("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1")).await;
    assert!(long.len() < 3000, "{} bytes of standard error", long.len());
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plain");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    let path = path.to_str().unwrap().to_owned();
    let expected =
        format!("running {path}: not permitted; it must be executable for maglevd's user");
    assert_eq!(complaint(CommandOptions::new(vec![path])).await, expected);
    let missing = complaint(CommandOptions::new(vec!["/no/such".into()])).await;
    assert!(missing.starts_with("running /no/such: No such file"), "{missing}");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .unwrap();
    // Both hold the pipe open; its end says that both are gone.
    let text = format!("exec 3> {}; sleep 1000 & sleep 1000", pipe.display());
    let mut options = script(&text);
    options.timeout = Duration::from_secs(1);
    let reader = tokio::task::spawn_blocking(move || fs::read(pipe));
    let error = driver(options).apply(&both()).await.unwrap_err();
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    let ended = crate::support::soon(reader).await.expect("a process is left");
    assert_eq!(ended.unwrap().unwrap(), b"");
}

#[tokio::test]
async fn a_program_need_not_read_its_input() {
    let prefixes: Vec<_> =
        (0..20_000u32).map(|number| format!("2001:db8::{number:x}/128")).collect();
    let many: Vec<_> = prefixes.iter().map(|prefix| (prefix.as_str(), false)).collect();
    let report = driver(script("echo '{\"placed\": []}'")).apply(&wanted(&many)).await.unwrap();
    assert_eq!(report.statuses.len(), many.len());
}
