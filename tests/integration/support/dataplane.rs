//! The embedded dataplane, as tests read it and write to it.

use std::path::Path;

use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::plugin::{VipRow, to_ip};
use vpp_maglev::vpp::embedded::{
    Control, Embedded, EmbeddedOptions, EmbeddedSnapshot, Paths, WriteRecord, WriteRequest,
};
use vpp_maglev::vpp::wire::{VipKey, WireAddress};

use super::{Names, soon};

/// A dataplane in the test's own process; the daemon gets its socket.
pub(crate) struct Dataplane {
    embedded: Embedded,
    pub(crate) control: Control,
    names: Names,
}

impl Dataplane {
    /// Serves its sockets in `dir`.
    pub(crate) fn start(dir: &Path, names: Names, options: EmbeddedOptions) -> Self {
        let embedded = Embedded::start(Paths::in_dir(dir), options).unwrap();
        let control = embedded.control();
        Self { embedded, control, names }
    }

    pub(crate) fn socket(&self) -> &str {
        self.embedded.api_path().to_str().unwrap()
    }

    /// `v4 a=100 b=0 / v6 a=100 b=0`: VIPs and servers by name.
    pub(crate) fn held(&self) -> String {
        self.shown(&self.control.snapshot().unwrap())
    }

    fn shown(&self, snapshot: &EmbeddedSnapshot) -> String {
        let vip_shown = |vip: &VipRow| {
            let servers = snapshot.servers.iter().filter(|row| row.used && row.vip == vip.key);
            let mut servers: Vec<_> = servers
                .map(|row| format!(" {}={}", self.names.ip(to_ip(row.address)), row.weight))
                .collect();
            servers.sort();
            self.vip(vip.key.to_wire()) + &servers.concat()
        };
        let mut vips: Vec<_> = snapshot.vips.iter().map(vip_shown).collect();
        vips.sort();
        vips.join(" / ")
    }

    /// Waits until [`held`](Self::held) is this.
    pub(crate) async fn until(&self, expected: &str) {
        self.until_true(expected, |snapshot| self.shown(snapshot) == expected).await;
    }

    /// Waits until it holds, in both VIPs, these servers.
    pub(crate) async fn until_both(&self, servers: &str) {
        self.until(&format!("v4 {servers} / v6 {servers}")).await;
    }

    /// Waits until this many changes were asked for since the last
    /// [`writes`](Self::writes).
    pub(crate) async fn until_written(&self, count: usize) {
        let mut activity = self.control.activity();
        let wait = async {
            loop {
                let before = *activity.borrow();
                if self.control.writes().unwrap().len() >= count {
                    return;
                }
                activity.wait_for(|count| *count > before + 1).await.unwrap();
            }
        };
        assert!(soon(wait).await.is_some(), "{:?}", self.writes());
    }

    /// Waits until `so`; `what` is for the message if it never is.
    pub(crate) async fn until_true(&self, what: &str, so: impl Fn(&EmbeddedSnapshot) -> bool) {
        let mut activity = self.control.activity();
        let wait = async {
            loop {
                let before = *activity.borrow();
                if so(&self.control.snapshot().unwrap()) {
                    return;
                }
                // Our own look counts as one.
                activity.wait_for(|count| *count > before + 1).await.unwrap();
            }
        };
        if soon(wait).await.is_none() {
            panic!("not so in time: {what}\nthere is: {}", self.held());
        }
    }

    /// The changes asked for since the last call, in order: `conf`, `+v4`,
    /// `+v4 a 0`, `v4 a 0 flush`, `-v4 a`, `-v4`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.control.take_writes().unwrap();
        writes.iter().map(|written| self.text(written)).collect()
    }

    fn text(&self, written: &WriteRecord) -> String {
        let sign = |is_del| if is_del { "-" } else { "+" };
        let what = match written.write {
            WriteRequest::FlushVip(vip) => format!("flush {}", self.vip(vip)),
            WriteRequest::Conf(_) => "conf".into(),
            WriteRequest::Vip(vip) => sign(vip.is_del).to_owned() + &self.vip(vip.vip),
            WriteRequest::Server(server) => {
                let (vip, name) = (self.vip(server.vip), self.server(server.as_address));
                let weight =
                    if server.is_del { String::new() } else { format!(" {}", server.weight) };
                format!("{}{vip} {name}{weight}", sign(server.is_del))
            }
            WriteRequest::Weight(set) => {
                let flush = if set.is_flush { " flush" } else { "" };
                let (vip, name) = (self.vip(set.vip), self.server(set.as_address));
                format!("{vip} {name} {}{flush}", set.weight)
            }
        };
        if written.retval == 0 { what } else { format!("{what} !{}", written.retval) }
    }

    fn vip(&self, key: VipKey) -> String {
        self.names.shorten(&key.to_vip().unwrap().to_string())
    }

    fn server(&self, address: WireAddress) -> String {
        self.names.ip(address.to_ip().unwrap())
    }

    /// Writes behind the daemon's back, as another client of the same socket.
    pub(crate) async fn meddle(&self, steps: Vec<Step>) {
        let options = ClientOptions { name: "meddler".into(), ..ClientOptions::default() };
        let client = VppClient::connect(self.embedded.api_path(), options).await.unwrap();
        for result in client.apply(steps, false).await {
            result.unwrap();
        }
        client.close().await;
    }
}
