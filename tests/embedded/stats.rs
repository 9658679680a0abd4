//! The stats socket and the segment behind it, read with plain reads.

use std::fs::File;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketType, connect, recvmsg, socket,
};

use crate::client::*;
use crate::scenario::Scenario;

pub(crate) struct Stats(File);

impl Stats {
    pub(crate) fn open(path: &Path) -> Self {
        let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        connect(&socket, &SocketAddrUnix::new(path).unwrap()).expect("VPP listens for stats");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let got = recvmsg(
            &socket,
            &mut [IoSliceMut::new(&mut byte)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        assert_eq!(got.unwrap().bytes, 0, "VPP sends no data beside the descriptor");
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Self(descriptor.expect("a descriptor").into())
    }

    fn u64(&self, at: u64) -> u64 {
        let mut field = [0; 8];
        self.0.read_exact_at(&mut field, at).unwrap();
        u64::from_le_bytes(field)
    }

    fn u32(&self, at: u64) -> u32 {
        let mut field = [0; 4];
        self.0.read_exact_at(&mut field, at).unwrap();
        u32::from_le_bytes(field)
    }

    /// A pointer of the server, as an offset.
    fn offset(&self, pointer: u64) -> u64 {
        pointer - self.u64(8)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.u64(16)
    }

    /// Type and value of the entry of this name.
    pub(crate) fn find(&self, name: &str) -> Option<(u32, u64)> {
        assert_eq!(self.u64(0), 2, "the version of the layout");
        assert_eq!(self.u64(24), 0, "nothing is being changed");
        let directory = self.offset(self.u64(32));
        (0..u64::from(self.u32(directory - 8))).find_map(|entry| {
            let at = directory + 144 * entry;
            let mut field = [0; 128];
            self.0.read_exact_at(&mut field, at + 16).unwrap();
            let end = field.iter().position(|byte| *byte == 0).unwrap();
            (&field[..end] == name.as_bytes()).then(|| (self.u32(at), self.u64(at + 8)))
        })
    }

    /// An element of a simple counter, summed over the threads.
    pub(crate) fn counter(&self, name: &str, element: u64) -> Option<u64> {
        let (kind, pointer) = self.find(name)?;
        assert_eq!(kind, 2, "a simple counter");
        let threads = self.offset(pointer);
        let sum = (0..u64::from(self.u32(threads - 8))).map(|thread| {
            let data = self.offset(self.u64(threads + 8 * thread));
            assert!(element < u64::from(self.u32(data - 8)), "there is such an element");
            self.u64(data + 8 * element)
        });
        Some(sum.sum())
    }
}

pub(crate) const COUNTERS: [&str; 4] = [
    "packet from existing sessions",
    "first session packet",
    "untracked packet",
    "no server configured",
];

pub(crate) fn the_segment_tells_of_the_process(scenario: &mut Scenario) {
    let stats = Stats::open(&scenario.stats);
    let (kind, booted) = stats.find("/sys/boottime").unwrap();
    assert_eq!(kind, 1);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // The clock of a real VPP's machine may be a little off its own.
    assert!(booted <= now + 5 && booted + 86_400 > now, "{booted} and now {now}");
    assert_eq!(stats.find("/sys/heartbeat").unwrap().0, 1);
    // A gauge; a scalar up to VPP 25.10, which has no gauges.
    let (kind, _) = stats.find("/sys/num_worker_threads").unwrap();
    assert!(kind == 9 || (scenario.is_legacy && kind == 1), "{kind}");
    assert_eq!(stats.find("no such thing"), None);
}

pub(crate) fn a_vip_has_counters_at_its_slot(scenario: &mut Scenario) {
    scenario.vip();
    let text = scenario.client.cli("show lb vips verbose").1;
    let line =
        text.lines().find(|line| line.ends_with(&format!("] {}", scenario.v4(1, 32)))).unwrap();
    let slot = line.split(['[', ']']).nth(1).unwrap().parse().unwrap();
    let stats = Stats::open(&scenario.stats);
    for name in COUNTERS {
        assert_eq!(stats.counter(name, slot), Some(0), "{name}");
    }
}

pub(crate) fn a_new_vip_does_not_disturb_an_old_map(scenario: &mut Scenario) {
    let stats = Stats::open(&scenario.stats);
    let before = stats.epoch();
    let key = vip(&scenario.v6(7, 128), 6, 80);
    assert_eq!(scenario.change_vip(add_vip(key, 1)), 0);
    scenario.made(key);
    assert!(stats.epoch() >= before);
    assert!(stats.find(COUNTERS[0]).is_some());
}
