"""What every loader must do, whatever its format."""

from __future__ import annotations

from typing import ClassVar

import pytest

from genaiops.documents import LOADERS, Corpus, Limits
from genaiops.errors import DocumentError
from genaiops.records import canonical_json


class LoaderContract:
    """Subclass, and set a suffix of `LOADERS`, a file it can read and one it cannot."""

    suffix: ClassVar[str]
    good: ClassVar[bytes]
    bad: ClassVar[bytes]

    def load(self, content: bytes, document_id: str = "folder/file") -> Corpus:
        loader = LOADERS[self.suffix](Limits(timeout_s=20))
        try:
            return loader.load(content, document_id)
        finally:
            getattr(loader, "close", lambda: None)()

    def test_documents_have_text_an_id_from_the_file_and_json_metadata(self) -> None:
        corpus = self.load(self.good)
        assert corpus.documents
        for document in corpus.documents:
            assert document.id.partition("#")[0] == "folder/file"
            assert document.text.strip()
            assert "\r" not in document.text
            canonical_json(document.metadata).encode()
            assert len(document.digest) == 64

    def test_the_same_bytes_give_the_same_documents(self) -> None:
        assert self.load(self.good) == self.load(self.good)

    @pytest.mark.parametrize("which", ["empty", "bad"])
    def test_what_cannot_be_read_is_a_document_error_that_names_the_file(self, which: str) -> None:
        with pytest.raises(DocumentError) as caught:
            self.load(b"" if which == "empty" else self.bad)
        assert caught.value.where.startswith("folder/file")
        assert caught.value.what

    def test_version_is_a_text_of_its_own(self) -> None:
        assert LOADERS[self.suffix](Limits()).version
