//! What it costs to write and to read a message of VPP's API.
//! `cargo bench --bench codec`

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::vpp::wire::{
    FrameBuffer, LbAsSetWeightReply, LbAsV2Details, LbVipDetails, LbWrite, Reply, Request,
    RequestHead, VipKey, WireAddress, read_reply, write_reply, write_request,
};

const HEAD: RequestHead = RequestHead { client_index: 0x8000_0001, context: 7 };
const ROWS: usize = 1000;

fn vip() -> Vip {
    let port = 80.try_into().unwrap();
    Vip::new("192.0.2.80/32".parse().unwrap(), Service::Port { protocol: 6, port })
}

/// From a step to its frame, as the client does it for each.
fn encode(criterion: &mut Criterion) {
    let (vip, server, weight) = (vip(), [10, 0, 0, 1].into(), Weight::FULL);
    let table_length = TableLength::DEFAULT;
    let spec = VipSpec { vip, encap: Encap::Gre4, src_ip_sticky: false, table_length };
    let steps = [
        ("lb_add_del_vip_v2", Step::AddVip(spec)),
        ("lb_add_del_as_v2", Step::AddServer { vip, server, weight }),
        ("lb_as_set_weight", Step::SetWeight { vip, server, weight, flush: false }),
    ];
    let mut group = criterion.benchmark_group("encode");
    for (name, step) in steps {
        let mut out = Vec::with_capacity(256);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                match LbWrite::try_from(black_box(&step)).unwrap() {
                    LbWrite::Conf(message) => request(&mut out, &message),
                    LbWrite::Vip(message) => request(&mut out, &message),
                    LbWrite::Server(message) => request(&mut out, &message),
                    LbWrite::Weight(message) => request(&mut out, &message),
                }
                black_box(out.len())
            });
        });
    }
}

fn request<M: Request>(out: &mut Vec<u8>, message: &M) {
    write_request(out, 100, HEAD, message);
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
