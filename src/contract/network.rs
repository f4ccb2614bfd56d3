//! A network as it is written in settings: an address, or an address and the number of bits that count.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Addresses that have the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The first of them.
    pub address: IpAddr,
    /// How many bits count.
    pub bits: u8,
}

impl Network {
    /// `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`; an error is a clause that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("expected an address, a network such as 10.0.0.0/8, or *, found {text:?}");
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(expected)?,
        };
        let network = Self { address, bits };
        // A slip of the pen, most likely: which of the two was meant cannot be known.
        match network.begins() {
            first if first == address => Ok(network),
            first => Err(format!("{text} is an address within {first}/{bits}, write that for the network")),
        }
    }

    /// All there are.
    pub fn everything() -> [Self; 2] {
        [IpAddr::from([0; 4]), IpAddr::from([0u8; 16])].map(|address| Self { address, bits: 0 })
    }

    fn begins(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6((address.to_bits() & mask).into())
            }
        }
    }
}

/// As it is written.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_network() {
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1/32"),
            ("::1", "::1/128"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(Network::parse(text).map(|network| network.to_string()).as_deref(), Ok(shown));
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "1.2.3.4/x"] {
            assert!(Network::parse(text).unwrap_err().starts_with("expected an address"), "{text}");
        }
        let slip = Network::parse("10.1.0.0/8").unwrap_err();
        assert_eq!(slip, "10.1.0.0/8 is an address within 10.0.0.0/8, write that for the network");
    }
}
