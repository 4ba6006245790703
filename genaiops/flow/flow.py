"""A folder with flow.yaml, as a Python object."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.embedding import CorpusEmbedder, EmbeddingSettings, Progress
from genaiops.embedding.protocol import silent
from genaiops.errors import ConfigurationError, IntegrityError, NotBuilt
from genaiops.files import check_name
from genaiops.flow.current import current_index
from genaiops.flow.holding import Held
from genaiops.flow.models import embedding_of, plan_of
from genaiops.flow.pipeline import GenerationPlan, Pipeline, Served
from genaiops.flow.settings import Effective, FlowSettings, read_flow
from genaiops.generation import Emit, discard
from genaiops.indexing import read_manifest
from genaiops.project import Project
from genaiops.prompting import list_prompts, load_prompt
from genaiops.records import Answer, Chunk, Document, Hit, Metadata, Prompt, Query
from genaiops.retrieval import RetrievalSettings

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from genaiops.flow.building import BuildReport
    from genaiops.flow.planning import BuildPlan


class Flow:
    """One flow with its effective settings. Loading reads files; `build` and `ask` do the work."""

    def __init__(self, folder: Path, effective: Effective, project: Project) -> None:
        self.folder = folder
        self.settings: FlowSettings = effective.settings
        self.origins = effective.origins
        self.project = project
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None

    @classmethod
    def load(cls, folder: str | Path, *, overrides: Sequence[str] = (), project: Project | None = None) -> Flow:
        """Read `folder/flow.yaml` with `key=value` overrides and check everything that can be checked by reading.

        Raises ConfigurationError with file and line.
        """
        folder = Path(folder)
        effective = read_flow(folder, overrides)
        folder = folder.parent if folder.is_file() else folder
        flow = cls(folder.resolve(), effective, project or Project.find(folder))
        # A prompt that cannot be rendered or a model nobody knows: better heard of now than at the first question.
        flow.prompt, flow.generation  # noqa: B018
        return flow

    @property
    def name(self) -> str:
        return self.settings.name

    @cached_property
    def prompt(self) -> Prompt:
        folder = self.folder / "prompts"
        path = folder / f"{self.settings.prompt}.prompty"
        if not path.is_file():
            raise ConfigurationError(
                f"there is no prompt {self.settings.prompt!r}",
                where=path,
                remedy=f"prompts of this flow: {', '.join(list_prompts(folder)) or 'none'}",
            )
        return load_prompt(path)

    @cached_property
    def generation(self) -> GenerationPlan:
        """The model that answers, with its card from models.yaml."""
        return plan_of(self.settings, self.project)

    @property
    def variants(self) -> list[str]:
        """Names of the prompts beside this flow."""
        return list_prompts(self.folder / "prompts")

    @property
    def golden_set_path(self) -> Path:
        """Where the flow's golden set lies. Raises ConfigurationError when flow.yaml names none."""
        given = self.settings.evaluation.golden_set
        if not given:
            raise ConfigurationError(
                "the flow names no golden set", where=self.folder / "flow.yaml", remedy="evaluation: {golden_set: …}"
            )
        return (self.folder / given).resolve()

    @cached_property
    def embedding(self) -> EmbeddingSettings:
        """The flow's `embedding:` with the address of its model, where models.yaml has a card for it."""
        return embedding_of(self.settings.embedding, self.project)

    @cached_property
    def embedder(self) -> CorpusEmbedder:
        """Knows its fingerprint at once; loads the model at the first text."""
        return embedder_of(self.embedding, self.project, self.folder)

    def build(
        self, *, full: bool = False, strict: bool = False, engine: str = "local", progress: Progress = silent
    ) -> BuildReport:
        """Make (or find) the index of the documents as they are now and make it current.

        `full` uses neither cache nor the index before; `strict` raises DocumentError for a bad document instead of
        setting it aside; `engine` is `local` or `ray`. Raises GateRefused when the quality bar is missed,
        ConfigurationError when chunks may have more tokens than the embedder reads.
        """
        from genaiops.flow.building import build_index  # a question needs no reader, cleaner or chunker
        from genaiops.flow.chunkers import check_reach
        from genaiops.flow.engines import engine_named

        check_reach(self.settings, self.folder)
        report = build_index(
            self.project,
            self.settings,
            self.folder,
            self.embedder,
            full=full,
            strict=strict,
            progress=progress,
            engine=engine_named(engine),
        )
        with self._lock:
            self._pipeline = None
        return report

    def plan_build(self) -> BuildPlan:
        """Which documents a build would add, change and remove; nothing is built."""
        from genaiops.flow.chunkers import check_reach
        from genaiops.flow.planning import plan_build

        check_reach(self.settings, self.folder)
        return plan_build(self.project, self.settings, self.folder, self.embedder)

    @property
    def index_id(self) -> str:
        """Id of the current index of these settings. Raises NotBuilt."""
        return current_index(self.project, self.settings, self.folder)

    @property
    def served(self) -> Served:
        """Everything that decides this flow's answers, as a release would bundle it. Raises NotBuilt."""
        return self._served(self.index_id)

    def _served(self, index: str) -> Served:
        return Served(
            flow=self.name,
            index=index,
            content=read_manifest(self.project.indexes / index).content,
            embedder=self.embedder.fingerprint,
            embedding=self.embedding.model_copy(update={"model": self._model}),
            prompt=self.prompt,
            retrieval=self._retrieval,
            generation=self.generation,
        )

    @property
    def _model(self) -> str:
        """The embedding model as a release can find it without the flow's folder."""
        model = self.embedding.model
        beside = self.folder / model
        return str(beside.resolve()) if beside.is_dir() and not self.embedding.base_url else model

    @cached_property
    def _retrieval(self) -> RetrievalSettings:
        """The retrieval settings as a release can use them: with the place and the digest of the reranking model."""
        from genaiops.retrieval.reranking import pinned

        return pinned(self.settings.retrieval, self.folder)

    @property
    def pipeline(self) -> Pipeline:
        """The flow ready to answer; the index is opened once. Raises NotBuilt, IntegrityError, IndexMismatch."""
        with self._lock:
            if self._pipeline is None:
                self._pipeline = self._opened()
            return self._pipeline

    def _opened(self) -> Pipeline:
        """The index may be replaced, and the old one cleaned away, between reading the pointer and opening it."""
        while True:
            before = self.index_id
            try:
                return open_pipeline(self.served, self.project, self.embedder)
            except (NotBuilt, IntegrityError):
                if self.index_id == before:
                    raise

    def pipeline_of(self, index: str) -> Pipeline:
        """This flow over another index of the same embedder, by its full id."""
        return open_pipeline(self._served(index), self.project, self.embedder)

    def ask(self, question: str | Query, emit: Emit = discard) -> Answer:
        """Answer one question from the current index; see Pipeline.ask."""
        return self.pipeline.ask(question, emit)

    def search(self, query: str | Query, k: int | None = None) -> list[Hit]:
        """The best `k` chunks (default: `retrieval.top_k`)."""
        return self.pipeline.search(query, k)

    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks of the current index."""
        from genaiops.indexing.snapshot import load_index

        return tuple(load_index(self.project.indexes / self.index_id, embedder=self.embedder.fingerprint).chunks)

    def documents(self) -> tuple[Document, ...]:
        """The documents of the current index."""
        from genaiops.indexing.snapshot import read_documents_of

        return read_documents_of(self.project.indexes / self.index_id)

    def with_prompt(self, name: str) -> Flow:
        """The same flow with another prompt variant; the open index is shared."""
        effective = Effective(self.settings.model_copy(update={"prompt": check_name(name, "prompt")}), self.origins)
        other = Flow(self.folder, effective, self.project)
        other.__dict__["embedder"] = self.embedder
        if self._pipeline is not None:
            served = replace(self._pipeline.served, prompt=other.prompt)
            other._pipeline = replace(self._pipeline, served=served)
        return other

    def as_retriever(
        self, *, k: int | None = None, where: Metadata | None = None, access: Sequence[str] | None = None
    ) -> BaseRetriever:
        """This flow's search as a LangChain retriever; documents carry id, span and score in their metadata.

        `where` and `access` hold for every query as they do in a Query; give `access` whenever somebody else asks.
        """
        return self.pipeline.as_retriever(k=k, where=where, access=access)

    def as_runnable(self, *, where: Metadata | None = None, access: Sequence[str] | None = None) -> Runnable[Any, Any]:
        """`ask` as a LangChain runnable: a question (or `{"question": …}`) in, an Answer out; streams text.

        `where` and `access` as for `as_retriever`.
        """
        return self.pipeline.as_runnable(where=where, access=access)

    @staticmethod
    def from_release(served: Mapping[str, Any], project: Project, *, release: str = "") -> Pipeline:
        """What a release serves, opened from the state folder alone: no flow folder is needed.

        Raises NotBuilt, IntegrityError or IndexMismatch when the index is not the release's.
        """
        parts = Served.from_json(served)
        embedder = embedder_of(parts.embedding, project, project.root)
        return open_pipeline(parts, project, embedder, release=release)


def embedder_of(settings: EmbeddingSettings, project: Project, base: Path) -> CorpusEmbedder:
    from genaiops.embedding import embedder_for

    return embedder_for(settings, cache_file=project.cache, base=base)


def open_pipeline(served: Served, project: Project, embedder: CorpusEmbedder, *, release: str = "") -> Pipeline:
    """Open the index, check that it fits the embedder, and join the parts."""
    from genaiops.indexing.snapshot import load_index
    from genaiops.retrieval.retrievers import retriever_for

    folder = project.indexes / served.index
    held = Held(folder)
    try:
        index = load_index(folder, embedder=embedder.fingerprint)
    except BaseException:
        held.let_go()
        raise
    held.until_unused(index)
    if index.manifest.content != served.content:
        raise IntegrityError(
            "the index holds other chunks than when this was measured",
            where=project.indexes / served.index,
            remedy="evaluate the flow again: genaiops evaluate FLOW",
        )
    retriever = retriever_for(served.retrieval, index, embedder, base=project.root)
    return Pipeline(served, retriever, embedder, release)
