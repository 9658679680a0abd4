//! Addresses from `/etc/hosts` (hosts(5)).

use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::domain::resolution::{HostName, IpFamily};

/// The addresses that the file at `path` has for `host`, in its family. None if there
/// is no such file.
///
/// The file is read at each lookup, so that a change is found without a reload.
///
/// # Errors
/// The file cannot be read.
pub(super) fn addresses(path: &Path, host: &HostName) -> io::Result<Vec<IpAddr>> {
    match std::fs::read(path) {
        Ok(text) => Ok(of_text(&String::from_utf8_lossy(&text), host)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn of_text(text: &str, host: &HostName) -> Vec<IpAddr> {
    let name = host.name.trim_end_matches('.');
    let found = text.lines().filter_map(|line| {
        let line = line.split('#').next()?;
        let mut words = line.split_whitespace();
        let address = words.next()?;
        let is_named = |word: &str| word.trim_end_matches('.').eq_ignore_ascii_case(name);
        let address: IpAddr = words.any(is_named).then(|| address.parse().ok())??;
        let family = if address.is_ipv4() { IpFamily::V4 } else { IpFamily::V6 };
        (family == host.family).then_some(address)
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_all_its_addresses_of_a_family() {
        let text = "127.0.0.1 localhost\n# 192.0.2.9 www.example.org\n\
                    192.0.2.7\tWWW.example.org www # the first\n\
                    2001:db8::7 www.example.org\nfe80::1%lo www.example.org\n\
                    192.0.2.8   other www.example.org.\n192.0.2\n";
        let found = |name: &str, family| {
            let host = HostName { name: name.into(), family };
            of_text(text, &host).iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("www.example.org", IpFamily::V4), "192.0.2.7 192.0.2.8");
        assert_eq!(found("www.example.org.", IpFamily::V6), "2001:db8::7");
        assert_eq!(found("www", IpFamily::V4), "192.0.2.7");
        assert_eq!(found("www", IpFamily::V6), "");
        assert_eq!(found("example.org", IpFamily::V4), "");
    }
}
