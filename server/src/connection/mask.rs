//! The masking of client frames (RFC 6455 section 5.3).

/// Applies `mask` to `bytes`, of which the first meets the first byte of the mask. Applying it
/// twice restores the bytes.
pub fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, tail) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// The mask for what follows after `taken` bytes of a payload.
pub fn rotated(mut mask: [u8; 4], taken: usize) -> [u8; 4] {
    mask.rotate_left(taken % 4);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_masking_byte_by_byte() {
        let mask = [0x12, 0x34, 0x56, 0x78];
        for len in 0..40 {
            let plain: Vec<u8> = (0..len).collect();
            let expected: Vec<u8> = plain
                .iter()
                .enumerate()
                .map(|(at, byte)| byte ^ mask[at % 4])
                .collect();
            let mut whole = plain.clone();
            apply(&mut whole, mask);
            assert_eq!(whole, expected);

            for split in 0..plain.len() {
                let mut pieces = plain.clone();
                let (first, second) = pieces.split_at_mut(split);
                apply(first, mask);
                apply(second, rotated(mask, split));
                assert_eq!(pieces, expected, "length {len} split at {split}");
            }
        }
    }
}
