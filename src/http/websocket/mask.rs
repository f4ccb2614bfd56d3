//! The mask of a client's frames (RFC 6455, 5.3): every fourth byte has the same byte of the key put over it.

/// Takes the mask off `bytes`, which begin at `position` in the payload.
pub(crate) fn unmask(bytes: &mut [u8], key: [u8; 4], position: usize) {
    let key: [u8; 4] = std::array::from_fn(|index| key[(position + index) % 4]);
    let word = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    // The compiler makes vectors of this.
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (index, byte) in rest.iter_mut().enumerate() {
        *byte ^= key[index % 4];
    }
}

#[cfg(test)]
mod tests {
    use super::unmask;

    #[test]
    fn whatever_the_length_and_the_position() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..100).collect();
        let masked: Vec<u8> = plain.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect();
        for start in 0..16 {
            for end in start..plain.len() {
                let mut part = masked[start..end].to_vec();
                unmask(&mut part, key, start);
                assert_eq!(part, plain[start..end], "{start} to {end}");
            }
        }
    }

    #[test]
    fn rfc_6455_section_5_7() {
        let mut hello = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        unmask(&mut hello, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&hello, b"Hello");
    }
}
