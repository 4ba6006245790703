"""Faithfulness and answer relevancy by another library, on an endpoint that is given.

In: {"peer": NAME, "base_url": URL, "cases": [rows], "at_once": N}. Out: {"seconds": S, "version": V}.
What a library imports and sets up once is not counted.
"""

import asyncio
import json
import os
import sys
import time
from importlib.metadata import version

os.environ.update({
    "RAGAS_DO_NOT_TRACK": "true", "DEEPEVAL_TELEMETRY_OPT_OUT": "1", "DEEPEVAL_DISABLE_DOTENV": "1",
    "DEEPEVAL_FILE_SYSTEM": "READ_ONLY", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_MODEL_CATALOG_URI": "",
    "OPENAI_API_KEY": "none",
})  # fmt: skip


class Vectors:
    """Constant vectors: embedding is not what is measured."""

    def embed_text(self, text, **kwargs):
        return [1.0, 0.0]

    async def aembed_text(self, text, **kwargs):
        return [1.0, 0.0]

    def embed_query(self, text):
        return [1.0, 0.0]

    def embed_documents(self, texts):
        return [[1.0, 0.0] for _ in texts]

    async def aembed_query(self, text):
        return [1.0, 0.0]

    async def aembed_documents(self, texts):
        return [[1.0, 0.0] for _ in texts]


def ragas_collections(payload):
    from openai import AsyncOpenAI
    from ragas.embeddings.base import BaseRagasEmbedding
    from ragas.llms import llm_factory
    from ragas.metrics.collections import AnswerRelevancy, Faithfulness

    embeddings = type("Embeddings", (Vectors, BaseRagasEmbedding), {"__init__": lambda self: None})()

    async def run(cases):
        llm = llm_factory("gpt-4o-mini", client=AsyncOpenAI(base_url=payload["base_url"], api_key="none"))
        faithfulness, relevancy = Faithfulness(llm=llm), AnswerRelevancy(llm=llm, embeddings=embeddings)
        places = asyncio.Semaphore(payload["at_once"])

        async def one(work):
            async with places:
                await work

        works = []
        for row in cases:
            asked = {"user_input": row["question"], "response": row["answer"]}
            works.append(one(faithfulness.ascore(**asked, retrieved_contexts=row["contexts"])))
            works.append(one(relevancy.ascore(**asked)))
        await asyncio.gather(*works)

    start = time.perf_counter()
    asyncio.run(run(payload["cases"]))
    return time.perf_counter() - start, version("ragas")


def ragas_evaluate(payload):
    from langchain_openai import ChatOpenAI
    from ragas import EvaluationDataset, RunConfig, evaluate
    from ragas.embeddings import LangchainEmbeddingsWrapper
    from ragas.llms import LangchainLLMWrapper
    from ragas.metrics import AnswerRelevancy, Faithfulness

    rows = [
        {"user_input": r["question"], "response": r["answer"], "retrieved_contexts": r["contexts"]}
        for r in payload["cases"]
    ]
    llm = LangchainLLMWrapper(ChatOpenAI(model="gpt-4o-mini", base_url=payload["base_url"], api_key="none"))
    embeddings = LangchainEmbeddingsWrapper(Vectors())
    start = time.perf_counter()
    evaluate(
        EvaluationDataset.from_list(rows), [Faithfulness(), AnswerRelevancy()], llm=llm, embeddings=embeddings,
        run_config=RunConfig(max_workers=payload["at_once"]), show_progress=False,
    )  # fmt: skip
    return time.perf_counter() - start, version("ragas")


def deepeval(payload):
    from deepeval import evaluate
    from deepeval.evaluate.configs import AsyncConfig, CacheConfig, DisplayConfig
    from deepeval.metrics import AnswerRelevancyMetric, FaithfulnessMetric
    from deepeval.models import GPTModel
    from deepeval.test_case import LLMTestCase

    model = GPTModel(model="gpt-4o-mini", base_url=payload["base_url"], api_key="none")
    rows = [
        LLMTestCase(input=r["question"], actual_output=r["answer"], retrieval_context=r["contexts"])
        for r in payload["cases"]
    ]
    start = time.perf_counter()
    evaluate(
        rows, [FaithfulnessMetric(model=model), AnswerRelevancyMetric(model=model)],
        async_config=AsyncConfig(max_concurrent=payload["at_once"]),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
        cache_config=CacheConfig(write_cache=False),
    )  # fmt: skip
    return time.perf_counter() - start, version("deepeval")


def mlflow(payload):
    import tempfile

    os.environ["OPENAI_API_BASE"] = payload["base_url"]
    os.environ["MLFLOW_GENAI_EVAL_SCORER_RATE_LIMIT"] = "0"  # its default of a few calls a second would be all there is
    os.environ["MLFLOW_GENAI_EVAL_MAX_WORKERS"] = str(payload["at_once"])
    import mlflow
    from mlflow.genai.scorers import Completeness, RelevanceToQuery

    model = "openai:/gpt-4o-mini"
    rows = [{"inputs": {"question": r["question"]}, "outputs": r["answer"]} for r in payload["cases"]]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # traces go into ./mlruns
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.set_experiment("judging")
        start = time.perf_counter()
        # Groundedness would need a trace of each case; two scorers on texts are its cheapest pair.
        mlflow.genai.evaluate(data=rows, scorers=[RelevanceToQuery(model=model), Completeness(model=model)])
        seconds = time.perf_counter() - start
        os.chdir("/")
        return seconds, version("mlflow")


PEERS = {
    "ragas collections": ragas_collections, "ragas evaluate()": ragas_evaluate, "DeepEval": deepeval, "MLflow": mlflow,
}  # fmt: skip


def main(given, made):
    with open(given, encoding="utf-8") as stream:
        payload = json.load(stream)
    seconds, told = PEERS[payload["peer"]](payload)
    with open(made, "w", encoding="utf-8") as stream:
        json.dump({"seconds": seconds, "version": told}, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
