//! The rows of a Parquet file: only the columns that a listing is made of are read. Its keys are
//! plain text, and its dates are integers.

use std::fs::File;
use std::time::SystemTime;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::columns::Columns;
use super::rows::{Page, Row};
use crate::time;

/// The rows of a file, being read: one row group after the other.
pub(super) struct ParquetRows {
    file: SerializedFileReader<File>,
    columns: Columns,
    ticks: Ticks,
    next_group: usize,
    group: Option<Group>,
}

/// The columns of the row group that is being read.
struct Group {
    key: Column<ByteArrayType>,
    size: Column<Int64Type>,
    modified: Column<Int64Type>,
    etag: Column<ByteArrayType>,
    storage_class: Column<ByteArrayType>,
    is_latest: Option<Column<BoolType>>,
    is_delete_marker: Option<Column<BoolType>>,
    rows_left: usize,
}

impl ParquetRows {
    pub(super) fn open(content: File) -> Result<Self, String> {
        let file = SerializedFileReader::new(content).map_err(|error| plain(&error))?;
        let schema = file.metadata().file_metadata().schema_descr();
        let columns = schema.columns();
        let names: Vec<String> = columns.iter().map(|column| column.path().string()).collect();
        let found =
            Columns::among(names.iter().map(String::as_str)).map_err(|missing| format!("it has no {missing}"))?;
        let check = |place: usize, expected: Type| check_type(&columns[place], expected);
        check(found.key, Type::BYTE_ARRAY)?;
        check(found.size, Type::INT64)?;
        check(found.modified, Type::INT64)?;
        check(found.etag, Type::BYTE_ARRAY)?;
        check(found.storage_class, Type::BYTE_ARRAY)?;
        for place in [found.is_latest, found.is_delete_marker].into_iter().flatten() {
            check(place, Type::BOOLEAN)?;
        }
        let ticks = Ticks::of(&columns[found.modified])?;
        Ok(Self { columns: found, ticks, next_group: 0, group: None, file })
    }

    pub(super) fn next_page(&mut self, most: usize) -> Result<Option<Page>, String> {
        loop {
            if let Some(group) = &mut self.group
                && group.rows_left > 0
            {
                return group.read(most, self.ticks).map(Some);
            }
            if self.next_group >= self.file.num_row_groups() {
                return Ok(None);
            }
            let group = self.file.get_row_group(self.next_group).map_err(|error| plain(&error))?;
            self.group = Some(Group::open(group.as_ref(), self.columns)?);
            self.next_group += 1;
        }
    }
}

impl Group {
    fn open(group: &dyn RowGroupReader, columns: Columns) -> Result<Self, String> {
        let rows_left = usize::try_from(group.metadata().num_rows()).map_err(|_| "its number of rows is none")?;
        Ok(Self {
            key: Column::open(group, columns.key)?,
            size: Column::open(group, columns.size)?,
            modified: Column::open(group, columns.modified)?,
            etag: Column::open(group, columns.etag)?,
            storage_class: Column::open(group, columns.storage_class)?,
            is_latest: columns.is_latest.map(|place| Column::open(group, place)).transpose()?,
            is_delete_marker: columns.is_delete_marker.map(|place| Column::open(group, place)).transpose()?,
            rows_left,
        })
    }

    fn read(&mut self, most: usize, ticks: Ticks) -> Result<Page, String> {
        let most = most.min(self.rows_left);
        let flags = |column: &mut Option<Column<BoolType>>| column.as_mut().map(|column| column.read(most)).transpose();
        let (latest, markers) = (flags(&mut self.is_latest)?, flags(&mut self.is_delete_marker)?);
        let (mut keys, sizes, dates) = (self.key.read(most)?, self.size.read(most)?, self.modified.read(most)?);
        let (mut etags, mut classes) = (self.etag.read(most)?, self.storage_class.read(most)?);
        self.rows_left -= most;
        let mut page = Page::default();
        for place in 0..most {
            let is_latest = latest.as_ref().map_or(Some(true), |latest| latest[place]);
            let is_marker = markers.as_ref().is_some_and(|markers| markers[place] == Some(true));
            if !is_latest.ok_or("a row doesn't say whether it is current")? || is_marker {
                page.older += 1;
                continue;
            }
            let row = Row {
                key: text(keys[place].take())?,
                size: sizes[place].and_then(|size| size.try_into().ok()),
                modified: dates[place].map(|date| ticks.moment(date)),
                etag: text(etags[place].take())?,
                storage_class: text(classes[place].take())?,
            };
            page.objects.push(row.object()?);
        }
        Ok(page)
    }
}

/// A column of a row group, being read.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
}

impl<T: DataType> Column<T> {
    /// Its type was checked before.
    fn open(group: &dyn RowGroupReader, place: usize) -> Result<Self, String> {
        Ok(Self { reader: get_typed_column_reader(group.get_column_reader(place).map_err(|error| plain(&error))?) })
    }

    /// The next values, exactly so many; `None` for those that are null.
    fn read(&mut self, count: usize) -> Result<Vec<Option<T::T>>, String> {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let mut read = 0;
        while read < count {
            let (records, ..) = self
                .reader
                .read_records(count - read, Some(&mut levels), None, &mut values)
                .map_err(|error| plain(&error))?;
            if records == 0 {
                return Err("a column ends before its row group does".to_owned());
            }
            read += records;
        }
        if levels.is_empty() {
            return Ok(values.into_iter().map(Some).collect());
        }
        // Without nesting, a level is 1 where there is a value.
        let mut values = values.into_iter();
        Ok(levels.into_iter().map(|level| if level == 0 { None } else { values.next() }).collect())
    }
}

fn check_type(column: &ColumnDescriptor, expected: Type) -> Result<(), String> {
    let is_nested = column.max_rep_level() > 0 || column.max_def_level() > 1;
    if is_nested || column.physical_type() != expected {
        return Err(format!("its column {} is not what S3 writes there", column.name()));
    }
    Ok(())
}

/// What a date counts.
#[derive(Clone, Copy)]
enum Ticks {
    Milliseconds,
    Microseconds,
}

impl Ticks {
    fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Timestamp(date)), _) if date.unit == TimeUnit::MILLIS => Ok(Self::Milliseconds),
            (Some(LogicalType::Timestamp(date)), _) if date.unit == TimeUnit::MICROS => Ok(Self::Microseconds),
            (None, ConvertedType::TIMESTAMP_MILLIS) => Ok(Self::Milliseconds),
            (None, ConvertedType::TIMESTAMP_MICROS) => Ok(Self::Microseconds),
            _ => Err(format!("its column {} has no dates in milliseconds", column.name())),
        }
    }

    fn moment(self, date: i64) -> SystemTime {
        let a_second = match self {
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1_000_000,
        };
        let part = u32::try_from(date.rem_euclid(a_second)).unwrap_or_default();
        time::at(date.div_euclid(a_second), part * (1_000_000_000 / u32::try_from(a_second).unwrap_or(1)))
    }
}

/// Nothing, where it is null.
fn text(bytes: Option<ByteArray>) -> Result<String, String> {
    let Some(bytes) = bytes else { return Ok(String::new()) };
    String::from_utf8(bytes.data().to_vec()).map_err(|_| "a key or an ETag is no text".to_owned())
}

fn plain(error: &ParquetError) -> String {
    crate::Key::from(error.to_string()).to_string()
}
