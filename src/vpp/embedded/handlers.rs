//! The handlers of the requests that change nothing of the load balancer.

use super::legacy::{LbAsDetails, LbAsDump, MemclntKeepalive};
use super::plugin::{PluginApi, ServerRow, address_to_wire};
use super::process::{Crash, Process, ReplyDraft};
use super::requests::{RequestContext, RequestHandler};
use super::{cli, fib};
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FibSourceDump, FixedText,
    IpRouteLookupV2, LbAsV2Details, LbAsV2Dump, LbConfGet, LbConfGetReply, LbConfSet, LbVipDetails,
    LbVipDump, RequestHead, ShowVersion, ShowVersionReply, SwInterfaceDump, VipKey,
};

impl RequestHandler for ControlPing {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash> {
        let client_index = match context.process.plugin.api() {
            // VPPs of that time leave it out.
            PluginApi::V1_1 => 0,
            PluginApi::V1_2 => head.client_index,
        };
        let vpe_pid = context.process.pid;
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
            version: FixedText::new(cli::version(context.process.plugin.api())),
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
        if output.hangs {
            reply.hangs = true;
            return Ok(());
        }
        if let Some(why) = output.crash {
            return Err(Crash(why));
        }
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
        let api = context.process.plugin.api();
        for row in context.process.plugin.dumped_vip_rows() {
            let details = LbVipDetails {
                vip: api.key_to_wire(row.key),
                encap: api.encap_to_wire(&row),
                dscp: row.argument,
                srv_type: row.argument.into(),
                target_port: row.target_port,
                flow_table_length: api.table_length_to_wire(row.table_length),
            };
            context.process.reply(reply, head, &details);
        }
        Ok(())
    }
}

/// The rows that a server dump asks for. VPP compares the bytes as they came.
fn filtered(process: &mut Process, vip: VipKey) -> Vec<ServerRow> {
    let filter = process.plugin.api().filter_from_wire(vip);
    process.plugin.filtered_server_rows(filter)
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
        let api = context.process.plugin.api();
        for row in filtered(context.process, self.vip) {
            let details = LbAsDetails {
                vip: api.key_to_wire(row.vip),
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
