//! The fields of a message before it is decoded: how many it would be in memory is known first.
//!
//! A message takes up to sixty times its bytes when it is decoded, as an empty text of two bytes
//! becomes a `String`. So their number is looked at before, without memory.

use super::Odd;

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// Calls `look` with the number and the bytes of each field.
pub(super) fn each<'a>(
    mut message: &'a [u8],
    mut look: impl FnMut(u64, &'a [u8]) -> Result<(), Odd>,
) -> Result<(), Odd> {
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let whole = message;
        let (before, bytes) = match key & 7 {
            VARINT => {
                varint(&mut message)?;
                (0, whole.len() - message.len())
            }
            EIGHT_BYTES => (0, 8),
            FOUR_BYTES => (0, 4),
            BYTES => {
                let bytes = usize::try_from(varint(&mut message)?).map_err(|_| Odd)?;
                (whole.len() - message.len(), bytes)
            }
            _ => return Err(Odd),
        };
        let (content, rest) = whole[before..].split_at_checked(bytes).ok_or(Odd)?;
        look(key >> 3, content)?;
        message = rest;
    }
    Ok(())
}

/// Refuses a message with more fields.
pub(super) fn at_most(most: usize, message: &[u8]) -> Result<(), Odd> {
    let mut left = most;
    each(message, |_, _| take(&mut left, 1))
}

/// Takes so many of what is left.
pub(super) fn take(left: &mut usize, count: usize) -> Result<(), Odd> {
    *left = left.checked_sub(count).ok_or(Odd)?;
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Odd> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Odd)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_kinds_are_counted() {
        let message =
            [0x08, 0x96, 1, 0x12, 2, 7, 8, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4];
        let mut seen = Vec::new();
        let each = each(&message, |number, bytes| {
            seen.push((number, bytes.len()));
            Ok(())
        });
        assert_eq!((each, seen), (Ok(()), vec![(1, 2), (2, 2), (3, 8), (4, 4)]));
        assert_eq!((at_most(4, &message), at_most(3, &message)), (Ok(()), Err(Odd)));
        let cut = [1, 2, 4, 6, 15, 20];
        assert!(cut.iter().all(|bytes| at_most(9, &message[..*bytes]) == Err(Odd)));
        assert_eq!(
            at_most(9, &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(Odd)
        );
    }
}
