//! The handlers of the requests.

use super::legacy::{
    LbAddDelAs, LbAddDelAsReply, LbAddDelVip, LbAddDelVipReply, LbAsDetails, LbAsDump, LbFlushVip,
    LbFlushVipReply, MemclntKeepalive,
};
use super::plugin::{
    Conf, NewVip, PluginFault, PluginVipKey, ServerFilter, ServerRow, address_from_wire,
    address_to_wire,
};
use super::process::{Crash, Process, ReplyDraft};
use super::requests::{RequestContext, RequestHandler};
use super::{cli, fib};
use crate::vpp::embedded::fault_injection::WriteRequest;
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FibSourceDump, FixedText,
    IpRouteLookupV2, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply,
    LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details, LbAsV2Dump, LbConfGet, LbConfGetReply,
    LbConfReply, LbConfSet, LbVipDetails, LbVipDump, RequestHead, ShowVersion, ShowVersionReply,
    SwInterfaceDump, VipKey,
};

/// The return value for the outcome of a call of the plugin.
fn code(outcome: Result<(), PluginFault>) -> Result<i32, Crash> {
    match outcome {
        Ok(()) => Ok(0),
        Err(PluginFault::Refused(refusal)) => Ok(refusal.retval()),
        Err(PluginFault::Crash(why)) => Err(Crash(why)),
    }
}

impl RequestHandler for ControlPing {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let (client_index, vpe_pid) = (head.client_index, context.process.pid);
        context.process.reply(reply, head, &ControlPingReply { retval: 0, client_index, vpe_pid });
        Ok(())
    }
}

impl RequestHandler for MemclntKeepalive {
    fn handle(
        &self,
        _: &mut RequestContext<'_>,
        _: RequestHead,
        _: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        Ok(())
    }
}

impl RequestHandler for ShowVersion {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let version = ShowVersionReply {
            retval: 0,
            program: FixedText::new("vpe"),
            version: FixedText::new(cli::VERSION),
            build_date: FixedText::new(cli::BUILD_DATE),
            build_directory: FixedText::new(""),
        };
        context.process.reply(reply, head, &version);
        Ok(())
    }
}

impl RequestHandler for CliInband {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let output = cli::run(&self.cmd, context.process, context.clients);
        reply.errno_was_set = output.errno_was_set;
        let printed = CliInbandReply { retval: output.retval, reply: output.text.into_bytes() };
        context.process.reply(reply, head, &printed);
        Ok(())
    }
}

impl RequestHandler for LbConfGet {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let conf = context.process.plugin.conf();
        let conf = LbConfSet {
            ip4_src_address: conf.ip4_src,
            ip6_src_address: conf.ip6_src,
            sticky_buckets_per_core: conf.sticky_buckets_per_core,
            flow_timeout: conf.flow_timeout,
        };
        context.process.reply(reply, head, &LbConfGetReply { retval: 0, conf });
        Ok(())
    }
}

impl RequestHandler for LbVipDump {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        for row in context.process.plugin.vip_rows() {
            let details = LbVipDetails {
                vip: row.key.to_wire(),
                encap: row.encap,
                dscp: row.argument,
                srv_type: row.argument.into(),
                target_port: row.target_port,
                // The field has 16 bits.
                flow_table_length: (row.table_length & 0xffff) as u16,
            };
            context.process.reply(reply, head, &details);
        }
        Ok(())
    }
}

/// The rows that a server dump asks for. VPP compares the bytes as they came.
fn filtered(process: &mut Process, vip: VipKey) -> Vec<ServerRow> {
    process.plugin.filtered_server_rows(ServerFilter {
        address: u128::from_be_bytes(vip.prefix.address.bytes),
        protocol: vip.protocol,
        port: vip.port,
    })
}

impl RequestHandler for LbAsV2Dump {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        for row in filtered(context.process, self.vip) {
            let details = LbAsV2Details {
                vip: row.vip.to_wire(),
                app_srv: address_to_wire(row.address),
                flags: u8::from(row.used),
                in_use_since: row.removed_at,
                weight: row.weight,
                num_buckets: row.buckets,
            };
            context.process.reply(reply, head, &details);
        }
        Ok(())
    }
}

impl RequestHandler for LbAsDump {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        for row in filtered(context.process, self.vip) {
            let details = LbAsDetails {
                vip: row.vip.to_wire(),
                app_srv: address_to_wire(row.address),
                flags: u8::from(row.used),
                in_use_since: row.removed_at,
            };
            context.process.reply(reply, head, &details);
        }
        Ok(())
    }
}

impl RequestHandler for IpRouteLookupV2 {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let found = fib::lookup(context.process, self);
        context.process.reply(reply, head, &found);
        Ok(())
    }
}

impl RequestHandler for FibSourceDump {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        for source in fib::sources() {
            context.process.reply(reply, head, &source);
        }
        Ok(())
    }
}

impl RequestHandler for SwInterfaceDump {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let index = if self.by_name { u32::MAX } else { self.sw_if_index };
        let part = String::from_utf8_lossy(&self.name_filter).to_lowercase();
        let is_wanted = |name: String| !self.by_name || name.to_lowercase().contains(&part);
        for row in context.process.interfaces.rows(index) {
            if is_wanted(row.name.to_string()) {
                context.process.reply(reply, head, &row);
            }
        }
        Ok(())
    }
}

/// RequestHandler a write: `$do` changes the plugin, and its code is the whole reply.
macro_rules! handle_write {
    ($type:ty, $reply:ident, $write:expr, $do:expr) => {
        impl RequestHandler for $type {
            fn handle(
                &self,
                context: &mut RequestContext<'_>,
                head: RequestHead,
                reply: &mut ReplyDraft,
            ) -> Result<(), Crash> {
                let now = context.process.now();
                let change: fn(&Self, &mut Process, u32) -> Result<(), PluginFault> = $do;
                let retval = code(change(self, context.process, now))?;
                context.process.reply(reply, head, &$reply { retval });
                Ok(())
            }

            fn refusal(retval: i32) -> Option<$reply> {
                Some($reply { retval })
            }

            fn write(&self) -> Option<WriteRequest> {
                let write: fn(&Self) -> WriteRequest = $write;
                Some(write(self))
            }
        }
    };
}

handle_write!(LbConfSet, LbConfReply, |conf| WriteRequest::Conf(*conf), |conf, process, _| {
    process.plugin.set_conf(Conf {
        ip4_src: conf.ip4_src_address,
        ip6_src: conf.ip6_src_address,
        sticky_buckets_per_core: conf.sticky_buckets_per_core,
        flow_timeout: conf.flow_timeout,
    })
});
handle_write!(LbAddDelVipV2, LbAddDelVipV2Reply, |vip| WriteRequest::Vip(*vip), change_vip);
handle_write!(
    LbAddDelVip,
    LbAddDelVipReply,
    |vip| WriteRequest::Vip(vip.0),
    |vip, process, now| { change_vip(&vip.0, process, now) }
);
handle_write!(
    LbAddDelAsV2,
    LbAddDelAsV2Reply,
    |server| WriteRequest::Server(*server),
    change_server
);
handle_write!(
    LbAddDelAs,
    LbAddDelAsReply,
    |server| WriteRequest::Server(server.0),
    |server, process, now| change_server(&server.0, process, now)
);
handle_write!(
    LbAsSetWeight,
    LbAsSetWeightReply,
    |weight| WriteRequest::Weight(*weight),
    |set, process, _| {
        let vip = PluginVipKey::of_server_from_wire(set.vip);
        let server = address_from_wire(set.as_address);
        process.plugin.set_weight(vip, server, set.weight, set.is_flush)
    }
);
handle_write!(
    LbFlushVip,
    LbFlushVipReply,
    |flush| WriteRequest::FlushVip(flush.vip),
    |flush, process, _| {
        process.plugin.flush_vip(PluginVipKey::of_server_from_wire(flush.vip));
        Ok(())
    }
);

fn change_vip(change: &LbAddDelVipV2, process: &mut Process, now: u32) -> Result<(), PluginFault> {
    let key = PluginVipKey::from_wire(change.vip);
    if change.is_del {
        return process.plugin.delete_vip(key, now);
    }
    let new = NewVip {
        encap: change.encap,
        dscp: change.dscp,
        // VPP takes the lowest byte of a field that it does not swap.
        srv_type: change.srv_type.to_be_bytes()[0],
        target_port: change.target_port,
        table_length: change.new_flows_table_length,
        src_ip_sticky: change.src_ip_sticky,
    };
    process.plugin.add_vip(key, new, now)
}

fn change_server(
    change: &LbAddDelAsV2,
    process: &mut Process,
    now: u32,
) -> Result<(), PluginFault> {
    let vip = PluginVipKey::of_server_from_wire(change.vip);
    let server = address_from_wire(change.as_address);
    if change.is_del {
        return process.plugin.delete_server(vip, server, change.is_flush, now);
    }
    process.plugin.add_server(vip, server, change.weight, change.is_flush, now)
}
