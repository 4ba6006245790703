"""CSV: one document per file, each row a paragraph of `column: value` lines."""

from __future__ import annotations

import csv
import io

from genaiops.documents.loading import Corpus, EmptyDocument, TextFormat, decoded
from genaiops.errors import DocumentError
from genaiops.records import Document

_DELIMITERS = ",;\t|"
_LONGEST_LINE = 1_000_000  # a line of nothing but delimiters would become a list eight times its size


class CsvLoader(TextFormat):
    """A table with a header row. Empty cells are left out; line feeds in a cell become spaces."""

    name = "csv"

    def load(self, content: bytes, document_id: str) -> Corpus:
        text = decoded(content, document_id)
        if len(text) > _LONGEST_LINE and max(map(len, text.split("\n"))) > _LONGEST_LINE:
            raise DocumentError(f"has a line of more than {_LONGEST_LINE:,} characters", where=document_id)
        rows = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
        try:
            header = next((row for row in rows if any(cell.strip() for cell in row)), [])
            columns = [cell.strip() or f"column {n}" for n, cell in enumerate(header, 1)]
            paragraphs = []
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(columns):
                    raise DocumentError(
                        f"row has {len(row)} cells, the header has {len(columns)}",
                        where=document_id,
                        line=rows.line_num,
                        remedy="quote cells that hold the delimiter, or remove the extra ones",
                    )
                cells = zip(columns, (" ".join(cell.split()) for cell in row), strict=True)
                paragraphs.append("\n".join(f"{column}: {cell}" for column, cell in cells if cell))
        except csv.Error as error:
            raise DocumentError(f"not valid CSV: {error}", where=document_id, line=rows.line_num) from None
        if not paragraphs:
            raise EmptyDocument("has a header but no rows", where=document_id)
        return Corpus((Document(document_id, "\n\n".join(paragraphs) + "\n", {"columns": columns}),))


def _delimiter(text: str) -> str:
    """The one of `,` `;` tab `|` that occurs most in the first line, outside quotes; a comma when none does."""
    first = text.lstrip("\n").partition("\n")[0]
    unquoted = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)
