"""Word documents in document order, and Excel workbooks as tables or as records."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ingest.errors import CorruptSource, ProtectedSource
from ingest.models import Extract
from ingest.readers import packages, records
from ingest.readers.builder import ExtractBuilder, flow
from ingest.readers.grid import add_table, cell_text
from ingest.readers.results import ReadResult, RowProblem

_MAX_CELLS = 2_000_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
