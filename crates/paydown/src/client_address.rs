//! Where a request comes from: the socket's peer, or what a configured proxy says in `X-Forwarded-For`. The only place
//! that reads that header; what anybody else writes into it is never believed.

use crate::config::Network;
use axum::http::HeaderMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// An address that is known from elsewhere.
    pub const fn new(address: IpAddr) -> ClientAddress {
        ClientAddress(address)
    }

    /// The nearest address that is no trusted proxy, read from the socket backwards. A hop that cannot be read ends the
    /// search: whatever stands before it was written by nobody we know.
    pub fn of_request(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> ClientAddress {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("")).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut nearest = peer.to_canonical();
        while is_trusted(nearest) {
            match hops.next().and_then(parse_hop) {
                Some(before) => nearest = before,
                None => break,
            }
        }
        ClientAddress(nearest)
    }

    /// What limits are counted by: the address, or for IPv6 the /64 that one subscriber has to himself.
    pub fn network(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]` and `[2001:db8::7]:4711`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = match bare.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, lines: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        ClientAddress::of_request(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn without_a_configured_proxy_the_header_is_nothing() {
        assert_eq!(client("198.51.100.9", &["192.0.2.1"], &[]), "198.51.100.9");
        assert_eq!(client("198.51.100.9", &["192.0.2.1"], &["10.0.0.0/8"]), "198.51.100.9");
    }

    #[test]
    fn the_rightmost_hop_that_is_no_proxy_counts() {
        let proxies = ["10.0.0.0/8", "::1"];
        assert_eq!(client("10.0.0.1", &["192.0.2.1"], &proxies), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 192.0.2.1"], &proxies), "192.0.2.1", "the left is spoofed");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "192.0.2.1, 10.2.3.4"], &proxies), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["1.1.1.1", "192.0.2.1"], &proxies),
            "192.0.2.1",
            "two lines are one list"
        );
        assert_eq!(client("::1", &["192.0.2.1,10.9.9.9 , 10.0.0.3"], &proxies), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], &proxies), "192.0.2.1");
    }

    #[test]
    fn ports_and_brackets_are_read() {
        for (hop, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
        ] {
            assert_eq!(client("10.0.0.1", &[hop], &["10.0.0.1"]), address);
        }
    }

    #[test]
    fn a_hop_that_is_no_address_ends_the_search() {
        for line in ["", "unknown", "1.1.1.1, unknown", "1.1.1.1, ", "1.1.1.1, 300.1.1.1", "_hidden"] {
            assert_eq!(client("10.0.0.1", &[line], &["10.0.0.0/8"]), "10.0.0.1", "{line:?}");
        }
        assert_eq!(client("10.0.0.1", &["10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2", "all of them are proxies");
    }

    #[test]
    fn limits_count_a_whole_subscriber() {
        let network = |text: &str| ClientAddress::new(text.parse().unwrap()).network();
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::9"), network("2001:db8:1:2:ffff::1"));
    }
}
