//! VPP's interfaces, as far as a client sees them without packets: loopbacks that the
//! CLI makes, their addresses, and their MTU.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::vpp::wire::{FixedText, SwInterfaceDetails};

/// What VPP gives a new interface.
const MTU: u32 = 9000;

/// Of every `local0`, which is there from the start.
const LOCAL0: u32 = 0;

#[derive(Clone, Debug)]
struct Loopback {
    /// The number in its name.
    instance: u32,
    mtu: u32,
    is_up: bool,
    /// With their host bits.
    addresses: Vec<IpNet>,
}

/// The interfaces, by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Interfaces(BTreeMap<u32, Loopback>);

/// An entry that an interface brings into the FIB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InterfaceRoute {
    pub(super) sw_if_index: u32,
    pub(super) prefix: IpNet,
    /// It is the interface's own address, and not the network behind it.
    pub(super) is_local: bool,
}

impl Interfaces {
    /// Makes a loopback, and returns its name.
    pub(super) fn create(&mut self) -> String {
        let is_free =
            |instance: &u32| self.0.values().all(|loopback| loopback.instance != *instance);
        let instance = (0..).find(is_free).unwrap_or_default();
        let index = (LOCAL0 + 1..).find(|index| !self.0.contains_key(index)).unwrap_or_default();
        let loopback = Loopback { instance, mtu: MTU, is_up: false, addresses: Vec::new() };
        self.0.insert(index, loopback);
        format!("loop{instance}")
    }

    /// Whether there was one of this name.
    pub(super) fn delete(&mut self, name: &str) -> bool {
        let index = self.0.iter().find(|(_, loopback)| loopback.name() == name);
        let index = index.map(|(index, _)| *index);
        index.is_some_and(|index| self.0.remove(&index).is_some())
    }

    /// Whether there is one of this name.
    pub(super) fn set_mtu(&mut self, name: &str, mtu: u32) -> bool {
        self.change(name, |loopback| loopback.mtu = mtu)
    }

    /// Whether there is one of this name.
    pub(super) fn set_up(&mut self, name: &str, is_up: bool) -> bool {
        self.change(name, |loopback| loopback.is_up = is_up)
    }

    /// Whether there is one of this name.
    pub(super) fn add_address(&mut self, name: &str, address: IpNet) -> bool {
        self.change(name, |loopback| {
            if !loopback.addresses.contains(&address) {
                loopback.addresses.push(address);
            }
        })
    }

    /// Whether there is one of this name.
    pub(super) fn remove_address(&mut self, name: &str, address: IpNet) -> bool {
        self.change(name, |loopback| loopback.addresses.retain(|own| *own != address))
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Loopback)) -> bool {
        let loopback = self.0.values_mut().find(|loopback| loopback.name() == name);
        loopback.map(change).is_some()
    }

    /// The entries of all interfaces in the FIB.
    pub(super) fn routes(&self) -> impl Iterator<Item = InterfaceRoute> {
        let addresses = self.0.iter().flat_map(|(index, loopback)| {
            loopback.addresses.iter().map(move |address| (*index, *address))
        });
        addresses
            .flat_map(|(sw_if_index, address)| {
                let own = IpNet::from(address.addr());
                let own = InterfaceRoute { sw_if_index, prefix: own, is_local: true };
                let network = address.trunc();
                let behind = InterfaceRoute { sw_if_index, prefix: network, is_local: false };
                [Some(own), Some(behind).filter(|behind| behind.prefix != own.prefix)]
            })
            .flatten()
    }

    /// Rows of a dump: of one interface, or of all.
    pub(super) fn rows(&self, sw_if_index: u32) -> Vec<SwInterfaceDetails> {
        let local0 = SwInterfaceDetails { mtu: [0; 4], ..row(LOCAL0, "local0", 0) };
        let loopbacks = self.0.iter().map(|(index, loopback)| SwInterfaceDetails {
            mtu: [loopback.mtu, 0, 0, 0],
            flags: if loopback.is_up { 3 } else { 0 },
            ..row(*index, &loopback.name(), 9000)
        });
        let is_all = [LOCAL0, u32::MAX].contains(&sw_if_index);
        let all = [local0].into_iter().chain(loopbacks);
        all.filter(|row| is_all || row.sw_if_index == sw_if_index).collect()
    }
}

impl Loopback {
    fn name(&self) -> String {
        format!("loop{}", self.instance)
    }
}

fn row(sw_if_index: u32, name: &str, link_mtu: u16) -> SwInterfaceDetails {
    SwInterfaceDetails {
        sw_if_index,
        sup_sw_if_index: sw_if_index,
        link_address: [0; 6],
        flags: 0,
        kind: 0,
        link_duplex: 0,
        link_speed: 0,
        link_mtu,
        mtu: [0; 4],
        vlan: [0; 49],
        name: FixedText::new(name),
        device: FixedText::new(if sw_if_index == LOCAL0 { "local" } else { "Loopback" }),
        tag: FixedText::new(""),
    }
}

/// The longest of these entries that covers an address.
pub(super) fn longest<T>(
    entries: impl Iterator<Item = (IpNet, T)>,
    address: IpAddr,
) -> Option<(IpNet, T)> {
    let covering = entries.filter(|(prefix, _)| prefix.contains(&address));
    // The first of the longest: of one prefix, that which VPP follows is first.
    covering
        .reduce(|best, next| if next.0.prefix_len() > best.0.prefix_len() { next } else { best })
}
