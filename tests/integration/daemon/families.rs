//! `:port` is every address of the machine, of both families, whatever the system
//! does with sockets that do not say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::process::Command;

use crate::support::{TestBed, metrics_address};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Connects from within the network namespace of a process.
fn connect_in(pid: u32, to: IpAddr, port: u16) -> std::io::Result<()> {
    let connect = move || {
        let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net"))?;
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind)?;
        TcpStream::connect((to, port)).map(drop)
    };
    // The thread ends in the other namespace.
    std::thread::spawn(connect).join().unwrap()
}

#[tokio::test]
async fn a_port_alone_is_of_both_families_although_the_system_would_have_it_of_one() {
    let may = Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a network namespace takes root, unshare and ip");
        return;
    }
    let bed = TestBed::new(&[]);
    let inner = bed.command();
    let mut command = Command::new("unshare");
    command
        .args(["--net", "sh", "-c"])
        .arg("ip link set lo up && echo 1 > /proc/sys/net/ipv6/bindv6only && exec \"$@\"");
    command.arg("sh").arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args(["--grpc-addr", ":0", "--metrics-addr", ":0"]).current_dir(bed.dir());
    let mut daemon = bed.run(&mut command).await;
    let addresses = [daemon.address(), metrics_address(&mut daemon).await];
    for address in addresses {
        let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        for to in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            connect_in(daemon.pid(), to, port).unwrap_or_else(|error| panic!("{to}: {error}"));
        }
    }
    daemon.terminate().await;
}
