//! The CLI commands that change the load balancer, with the replies of lb.api 1.1.0.
//! Every one runs the collector, which has no timer of its own there.

use std::net::IpAddr;
use std::str::FromStr;

use super::cli_output::CliOutput;
use super::plugin::{
    Conf, NewVip, Plugin, PluginFault, PluginPrefix, PluginRefusal, PluginVipKey, from_ip,
};

/// Runs a command, without its first word.
pub(super) fn run(words: &[&str], plugin: &mut Plugin, now: u32) -> CliOutput {
    let outcome = match words {
        ["vip", rest @ ..] => change_vip(rest, plugin, now),
        ["as", rest @ ..] => change_servers(rest, plugin, now),
        ["conf", rest @ ..] => set_conf(rest, plugin, now),
        ["flush", "vip", rest @ ..] => flush_vip(rest, plugin),
        _ => Err(LbCliFault::Text(format!("unknown input `lb {}'\n", words.join(" ")))),
    };
    outcome.map_or_else(CliOutput::from, CliOutput::done)
}

/// Why a command did not do what it says.
enum LbCliFault {
    /// What it prints.
    Text(String),
    Crash(&'static str),
    Hang,
}

impl From<LbCliFault> for CliOutput {
    fn from(fault: LbCliFault) -> Self {
        match fault {
            LbCliFault::Text(text) => Self::failed(text),
            LbCliFault::Crash(why) => Self { crash: Some(why), ..Self::failed(String::new()) },
            LbCliFault::Hang => Self { hangs: true, ..Self::failed(String::new()) },
        }
    }
}

/// `lb vip: lb_vip_add error -81`
fn refused(what: &str) -> impl Fn(PluginFault) -> LbCliFault {
    move |fault| match fault {
        PluginFault::Refused(why) => LbCliFault::Text(format!("{what} error {}\n", why.retval())),
        PluginFault::Crash(why) => LbCliFault::Crash(why),
    }
}

fn not_understood(command: &str, rest: &[&str]) -> LbCliFault {
    LbCliFault::Text(format!("{command}: parse error: '{}'\n", rest.join(" ")))
}

/// A prefix with its length.
fn prefix(command: &str, text: &str) -> Result<PluginPrefix, LbCliFault> {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
        let (longest, longer) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        (length <= longest).then(|| PluginPrefix { bits: from_ip(address), len: length + longer })
    });
    let invalid = || LbCliFault::Text(format!("{command}: invalid vip prefix: '{text}'\n"));
    parsed.ok_or_else(invalid)
}

/// VPP knows no other here, nor their numbers.
fn protocol(name: &str) -> Option<u8> {
    match name {
        "tcp" => Some(6),
        "udp" => Some(17),
        _ => None,
    }
}

/// The words that name a VIP, collected one by one.
struct LbCliVip {
    prefix: PluginPrefix,
    protocol: Option<u8>,
    port: u16,
}

impl LbCliVip {
    /// Takes words that are about the key; returns the others.
    fn take<'a, 'b>(&mut self, words: &'a [&'b str]) -> Option<&'a [&'b str]> {
        match words {
            ["protocol", name, rest @ ..] => {
                self.protocol = Some(protocol(name)?);
                Some(rest)
            }
            ["port", number, rest @ ..] => {
                self.port = number.parse().ok()?;
                Some(rest)
            }
            _ => None,
        }
    }

    /// Without a port it is of all ports. VPP leaves the protocol of a VIP with a port
    /// and without a protocol to chance; here it is 0.
    fn key(&self) -> PluginVipKey {
        let protocol = if self.port == 0 { 255 } else { self.protocol.unwrap_or(0) };
        PluginVipKey { prefix: self.prefix, protocol, port: self.port }
    }
}

fn begin<'a, 'b>(
    command: &str,
    words: &'a [&'b str],
) -> Result<(LbCliVip, &'a [&'b str]), LbCliFault> {
    let Some((first, rest)) = words.split_first() else {
        return Err(LbCliFault::Text(format!("{command}: invalid vip prefix: ''\n")));
    };
    let vip = LbCliVip { prefix: prefix(command, first)?, protocol: None, port: 0 };
    Ok((vip, rest))
}

fn change_vip(words: &[&str], plugin: &mut Plugin, now: u32) -> Result<String, LbCliFault> {
    let (mut vip, mut rest) = begin("lb vip", words)?;
    let mut new = NewVip {
        encap: 0,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        table_length: 1024,
        src_ip_sticky: false,
    };
    let mut is_del = false;
    while !rest.is_empty() {
        if let Some(after) = vip.take(rest) {
            rest = after;
            continue;
        }
        rest = new_vip_word(&mut new, &mut is_del, rest)
            .ok_or_else(|| not_understood("lb vip", rest))?;
    }
    plugin.collect_all(now);
    if is_del {
        let deleted = plugin.delete_vip(vip.key(), now);
        return deleted.map(|()| String::new()).map_err(refused("lb vip: lb_vip_find_index"));
    }
    plugin.add_vip(vip.key(), new, now).map_err(refused("lb vip: lb_vip_add"))?;
    Ok(format!("lb_vip_add ok {}\n", plugin.find(vip.key()).unwrap_or_default()))
}

fn new_vip_word<'a, 'b>(
    new: &mut NewVip,
    is_del: &mut bool,
    words: &'a [&'b str],
) -> Option<&'a [&'b str]> {
    Some(match words {
        ["encap", name, rest @ ..] => {
            let names = ["gre4", "gre6", "l3dsr", "nat4", "nat6"];
            new.encap = u32::try_from(names.iter().position(|known| known == name)?).ok()?;
            rest
        }
        ["dscp", number, rest @ ..] => {
            new.dscp = number.parse().ok()?;
            rest
        }
        ["target_port", number, rest @ ..] => {
            new.target_port = number.parse().ok()?;
            rest
        }
        ["new_len", number, rest @ ..] => {
            new.table_length = number.parse().ok()?;
            rest
        }
        ["src_ip_sticky", rest @ ..] => {
            new.src_ip_sticky = true;
            rest
        }
        ["del", rest @ ..] => {
            *is_del = true;
            rest
        }
        _ => return None,
    })
}

fn change_servers(words: &[&str], plugin: &mut Plugin, now: u32) -> Result<String, LbCliFault> {
    let (mut vip, mut rest) = begin("lb as", words)?;
    let (mut is_del, mut flush, mut servers) = (false, false, Vec::new());
    while let [word, after @ ..] = rest {
        if let Some(after) = vip.take(rest) {
            rest = after;
            continue;
        }
        match *word {
            "del" => is_del = true,
            "flush" => flush = true,
            address => match IpAddr::from_str(address) {
                Ok(address) => servers.push(from_ip(address)),
                Err(_) => return Err(not_understood("lb as", rest)),
            },
        }
        rest = after;
    }
    if servers.is_empty() {
        return Err(LbCliFault::Text("lb as: No AS address provided\n".into()));
    }
    if plugin.find(vip.key()).is_none() {
        let missing = PluginRefusal::NoSuchEntry.into();
        return Err(refused("lb as: lb_vip_find_index")(missing));
    }
    plugin.collect_all(now);
    let done = if is_del {
        let deleted = plugin.delete_servers(vip.key(), &servers, flush, now);
        deleted.map_err(refused("lb as: lb_vip_del_ass"))
    } else {
        let added = plugin.add_servers(vip.key(), &servers, 1, false, now);
        added.map_err(refused("lb as: lb_vip_add_ass"))
    };
    done.map(|()| String::new())
}

fn set_conf(words: &[&str], plugin: &mut Plugin, now: u32) -> Result<String, LbCliFault> {
    let mut conf = plugin.conf();
    let mut rest = words;
    while !rest.is_empty() {
        rest = conf_word(&mut conf, rest).ok_or_else(|| not_understood("lb conf", rest))?;
    }
    if words.is_empty() {
        return Ok(String::new());
    }
    plugin.collect_all(now);
    plugin.set_conf(conf).map(|()| String::new()).map_err(refused("lb conf: lb_conf"))
}

fn conf_word<'a, 'b>(conf: &mut Conf, words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let [name, value, rest @ ..] = words else { return None };
    match *name {
        "ip4-src-address" => conf.ip4_src = value.parse().ok()?,
        "ip6-src-address" => conf.ip6_src = value.parse().ok()?,
        "buckets" => conf.sticky_buckets_per_core = value.parse().ok()?,
        "timeout" => conf.flow_timeout = value.parse().ok()?,
        _ => return None,
    }
    Some(rest)
}

fn flush_vip(words: &[&str], plugin: &mut Plugin) -> Result<String, LbCliFault> {
    let (mut vip, mut rest) = begin("lb flush vip", words)?;
    while !rest.is_empty() {
        // VPP reads an unknown word again and again.
        rest = vip.take(rest).ok_or(LbCliFault::Hang)?;
    }
    let missing = || refused("lb flush vip: lb_vip_find_index")(PluginRefusal::NoSuchEntry.into());
    let index = plugin.find(vip.key()).ok_or_else(missing)?;
    plugin.flush_vip(vip.key());
    Ok(format!("lb_flush_vip ok {index}\n"))
}
