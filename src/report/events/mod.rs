//! Events: everything that happened as the rows of a Parquet file, for those who go on in `DuckDB`, Spark or
//! `ClickHouse`. What happened, each once, is the [`crate::story::Register`]'s; which rows are wanted, and where the
//! file is, is left to others.

mod column;
mod schema;

pub use column::Form;
pub use schema::{Field, SCHEMA};

use crate::story::Registered;
use column::Column;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::io::Write;
use std::sync::Arc;

/// Rows of a row group, which is what is held in memory: some 300 bytes each. `DuckDB` reads as many groups
/// at once as it has cores, and likes them of this size.
const GROUP: usize = 122_880;
/// How hard it is compressed: for a file that is read more often than written.
const LEVEL: i32 = 3;

/// A file of events that is being written.
pub struct Events<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Column>,
    /// Rows of the group that is not written yet.
    rows: usize,
    written: u64,
}

impl<W: Write + Send> Events<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(to: W) -> Result<Self> {
        let fields = SCHEMA.iter().map(|field| field.form.field(field.name)).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("event").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_created_by(concat!("leasewatch ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties))?;
        let columns = SCHEMA.iter().map(|field| Column::new(field.form)).collect();
        Ok(Self { file, columns, rows: 0, written: 0 })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// Those of writing.
    pub fn put(&mut self, event: &Registered) -> Result<()> {
        for (field, column) in SCHEMA.iter().zip(&mut self.columns) {
            column.put((field.of)(event));
        }
        self.rows += 1;
        if self.rows >= GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the rest and what a reader finds the rows by; how many there are, and the file.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<(u64, W)> {
        if self.rows > 0 {
            self.write_group()?;
        }
        Ok((self.written, self.file.into_inner()?))
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            if let Some(to) = group.next_column()? {
                column.write(to)?;
            }
        }
        group.close()?;
        self.written += self.rows as u64;
        self.rows = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventKind, ServerEvent, Timestamp};
    use crate::story::Register;
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn however_many_there_are_a_group_is_no_larger() {
        let line = ServerEvent::LeaseRevoked { lease: "database/creds/app/h2JxFQmAMRYQ6zZLjyNuVfnq".into() };
        let event = Event { at: Timestamp::from_secs(1_000), kind: EventKind::Server(line) };
        let mut register = Register::default();
        let told = register.hear(0, &event);
        let file = tempfile::tempfile().unwrap();
        let mut events = Events::new(file).unwrap();
        for _ in 0..=2 * GROUP {
            events.put(&told[0]).unwrap();
        }
        let (rows, file) = events.finish().unwrap();
        assert_eq!(rows, 2 * GROUP as u64 + 1);
        let reader = SerializedFileReader::new(file).unwrap();
        let groups: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [122_880, 122_880, 1]);
    }
}
