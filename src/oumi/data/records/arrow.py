"""Rows of Parquet, Arrow and Feather files, of saved data sets, and of tables in memory."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oumi.core.digest import new_digest
from oumi.data.records.compression import Content
from oumi.data.records.record import Record, Records
from oumi.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 2048
"""Rows that are decoded at once: enough that Arrow is quick, few enough for long documents."""

_LARGE_GROUP = 1 << 26
"""Bytes of a Parquet row group, unpacked, above which its columns are read bit by bit."""

_BUFFER = 1 << 20
"""Bytes of such a column that are read at once."""

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def require_pyarrow(what: str) -> Any:
    """The module. Raises MissingDependencyError, which says what it is needed for."""
    try:
        import pyarrow
    except ImportError:
        raise MissingDependencyError(
            f"{what}: needs pyarrow, which is not installed: pip install 'oumi-infer[tables]'"
        ) from None
    return pyarrow


class ArrowRow(Mapping[str, Any]):
    """A row of a batch, whose values are made as they are looked at."""

    __slots__ = ("_columns", "batch", "index")

    def __init__(self, batch: pa.RecordBatch, columns: Mapping[str, pa.Array], index: int):
        self.batch = batch
        self.index = index
        self._columns = columns

    def __getitem__(self, name: str) -> Any:
        value = self._columns[name][self.index]
        try:
            return value.as_py()
        except UnicodeDecodeError as error:
            raise InputError(f"{name}: not UTF-8 ({error.reason})") from None
        except (ValueError, ImportError):  # such as times in nanoseconds, which pandas has alone
            return str(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class ArrowRecords(Records):
    """Rows that come as record batches."""

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """The types of the columns."""

    @abstractmethod
    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousands at once."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        return list(self.schema.names)

    def __iter__(self) -> Iterator[Record]:
        names = self.columns
        for batch in self.batches():
            columns = dict(zip(names, batch.columns, strict=True))
            for index in range(batch.num_rows):
                yield Record(None, ArrowRow(batch, columns, index))


class _ArrowFile(ArrowRecords):
    """A file. `kind` is what errors call its format."""

    kind = ""

    def __init__(self, content: Content):
        self.name = content.name
        self._content = content
        self._pa = require_pyarrow(self.name)
        self._schema: pa.Schema = self._read(self._read_schema)
        if len(set(self._schema.names)) < len(self._schema.names):
            raise InputError(f"{self.name}: two columns have the same name")

    @property
    def schema(self) -> pa.Schema:
        """The types of the columns."""
        return self._schema

    def digest(self) -> str:
        """The hash of the content."""
        return self._content.digest()

    def _read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (self._pa.ArrowException, OSError) as error:
            raise InputError(f"{self.name}: cannot be read as {self.kind}: {error}") from error

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousands at once."""
        batches = self._batches()
        while (batch := self._read(lambda: next(batches, None))) is not None:
            yield from _split(batch)

    def _read_schema(self) -> pa.Schema:
        return self._open().schema

    @abstractmethod
    def _open(self) -> Any: ...

    @abstractmethod
    def _batches(self) -> Iterator[pa.RecordBatch]: ...


class ParquetRecords(_ArrowFile):
    """A Parquet file (https://parquet.apache.org/docs/file-format/)."""

    kind = "Parquet"

    @property
    def estimated_rows(self) -> int:
        """How many rows there are, by the footer."""
        rows: int = self._read(lambda: self._metadata.num_rows)
        return rows

    @cached_property
    def _metadata(self) -> Any:
        import pyarrow.parquet as pq

        return pq.read_metadata(self._file())

    @cached_property
    def _buffer_size(self) -> int:
        """0 reads each column of a group at once. That is also safer: for a page that, being
        damaged, claims to have 2 GB, a buffer of that size would be made.
        """
        groups = map(self._metadata.row_group, range(self._metadata.num_row_groups))
        largest = max((group.total_byte_size for group in groups), default=0)
        return _BUFFER if largest > _LARGE_GROUP else 0

    def _file(self) -> Any:
        return self._pa.PythonFile(self._content.random_access(), mode="r")

    def _open(self) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetFile(
            self._file(),
            metadata=self._metadata,
            buffer_size=self._buffer_size,
            pre_buffer=False,
            page_checksum_verification=True,
        )

    def _read_schema(self) -> pa.Schema:
        return self._open().schema_arrow

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._open().iter_batches(batch_size=_BATCH_ROWS, use_threads=False)


class IpcFileRecords(_ArrowFile):
    """An Arrow file with a footer, which Feather version 2 is too
    (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format).
    """

    kind = "Arrow"

    def _open(self) -> Any:
        return self._pa.ipc.open_file(self._pa.PythonFile(self._content.random_access(), mode="r"))

    def _batches(self) -> Iterator[pa.RecordBatch]:
        file = self._open()
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


class IpcStreamRecords(_ArrowFile):
    """An Arrow stream, as `datasets` saves it."""

    kind = "Arrow"

    def _open(self) -> Any:
        return self._pa.ipc.open_stream(self._pa.PythonFile(self._content.open(), mode="r"))

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._open()


class ArrowTable(ArrowRecords):
    """A table in memory: whatever has `__arrow_c_stream__`, as it is now."""

    def __init__(self, table: Any):
        self.name = f"the table ({type(table).__name__})"
        whole = require_pyarrow(self.name).table(table)
        kept = [name for name in whole.column_names if not _PANDAS_INDEX.fullmatch(name)]
        self.table: pa.Table = whole.select(kept)

    @property
    def schema(self) -> pa.Schema:
        """The types of the columns."""
        return self.table.schema

    @property
    def estimated_rows(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousands at once."""
        yield from self.table.to_batches(max_chunksize=_BATCH_ROWS)

    def digest(self) -> str:
        """The hash of the content."""
        pyarrow, sink = require_pyarrow(self.name), _DigestSink()
        with pyarrow.ipc.new_stream(pyarrow.PythonFile(sink, mode="w"), self.schema) as stream:
            stream.write_table(self.table)
        return sink.digest.hexdigest()


class _DigestSink:
    """Takes what is written into a hash."""

    closed = False

    def __init__(self) -> None:
        self.digest = new_digest()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _split(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, _BATCH_ROWS):
        yield batch.slice(start, _BATCH_ROWS)
