//! What it costs to write and to read a message of VPP's API.
//! `cargo bench --bench codec`

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vpp_maglev::domain::dataplane::net::{Service, Vip};
use vpp_maglev::vpp::wire::{
    FrameBuffer, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details,
    LbVipDetails, Reply, Request, RequestHead, VipKey, WireAddress, read_reply, write_reply,
    write_request,
};

const HEAD: RequestHead = RequestHead { client_index: 0x8000_0001, context: 7 };
const ROWS: usize = 1000;

fn vip() -> Vip {
    let port = 80.try_into().unwrap();
    Vip::new("192.0.2.80/32".parse().unwrap(), Service::Port { protocol: 6, port })
}

/// From a message to its frame.
fn encode(criterion: &mut Criterion) {
    let vip = VipKey::from(vip());
    let as_address = WireAddress::from(std::net::IpAddr::from([10, 0, 0, 1]));
    let new_vip = LbAddDelVipV2 {
        vip,
        encap: 0,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        node_port: 0,
        new_flows_table_length: 1024,
        src_ip_sticky: false,
        is_del: false,
    };
    let mut group = criterion.benchmark_group("encode");
    bench_encode(&mut group, &new_vip);
    let (is_del, is_flush, weight) = (false, false, 100);
    bench_encode(&mut group, &LbAddDelAsV2 { vip, as_address, weight, is_del, is_flush });
    bench_encode(&mut group, &LbAsSetWeight { vip, as_address, weight, is_flush });
}

fn bench_encode<M: Request>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    message: &M,
) {
    let mut out = Vec::with_capacity(256);
    group.bench_function(M::NAME, |bencher| {
        bencher.iter(|| {
            out.clear();
            write_request(&mut out, 100, HEAD, black_box(message));
            black_box(out.len())
        });
    });
}

/// From a body to its fields.
fn decode(criterion: &mut Criterion) {
    let key = VipKey::from(vip());
    let row = LbAsV2Details {
        vip: key,
        app_srv: WireAddress::from(std::net::IpAddr::from([10, 0, 0, 1])),
        flags: 1,
        in_use_since: 0,
        weight: 100,
        num_buckets: 341,
    };
    let mut group = criterion.benchmark_group("decode");
    bench_decode(&mut group, &LbAsSetWeightReply { retval: 0 });
    bench_decode(&mut group, &row);
    let vip_row = LbVipDetails {
        vip: key,
        encap: 0,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        flow_table_length: 1024,
    };
    bench_decode(&mut group, &vip_row);
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut stream = Vec::new();
    (0..ROWS).for_each(|_| write_reply(&mut stream, 110, 7, &row));
    group.bench_function("1000 frames of lb_as_v2_details", |bencher| {
        bencher.iter_batched_ref(
            || FrameBuffer::new(1 << 20),
            |buffer| {
                buffer.push(&stream);
                let mut buckets = 0;
                while let Some(body) = buffer.next_body().unwrap() {
                    buckets += read_reply::<LbAsV2Details>(body).unwrap().1.num_buckets;
                }
                black_box(buckets)
            },
            BatchSize::SmallInput,
        );
    });
}

fn bench_decode<M: Reply>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    message: &M,
) {
    let mut frame = Vec::new();
    write_reply(&mut frame, 100, 7, message);
    let body = frame.split_off(16);
    group.bench_function(M::NAME, |bencher| {
        bencher.iter(|| read_reply::<M>(black_box(&body)).unwrap());
    });
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
