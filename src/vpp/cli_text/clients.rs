//! The clients of VPP's API, dead ones included, which only `show api clients` shows.

/// A client that `show api clients` lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiClient {
    /// The name that it gave.
    pub name: String,
    /// VPP's descriptor for it.
    pub descriptor: u32,
}

/// Reads the socket clients of `show api clients`; lines that are not
/// understood are left out.
#[must_use]
pub fn parse_clients(text: &str) -> Vec<ApiClient> {
    text.lines()
        .skip_while(|line| line.trim() != "Socket clients")
        .filter_map(|line| {
            let (name, descriptor) = line.trim().rsplit_once(' ')?;
            let descriptor = descriptor.parse().ok()?;
            Some(ApiClient { name: name.trim_end().to_owned(), descriptor })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_clients_are_listed_and_shared_memory_ones_are_not() {
        let text = "Shared memory clients\n                Name      PID\n   vpp_api_test     77\n\
                    Socket clients\n                Name  Fildesc\n             maglevd       12\n\
                       a name with blanks        9\n";
        let client = |name: &str, descriptor| ApiClient { name: name.into(), descriptor };
        assert_eq!(parse_clients(text), [client("maglevd", 12), client("a name with blanks", 9)]);
        assert_eq!(parse_clients(""), []);
    }
}
