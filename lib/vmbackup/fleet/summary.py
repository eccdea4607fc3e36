"""The table of a fleet as files: Parquet for programs, CSV for spreadsheets.

pandas is imported only when a table is written, so that single runs need not load it.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

from vmbackup import sanitize
from vmbackup.runs.fleet import FleetRow, late_h

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = tuple("=+-@\t\r")
"""A spreadsheet takes a cell that begins with one of these for a formula."""
_AT_ONCE = 500
"""Lines written at a time: a copy of ten thousand would take as much memory as everything else."""
_TYPES = {float: "Float64", bool: "boolean"}


def frame(rows: Sequence[FleetRow]) -> pd.DataFrame:
    """One line per VM. Lists and mappings (verdicts, risks) are JSON."""
    import pandas as pd

    columns = get_type_hints(FleetRow)
    table = pd.DataFrame([_flat(row) for row in rows], columns=["name", "vm_id", "late_h", *list(columns)[2:]])
    kinds = {column: _kind(columns.get(column, float | None)) for column in table.columns}
    made: pd.DataFrame = table.astype(kinds)
    return made


def parquet(table: pd.DataFrame) -> bytes:
    """The table for programs."""
    made = io.BytesIO()
    table.to_parquet(made, index=False)
    return made.getvalue()


def csv(table: pd.DataFrame) -> bytes:
    """The table for spreadsheets: a cell that would act as a formula is quoted."""
    starts = range(0, max(len(table), 1), _AT_ONCE)
    return b"".join([codecs.BOM_UTF8, *(_csv(table.iloc[start : start + _AT_ONCE], start == 0) for start in starts)])


def _csv(part: pd.DataFrame, header: bool) -> bytes:
    harmless = part.apply(lambda column: column.map(_harmless) if column.dtype == "string" else column)
    lines: str = harmless.to_csv(index=False, header=header, lineterminator="\r\n")
    return lines.encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _kind(hint: Any) -> str:
    """The type of a column that may be empty."""
    hints = (hint, *getattr(hint, "__args__", ()))
    return next((name for kind, name in _TYPES.items() if kind in hints), "string")


def _flat(row: FleetRow) -> Mapping[str, Any]:
    values: Mapping[str, Any] = {**row, "late_h": late_h(row)}
    return {key: _cell(value) for key, value in values.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(sanitize.data(value), ensure_ascii=False)
    return sanitize.text(value) if isinstance(value, str) else value
