//! The two ways to run without a VPP: `--dataplane-only` and `--demo`.

use std::path::Path;
use std::process::Command;

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Backend, Daemon, TestBed, get, maglevd, ran};
use rustix::process::Signal;
use vpp_maglev::domain::config::LbConf;
use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::pb::{GetBackendRequest, GetVppInfoRequest, SyncVpplbStateRequest};
use vpp_maglev::vpp::client::{ClientOptions, VppClient};

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_dataplane_alone_serves_its_sockets_until_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = maglevd(dir.path());
        command.arg("--dataplane-only").arg(dir.path());
        command
    };
    let mut dataplane = Daemon::spawn(&mut start());
    let ready = dataplane.logged("dataplane-ready").await;
    let api = dir.path().join("api.sock");
    assert_eq!(ready["api"], api.to_str().unwrap());
    assert_eq!(entries(dir.path()), ["api.sock", "stats.sock"]);

    let client = VppClient::connect(&api, ClientOptions::default()).await.unwrap();
    assert_eq!((client.info().pid, client.missing().len()), (dataplane.pid(), 0));
    let conf = LbConf {
        ip4_src: "192.0.2.9".parse().unwrap(),
        ip6_src: "2001:db8::9".parse().unwrap(),
        sticky_buckets_per_core: 1024,
        flow_timeout_s: 7,
    };
    assert_eq!(client.apply(vec![Step::SetConf(conf)], false).await, [Ok(())]);
    assert_eq!(client.read_state().await.unwrap().conf.known(), Some(conf));

    // Another on the same directory does not take the sockets away.
    let (status, _, err) = ran(&mut start()).await;
    let expected = format!("maglevd: another process listens on {}\n", api.display());
    assert_eq!((status, err), (1, expected));
    client.ping().await.unwrap();

    dataplane.terminate().await;
    assert_eq!(entries(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_is_refused_with_the_way_out() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("d".repeat(90));
    std::fs::create_dir(&dir).unwrap();
    let bed = TestBed::new(&[]).vpp("embedded");
    let mut alone = maglevd(&dir);
    let mut embedded = bed.command();
    for command in [alone.arg("--dataplane-only").arg(&dir), embedded.env("TMPDIR", &dir)] {
        let (status, _, err) = ran(command).await;
        assert_eq!(status, 1, "{err}");
        let told = "bytes, and a socket's has 107 at most; set TMPDIR";
        assert!(err.contains(told), "{err}");
        assert_eq!(entries(&dir), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_daemon_programs_the_dataplane_of_another_process() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let mut alone = maglevd(bed.dir());
    let mut dataplane = Daemon::spawn(alone.arg("--dataplane-only").arg(bed.dir()));
    dataplane.logged("dataplane-ready").await;
    let api = bed.dir().join("api.sock");
    let bed = bed.vpp(api.to_str().unwrap());
    let mut daemon = bed.start().await;
    daemon.all(&["a"], "up").await;
    daemon.logged("vpp-lbsync-done").await;
    let info = daemon.client().await.get_vpp_info(GetVppInfoRequest {}).await.unwrap();
    assert_eq!(info.into_inner().pid, dataplane.pid());
    let client = VppClient::connect(&api, ClientOptions::default()).await.unwrap();
    daemon.client().await.sync_vpplb_state(SyncVpplbStateRequest::default()).await.unwrap();
    assert_eq!(client.read_state().await.unwrap().vips.len(), 2);
    dataplane.terminate().await;
    daemon.logged("vpp-disconnect").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn the_embedded_dataplane_is_inside_the_process_and_goes_with_it() {
    let bed = TestBed::new(&[]).vpp("embedded");
    let mut daemon = bed.start().await;
    daemon.logged("vpp-lbsync-done").await;
    let synced = daemon.client().await.sync_vpplb_state(SyncVpplbStateRequest::default()).await;
    assert!(synced.unwrap().into_inner().applied);
    let info = daemon.client().await.get_vpp_info(GetVppInfoRequest {}).await.unwrap();
    assert_eq!(info.into_inner().pid, daemon.pid());
    assert_eq!(entries(bed.dir()).len(), 2);
    daemon.terminate().await;
    assert_eq!(entries(bed.dir()), ["maglev.yaml"]);
}

/// A demo in a directory for temporary files of its own, with its backends.
pub(crate) struct Demo {
    daemon: Daemon,
    /// Its backends keep the ports; the demo itself listens on them.
    pub(crate) bed: TestBed,
}

/// Starts a demo of what is in `bed`.
fn demo(bed: &TestBed) -> Command {
    let mut command = bed.command();
    command.args(["--demo", "--grpc-addr", "127.0.0.1:0"]);
    command
}

impl Demo {
    pub(crate) async fn start() -> Self {
        // Some probes are meant to time out here.
        let check = "interval: 100ms, timeout: 1s, rise: 2, fall: 2";
        let bed = TestBed::of(["a", "b"].map(Backend::stopped).into())
            .configured(|config| config.check("a", check).check("b", check).both(&["a b"]));
        let mut daemon = Daemon::spawn(&mut demo(&bed));
        daemon.logged_as("the last line", |line| *line == "Ctrl-C ends it.").await;
        daemon.all(&["a", "b"], "up").await;
        Self { daemon, bed }
    }

    /// Gives a backend its word.
    pub(crate) fn say(&self, backend: &str, word: &str) {
        let path = self.bed.dir().join("maglev-demo").join(backend);
        assert!(path.exists());
        std::fs::write(path, format!("{word}\n")).unwrap();
    }

    /// Why `a` went into the state that it is in.
    async fn why(&self) -> String {
        let request = GetBackendRequest { name: "a".into() };
        let a = self.daemon.client().await.get_backend(request).await.unwrap().into_inner();
        a.transitions.last().unwrap().why.clone()
    }
}

#[tokio::test]
async fn the_demo_introduces_itself_and_its_commands_work() {
    let mut demo = Demo::start().await;
    let text: Vec<String> = demo.daemon.plain_lines();
    for backend in &demo.bed.backends {
        let line = format!("  {:<10} http://{}", backend.name, backend.address);
        assert!(text.contains(&line), "{text:#?}");
    }
    for (command, part) in [("show frontends", "v4"), ("show vpp lb state", "192.0.2.80")] {
        let line = text.iter().find(|line| line.contains(command)).unwrap();
        // The words that it says to type, without a shell.
        let line = line.trim().strip_prefix("maglevc ").unwrap();
        let words = line.split_once(command).unwrap().0.split_whitespace();
        let mut maglevc = Command::new(env!("CARGO_BIN_EXE_maglevc"));
        let shown = maglevc.args(words).args(command.split(' ')).output().unwrap();
        let out = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success() && out.contains(part), "{out}");
    }
    let page = text.iter().find_map(|line| line.trim().strip_prefix("http://127.0.0.1:"));
    let (port, login) = page.unwrap().split_once("/  (to operate: demo, ").unwrap();
    assert!(login.strip_suffix(')').unwrap().len() >= 8, "{login}");
    let address = format!("127.0.0.1:{port}");
    let (status, _) = get(&address, "/healthz").await;
    assert!(status.ends_with("200 OK"), "{status}");
    demo.daemon.signal(Signal::INT);
    assert!(demo.daemon.ended().await.success());
    assert_eq!(demo.daemon.errors(), "");
    assert_eq!(entries(demo.bed.dir()), ["maglev.yaml"]);
    let refused = tokio::net::TcpStream::connect(&address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "the page ends with it");
}

#[tokio::test]
async fn the_demo_s_page_ends_with_a_daemon_that_is_killed() {
    let demo = Demo::start().await;
    let text: Vec<String> = demo.daemon.plain_lines();
    let page = text.iter().find_map(|line| line.trim().strip_prefix("http://127.0.0.1:"));
    let address = format!("127.0.0.1:{}", page.unwrap().split('/').next().unwrap());
    demo.daemon.signal(Signal::KILL);
    eventually("the page is gone", DEADLINE, async || {
        tokio::net::TcpStream::connect(&address).await.is_err()
    })
    .await;
}

#[tokio::test]
async fn the_demos_backends_do_as_they_are_told() {
    let demo = Demo::start().await;
    let mut watch = demo.daemon.watch().await;
    for (word, why) in [
        ("fail", "L7STS 503 Service Unavailable"),
        ("hang", "L7TOUT"),
        ("refuse", "L4CON connection refused"),
    ] {
        demo.say("a", word);
        watch.until("backend a up>down").await;
        assert!(demo.why().await.starts_with(why), "{word}: {}", demo.why().await);
        demo.say("a", "ok");
        watch.until("backend a down>up").await;
    }
    demo.daemon.terminate().await;
}

#[tokio::test]
async fn the_demo_reloads_its_own_copy() {
    let demo = Demo::start().await;
    let mut watch = demo.daemon.watch().await;
    let copy = demo.bed.dir().join("maglev-demo/maglev.yaml");
    let config = demo.bed.config().without("b").both(&["a"]);
    std::fs::write(copy, config.text()).unwrap();
    demo.daemon.signal(Signal::HUP);
    watch.until("backend b up>removed").await;
    demo.daemon.terminate().await;
}

#[tokio::test]
async fn a_demo_whose_port_is_taken_says_so_and_leaves_nothing() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let (status, _, err) = ran(&mut demo(&bed)).await;
    assert_eq!((status, err.lines().count()), (1, 1), "{err}");
    let expected =
        format!("maglevd: demo backend a cannot listen on {}: ", bed.backends[0].address);
    assert!(err.starts_with(&expected), "{err}");
    assert_eq!(entries(bed.dir()), ["maglev.yaml"]);
}
