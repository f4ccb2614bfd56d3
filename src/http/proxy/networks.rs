//! Sets of addresses. An IPv4 address within IPv6, as a socket for both gives it, is the same address.

use std::net::IpAddr;

/// Addresses that have the same first bits.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<(IpAddr, u8)>);

impl Networks {
    /// Of networks as address and number of bits.
    pub fn new(networks: impl IntoIterator<Item = (IpAddr, u8)>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Is the address in one of them?
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_start(network.to_bits().into(), address.to_bits().into(), 32, *bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_start(network.to_bits(), address.to_bits(), 128, *bits)
            }
            _ => false,
        })
    }
}

/// Are the first `bits` of two numbers of `width` bits the same?
fn same_start(one: u128, other: u128, width: u32, bits: u8) -> bool {
    let rest = width.saturating_sub(u32::from(bits));
    (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}
