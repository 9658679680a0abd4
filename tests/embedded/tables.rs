//! The new-flow table: VPP's bucket counts are the model's, to the entry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fastrand::Rng;
use vpp_maglev::domain::balancing::maglev;
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

pub(crate) fn shares_are_those_of_the_model(scenario: &mut Scenario) {
    let cases: &[(&[(&str, u8)], u32)] = &[
        (&[("10.1.0.1", 100), ("10.1.0.2", 25)], 1024),
        (&[("10.1.0.1", 10), ("10.1.0.2", 20), ("10.1.0.3", 30)], 1024),
        (&[("10.1.0.9", 1), ("10.1.0.3", 1), ("10.1.0.7", 1), ("10.1.0.1", 1)], 2),
        (&[("10.1.0.1", 255), ("10.1.0.2", 101), ("192.0.2.3", 0)], 16384),
        (&[("10.1.0.1", 0), ("10.1.0.2", 0)], 64),
        (&[("203.0.113.9", 7), ("10.1.0.2", 100), ("10.200.1.2", 33)], 1),
    ];
    for (host, (servers, length)) in (1..).zip(cases) {
        let key = vip(&scenario.v4(host, 32), 6, 80);
        let new = LbAddDelVipV2 { new_flows_table_length: *length, ..add_vip(key, 0) };
        assert_eq!(scenario.client.code(&new), 0);
        scenario.made(key);
        for (server, weight) in *servers {
            assert_eq!(scenario.client.code(&add_server(key, server, *weight)), 0);
        }
        let list: Vec<_> = servers.iter().map(|(s, w)| (s.parse().unwrap(), *w)).collect();
        let model = maglev::table(&list, *length);
        let mut expected: Vec<_> =
            list.iter().zip(model.buckets()).map(|((ip, _), held)| ((*ip).into(), *held)).collect();
        let rows = scenario.servers().into_iter().filter(|row| row.vip == key);
        let mut listed: Vec<(WireAddress, u32)> =
            rows.map(|row| (row.app_srv, row.num_buckets)).collect();
        expected.sort_unstable_by_key(|(address, _): &(WireAddress, u32)| address.bytes);
        listed.sort_unstable_by_key(|(address, _)| address.bytes);
        assert_eq!(listed, expected, "{servers:?} in {length}");
    }
}

/// Draws an address.
type Draw = fn(&mut Rng) -> IpAddr;

/// Encapsulations, each with an address of its family.
const FAMILIES: [(u32, Draw); 2] = [
    (0, |rng| Ipv4Addr::from_bits(0x0a00_0000 | rng.u32(1..1 << 24)).into()),
    (1, |rng| Ipv6Addr::from_bits(0x2001_0db8 << 96 | (rng.u128(..) >> 32)).into()),
];

/// Configurations of each VIP; there is one for every length and family.
const ROUNDS: usize = 16;

pub(crate) fn buckets_of_random_configurations_are_those_of_the_model(scenario: &mut Scenario) {
    let seed = Rng::new().get_seed();
    let mut rng = Rng::with_seed(seed);
    let mut compared = 0;
    for log_length in 0..16 {
        for (encap, address) in FAMILIES {
            let addresses: Vec<IpAddr> = (0..64).map(|_| address(&mut rng)).collect();
            // An IPv6 VIP, because VPP can be asked for the servers of one alone.
            let host = 2 * log_length + u8::try_from(encap).unwrap();
            let key = scenario.made(vip(&scenario.v6(host, 128), 6, 80));
            let length = 1 << log_length;
            let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, encap) };
            assert_eq!(scenario.client.code(&new), 0);
            let mut held = vec![None; addresses.len()];
            for _ in 0..ROUNDS {
                configure(scenario, key, &addresses, &mut held, &mut rng);
                compare(scenario, key, &addresses, &held, (length, seed));
                compared += 1;
            }
        }
    }
    println!("{compared} random configurations compared, from seed {seed}");
}

/// Goes from what is `held`, a weight for each server in use, to a new random
/// configuration of 1 to 64 servers.
fn configure(
    scenario: &mut Scenario,
    key: VipKey,
    addresses: &[IpAddr],
    held: &mut [Option<u8>],
    rng: &mut Rng,
) {
    let mut wanted = vec![None; addresses.len()];
    for index in rng.choose_multiple(0..addresses.len(), rng.clone().usize(1..=addresses.len())) {
        wanted[index] = Some(rng.u8(0..=100));
    }
    for ((address, held), wanted) in addresses.iter().zip(held).zip(wanted) {
        let server = address.to_string();
        let code = match (*held, wanted) {
            (None, Some(weight)) => scenario.client.code(&add_server(key, &server, weight)),
            (Some(_), Some(weight)) => scenario.client.code(&weigh(key, &server, weight)),
            (Some(_), None) => scenario.client.code(&del_server(key, &server)),
            (None, None) => 0,
        };
        assert_eq!(code, 0);
        *held = wanted;
    }
}

fn compare(
    scenario: &mut Scenario,
    key: VipKey,
    addresses: &[IpAddr],
    held: &[Option<u8>],
    (length, seed): (u32, u64),
) {
    let servers: Vec<(IpAddr, u8)> =
        addresses.iter().zip(held).filter_map(|(ip, weight)| Some((*ip, (*weight)?))).collect();
    let model = maglev::table(&servers, length);
    assert_eq!(maglev::buckets(&servers, length), model.buckets());
    let mut expected: Vec<(WireAddress, u32)> =
        servers.iter().zip(model.buckets()).map(|((ip, _), held)| ((*ip).into(), *held)).collect();
    let rows = scenario.client.dump(&LbAsV2Dump { vip: key });
    let used = rows.into_iter().filter(|row| row.flags == LbAsV2Details::USED);
    let mut listed: Vec<(WireAddress, u32)> =
        used.map(|row| (row.app_srv, row.num_buckets)).collect();
    expected.sort_unstable_by_key(|(address, _)| address.bytes);
    listed.sort_unstable_by_key(|(address, _)| address.bytes);
    assert_eq!(listed, expected, "seed {seed}: {servers:?} in {length}");
}
