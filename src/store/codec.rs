//! How values are encoded: a format byte, a packing byte, then postcard, compressed by zstd
//! when it is large. <https://postcard.jamesmunns.com/wire-format>

use std::borrow::Cow;
use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, StoreError};

/// The format of values that this code writes; every value begins with it.
pub(super) const FORMAT: u8 = 1;

/// Values of at least this many bytes are compressed.
const COMPRESS_FROM: usize = 512;

/// No value is larger than this before compression; a length above it is damage.
const MAX_RAW: usize = 256 << 20;

/// Level 3 is zstd's default; higher ones cost more time than the disk they save.
const LEVEL: i32 = 3;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// How many bytes stand before those of [`plain`].
pub(super) const PLAIN_HEAD: usize = 2;
const ZSTD_HEAD: usize = 6;

thread_local! {
    // A zstd context takes more time to make than a small value takes to compress.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> =
        const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

/// Encodes a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    pack(&to_postcard(value)?)
}

/// Decodes what [`encode`] made.
///
/// # Errors
/// `Damaged` for anything else.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, stored: &[u8]) -> Result<T> {
    from_postcard(what, &unpacked(what, stored)?)
}

/// Decodes what [`to_postcard`] made.
pub(super) fn from_postcard<T: DeserializeOwned>(what: &'static str, raw: &[u8]) -> Result<T> {
    match postcard::take_from_bytes(raw) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(StoreError::Damaged { what }),
    }
}

/// The uncompressed postcard bytes of a value.
pub(super) fn to_postcard<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|source| StoreError::Engine {
        operation: "encode a value",
        source: Box::new(source),
    })
}

/// Puts the head before some bytes, and compresses them if they are many.
pub(super) fn pack(raw: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(raw.len()).ok().filter(|_| raw.len() <= MAX_RAW);
    let Some(length) = length else {
        return Err(StoreError::Engine {
            operation: "store a value above 256 MiB",
            source: "value too large".into(),
        });
    };
    if raw.len() >= COMPRESS_FROM {
        let packed = compress(raw).map_err(|source| StoreError::Engine {
            operation: "compress a value",
            source: Box::new(source),
        })?;
        if packed.len() < raw.len() {
            let mut stored = Vec::with_capacity(ZSTD_HEAD + packed.len());
            stored.extend_from_slice(&[FORMAT, ZSTD]);
            stored.extend_from_slice(&length.to_le_bytes());
            stored.extend_from_slice(&packed);
            return Ok(stored);
        }
    }
    Ok(plain(raw))
}

/// Puts the head before some bytes that are to be read in place, so never compressed.
pub(super) fn plain(raw: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(PLAIN_HEAD + raw.len());
    stored.extend_from_slice(&[FORMAT, PLAIN]);
    stored.extend_from_slice(raw);
    stored
}

/// The bytes that [`plain`] put a head before.
pub(super) fn plain_bytes<'s>(what: &'static str, stored: &'s [u8]) -> Result<&'s [u8]> {
    match stored {
        [FORMAT, PLAIN, raw @ ..] => Ok(raw),
        _ => Err(StoreError::Damaged { what }),
    }
}

/// As [`unpack`], without a copy of what is not compressed: small values are many.
pub(super) fn unpacked<'s>(what: &'static str, stored: &'s [u8]) -> Result<Cow<'s, [u8]>> {
    match stored {
        [FORMAT, PLAIN, raw @ ..] => Ok(Cow::Borrowed(raw)),
        _ => unpack(what, stored).map(Cow::Owned),
    }
}

/// Takes the head off and decompresses, up to a bound.
pub(super) fn unpack(what: &'static str, stored: &[u8]) -> Result<Vec<u8>> {
    let damaged = || StoreError::Damaged { what };
    match stored {
        [FORMAT, PLAIN, raw @ ..] => Ok(raw.to_vec()),
        [FORMAT, ZSTD, a, b, c, d, packed @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if length > MAX_RAW {
                return Err(damaged());
            }
            let raw = decompress(packed, length).map_err(|_| damaged())?;
            if raw.len() == length { Ok(raw) } else { Err(damaged()) }
        }
        _ => Err(damaged()),
    }
}

fn compress(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(ready) => ready,
            None => slot.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        compressor.compress(raw)
    })
}

fn decompress(packed: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(ready) => ready,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(packed, length)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::{Content, RecordHeader};
    use crate::store::TableRow;

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(text in ".{0,2000}", n in any::<u64>()) {
            let value = (text, n);
            let stored = encode(&value).unwrap();
            prop_assert_eq!(stored[0], FORMAT);
            prop_assert_eq!(decode::<(String, u64)>("value", &stored).unwrap(), value);
        }

        #[test]
        fn arbitrary_bytes_are_damage_or_a_value_but_never_a_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
            packing in 0u8..3,
        ) {
            if let [format, kind, ..] = bytes.as_mut_slice() {
                (*format, *kind) = (FORMAT, packing);
            }
            if packing == ZSTD && bytes.len() > 5 {
                bytes[4] = 0;
                bytes[5] = 0;
            }
            let _ = decode::<Content>("content", &bytes);
            let _ = decode::<RecordHeader>("header", &bytes);
            let _ = decode::<Vec<TableRow>>("rows", &bytes);
        }

        #[test]
        fn a_cut_value_is_damage(cut in 0usize..40) {
            let stored = encode(&"abc ".repeat(400)).unwrap();
            let cut = stored.len().saturating_sub(1 + cut);
            prop_assert!(decode::<String>("text", &stored[..cut]).is_err());
        }
    }

    #[test]
    fn a_length_that_lies_is_damage() {
        let mut stored = encode(&"abc ".repeat(400)).unwrap();
        stored[2..6].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(decode::<String>("text", &stored), Err(StoreError::Damaged { .. })));
    }
}
