//! A bare client of VPP's binary API: blocking, one socket, no cleverness.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use vpp_maglev::vpp::wire::frame::MAX_BODY;
use vpp_maglev::vpp::wire::*;

/// Longer than any answer takes; only a fault waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct VppClient {
    pub(crate) stream: UnixStream,
    frames: FrameBuffer,
    pub(crate) table: MessageTable,
    pub(crate) index: u32,
    context: u32,
}

impl VppClient {
    pub(crate) fn connect(path: &Path, name: &str) -> Self {
        let mut client = Self::open(path);
        client.introduce(name);
        client
    }

    /// Connects without `sockclnt_create`.
    pub(crate) fn open(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("VPP listens");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let frames = FrameBuffer::new(MAX_BODY);
        Self { stream, frames, table: MessageTable::default(), index: 0, context: 100 }
    }

    pub(crate) fn introduce(&mut self, name: &str) -> SockclntCreateReply {
        let mut out = Vec::new();
        let create = SockclntCreate { context: 77, name: FixedText::new(name) };
        write_bare(&mut out, control::SOCKCLNT_CREATE_ID, &create);
        self.raw(&out);
        let body = self.body().expect("an answer to sockclnt_create");
        assert_eq!(message_id(&body), Ok(control::SOCKCLNT_CREATE_REPLY_ID));
        let reply: SockclntCreateReply = read_bare(&body).unwrap();
        assert_eq!((reply.context, reply.response), (77, 0));
        (self.table, self.index) = (reply.table.clone(), reply.index);
        reply
    }

    pub(crate) fn id<M: Message>(&self) -> u16 {
        self.table.id_of::<M>().unwrap_or_else(|| panic!("{} is in the table", M::NAME))
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("VPP takes what we send");
    }

    /// The next body; `None` at the end of the connection.
    pub(crate) fn body(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(body) = self.frames.next_body().unwrap() {
                return Some(body.to_vec());
            }
            let mut bytes = [0; 65536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.frames.push(&bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer from VPP: {error}"),
            }
        }
    }

    pub(crate) fn frame<M: Request>(&mut self, message: &M) -> (u32, Vec<u8>) {
        self.context += 1;
        let head = RequestHead { client_index: self.index, context: self.context };
        let mut out = Vec::new();
        write_request(&mut out, self.id::<M>(), head, message);
        (self.context, out)
    }

    pub(crate) fn send<M: Request>(&mut self, message: &M) -> u32 {
        let (context, frame) = self.frame(message);
        self.raw(&frame);
        context
    }

    /// The next message, which is to be this reply to this request.
    pub(crate) fn reply<R: Reply>(&mut self, context: u32) -> R {
        let body = self.body().unwrap_or_else(|| panic!("VPP closed before {}", R::NAME));
        assert_eq!(message_id(&body), Ok(self.id::<R>()), "a {}", R::NAME);
        let (got, reply) = read_reply(&body).unwrap();
        assert_eq!(got, context, "the context of {}", R::NAME);
        reply
    }

    pub(crate) fn call<M: Request>(&mut self, message: &M) -> M::Answer {
        let context = self.send(message);
        self.reply(context)
    }

    pub(crate) fn code<M: Request>(&mut self, message: &M) -> i32 {
        self.call(message).retval()
    }

    /// Rows up to the reply of a ping behind the dump.
    pub(crate) fn dump<M: Dump>(&mut self, message: &M) -> Vec<M::Answer> {
        let context = self.send(message);
        let fence = self.send(&ControlPing);
        let mut rows = Vec::new();
        loop {
            let body = self.body().expect("VPP answers a dump");
            if message_id(&body) == Ok(self.id::<ControlPingReply>()) {
                assert_eq!(read_reply::<ControlPingReply>(&body).unwrap().0, fence);
                return rows;
            }
            let (got, row) = read_reply(&body).unwrap();
            assert_eq!(got, context);
            rows.push(row);
        }
    }

    /// Whether nothing was sent to us before a ping is answered.
    pub(crate) fn is_silent(&mut self) -> bool {
        let fence = self.send(&ControlPing);
        let body = self.body().expect("VPP answers a ping");
        message_id(&body) == Ok(self.id::<ControlPingReply>())
            && read_reply::<ControlPingReply>(&body).unwrap().0 == fence
    }

    pub(crate) fn cli(&mut self, command: &str) -> (i32, String) {
        let reply = self.call(&CliInband { cmd: command.as_bytes().to_vec() });
        (reply.retval, String::from_utf8(reply.reply).unwrap())
    }

    /// Leaves as a client should.
    pub(crate) fn leave(mut self) {
        let index = self.index;
        assert_eq!(self.call(&SockclntDelete { index }).response, 1);
        assert_eq!(self.body(), None, "VPP closes after sockclnt_delete");
    }
}

pub(crate) fn vip(prefix: &str, protocol: u8, port: u16) -> VipKey {
    let (address, length) = prefix.split_once('/').unwrap();
    let address: IpAddr = address.parse().unwrap();
    let prefix = WirePrefix { address: address.into(), length: length.parse().unwrap() };
    VipKey { prefix, protocol, port }
}

pub(crate) fn address(text: &str) -> WireAddress {
    text.parse::<IpAddr>().unwrap().into()
}

pub(crate) fn add_vip(vip: VipKey, encap: u32) -> LbAddDelVipV2 {
    LbAddDelVipV2 {
        vip,
        encap,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        node_port: 0,
        new_flows_table_length: 1024,
        src_ip_sticky: false,
        is_del: false,
    }
}

pub(crate) fn del_vip(vip: VipKey) -> LbAddDelVipV2 {
    LbAddDelVipV2 { is_del: true, ..add_vip(vip, 0) }
}

pub(crate) fn add_server(vip: VipKey, server: &str, weight: u8) -> LbAddDelAsV2 {
    LbAddDelAsV2 { vip, as_address: address(server), weight, is_del: false, is_flush: false }
}

pub(crate) fn del_server(vip: VipKey, server: &str) -> LbAddDelAsV2 {
    LbAddDelAsV2 { is_del: true, ..add_server(vip, server, 0) }
}

pub(crate) fn weigh(vip: VipKey, server: &str, weight: u8) -> LbAsSetWeight {
    LbAsSetWeight { vip, as_address: address(server), weight, is_flush: false }
}
