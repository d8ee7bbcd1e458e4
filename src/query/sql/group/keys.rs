//! Group keys as small numbers.
//!
//! Each column numbers its values; a pair of numbers is numbered again, column by column, so that
//! a group of any number of keys ends as one number.

use std::borrow::Borrow;
use std::hash::Hash;

use polars::prelude::{
    Column, DataType, Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, PlSmallStr,
    PolarsResult, StringChunked,
};
use rustc_hash::FxHashMap;

use super::{Kind, NO_GROUP, places};

/// The keys of all groups.
#[derive(Debug)]
pub(super) struct Keys {
    columns: Vec<KeyColumn>,
    /// Numbers of pairs: of the first two columns, of that and the third, …
    pairs: Vec<Interner<(u32, u32)>>,
    /// Most groups, and most values of a key.
    room: usize,
}

#[derive(Debug)]
struct KeyColumn {
    of: DataType,
    values: KeyValues,
}

#[derive(Debug)]
enum KeyValues {
    Text(Interner<String>),
    /// Whole numbers, times, dates and truth values.
    Whole(Interner<i64>),
    /// Bits of numbers, of which zero and minus zero are one, and all NaN.
    Float(Interner<u64>),
}

/// Numbers values in the order they are first seen; a missing value has a number too.
#[derive(Debug)]
struct Interner<K> {
    codes: FxHashMap<K, u32>,
    missing: Option<u32>,
    values: Vec<Option<K>>,
}

impl<K> Default for Interner<K> {
    fn default() -> Self {
        Self { codes: FxHashMap::default(), missing: None, values: Vec::new() }
    }
}

impl<K: Hash + Eq> Interner<K> {
    /// The number of a value; [`NO_GROUP`] when there are `room` others already.
    fn code<Q>(&mut self, value: Option<&Q>, room: usize) -> u32
    where
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        K: Borrow<Q>,
    {
        let known = match value {
            Some(value) => self.codes.get(value).copied(),
            None => self.missing,
        };
        if let Some(code) = known {
            return code;
        }
        if self.values.len() >= room {
            return NO_GROUP;
        }
        let code = self.values.len() as u32;
        match value {
            Some(value) => drop(self.codes.insert(value.to_owned(), code)),
            None => self.missing = Some(code),
        }
        self.values.push(value.map(Q::to_owned));
        code
    }

    /// The numbers of a column of values; neighbours are often equal.
    fn codes<Q>(&mut self, values: impl Iterator<Item = Option<Q>>, room: usize) -> Vec<u32>
    where
        Q: Hash + Eq + Copy + ToOwned<Owned = K>,
        K: Borrow<Q>,
    {
        let mut last: Option<(Option<Q>, u32)> = None;
        values
            .map(|value| match last {
                Some((known, code)) if known == value => code,
                _ => {
                    let code = self.code(value.as_ref(), room);
                    last = Some((value, code));
                    code
                }
            })
            .collect()
    }
}

impl Keys {
    /// Keys of these types for at most `room` groups; `None` when one cannot be a key here.
    pub(super) fn new(types: &[DataType], room: usize) -> Option<Self> {
        let column = |of: &DataType| {
            let values = match of {
                DataType::String => KeyValues::Text(Interner::default()),
                DataType::Float64 => KeyValues::Float(Interner::default()),
                DataType::Boolean | DataType::Date | DataType::Datetime(..) => {
                    KeyValues::Whole(Interner::default())
                }
                whole if Kind::of(whole) == Kind::Whole => KeyValues::Whole(Interner::default()),
                _ => return None,
            };
            Some(KeyColumn { of: of.clone(), values })
        };
        let columns: Vec<KeyColumn> = types.iter().map(column).collect::<Option<_>>()?;
        let pairs = columns.iter().skip(1).map(|_| Interner::default()).collect();
        Some(Self { columns, pairs, room })
    }

    /// Count of the key columns.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Count of the groups seen.
    pub(super) fn group_count(&self) -> usize {
        match (self.pairs.last(), self.columns.first()) {
            (Some(pairs), _) => pairs.values.len(),
            (None, Some(column)) => column.values.len(),
            (None, None) => 0,
        }
    }

    /// The group of each row; [`NO_GROUP`] when there is no room for it.
    pub(super) fn groups(&mut self, keys: &[Column]) -> PolarsResult<Vec<u32>> {
        let mut groups: Vec<u32> = Vec::new();
        for (place, (column, key)) in self.columns.iter_mut().zip(keys).enumerate() {
            let codes = column.values.codes(key, self.room)?;
            match place.checked_sub(1).and_then(|pair| self.pairs.get_mut(pair)) {
                None => groups = codes,
                Some(pairs) => {
                    for (group, code) in groups.iter_mut().zip(codes) {
                        let has_no_room = *group == NO_GROUP || code == NO_GROUP;
                        *group = if has_no_room {
                            NO_GROUP
                        } else {
                            pairs.code(Some(&(*group, code)), self.room)
                        };
                    }
                }
            }
        }
        Ok(groups)
    }

    /// The columns `key1`, `key2`, … with the keys of each group.
    pub(super) fn into_columns(self) -> PolarsResult<Vec<Column>> {
        let Self { columns, pairs, .. } = self;
        let mut codes: Vec<u32> =
            (0..).take(columns.last().map_or(0, |c| c.values.len())).collect();
        if let Some(last) = pairs.last() {
            codes = (0..).take(last.values.len()).collect();
        }
        // From the last key back: each pair holds the group of the keys before, and its own code.
        let mut of_columns = Vec::with_capacity(columns.len());
        for pairs in pairs.iter().rev() {
            let (before, own): (Vec<u32>, Vec<u32>) = codes
                .iter()
                .filter_map(|code| pairs.values.get(*code as usize).copied().flatten())
                .unzip();
            of_columns.push(own);
            codes = before;
        }
        of_columns.push(codes);
        let named = (1..).zip(columns).zip(of_columns.into_iter().rev());
        named
            .map(|((n, column), codes)| {
                let values = column.values.into_column(PlSmallStr::from_string(format!("key{n}")));
                values.take(&places(codes.into_iter()))?.cast(&column.of)
            })
            .collect()
    }
}

impl KeyValues {
    fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.values.len(),
            Self::Whole(numbers) => numbers.values.len(),
            Self::Float(bits) => bits.values.len(),
        }
    }

    fn codes(&mut self, key: &Column, room: usize) -> PolarsResult<Vec<u32>> {
        Ok(match self {
            Self::Text(texts) => text_codes(texts, key.str()?, room),
            Self::Whole(numbers) => {
                let whole = key.to_physical_repr().cast(&DataType::Int64)?;
                numbers.codes(whole.i64()?.iter(), room)
            }
            Self::Float(bits) => {
                let as_bits =
                    |value: f64| if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
                bits.codes(key.f64()?.iter().map(|value| value.map(as_bits)), room)
            }
        })
    }

    fn into_column(self, name: PlSmallStr) -> Column {
        match self {
            Self::Text(texts) => {
                StringChunked::from_iter_options(name, texts.values.into_iter()).into_column()
            }
            Self::Whole(numbers) => {
                Int64Chunked::from_iter_options(name, numbers.values.into_iter()).into_column()
            }
            Self::Float(bits) => {
                let numbers = bits.values.into_iter().map(|bits| bits.map(f64::from_bits));
                Float64Chunked::from_iter_options(name, numbers).into_column()
            }
        }
    }
}

/// Equal texts of one array mostly are one place in its buffers, which is quicker to compare.
fn text_codes(texts: &mut Interner<String>, column: &StringChunked, room: usize) -> Vec<u32> {
    let mut codes = Vec::with_capacity(column.len());
    let mut known: FxHashMap<(u32, u32, u32, u32), u32> = FxHashMap::default();
    for array in column.downcast_iter() {
        known.clear();
        for (view, text) in array.views().iter().zip(array.iter()) {
            let place = (view.length, view.prefix, view.buffer_idx, view.offset);
            codes.push(match text {
                None => texts.code::<str>(None, room),
                Some(text) => *known.entry(place).or_insert_with(|| texts.code(Some(text), room)),
            });
        }
    }
    codes
}
