"""LangChain's BM25Retriever and EnsembleRetriever (its default weights) over chunks and vectors made elsewhere.

In: {"texts": [...], "vectors": FILE.npy, "queries": [...], "query_vectors": FILE.npy, "k": ...}.
Out: {"BM25Retriever": [[positions of each query]], "EnsembleRetriever": [...], "versions": {...}}.
"""

import json
import sys
from importlib.metadata import version

import numpy as np
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.embeddings import Embeddings


class Known(Embeddings):
    """Gives the vectors that were computed for these very texts."""

    def __init__(self, texts, vectors):
        self._vectors = dict(zip(texts, vectors.tolist(), strict=True))

    def embed_documents(self, texts):
        return [self._vectors[text] for text in texts]

    def embed_query(self, text):
        return self._vectors[text]


def main(given, made):
    with open(given, encoding="utf-8") as stream:
        payload = json.load(stream)
    texts, queries, k = payload["texts"], payload["queries"], payload["k"]
    vectors, query_vectors = np.load(payload["vectors"]), np.load(payload["query_vectors"])
    places = [{"position": position} for position in range(len(texts))]
    store = FAISS.from_embeddings(
        list(zip(texts, vectors.tolist(), strict=True)), Known(queries, query_vectors), metadatas=places
    )
    words = BM25Retriever.from_texts(texts, metadatas=places)
    words.k = k
    near = store.as_retriever(search_kwargs={"k": k})
    # Its id_key tells two chunks with one text apart, as ours are.
    both = EnsembleRetriever(retrievers=[words, near], weights=[0.5, 0.5], id_key="position")
    found = {
        name: [[document.metadata["position"] for document in retriever.invoke(query)] for query in queries]
        for name, retriever in (("BM25Retriever", words), ("EnsembleRetriever", both))
    }
    found["versions"] = {name: version(name) for name in ("langchain-community", "langchain-classic", "rank-bm25")}
    with open(made, "w", encoding="utf-8") as stream:
        json.dump(found, stream)


main(*sys.argv[1:])
