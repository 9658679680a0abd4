//! Two sites that announce one VIP, the router that spreads flows over them, and a
//! client: each in a namespace of its own, with the servers in others.
//!
//! The kernel of a site forwards in place of VPP, and the VIP is an address of the servers;
//! what maglevd programs is the dataplane inside of its own process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tempfile::TempDir;
use tokio::net::TcpListener;
use vpp_maglev::probe::Namespace;

use super::{Daemon, Monitor, ip};
use crate::announce::netlink_bird::SITE;
use crate::support::probe::{is_installed, skipped};
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Daemon as Maglevd, maglevd};
use crate::tester::line_server::LineServer;
use crate::tester::process::Running;

/// The VIP, and the port that is served.
pub(crate) const VIP: &str = "192.0.2.80";
pub(crate) const PORT: u16 = 7;

/// BIRD as the router, with the flows of a VIP spread over both sites.
const ROUTER: &str = "\
router id 198.18.80.1;
protocol device { }
protocol kernel { merge paths on; ipv4 { import none; export all; }; }
template bgp site { local as 65000; connect delay time 1; connect retry time 1;
  error wait time 1,1; graceful restart off; ipv4 { import all; export none; }; }
protocol bgp a from site { neighbor 198.18.81.2 as 65001; }
protocol bgp b from site { neighbor 198.18.82.2 as 65001; }
";

static BEDS: AtomicU32 = AtomicU32::new(0);

/// Both sites and all around them, gone at the end.
pub(crate) struct Sites {
    pub(crate) router: String,
    pub(crate) client: String,
    pub(crate) a: Site,
    pub(crate) b: Site,
    directory: TempDir,
    /// End before the namespaces.
    birds: Vec<Daemon>,
}

pub(crate) struct Site {
    name: &'static str,
    /// Where it forwards, and maglevd and BIRD run.
    namespace: String,
    /// Where its servers are.
    servers: String,
    /// The third number of the addresses on the way to the router.
    net: u8,
}

impl Site {
    /// On the way to the servers: 1 is the site, 2 the servers.
    fn address(&self, end: u8) -> String {
        format!("198.18.{}.{end}", self.net + 2)
    }

    /// Has nothing that the servers send to the site itself arrive, which are the answers
    /// to probes; clients are answered as before.
    pub(crate) fn cut_probes(&self) {
        ip(&format!("-n {} route add blackhole {}", self.servers, self.address(1)));
    }

    pub(crate) fn mend_probes(&self) {
        ip(&format!("-n {} route del blackhole {}", self.servers, self.address(1)));
    }

    /// Servers of the VIP, which answer with the name.
    pub(crate) async fn serve(&self, names: &'static [&'static str]) -> LineServer {
        let servers = Namespace::enter(&self.servers).unwrap();
        let bind = || std::net::TcpListener::bind(("0.0.0.0", PORT));
        let listener = servers.open(bind).await.unwrap().unwrap();
        listener.set_nonblocking(true).unwrap();
        LineServer::on(TcpListener::from_std(listener).unwrap(), names)
    }

    /// The gateway of the site, as the router has it.
    pub(crate) fn gateway(&self) -> String {
        format!("198.18.{}.2", self.net)
    }
}

impl Sites {
    /// `is_shared`: the servers are those of both sites. `None`, and says so, where
    /// something is missing: root, or a program.
    pub(crate) fn make(is_shared: bool) -> Option<Self> {
        if !["ip", "bird"].iter().all(|name| is_installed(name)) {
            return None;
        }
        let number = BEDS.fetch_add(1, Relaxed);
        let named = |name: &str| format!("maglev-{name}-{}-{number}", std::process::id());
        let router = named("sites-router");
        if !Command::new("ip").args(["netns", "add", &router]).output().unwrap().status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        // Daemons run as users of their own.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let site = |name: &'static str, net| {
            let of_its_own = format!("servers-{name}");
            let servers = named(if is_shared { "servers" } else { &of_its_own });
            Site { name, namespace: named(&format!("site-{name}")), servers, net }
        };
        let (a, b, client) = (site("a", 81), site("b", 82), named("client"));
        let mut sites = Self { router, client, a, b, directory, birds: vec![] };
        sites.connect(is_shared);
        let bird = sites.bird(&sites.router, "router", ROUTER);
        sites.birds.push(bird);
        for site in [&sites.a, &sites.b] {
            let config = SITE.replace("198.18.79.2", &site.gateway());
            let config = config.replace("198.18.79.1", &format!("198.18.{}.1", site.net));
            let bird = sites.bird(&site.namespace, site.name, &config);
            sites.birds.push(bird);
        }
        Some(sites)
    }

    fn connect(&self, is_shared: bool) {
        let Self { router, client, a, b, .. } = self;
        for namespace in [client, &a.namespace, &b.namespace] {
            ip(&format!("netns add {namespace}"));
        }
        ip(&format!("netns add {}", a.servers));
        if !is_shared {
            ip(&format!("netns add {}", b.servers));
        }
        let link = |one: &str, other: &str, net: u8| {
            ip(&format!("-n {one} link add to{net} type veth peer name from{net} netns {other}"));
            for (namespace, name, end) in [(one, "to", 1), (other, "from", 2)] {
                ip(&format!("-n {namespace} address add 198.18.{net}.{end}/30 dev {name}{net}"));
                ip(&format!("-n {namespace} link set {name}{net} up"));
            }
        };
        link(router, client, 80);
        ip(&format!("-n {client} route add default via 198.18.80.1"));
        for (at, site) in [a, b].into_iter().enumerate() {
            let Site { namespace, servers, net, .. } = site;
            link(router, namespace, *net);
            link(namespace, servers, net + 2);
            ip(&format!("-n {namespace} link set lo up"));
            ip(&format!("-n {namespace} route add default via 198.18.{net}.1"));
            ip(&format!("-n {namespace} route add {VIP} via {}", site.address(2)));
            if at == 0 || !is_shared {
                ip(&format!("-n {servers} route add default via {}", site.address(1)));
                ip(&format!("-n {servers} address add {VIP}/32 dev lo"));
                ip(&format!("-n {servers} link set lo up"));
            }
        }
        for (namespace, setting) in [
            (router, "ip_forward"),
            (&a.namespace, "ip_forward"),
            (&b.namespace, "ip_forward"),
            // By ports too: by addresses alone a client's flows would all go one way.
            (router, "fib_multipath_hash_policy"),
        ] {
            let write = format!("echo 1 > /proc/sys/net/ipv4/{setting}");
            ip_words(&["netns", "exec", namespace, "sh", "-c", &write]);
        }
    }

    fn bird(&self, namespace: &str, name: &str, configuration: &str) -> Daemon {
        let [conf, socket, log] =
            ["conf", "ctl", "log"].map(|end| self.path(&format!("{name}.{end}")));
        fs::write(&conf, configuration).unwrap();
        let words = format!("bird -f -c {} -s {}", conf.display(), socket.display());
        Daemon::start(namespace, &words, &log)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The site's configuration. Its server is probed; the same machine's other port, which
    /// is closed, is the witness. `is_serving`: with the frontend of the VIP.
    pub(crate) fn configure(&self, site: &Site, is_serving: bool) {
        let server = site.address(2);
        let vip = "    web: {address: 192.0.2.80, protocol: tcp, port: 7, announce: {hold-down: \
                   0s, hold-up: 0s}, pools: [{name: p, backends: {s: {}}}]}\n";
        let text = format!(
            "maglev:\n  healthchecker: {{doubt-limit: 300ms, witnesses: [\"{server}:9\"]}}\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: \
             2001:db8::1}}}}\n  announce: {{netlink: {{}}, leave: 200ms}}\n  healthchecks: {{c: \
             {{type: tcp, port: 7, interval: 100ms, timeout: 100ms, rise: 1, fall: 2}}}}\n  \
             backends: {{s: {{address: {server}, healthcheck: c}}}}\n  frontends:\n    other: \
             {{address: 192.0.2.90, protocol: tcp, port: 7, pools: [{{name: p, backends: {{s: \
             {{}}}}}}]}}\n{}",
            if is_serving { vip } else { "" }
        );
        fs::write(self.path(&format!("{}.yaml", site.name)), text).unwrap();
    }

    /// maglevd of a site, which withdraws when it is told to stop.
    pub(crate) async fn maglevd(&self, site: &Site) -> Maglevd {
        let built = maglevd(self.directory.path());
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &site.namespace]).arg(built.get_program());
        command.args(["--vpp-api-addr", "embedded", "--on-stop=withdraw", "--metrics-addr="]);
        command.args(["--grpc-addr", "127.0.0.1:0", "--config"]);
        command.arg(self.path(&format!("{}.yaml", site.name)));
        command.current_dir(self.directory.path()).env("TMPDIR", self.directory.path());
        let mut daemon = Maglevd::spawn(&mut command);
        daemon.logged("grpc-listening").await;
        daemon
    }

    pub(crate) async fn monitor(&self) -> Monitor {
        Monitor::start(&self.router).await
    }

    /// Waits until the router sends flows of the VIP to these sites, and no other.
    pub(crate) async fn until_routed(&self, to: &[&Site]) {
        let expected: Vec<_> = to.iter().map(|site| site.gateway()).collect();
        let what = format!("the router has {expected:?}");
        eventually(&what, DEADLINE, async || {
            let words = ["-n", &self.router, "route", "show", VIP];
            let output = Command::new("ip").args(words).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let gateways = [&self.a, &self.b].map(Site::gateway);
            gateways.iter().all(|gateway| {
                text.contains(&format!("via {gateway} ")) == expected.contains(gateway)
            })
        })
        .await;
    }

    /// maglevt at the client: new connections all the time, and as many held.
    pub(crate) fn maglevt(&self, held: usize) -> Running {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.client, env!("CARGO_BIN_EXE_maglevt")]);
        command.arg(format!("tcp://{VIP}:{PORT}"));
        let quick = "--interval 10ms --hold-interval 20ms --timeout 500ms --hold";
        command.args(quick.split(' ')).arg(held.to_string());
        Running::spawn(&mut command)
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        self.birds.clear();
        let Self { router, client, a, b, .. } = self;
        for name in [router, client, &a.namespace, &b.namespace, &a.servers, &b.servers] {
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

fn ip_words(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}
