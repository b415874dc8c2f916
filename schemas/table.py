"""Declares a table: its name, version, columns, and the rules that every row must satisfy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

Check = Callable[[pa.RecordBatch], pa.Array]
Upgrade = Callable[[pa.Table], pa.Table]


class SchemaError(ValueError):
    """Rows do not fit their table."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table. ``version`` grows with every change that a reader would notice. ``upgrades`` maps a version to the
    function that converts its rows to the next version."""

    name: str
    version: int
    columns: pa.Schema
    checks: Mapping[str, Check] = field(default_factory=dict)
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        """The columns, with the table's name and version in the schema's metadata."""
        return self.columns.with_metadata({"gristmill.table": self.name, "gristmill.version": str(self.version)})

    def batch(self, columns: Mapping[str, object], rows: int | None = None) -> pa.RecordBatch:
        """A record batch of this table; a missing nullable column becomes null.

        Raises SchemaError for an unknown column, or for a missing column that is not nullable.
        """
        unknown = sorted(set(columns) - set(self.columns.names))
        if unknown:
            raise SchemaError(f"{self.name} has no column {', '.join(unknown)}")
        if rows is None:
            rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
        arrays = []
        for column in self.columns:
            values = columns.get(column.name)
            if values is None:
                if not column.nullable and rows:
                    raise SchemaError(f"{self.name}.{column.name} is required")
                values = pa.nulls(rows, column.type)
            elif not isinstance(values, pa.Array):
                values = pa.array(values, column.type)
            elif values.type != column.type:
                values = values.cast(column.type)
            arrays.append(values)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def check(self, batch: pa.RecordBatch) -> None:
        """Raises SchemaError, which names the first broken rule, if a row breaks a rule."""
        if not batch.schema.equals(self.columns, check_metadata=False):
            raise SchemaError(f"rows of {self.name} version {self.version} expected, found {batch.schema}")
        for column in self.columns:
            if not column.nullable and batch[column.name].null_count:
                raise SchemaError(f"{self.name}.{column.name} is null in {batch[column.name].null_count} rows")
        for rule, holds in self.checks.items():
            broken = len(batch) - (pc.sum(holds(batch)).as_py() or 0)
            if broken:
                raise SchemaError(f"{self.name}: '{rule}' does not hold in {broken} rows")

    def version_of(self, rows: pa.Table | pa.Schema) -> int:
        """The version of these rows, from their metadata.

        Raises SchemaError for rows of another table, of a newer version, or without a version.
        """
        schema = rows.schema if isinstance(rows, pa.Table) else rows
        metadata = schema.metadata or {}
        name, version = metadata.get(b"gristmill.table", b"").decode(), metadata.get(b"gristmill.version", b"").decode()
        if name != self.name or not version.isdecimal():
            raise SchemaError(
                f"rows of {self.name} expected, found {f'rows of {name}' if name else 'rows without a table name'}"
            )
        if int(version) > self.version:
            raise SchemaError(
                f"{self.name} version {version} is newer than this Gristmill, which reads up to {self.version}: "
                "upgrade Gristmill"
            )
        return int(version)

    def upgrade(self, rows: pa.Table) -> pa.Table:
        """Converts rows of any older version to this version, and checks them. Rows of this version are only checked.

        Raises SchemaError for rows of another table or a newer version, and for rows that break a rule.
        """
        for version in range(self.version_of(rows), self.version):
            rows = self.upgrades[version](rows)
        missing = [name for name in self.columns.names if name not in rows.column_names]
        if missing:
            raise SchemaError(f"{self.name} version {self.version} has a column {missing[0]}, which these rows lack")
        rows = rows.select(self.columns.names).cast(self.schema)
        for batch in rows.to_batches():
            self.check(batch)
        return rows
