//! Two namespaces with a link between them: the router and the site.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tempfile::TempDir;
use vpp_maglev::probe::Namespace;

use super::{Daemon, Monitor};
use crate::support::probe::{is_installed, skipped};

/// BIRD as the router: AS 65000, at 198.18.79.1 and fd00:6d79::1. What it learns it
/// puts into the kernel.
const ROUTER_CONFIGURATION: &str = "\
router id 198.18.79.1;
protocol device { }
protocol kernel { ipv4 { import none; export all; }; }
protocol kernel { ipv6 { import none; export all; }; }
template bgp site { local as 65000; connect delay time 1; connect retry time 1;
  error wait time 1,1; graceful restart off; }
protocol bgp s4 from site { neighbor 198.18.79.2 as 65001; ipv4 { import all; export none; }; }
protocol bgp s6 from site { neighbor fd00:6d79::2 as 65001; ipv6 { import all; export none; }; }
";

static BEDS: AtomicU32 = AtomicU32::new(0);

/// The namespaces and the router in one of them, all gone at the end.
pub(crate) struct Bed {
    pub(crate) site: String,
    pub(crate) router: String,
    directory: TempDir,
    /// Ends before the namespaces.
    bird_of_router: Option<Daemon>,
}

impl Bed {
    /// `None`, and says so, where something is missing: root, or a program.
    pub(crate) fn make(programs: &[&str]) -> Option<Self> {
        if !["ip", "bird", "birdc"].iter().chain(programs).all(|name| is_installed(name)) {
            return None;
        }
        let number = BEDS.fetch_add(1, Relaxed);
        let [site, router] =
            ["site", "router"].map(|end| format!("maglev-{end}-{}-{number}", std::process::id()));
        let made = Command::new("ip").args(["netns", "add", &site]).output().unwrap();
        if !made.status.success() {
            skipped("no permission to make a network namespace");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        // Daemons run as users of their own.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut bed = Self { site, router, directory, bird_of_router: None };
        let (site, router) = (&bed.site, &bed.router);
        ip(&format!("netns add {router}"));
        ip(&format!("-n {router} link add link0 type veth peer name link0 netns {site}"));
        for (namespace, end) in [(router, 1), (site, 2)] {
            ip(&format!("-n {namespace} address add 198.18.79.{end}/30 dev link0"));
            ip(&format!("-n {namespace} address add fd00:6d79::{end}/64 dev link0 nodad"));
            ip(&format!("-n {namespace} link set link0 up"));
            ip(&format!("-n {namespace} link set lo up"));
        }
        let bird = bed.bird(router, "router", ROUTER_CONFIGURATION);
        bed.bird_of_router = Some(bird);
        Some(bed)
    }

    /// Starts BIRD in a namespace.
    pub(crate) fn bird(&self, namespace: &str, name: &str, configuration: &str) -> Daemon {
        fs::write(self.path(&format!("{name}.conf")), configuration).unwrap();
        let [file, socket, log] =
            ["conf", "ctl", "log"].map(|end| self.path(&format!("{name}.{end}")));
        let words = format!("bird -f -c {} -s {}", file.display(), socket.display());
        Daemon::start(namespace, &words, &log)
    }

    /// A path in the directory of this bed.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn site_namespace(&self) -> Namespace {
        Namespace::enter(&self.site).unwrap()
    }

    pub(crate) async fn monitor(&self) -> Monitor {
        Monitor::start(&self.router).await
    }

    /// What birdc answers of the BIRD `name`.
    pub(crate) fn birdc(&self, name: &str, command: &str) -> String {
        let socket = self.path(&format!("{name}.ctl"));
        let output = Command::new("birdc").arg("-s").arg(socket).args(command.split(' ')).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.bird_of_router = None;
        for name in [&self.site, &self.router] {
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

pub(crate) fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
