//! The place of a scenario: a VPP, real or embedded, that others use too, so
//! every scenario has addresses of its own and looks at nothing else.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use vpp_maglev::vpp::wire::{
    LbAddDelVipV2, LbAsV2Details, LbAsV2Dump, LbConfGet, LbVipDetails, LbVipDump,
    LegacyAddDelVipV2, VipKey,
};

use crate::client::{VppClient, add_vip, address, del_vip, vip};

pub(crate) struct Scenario {
    pub(crate) api: PathBuf,
    pub(crate) stats: PathBuf,
    pub(crate) client: VppClient,
    /// VPP has lb.api 1.1.0.
    pub(crate) is_legacy: bool,
    net: [u8; 3],
    made: Vec<VipKey>,
}

impl Scenario {
    pub(crate) fn new(api: &Path, stats: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        static FIRST: OnceLock<u32> = OnceLock::new();
        // A real VPP remembers for minutes what the last run did.
        let first = *FIRST.get_or_init(|| {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            since_epoch.subsec_nanos().rotate_left(13)
        });
        let place = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (100 << 16);
        let [_, a, b, c] = place.to_be_bytes();
        let net = [20 + a, b, c];
        let client = VppClient::connect(api, "scenario");
        Self {
            api: api.to_owned(),
            stats: stats.to_owned(),
            is_legacy: client.table.id_of::<LbConfGet>().is_none(),
            client,
            net,
            made: Vec::new(),
        }
    }

    /// An IPv4 prefix of this scenario, with a host part.
    pub(crate) fn v4(&self, host: u8, length: u8) -> String {
        let [a, b, c] = self.net;
        format!("{a}.{b}.{c}.{host}/{length}")
    }

    /// An IPv6 prefix of this scenario, with a host part.
    pub(crate) fn v6(&self, host: u8, length: u8) -> String {
        let [a, b, c] = self.net;
        let net = u16::from_be_bytes([b, c]);
        let address = Ipv6Addr::new(0x2001, 0xdb8, a.into(), net, 0, 0, 0, host.into());
        format!("{address}/{length}")
    }

    /// A VIP of this scenario on TCP port 80, gre4, with a table of 1024.
    pub(crate) fn vip(&mut self) -> VipKey {
        let key = vip(&self.v4(1, 32), 6, 80);
        assert_eq!(self.change_vip(add_vip(key, 0)), 0);
        self.made(key)
    }

    /// Adds or removes a VIP as this VPP understands it.
    pub(crate) fn change_vip(&mut self, change: LbAddDelVipV2) -> i32 {
        if self.is_legacy {
            self.client.code(&LegacyAddDelVipV2(change))
        } else {
            self.client.code(&change)
        }
    }

    /// Notes a VIP that is to go when the scenario ends.
    pub(crate) fn made(&mut self, key: VipKey) -> VipKey {
        self.made.push(key);
        key
    }

    pub(crate) fn is_ours(&self, key: &VipKey) -> bool {
        let ours = [self.v4(0, 0), self.v6(0, 0)];
        let significant = [3, 8];
        ours.iter().zip(significant).any(|(prefix, bytes)| {
            let ours = address(prefix.split_once('/').unwrap().0).bytes;
            ours[..bytes] == key.prefix.address.bytes[..bytes]
        })
    }

    pub(crate) fn vips(&mut self) -> Vec<LbVipDetails> {
        let rows = self.client.dump(&LbVipDump::ALL);
        rows.into_iter().filter(|row| self.is_ours(&row.vip)).collect()
    }

    pub(crate) fn servers(&mut self) -> Vec<LbAsV2Details> {
        let rows = self.client.dump(&LbAsV2Dump::ALL);
        rows.into_iter().filter(|row| self.is_ours(&row.vip)).collect()
    }

    /// Weight and buckets of every server in use.
    pub(crate) fn shares(&mut self) -> Vec<(u8, u32)> {
        let used = self.servers().into_iter().filter(|row| row.flags == LbAsV2Details::USED);
        used.map(|row| (row.weight, row.num_buckets)).collect()
    }

    pub(crate) fn end(mut self) {
        for key in std::mem::take(&mut self.made) {
            self.change_vip(del_vip(key));
        }
        self.client.leave();
    }
}
