//! The Delta table as the rest of the store sees it: versions, segments, domains, commits.
//!
//! The only module that knows the library's actions. It takes no lock and decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_kernel::arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::{ArrowEngineData, EngineDataArrowExt as _};
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::scan::state::ScanFile;
use delta_kernel::schema::{StructField, StructType};
use delta_kernel::snapshot::{Snapshot, SnapshotRef};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{CommitResult, Transaction, UpdateTableOperation};
use delta_kernel::{Engine, EngineData, KernelError, KernelResult};
use serde_json::{Value, json};
use url::Url;

use super::disk::create_private_directory;
use super::engine::LocalEngine;
use super::entry;
use super::error::StoreError;
use super::schema::{DATE, TS, delta_schema};
use super::segment::{Segment, date_text, day_of, time_of, time_text};

/// Who the table's log says wrote to it.
const WRITER: &str = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));
/// The application whose transaction number tells whether a commit happened.
const APPLICATION: &str = "plimsoll";
/// Where the positions of a source are kept, followed by its name.
const CURSORS: &str = "plimsoll.cursors.";

/// One change of the table, made whole or not at all.
#[derive(Debug)]
pub(super) struct Change {
    /// What the log calls it.
    pub(super) operation: UpdateTableOperation,
    /// Whether rows come or go; not when they only move to other files.
    pub(super) changes_rows: bool,
    /// Its number, larger than that of the change before.
    pub(super) number: i64,
    /// Texts to keep beside the rows; `None` removes one.
    pub(super) domains: BTreeMap<String, Option<String>>,
    /// Segments that come.
    pub(super) adds: Vec<Segment>,
    /// Paths of segments that go.
    pub(super) removes: BTreeSet<String>,
}

/// A table on the local disk.
pub(super) struct Table {
    store: PathBuf,
    url: Url,
    engine: LocalEngine,
}

impl Table {
    /// The table at an existing directory.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        let refuse = |reason| StoreError::Path { path: path.to_owned(), reason };
        let store = match fs::canonicalize(path) {
            Ok(store) => store,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Absent { path: path.to_owned() });
            }
            Err(error) => return Err(StoreError::disk("open", path)(error)),
        };
        match store.to_str() {
            None => return Err(refuse("its path is not UTF-8")),
            // Readers of the format decode paths once or twice; they do not agree how often.
            Some(text) if text.contains('%') => {
                return Err(refuse(
                    "its path contains `%`, which table readers take for an escape",
                ));
            }
            Some(_) => {}
        }
        let url = Url::from_directory_path(&store)
            .map_err(|()| refuse("its path cannot be written as a URL"))?;
        Ok(Self { store, url, engine: LocalEngine::default() })
    }

    /// The table at a directory that is made if it is not there.
    pub(super) fn at_or_new(path: &Path) -> Result<Self, StoreError> {
        create_private_directory(path)?;
        Self::at(path)
    }

    /// The directory, without links.
    pub(super) fn store(&self) -> &Path {
        &self.store
    }

    /// Writes version 0: columns, partition, and the feature that keeps cursors in commits.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        let failed = StoreError::log(&self.store);
        let create = || -> KernelResult<bool> {
            let properties = [
                ("delta.feature.domainMetadata", "supported"),
                // Only the time is worth a place in the log; texts there would outlive an erasure.
                ("delta.dataSkippingStatsColumns", TS),
                // Checkpoints name replaced segments as long as readers may need them.
                ("delta.deletedFileRetentionDuration", "interval 1 hours"),
            ];
            let transaction = create_table(self.url.as_str(), delta_schema()?, WRITER, false)
                .with_table_properties(properties)
                .with_data_layout(DataLayout::partitioned([DATE]))
                .build(&self.engine, Box::new(FileSystemCommitter::new()))?;
            Ok(matches!(transaction.commit(&self.engine)?, CommitResult::Committed(_)))
        };
        match create() {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed(KernelError::generic("another writer creates it"))),
            Err(error) => Err(self.engine.take_failure().unwrap_or_else(|| failed(error))),
        }
    }

    /// The newest version, after every entry it is read from was checked.
    pub(super) fn latest(&self) -> Result<SnapshotRef, StoreError> {
        entry::check_all(&self.store)?;
        let failed = StoreError::log(&self.store);
        let newest =
            Snapshot::builder_for(self.url.as_str()).build(&self.engine).map_err(&failed)?;
        if newest.schema() != delta_schema().map_err(&failed)? {
            return Err(failed(KernelError::generic("its columns are not those of plimsoll")));
        }
        Ok(newest)
    }

    /// The number of the last change.
    pub(super) fn number(&self, at: &SnapshotRef) -> Result<i64, StoreError> {
        let number = at.get_app_id_version(APPLICATION, &self.engine);
        Ok(number.map_err(StoreError::log(&self.store))?.unwrap_or(0))
    }

    /// The text kept under a name.
    pub(super) fn domain(
        &self,
        at: &SnapshotRef,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        at.get_domain_metadata(name, &self.engine).map_err(StoreError::log(&self.store))
    }

    /// Source name to the JSON of its positions.
    pub(super) fn cursors(&self, at: &SnapshotRef) -> Result<BTreeMap<String, String>, StoreError> {
        let all = at.get_all_domain_metadata(&self.engine).map_err(StoreError::log(&self.store))?;
        let cursors = all.iter().filter_map(|domain| {
            let source = domain.domain().strip_prefix(CURSORS)?;
            Some((source.to_owned(), domain.configuration().to_owned()))
        });
        Ok(cursors.collect())
    }

    /// The name under which the positions of a source are kept.
    pub(super) fn cursor_domain(source: &str) -> String {
        format!("{CURSORS}{source}")
    }

    /// Every live segment, by path.
    pub(super) fn segments(&self, at: &SnapshotRef) -> Result<Vec<Segment>, StoreError> {
        let failed = StoreError::log(&self.store);
        let scan = Arc::clone(at).scan_builder().build().map_err(&failed)?;
        let mut segments = Vec::new();
        for files in scan.scan_metadata(&self.engine).map_err(&failed)? {
            let files = files.map_err(&failed)?;
            let listed = files
                .visit_scan_files(Vec::new(), |listed: &mut Vec<ScanFile>, file| listed.push(file))
                .map_err(&failed)?;
            let (batch, _) = files.scan_files.into_parts();
            let times = time_bounds(batch).map_err(&failed)?;
            for file in listed {
                segments
                    .push(segment(&file, &times).map_err(KernelError::generic).map_err(&failed)?);
            }
        }
        segments.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(segments)
    }

    /// Makes a change on top of a version; `None` when another commit was first.
    pub(super) fn commit(
        &self,
        base: &SnapshotRef,
        change: &Change,
    ) -> Result<Option<SnapshotRef>, StoreError> {
        match self.try_commit(base, change) {
            Ok(CommitResult::Committed(committed)) => match committed.post_commit_snapshot() {
                Some(snapshot) => Ok(Some(Arc::clone(snapshot))),
                None => self.latest().map(Some),
            },
            Ok(CommitResult::Conflicted(_)) => Ok(None),
            Ok(CommitResult::Retryable(failed)) => Err(self.failure(failed.error)),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn failure(&self, error: KernelError) -> StoreError {
        self.engine.take_failure().unwrap_or_else(|| StoreError::log(&self.store)(error))
    }

    fn try_commit(&self, base: &SnapshotRef, change: &Change) -> KernelResult<CommitResult> {
        let mut transaction = Arc::clone(base)
            .update_table(change.operation.clone(), WRITER, change.changes_rows)
            .with_transaction_id(APPLICATION, change.number);
        for (name, text) in &change.domains {
            transaction = match text {
                Some(text) => transaction.with_domain_metadata(name, text),
                None => transaction.with_domain_metadata_removed(name),
            };
        }
        let mut transaction =
            transaction.build(&self.engine, Box::new(FileSystemCommitter::new()))?;
        if !change.removes.is_empty() {
            self.remove(&mut transaction, base, &change.removes)?;
        }
        if !change.adds.is_empty() {
            let added = self.describe(&transaction, &change.adds)?;
            transaction.add_files(added);
        }
        transaction.commit(&self.engine)
    }

    fn remove(
        &self,
        transaction: &mut Transaction,
        base: &SnapshotRef,
        paths: &BTreeSet<String>,
    ) -> KernelResult<()> {
        let scan = Arc::clone(base).scan_builder().build()?;
        for files in scan.scan_metadata(&self.engine)? {
            let (batch, mut selected) = files?.scan_files.into_parts();
            let batch = batch.try_into_record_batch()?;
            selected.resize(batch.num_rows(), true);
            let listed = text_column(&batch, "path")?;
            for (is_selected, path) in selected.iter_mut().zip(listed) {
                *is_selected &= path.is_some_and(|path| paths.contains(path));
            }
            let batch = Box::new(ArrowEngineData::new(batch));
            transaction.remove_files(FilteredEngineData::try_new(batch, selected)?);
        }
        Ok(())
    }

    /// Segments as the library wants to be told of them.
    fn describe(
        &self,
        transaction: &Transaction,
        segments: &[Segment],
    ) -> KernelResult<Box<dyn EngineData>> {
        let fields =
            transaction.add_files_schema().fields().filter(|field| field.name() != "stats");
        let stats = StructField::nullable("stats", transaction.stats_schema()?.as_ref().clone());
        let schema = StructType::try_new(fields.cloned().chain([stats]))?;
        let texts: StringArray =
            segments.iter().map(|segment| Some(action(segment).to_string())).collect();
        let texts = RecordBatch::try_from_iter([("json", Arc::new(texts) as ArrayRef)])?;
        let texts = Box::new(ArrowEngineData::new(texts));
        self.engine.json_handler().parse_json(texts, Arc::new(schema))
    }

    /// Writes a checkpoint of a version, so that readers need no older entries.
    pub(super) fn checkpoint(&self, at: &SnapshotRef) -> Result<SnapshotRef, StoreError> {
        match at.checkpoint(&self.engine, None) {
            Ok((_, snapshot)) => Ok(snapshot),
            Err(error) => Err(self.failure(error)),
        }
    }
}

fn action(segment: &Segment) -> Value {
    let mut stats = json!({ "numRecords": segment.row_count, "tightBounds": true });
    // The format keeps milliseconds, so the upper bound is rounded up.
    let min =
        segment.ts_min_us.map(|us| us.div_euclid(1_000).saturating_mul(1_000)).and_then(time_text);
    let max = segment
        .ts_max_us
        .map(|us| us.saturating_add(999).div_euclid(1_000).saturating_mul(1_000))
        .and_then(time_text);
    if let (Some(min), Some(max), Some(stats)) = (min, max, stats.as_object_mut()) {
        stats.insert("minValues".to_owned(), json!({ TS: min }));
        stats.insert("maxValues".to_owned(), json!({ TS: max }));
    }
    json!({
        "path": segment.path,
        "partitionValues": { DATE: date_text(segment.day) },
        "size": segment.bytes,
        "modificationTime": segment.written_ms,
        "stats": stats,
    })
}

/// Earliest and latest event time of each file of a batch that has them.
type TimeBounds = HashMap<String, (Option<i64>, Option<i64>)>;

fn time_bounds(batch: Box<dyn EngineData>) -> KernelResult<TimeBounds> {
    let batch = batch.try_into_record_batch()?;
    let paths = text_column(&batch, "path")?;
    let stats = text_column(&batch, "stats")?;
    let mut bounds = HashMap::new();
    for (path, stats) in paths.iter().zip(stats) {
        let (Some(path), Some(stats)) = (path, stats) else { continue };
        let Ok(stats) = serde_json::from_str::<Value>(stats) else { continue };
        let time = |side: &str| time_of(stats.get(side)?.get(TS)?.as_str()?);
        bounds.insert(path.to_owned(), (time("minValues"), time("maxValues")));
    }
    Ok(bounds)
}

fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> KernelResult<&'a StringArray> {
    let column = batch.column_by_name(name).ok_or_else(|| KernelError::missing_column(name))?;
    let texts = column.as_any().downcast_ref::<StringArray>();
    texts.ok_or_else(|| KernelError::unexpected_column_type(name))
}

fn segment(file: &ScanFile, times: &TimeBounds) -> Result<Segment, String> {
    let lacks = |what: &str| format!("segment `{}` has no {what} in the log", file.path);
    if file.dv_info.has_vector() {
        return Err(format!("segment `{}` has a deletion vector", file.path));
    }
    let date = file.partition_values.get(DATE).ok_or_else(|| lacks("date"))?;
    let (ts_min_us, ts_max_us) = times.get(&file.path).copied().unwrap_or_default();
    Ok(Segment {
        path: file.path.clone(),
        day: day_of(date).ok_or_else(|| lacks("readable date"))?,
        row_count: file.stats.as_ref().ok_or_else(|| lacks("row count"))?.num_records,
        bytes: u64::try_from(file.size).map_err(|_| lacks("size"))?,
        ts_min_us,
        ts_max_us,
        written_ms: file.modification_time,
    })
}
