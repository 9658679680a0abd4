//! The new-flow table: VPP's bucket counts are the model's with every weight 1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fastrand::Rng;
use vpp_maglev::domain::balancing::maglev;
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::vpp::wire::*;

use super::messages::{add_server, del_server, servers};
use crate::client::{add_vip, vip};
use crate::scenario::Scenario;

/// Configurations of each VIP; there is one for every length and family.
const ROUNDS: usize = 16;

pub(crate) fn buckets_of_random_memberships_are_those_of_the_model(scenario: &mut Scenario) {
    let seed = Rng::new().get_seed();
    let mut rng = Rng::with_seed(seed);
    let mut compared = 0;
    for log_length in 0..16_u8 {
        for encap in 0..2_u32 {
            let host = 2 * log_length + u8::try_from(encap).unwrap();
            let key = scenario.made(vip(&scenario.v6(host, 128), 6, 80));
            let length = 1 << log_length;
            let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, encap) };
            assert_eq!(scenario.client.code(&LegacyAddDelVipV2(new)), 0);
            let addresses: Vec<IpAddr> = (0..64).map(|_| address(encap, &mut rng)).collect();
            let mut held = vec![false; addresses.len()];
            for _ in 0..ROUNDS {
                configure(scenario, key, &addresses, &mut held, &mut rng);
                compare(scenario, key, &addresses, &held, (length, seed));
                compared += 1;
            }
        }
    }
    println!("{compared} random memberships compared, from seed {seed}");
}

fn address(encap: u32, rng: &mut Rng) -> IpAddr {
    if encap == 0 {
        Ipv4Addr::from_bits(0x0a00_0000 | rng.u32(1..1 << 24)).into()
    } else {
        Ipv6Addr::from_bits(0x2001_0db8 << 96 | (rng.u128(..) >> 32)).into()
    }
}

/// Adds and removes servers, with and without a flush, so that about half are in.
fn configure(
    scenario: &mut Scenario,
    key: VipKey,
    addresses: &[IpAddr],
    held: &mut [bool],
    rng: &mut Rng,
) {
    for (address, held) in addresses.iter().zip(held) {
        let server = address.to_string();
        let code = match (*held, rng.bool()) {
            (false, true) => scenario.client.code(&add_server(key, &server)),
            (true, false) => {
                let is_flush = rng.bool();
                scenario.client.code(&LegacyAddDelAs { is_flush, ..del_server(key, &server) })
            }
            _ => continue,
        };
        assert_eq!(code, 0);
        *held = !*held;
    }
}

fn compare(
    scenario: &mut Scenario,
    key: VipKey,
    addresses: &[IpAddr],
    held: &[bool],
    (length, seed): (u32, u64),
) {
    // Any weight above 0 is one, as the daemon computes it.
    let weight = |(address, held): (&IpAddr, &bool)| {
        (*address, LbDialect::Membership.effective(if *held { 100 } else { 0 }))
    };
    let weights: Vec<_> = addresses.iter().zip(held).map(weight).collect();
    let model = maglev::buckets(&weights, length);
    let mut expected: Vec<(IpAddr, u32)> = addresses
        .iter()
        .zip(held)
        .zip(model)
        .filter_map(|((address, held), buckets)| held.then_some((*address, buckets)))
        .collect();
    let listed = servers(scenario, key).into_iter().filter(|server| server.used);
    let mut listed: Vec<_> = listed.map(|server| (server.address, server.buckets)).collect();
    expected.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, expected, "seed {seed}, length {length}");
}
