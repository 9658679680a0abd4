//! The CLI's lines for loopback interfaces, as far as VPP's are modelled.

use ipnet::IpNet;

use super::interfaces::Interfaces;

/// Runs one line; gives what it prints, or how it fails.
pub(super) fn run(words: &[&str], interfaces: &mut Interfaces) -> Result<String, String> {
    match words {
        ["create", "loopback", "interface"] => Ok(format!("{}\n", interfaces.create())),
        ["delete", "loopback", "interface", "intfc", name] if interfaces.delete(name) => done(),
        ["delete", "loopback", "interface", ..] => {
            Err("delete loopback interface: interface not specified\n".into())
        }
        ["set", "interface", "state", name, state @ ("up" | "down")] => {
            changed(interfaces.set_up(name, *state == "up"), "state", name)
        }
        ["set", "interface", "mtu", "packet", mtu, name] => match mtu.parse() {
            Ok(mtu) => changed(interfaces.set_mtu(name, mtu), "mtu", name),
            Err(_) => Err(format!("set interface mtu: unknown input `packet {mtu} {name}'\n")),
        },
        ["set", "interface", "ip", "address", "del", name, address] => match parse(address) {
            Some(address) => changed(interfaces.remove_address(name, address), "ip address", name),
            None => not_an_address(address),
        },
        ["set", "interface", "ip", "address", name, address] => match parse(address) {
            Some(address) => changed(interfaces.add_address(name, address), "ip address", name),
            None => not_an_address(address),
        },
        _ => Err(format!("unknown input `{}'\n", words.join(" "))),
    }
}

fn done() -> Result<String, String> {
    Ok(String::new())
}

fn parse(address: &str) -> Option<IpNet> {
    address.parse().ok()
}

fn not_an_address(text: &str) -> Result<String, String> {
    Err(format!("set interface ip address: expected IP4/IP6 address/length `{text}'\n"))
}

fn changed(is_there: bool, command: &str, name: &str) -> Result<String, String> {
    if is_there {
        return done();
    }
    Err(format!("set interface {command}: unknown interface `{name}'\n"))
}
