"""Builds of other libraries: files to searchable vectors, the first time and after changes. Run by run_peer.

Payload: {"library", "model" (folder), "precision", "files": {id: path}, "changed": {id: text}}. Answer: the seconds of
each step with the model loaded before, the chunks, and the texts that the model was asked for. The step "raw" is the
bare encoding of the build's chunks, with their characters.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

CHARACTERS, OVERLAP = 800, 80  # as our default, so that all embed about as much
TOKENS, TOKEN_OVERLAP = 200, 20
WORDS, WORD_OVERLAP = 130, 13


def counted(model):
    """Count the texts that reach the model, whoever asks."""
    inner, seen = model.encode, [0]

    def encode(texts, *arguments, **options):
        seen[0] += 1 if isinstance(texts, str) else len(texts)
        return inner(texts, *arguments, **options)

    model.encode = encode
    model.encode_document = encode
    return seen


def model_options(precision):
    import torch

    return {"torch_dtype": torch.bfloat16 if precision == "bf16" else torch.float32}


def langchain(payload, texts, changed):
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_core.indexing import InMemoryRecordManager, index
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    options = {"device": "cpu", "local_files_only": True, "model_kwargs": model_options(payload["precision"])}
    embeddings = HuggingFaceEmbeddings(model_name=payload["model"], model_kwargs=options)
    embeddings.embed_documents(["warm"])
    seen = counted(embeddings._client)
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=OVERLAP)

    def cut(of):
        return splitter.split_documents([Document(text, metadata={"source": name}) for name, text in of.items()])

    start = time.perf_counter()
    chunks = cut(texts)
    FAISS.from_documents(chunks, embeddings)
    yield "build", time.perf_counter() - start, len(chunks), seen
    yield raw(embeddings._client, [chunk.page_content for chunk in chunks], 32)
    if changed is None:
        return
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore

    store = FAISS(embeddings, faiss.IndexFlatL2(384), InMemoryDocstore(), {})
    records = InMemoryRecordManager("bench")
    records.create_schema()
    for step, of in (("first", texts), ("changed", changed), ("unchanged", changed)):
        start, before = time.perf_counter(), seen[0]
        chunks = cut(of)
        index(chunks, records, store, cleanup="incremental", source_id_key="source", key_encoder="sha256")
        yield step, time.perf_counter() - start, len(chunks), [seen[0] - before]


def llama_index(payload, texts, changed):
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.storage.docstore import SimpleDocumentStore
    from llama_index.core.vector_stores import SimpleVectorStore
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    embedder = HuggingFaceEmbedding(payload["model"], device="cpu", model_kwargs=model_options(payload["precision"]))
    embedder.get_text_embedding("warm")
    seen = counted(embedder._model)
    splitter = SentenceSplitter(chunk_size=TOKENS, chunk_overlap=TOKEN_OVERLAP)

    def documents(of):
        return [Document(text=text, doc_id=name) for name, text in of.items()]

    start = time.perf_counter()
    nodes = splitter.get_nodes_from_documents(documents(texts))
    VectorStoreIndex(nodes, embed_model=embedder)
    yield "build", time.perf_counter() - start, len(nodes), seen
    yield raw(embedder._model, [node.get_content("embed") for node in nodes], 10)
    if changed is None:
        return
    pipeline = IngestionPipeline(
        transformations=[splitter, embedder],
        docstore=SimpleDocumentStore(),
        vector_store=SimpleVectorStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
    )
    for step, of in (("first", texts), ("changed", changed), ("unchanged", changed)):
        start, before = time.perf_counter(), seen[0]
        found = pipeline.run(documents=documents(of))
        yield step, time.perf_counter() - start, len(found), [seen[0] - before]


def haystack(payload, texts, changed):
    from haystack import Document, Pipeline
    from haystack.components.caching import CacheChecker
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.writers import DocumentWriter
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack.document_stores.types import DuplicatePolicy
    from haystack.utils import ComponentDevice
    from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder

    store = InMemoryDocumentStore()
    embedder = SentenceTransformersDocumentEmbedder(
        model=payload["model"],
        device=ComponentDevice.from_str("cpu"),
        progress_bar=False,
        model_kwargs=model_options(payload["precision"]),
    )
    embedder.warm_up()
    seen = counted(embedder.embedding_backend.model)
    splitter = DocumentSplitter(split_by="word", split_length=WORDS, split_overlap=WORD_OVERLAP)
    splitter.warm_up()
    pipeline = Pipeline()
    pipeline.add_component("split", splitter)
    pipeline.add_component("embed", embedder)
    pipeline.add_component("write", DocumentWriter(store, policy=DuplicatePolicy.OVERWRITE))
    pipeline.connect("split", "embed")
    pipeline.connect("embed", "write")
    checker = CacheChecker(store, cache_field="meta.key")

    def run(of):
        documents = [Document(content=text, meta={"key": f"{name} {hash(text)}"}) for name, text in of.items()]
        missing = set(checker.run(items=[document.meta["key"] for document in documents])["misses"])
        if missing:
            pipeline.run({"split": {"documents": [d for d in documents if d.meta["key"] in missing]}})

    start = time.perf_counter()
    run(texts)
    count = store.count_documents()
    yield "build", time.perf_counter() - start, count, seen
    yield raw(embedder.embedding_backend.model, [document.content for document in store.filter_documents()], 32)
    if changed is None:
        return
    for step, of in (("changed", changed), ("unchanged", changed)):
        start, before = time.perf_counter(), seen[0]
        run(of)
        yield step, time.perf_counter() - start, store.count_documents(), [seen[0] - before]


def raw(model, texts, batch):
    """The step in which the same model encodes the same chunks, called once."""
    start = time.perf_counter()
    model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
    return "raw", time.perf_counter() - start, len(texts), [len(texts)], sum(map(len, texts))


LIBRARIES = {"langchain": langchain, "llama_index": llama_index, "haystack": haystack}


def main():
    payload = json.loads(Path(sys.argv[1]).read_text())
    texts = {name: Path(path).read_text(encoding="utf-8") for name, path in payload["files"].items()}
    changed = payload.get("changed")
    if changed is not None:
        changed = {**texts, **changed}
    steps = {}
    with tempfile.TemporaryDirectory():
        for step, seconds, chunks, asked, *characters in LIBRARIES[payload["library"]](payload, texts, changed):
            steps[step] = {"seconds": seconds, "chunks": chunks, "asked": asked[0], "characters": sum(characters)}
    Path(sys.argv[2]).write_text(json.dumps(steps))


main()
