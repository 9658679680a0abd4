//! The model of VPP's new-flow table: the table itself beside the algorithm as
//! VPP's plugin spells it out, the counts without a table, and the lints.
//! `cargo bench --bench maglev`

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{Criterion, criterion_group, criterion_main};
use vpp_maglev::domain::balancing::maglev::{self, RequestedWeight, lint};
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{TableLength, Weight};

const SERVERS: u32 = 20;
const LENGTHS: [u32; 2] = [1024, 32768];

fn servers(count: u32, weight: u8) -> Vec<(IpAddr, u8)> {
    let address = |last| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + last));
    (1..=count).map(|last| (address(last), weight)).collect()
}

fn tables(criterion: &mut Criterion) {
    let servers = servers(SERVERS, 100);
    for length in LENGTHS {
        assert_eq!(straightforward::buckets(&servers, length), maglev::buckets(&servers, length));
        let mut group = criterion.benchmark_group(format!("table of {length}, 20 servers of 100"));
        group.bench_function("straightforward", |bencher| {
            bencher.iter(|| straightforward::table(black_box(&servers), length));
        });
        group.bench_function("table", |bencher| {
            bencher.iter(|| maglev::table(black_box(&servers), length));
        });
        group.bench_function("buckets", |bencher| {
            bencher.iter(|| maglev::buckets(black_box(&servers), length));
        });
        group.bench_function("difference of a drain", |bencher| {
            let before = maglev::table(&servers, length);
            let mut drained = servers.clone();
            drained[0].1 = 0;
            let after = maglev::table(&drained, length);
            bencher.iter(|| maglev::diff(black_box(&before), &after));
        });
    }
}

/// A thousand frontends of ten servers, half of them with weights that their
/// table cannot express.
fn lints(criterion: &mut Criterion) {
    let frontend = |number: u32| -> (Vec<RequestedWeight>, TableLength) {
        let weight =
            |place: u32| if number.is_multiple_of(2) { 100 } else { i64::from(place * 7 + 1) };
        let asked =
            servers(10, 0).into_iter().zip(0..).map(|((address, _), place)| RequestedWeight {
                name: place.to_string().as_str().into(),
                address,
                weight: Weight::try_from(weight(place)).unwrap(),
            });
        let length = if number.is_multiple_of(2) { 1024 } else { 64 };
        (asked.collect(), TableLength::try_from(length).unwrap())
    };
    let frontends: Vec<_> = (0..1000).map(frontend).collect();
    criterion.bench_function("lint 1000 frontends of 10 servers", |bencher| {
        bencher.iter(|| {
            let found = frontends.iter().map(|(pool, length)| {
                lint(black_box(std::slice::from_ref(pool)), *length, LbDialect::Weights).len()
            });
            found.sum::<usize>()
        });
    });
}

/// The table as the plugin computes it: the permutations are sorted by number and
/// address, and each try of an entry takes a remainder.
mod straightforward {
    use std::net::IpAddr;

    struct Permutation {
        server: usize,
        number: u64,
        bits: u128,
        last: u64,
        skip: u64,
    }

    pub(super) fn table(servers: &[(IpAddr, u8)], length: u32) -> Vec<Option<usize>> {
        let length = u64::from(length);
        let mut permutations = Vec::new();
        for (server, (address, weight)) in servers.iter().enumerate() {
            let bits = match address {
                IpAddr::V4(v4) => u128::from(v4.to_bits()),
                IpAddr::V6(v6) => v6.to_bits(),
            };
            for number in 0..u64::from(*weight) {
                let halves = ((bits >> 64) as u64).swap_bytes() ^ (bits as u64).swap_bytes();
                let seed = xxhash(halves ^ number);
                let skip = ((seed & 0xffff_ffff) | 1) % length;
                permutations.push(Permutation {
                    server,
                    number,
                    bits,
                    last: (seed >> 32) % length,
                    skip,
                });
            }
        }
        permutations.sort_by_key(|permutation| (permutation.number, permutation.bits));
        let mut table = vec![None; usize::try_from(length).unwrap()];
        let mut done = 0;
        while done < length && !permutations.is_empty() {
            for permutation in &mut permutations {
                loop {
                    let entry = usize::try_from(permutation.last).unwrap();
                    permutation.last = (permutation.last + permutation.skip) % length;
                    if table[entry].is_none() {
                        table[entry] = Some(permutation.server);
                        done += 1;
                        break;
                    }
                }
                if done == length {
                    break;
                }
            }
        }
        table
    }

    pub(super) fn buckets(servers: &[(IpAddr, u8)], length: u32) -> Vec<u32> {
        let mut held = vec![0; servers.len()];
        for server in table(servers, length).into_iter().flatten() {
            held[server] += 1;
        }
        held
    }

    fn xxhash(key: u64) -> u64 {
        const P: [u64; 5] = [
            0x9e37_79b1_85eb_ca87,
            0xc2b2_ae3d_27d4_eb4f,
            0x1656_67b1_9e37_79f9,
            0x85eb_ca77_c2b2_ae63,
            0x27d4_eb2f_1656_67c5,
        ];
        let round = key.wrapping_mul(P[1]).rotate_left(31).wrapping_mul(P[0]);
        let mut h = 0x9e37_79b9_7f4a_7c13_u64.wrapping_add(P[4]).wrapping_add(8) ^ round;
        h = h.rotate_left(27).wrapping_mul(P[0]).wrapping_add(P[3]);
        h ^= h >> 33;
        h = h.wrapping_mul(P[1]);
        h ^= h >> 29;
        h = h.wrapping_mul(P[2]);
        h ^ (h >> 32)
    }
}

criterion_group!(benches, tables, lints);
criterion_main!(benches);
