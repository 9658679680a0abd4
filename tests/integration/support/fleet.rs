//! Several daemons of one configuration, each with a dataplane of its own.

use std::process::{Command, Stdio};

use vpp_maglev::vpp::embedded::EmbeddedOptions;
use vpp_maglev::vpp::embedded::plugin::PluginApi;

use super::{Backend, Config, Daemon, Dataplane, TestBed};

/// A member of a fleet: a daemon, its files, and the dataplane that it programs.
pub(crate) struct Member {
    pub(crate) daemon: Daemon,
    pub(crate) dataplane: Dataplane,
    pub(crate) bed: TestBed,
}

/// Daemons whose frontends `v4` and `v6` have the backends `nginx0` and `b`, all up.
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    pub(crate) backends: Vec<Backend>,
}

impl Fleet {
    /// The second daemon's file has its backends in another order.
    pub(crate) async fn start(count: usize) -> Self {
        Self::with(&vec![PluginApi::default(); count], [100, 40]).await
    }

    /// One for each of these dataplanes; the weights are those of `nginx0` and `b`.
    pub(crate) async fn with(apis: &[PluginApi], weights: [u8; 2]) -> Self {
        let [nginx0, b] = weights;
        let pool = format!("nginx0:{nginx0} b:{b}");
        let backends: Vec<_> = ["nginx0", "b"].into_iter().map(Backend::start).collect();
        let mut fleet = Self { members: Vec::new(), backends };
        for (number, &api) in apis.iter().enumerate() {
            let config = match number {
                1 => Config::of(fleet.backends.iter().rev()),
                _ => Config::of(&fleet.backends),
            };
            let names = super::Names::of(&fleet.backends);
            let options = EmbeddedOptions { api, ..EmbeddedOptions::default() };
            let bed = TestBed::with_text(config.both(&[&pool]).text());
            let dataplane = Dataplane::start(bed.dir(), names, options);
            let bed = bed.vpp(dataplane.socket());
            let daemon = bed.start().await;
            fleet.members.push(Member { daemon, dataplane, bed });
        }
        for (member, api) in fleet.members.iter().zip(apis) {
            member.daemon.all(&["nginx0", "b"], "up").await;
            let held = match api {
                PluginApi::V1_1 => "b=1 nginx0=1".to_owned(),
                PluginApi::V1_2 => format!("b={b} nginx0={nginx0}"),
            };
            member.dataplane.until_both(&held).await;
            member.dataplane.control.take_writes().unwrap();
        }
        fleet
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(|member| member.daemon.address()).collect()
    }

    /// What maglevc does with a line, asked of all: status, output and errors.
    pub(crate) async fn ask(&self, line: &str) -> (i32, String, String) {
        ask(&self.addresses(), line).await
    }
}

/// What maglevc does with a line: status, output and errors.
pub(crate) async fn ask(servers: &[String], line: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
    command.env_remove("NO_COLOR").env_remove("MAGLEV_SERVER").stdin(Stdio::null());
    command.arg("--server").arg(servers.join(",")).args(line.split_whitespace());
    // The backends run on this thread.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = super::soon(output).await.expect("maglevc ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
