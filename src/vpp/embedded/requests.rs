//! Every request that the embedded VPP understands, and how it is served.

use super::cli;
use super::clients::Clients;
use super::legacy::{
    LbAddDelAs, LbAddDelAsReply, LbAddDelVip, LbAddDelVipReply, LbAsDetails, LbAsDump, LbFlushVip,
    LbFlushVipReply, MemclntKeepalive, MemclntKeepaliveReply,
};
use super::plugin::{
    Conf, Fault, Filter, Key, NewVip, ServerRow, address_from_wire, address_to_wire,
};
use super::process::{Answer, Crash, Process};
use super::told::Write;
use crate::vpp::wire::control::{SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FixedText, LbAddDelAsV2,
    LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply,
    LbAsV2Details, LbAsV2Dump, LbConf, LbConfGet, LbConfGetReply, LbConfReply, LbVipDetails,
    LbVipDump, LbWrite, Message, Request, RequestHead, ShowVersion, ShowVersionReply,
    SockclntCreate, SockclntCreateReply, SockclntDelete, SockclntDeleteReply, VipKey, WireError,
    read_request,
};

/// A row of the message table.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) crc: u32,
    /// `None`: a reply, or a message of the connection itself.
    pub(super) serve: Option<Serve>,
}

/// Serves the request in a body. `refuse` stands for doing it.
type Serve = fn(&mut Served<'_>, &[u8], Option<i32>) -> Result<Result<Answer, Crash>, WireError>;

/// What a request can reach.
pub(super) struct Served<'a> {
    pub(super) process: &'a mut Process,
    pub(super) clients: &'a Clients,
    /// The write that the request was.
    pub(super) write: Option<Write>,
}

/// A request that VPP answers.
trait Serves: Request {
    /// Does it.
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        answer: &mut Answer,
    ) -> Result<(), Crash>;

    /// The answer that says no.
    fn refusal(_: i32) -> Option<Self::Answer> {
        None
    }

    /// The change of the load balancer that it asks for.
    fn write(&self) -> Option<Write> {
        None
    }
}

/// Ids are of no order: a client that guesses them is wrong here as well.
pub(super) fn catalogue() -> Vec<Entry> {
    let mut next = 700;
    let mut entries = vec![
        entry::<SockclntCreate>(SOCKCLNT_CREATE_ID, None),
        entry::<SockclntCreateReply>(SOCKCLNT_CREATE_REPLY_ID, None),
        entry::<SockclntDelete>(17, None),
        entry::<SockclntDeleteReply>(18, None),
    ];
    let mut pair = |entry: Entry, reply: fn(u16) -> Entry| {
        next -= 9;
        entries.push(Entry { id: next, ..entry });
        entries.push(reply(next - 4));
    };
    fn plain<M: Message>(id: u16) -> Entry {
        entry::<M>(id, None)
    }
    fn served<M: Serves>() -> Entry {
        entry::<M>(0, Some(run::<M>))
    }
    pair(served::<ControlPing>(), plain::<ControlPingReply>);
    pair(served::<LbVipDump>(), plain::<LbVipDetails>);
    pair(served::<LbAddDelAsV2>(), plain::<LbAddDelAsV2Reply>);
    pair(served::<ShowVersion>(), plain::<ShowVersionReply>);
    pair(served::<LbConf>(), plain::<LbConfReply>);
    pair(served::<CliInband>(), plain::<CliInbandReply>);
    pair(served::<LbAsSetWeight>(), plain::<LbAsSetWeightReply>);
    pair(served::<LbConfGet>(), plain::<LbConfGetReply>);
    pair(served::<LbAsV2Dump>(), plain::<LbAsV2Details>);
    pair(served::<LbAddDelVipV2>(), plain::<LbAddDelVipV2Reply>);
    pair(served::<LbFlushVip>(), plain::<LbFlushVipReply>);
    pair(served::<LbAddDelVip>(), plain::<LbAddDelVipReply>);
    pair(served::<LbAddDelAs>(), plain::<LbAddDelAsReply>);
    pair(served::<LbAsDump>(), plain::<LbAsDetails>);
    pair(served::<MemclntKeepalive>(), plain::<MemclntKeepaliveReply>);
    entries
}

fn entry<M: Message>(id: u16, serve: Option<Serve>) -> Entry {
    Entry { id, name: M::NAME, crc: M::CRC, serve }
}

fn run<M: Serves>(
    with: &mut Served<'_>,
    body: &[u8],
    refuse: Option<i32>,
) -> Result<Result<Answer, Crash>, WireError> {
    let (head, message) = read_request::<M>(body)?;
    let mut answer = Answer::to(head.client_index);
    with.write = message.write();
    if let Some(reply) = refuse.and_then(M::refusal) {
        with.process.reply(&mut answer, head, &reply);
        return Ok(Ok(answer));
    }
    let done = message.serve(with, head, &mut answer);
    Ok(done.map(|()| answer))
}

/// The code that a call of the plugin is answered with.
fn code(outcome: Result<(), Fault>) -> Result<i32, Crash> {
    match outcome {
        Ok(()) => Ok(0),
        Err(Fault::Refused(refusal)) => Ok(refusal.retval()),
        Err(Fault::Crash(why)) => Err(Crash(why)),
    }
}

impl Serves for ControlPing {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        let (client_index, vpe_pid) = (head.client_index, with.process.pid);
        with.process.reply(to, head, &ControlPingReply { retval: 0, client_index, vpe_pid });
        Ok(())
    }
}

impl Serves for MemclntKeepalive {
    fn serve(&self, _: &mut Served<'_>, _: RequestHead, _: &mut Answer) -> Result<(), Crash> {
        Ok(())
    }
}

impl Serves for ShowVersion {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        let reply = ShowVersionReply {
            retval: 0,
            program: FixedText::new("vpe"),
            version: FixedText::new(cli::VERSION),
            build_date: FixedText::new(cli::BUILD_DATE),
            build_directory: FixedText::new(""),
        };
        with.process.reply(to, head, &reply);
        Ok(())
    }
}

impl Serves for CliInband {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        let output = cli::run(&self.cmd, with.process, with.clients);
        to.errno_was_set = output.errno_was_set;
        let reply = CliInbandReply { retval: output.retval, reply: output.text.into_bytes() };
        with.process.reply(to, head, &reply);
        Ok(())
    }
}

impl Serves for LbConfGet {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        let conf = with.process.plugin.conf();
        let conf = LbConf {
            ip4_src_address: conf.ip4_src,
            ip6_src_address: conf.ip6_src,
            sticky_buckets_per_core: conf.sticky_buckets_per_core,
            flow_timeout: conf.flow_timeout,
        };
        with.process.reply(to, head, &LbConfGetReply { retval: 0, conf });
        Ok(())
    }
}

impl Serves for LbVipDump {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        for row in with.process.plugin.vip_rows() {
            let details = LbVipDetails {
                vip: row.key.to_wire(),
                encap: row.encap,
                dscp: row.argument,
                srv_type: row.argument.into(),
                target_port: row.target_port,
                // The field has 16 bits.
                flow_table_length: (row.table_length & 0xffff) as u16,
            };
            with.process.reply(to, head, &details);
        }
        Ok(())
    }
}

/// The rows that a server dump asks for. VPP compares the bytes as they came.
fn filtered(process: &mut Process, vip: VipKey) -> Vec<ServerRow> {
    process.plugin.filtered_server_rows(Filter {
        address: u128::from_be_bytes(vip.prefix.address.bytes),
        protocol: vip.protocol,
        port: vip.port,
    })
}

impl Serves for LbAsV2Dump {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        for row in filtered(with.process, self.vip) {
            let details = LbAsV2Details {
                vip: row.vip.to_wire(),
                app_srv: address_to_wire(row.address),
                flags: u8::from(row.used),
                in_use_since: row.removed_at,
                weight: row.weight,
                num_buckets: row.buckets,
            };
            with.process.reply(to, head, &details);
        }
        Ok(())
    }
}

impl Serves for LbAsDump {
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        to: &mut Answer,
    ) -> Result<(), Crash> {
        for row in filtered(with.process, self.vip) {
            let details = LbAsDetails {
                vip: row.vip.to_wire(),
                app_srv: address_to_wire(row.address),
                flags: u8::from(row.used),
                in_use_since: row.removed_at,
            };
            with.process.reply(to, head, &details);
        }
        Ok(())
    }
}

/// Serves a write: `$do` changes the plugin, and its code is the whole reply.
macro_rules! writes {
    ($type:ty, $reply:ident, $write:expr, $do:expr) => {
        impl Serves for $type {
            fn serve(
                &self,
                with: &mut Served<'_>,
                head: RequestHead,
                to: &mut Answer,
            ) -> Result<(), Crash> {
                let now = with.process.now();
                let change: fn(&Self, &mut Process, u32) -> Result<(), Fault> = $do;
                let retval = code(change(self, with.process, now))?;
                with.process.reply(to, head, &$reply { retval });
                Ok(())
            }

            fn refusal(retval: i32) -> Option<$reply> {
                Some($reply { retval })
            }

            fn write(&self) -> Option<Write> {
                let write: fn(&Self) -> Write = $write;
                Some(write(self))
            }
        }
    };
}

writes!(LbConf, LbConfReply, |conf| Write::Lb(LbWrite::Conf(*conf)), |conf, process, _| {
    process.plugin.set_conf(Conf {
        ip4_src: conf.ip4_src_address,
        ip6_src: conf.ip6_src_address,
        sticky_buckets_per_core: conf.sticky_buckets_per_core,
        flow_timeout: conf.flow_timeout,
    })
});
writes!(LbAddDelVipV2, LbAddDelVipV2Reply, |vip| Write::Lb(LbWrite::Vip(*vip)), change_vip);
writes!(
    LbAddDelVip,
    LbAddDelVipReply,
    |vip| Write::Lb(LbWrite::Vip(vip.0)),
    |vip, process, now| { change_vip(&vip.0, process, now) }
);
writes!(
    LbAddDelAsV2,
    LbAddDelAsV2Reply,
    |server| Write::Lb(LbWrite::Server(*server)),
    change_server
);
writes!(
    LbAddDelAs,
    LbAddDelAsReply,
    |server| Write::Lb(LbWrite::Server(server.0)),
    |server, process, now| change_server(&server.0, process, now)
);
writes!(
    LbAsSetWeight,
    LbAsSetWeightReply,
    |weight| Write::Lb(LbWrite::Weight(*weight)),
    |set, process, _| {
        let vip = Key::of_server_from_wire(set.vip);
        let server = address_from_wire(set.as_address);
        process.plugin.set_weight(vip, server, set.weight, set.is_flush)
    }
);
writes!(LbFlushVip, LbFlushVipReply, |flush| Write::FlushVip(flush.vip), |flush, process, _| {
    process.plugin.flush_vip(Key::of_server_from_wire(flush.vip));
    Ok(())
});

fn change_vip(change: &LbAddDelVipV2, process: &mut Process, now: u32) -> Result<(), Fault> {
    let key = Key::from_wire(change.vip);
    if change.is_del {
        return process.plugin.delete_vip(key, now);
    }
    let new = NewVip {
        encap: change.encap,
        dscp: change.dscp,
        // VPP takes the lowest byte of a field that it forgets to swap.
        srv_type: change.srv_type.to_be_bytes()[0],
        target_port: change.target_port,
        table_length: change.new_flows_table_length,
        src_ip_sticky: change.src_ip_sticky,
    };
    process.plugin.add_vip(key, new, now)
}

fn change_server(change: &LbAddDelAsV2, process: &mut Process, now: u32) -> Result<(), Fault> {
    let vip = Key::of_server_from_wire(change.vip);
    let server = address_from_wire(change.as_address);
    if change.is_del {
        return process.plugin.delete_server(vip, server, change.is_flush, now);
    }
    process.plugin.add_server(vip, server, change.weight, change.is_flush, now)
}
