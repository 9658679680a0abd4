//! The entry of each VIP in VPP's forwarding table.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::facts::{ConnectedVpp, FrontendFacts};
use super::finding::{Finding, Severity, some};
use crate::domain::dataplane::fib::FibEntry;

/// A finding for each VIP that is not in order, and one for all that are. `programmed`: VPP was written, so that every VIP should be there.
pub(super) fn examine(
    vpp: &ConnectedVpp,
    frontends: &[FrontendFacts],
    programmed: bool,
) -> Vec<Finding> {
    let fib = match &vpp.fib {
        Ok(fib) => fib,
        Err(why) => {
            return vec![Finding::new(
                Severity::Warning,
                "VIPs in the FIB",
                format!("they could not be looked up: {why}"),
                "look at `vppctl show ip fib PREFIX` of each: the first source named must be lb",
            )];
        }
    };
    let mut owners: BTreeMap<IpNet, Vec<String>> = BTreeMap::new();
    for frontend in frontends {
        owners.entry(frontend.vip.prefix()).or_default().push(frontend.name.to_string());
    }
    let mut findings = Vec::new();
    let mut leading = 0;
    for (prefix, entry) in &fib.entries {
        let names = owners.get(prefix).map_or(&[][..], Vec::as_slice);
        let subject = format!("VIP {prefix} ({})", some(names, 3));
        if entry.leads_to_lb() {
            leading += 1;
        } else if *entry != FibEntry::Absent {
            let (seen, remedy) = shadowed(*prefix, entry);
            findings.push(Finding::new(Severity::Fault, subject, seen, remedy));
        } else if vpp.missing.is_empty() {
            // Without the plugin, none can be there: that is one fault, and not many.
            let severity = if programmed { Severity::Fault } else { Severity::Warning };
            let seen = "VPP's FIB has no entry for it: the VIP is not in VPP";
            let remedy =
                "`maglevc sync vpp lb state`; `maglevc show frontend` says what VPP refuses";
            findings.push(Finding::new(severity, subject, seen, remedy));
        }
    }
    if leading > 0 {
        let all = fib.entries.len();
        let seen = format!("packets to {leading} of {all} reach lb");
        findings.push(Finding::ok("VIPs in the FIB", seen));
    }
    findings
}

/// The warning of a frontend whose VIP has this entry; `None`: its packets reach `lb`,
/// or it is not in VPP, which other fields say.
#[must_use]
pub fn vip_warning(prefix: IpNet, entry: &FibEntry) -> Option<String> {
    if entry.leads_to_lb() || *entry == FibEntry::Absent {
        return None;
    }
    let (seen, remedy) = shadowed(prefix, entry);
    Some(format!("{seen}: {remedy}"))
}

/// What is seen of an entry that does not lead to `lb`, and what to do.
fn shadowed(prefix: IpNet, entry: &FibEntry) -> (String, String) {
    let FibEntry::Present { source, interface } = entry else {
        return Default::default();
    };
    if entry.is_of_interface() {
        let name = interface.as_deref().unwrap_or("an interface");
        return (
            format!(
                "{prefix} is an address of VPP's interface {name}, which goes before lb: no packet reaches lb"
            ),
            format!(
                "`set interface ip address del {name} {prefix}` in VPP, or with linux-cp `ip address del` on the host: a VIP needs no address in VPP"
            ),
        );
    }
    (
        format!("VPP's FIB follows source {source} for {prefix}, and not lb: no packet reaches lb"),
        format!("remove that entry; `vppctl show ip{} fib {prefix}` shows it", six(prefix)),
    )
}

fn six(prefix: IpNet) -> &'static str {
    if matches!(prefix, IpNet::V6(_)) { "6" } else { "" }
}
