//! Records: the columns of a row.

/// A row's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Row id.
    pub id: i64,
    values: Vec<Value<'a>>,
}

/// The value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// NULL, and the column that stands for the row id.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number, which no table that is read here has.
    Real,
    /// A text.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Columns that are looked at.
const MAX_COLUMNS: usize = 64;

impl<'a> Record<'a> {
    pub(super) fn parse(id: i64, payload: &'a [u8]) -> Result<Self, &'static str> {
        const CUT: &str = "a record is cut off";
        let (header, mut types) = varint(payload).ok_or(CUT)?;
        let header = usize::try_from(header).map_err(|_| CUT)?;
        let (_, mut body) = payload.split_at_checked(header).ok_or(CUT)?;
        let end = body.len();
        let mut values = vec![];
        while types.len() > end && values.len() < MAX_COLUMNS {
            let (kind, rest) = varint(types).ok_or(CUT)?;
            types = rest;
            let length = match kind {
                0 | 8 | 9 => 0,
                1..=4 => usize::try_from(kind).map_err(|_| CUT)?,
                5 => 6,
                6 | 7 => 8,
                10 | 11 => return Err("a record has a type that there is not"),
                _ => usize::try_from((kind - 12) / 2).map_err(|_| CUT)?,
            };
            let (bytes, rest) = body.split_at_checked(length).ok_or(CUT)?;
            body = rest;
            values.push(match kind {
                0 => Value::Null,
                1..=6 => Value::Integer(integer(bytes)),
                7 => Value::Real,
                8 => Value::Integer(0),
                9 => Value::Integer(1),
                _ if kind % 2 == 0 => Value::Blob(bytes),
                _ => Value::Text(bytes),
            });
        }
        Ok(Self { id, values })
    }

    /// The value of a column, from 0; NULL if the row has fewer.
    pub fn value(&self, column: usize) -> Value<'a> {
        self.values.get(column).copied().unwrap_or(Value::Null)
    }

    /// The column as a text.
    pub fn text(&self, column: usize) -> Option<&'a [u8]> {
        match self.value(column) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The column as bytes.
    pub fn blob(&self, column: usize) -> Option<&'a [u8]> {
        match self.value(column) {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The column as an integer.
    pub fn integer(&self, column: usize) -> Option<i64> {
        match self.value(column) {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }
}

fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number: i64, byte| {
        (number << 8) | i64::from(*byte)
    })
}

/// A variable-length integer and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Some(((number << 8) | u64::from(*byte), bytes.get(9..)?));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(varint(&[0x7f, 1]), Some((0x7f, &[1][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((0x80, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
        assert_eq!(integer(&[0xff, 0xfe]), -2);
        assert_eq!(integer(&[0x7f, 0xff, 0xff]), 0x007f_ffff);
    }

    #[test]
    fn columns() {
        // NULL, 1 (as a constant), -2, "ab", x'00', after a header of six bytes.
        let record = Record::parse(7, &[6, 0, 9, 1, 17, 14, 0xfe, b'a', b'b', 0]).unwrap();
        assert_eq!(record.value(0), Value::Null);
        assert_eq!((record.integer(1), record.integer(2)), (Some(1), Some(-2)));
        assert_eq!((record.text(3), record.blob(4)), (Some(&b"ab"[..]), Some(&[0][..])));
        assert_eq!(record.value(5), Value::Null);
        for cut in [&[][..], &[9, 1], &[2, 17, b'a'], &[3, 0x81], &[2, 10]] {
            assert!(Record::parse(1, cut).is_err(), "{cut:?}");
        }
    }
}
