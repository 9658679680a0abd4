//! The handlers of the requests that change the load balancer. What a field means
//! depends on the version of the API.

use super::legacy::{LbAddDelAs, LbAddDelVip, LbAddDelVipReply, LbFlushVip, LbFlushVipReply};
use super::plugin::{Conf, NewVip, PluginFault, address_from_wire};
use super::process::{Crash, Process, ReplyDraft};
use super::requests::{RequestContext, RequestHandler};
use crate::vpp::embedded::fault_injection::WriteRequest;
use crate::vpp::wire::{
    LbAddDelAsReply, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply,
    LbAsSetWeight, LbAsSetWeightReply, LbConfReply, LbConfSet, RequestHead,
};

/// The return value for the outcome of a call of the plugin.
fn code(outcome: Result<(), PluginFault>) -> Result<i32, Crash> {
    match outcome {
        Ok(()) => Ok(0),
        Err(PluginFault::Refused(refusal)) => Ok(refusal.retval()),
        Err(PluginFault::Crash(why)) => Err(Crash(why)),
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
        let vip = process.plugin.api().server_key_from_wire(set.vip);
        let server = address_from_wire(set.as_address);
        process.plugin.set_weight(vip, server, set.weight, set.is_flush)
    }
);
handle_write!(
    LbFlushVip,
    LbFlushVipReply,
    |flush| WriteRequest::FlushVip(flush.vip),
    |flush, process, _| {
        let key = process.plugin.api().flush_key_from_wire(flush.vip);
        process.plugin.flush_vip(key);
        Ok(())
    }
);

fn change_vip(change: &LbAddDelVipV2, process: &mut Process, now: u32) -> Result<(), PluginFault> {
    let api = process.plugin.api();
    let key = api.key_from_wire(change.vip);
    if change.is_del {
        return process.plugin.delete_vip(key, now);
    }
    let new = NewVip {
        encap: api.encap_from_wire(change.encap),
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
    let api = process.plugin.api();
    let vip = api.server_key_from_wire(change.vip);
    let server = address_from_wire(change.as_address);
    if change.is_del {
        return process.plugin.delete_server(vip, server, change.is_flush, now);
    }
    process.plugin.add_server(vip, server, api.weight(change.weight), change.is_flush, now)
}
