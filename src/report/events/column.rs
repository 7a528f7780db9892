//! A column: values of one field of many events, until they are written as a part of a row group.

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// What its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// A moment, in microseconds since the Unix epoch, UTC: finer ones are not read by all.
    Time,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
}

/// Values of one field; a missing one is null.
#[derive(Debug)]
pub(super) struct Column {
    /// 1 where there is a value, 0 where there is none.
    there: Vec<i16>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// All texts one after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Flag(Vec<bool>),
}

impl Form {
    /// As people read it, and `DuckDB` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMPTZ",
            Self::Whole => "BIGINT",
            Self::Number => "DOUBLE",
            Self::Flag => "BOOLEAN",
        }
    }

    /// A field of the file.
    pub(super) fn field(self, name: &str) -> Result<Arc<Type>> {
        let (physical, logical) = match self {
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Self::Whole => (Physical::INT64, None),
            Self::Number => (Physical::DOUBLE, None),
            Self::Flag => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        Ok(Arc::new(field.with_repetition(Repetition::OPTIONAL).build()?))
    }
}

impl Column {
    pub(super) fn new(form: Form) -> Self {
        let values = match form {
            Form::Text => Values::Text(Vec::new(), Vec::new()),
            Form::Time | Form::Whole => Values::Whole(Vec::new()),
            Form::Number => Values::Number(Vec::new()),
            Form::Flag => Values::Flag(Vec::new()),
        };
        Self { there: Vec::new(), values }
    }

    /// Adds a value, or that there is none.
    pub(super) fn put(&mut self, value: Cell<'_>) {
        let is_there = match (&mut self.values, value) {
            (Values::Text(bytes, ends), Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                true
            }
            (Values::Whole(values), Cell::Whole(value)) => {
                values.push(value);
                true
            }
            (Values::Number(values), Cell::Number(value)) => {
                values.push(value);
                true
            }
            (Values::Flag(values), Cell::Flag(value)) => {
                values.push(value);
                true
            }
            (_, cell) => {
                debug_assert!(matches!(cell, Cell::Null), "{cell:?}");
                false
            }
        };
        self.there.push(i16::from(is_there));
    }

    /// Writes what there is, and is empty again.
    pub(super) fn write(&mut self, mut to: SerializedColumnWriter<'_>) -> Result<()> {
        let there = Some(&self.there[..]);
        match &mut self.values {
            Values::Text(bytes, ends) => {
                let all = ByteArray::from(std::mem::take(bytes));
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let texts: Vec<_> =
                    starts.zip(ends.iter()).map(|(start, end)| all.slice(start, end - start)).collect();
                to.typed::<ByteArrayType>().write_batch(&texts, there, None)?;
                ends.clear();
            }
            Values::Whole(values) => {
                to.typed::<Int64Type>().write_batch(values, there, None)?;
                values.clear();
            }
            Values::Number(values) => {
                to.typed::<DoubleType>().write_batch(values, there, None)?;
                values.clear();
            }
            Values::Flag(values) => {
                to.typed::<BoolType>().write_batch(values, there, None)?;
                values.clear();
            }
        }
        self.there.clear();
        to.close()
    }
}

/// A value of one event.
#[derive(Clone, Debug)]
pub(super) enum Cell<'e> {
    Null,
    Text(std::borrow::Cow<'e, str>),
    Whole(i64),
    Number(f64),
    Flag(bool),
}
