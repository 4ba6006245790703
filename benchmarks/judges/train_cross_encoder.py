"""Trains the cross-encoder of the groundedness judge; writes its weights.

    GENAIOPS_DATA=... python -m benchmarks.judges.train_cross_encoder OUT.safetensors [--without WiCE] [--from OTHER]
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judges.corruptions import ABSENT, SUPPORTED, Made, examples_of
from benchmarks.judges.data import data_folder, groundedness_rows, rows
from genaiops.embedding.weights import locate
from genaiops.embedding import DEFAULT_MODEL
from genaiops.evaluation.judges.cross_encoder import network
from genaiops.evaluation.judges.sentences import Sentence, claims_of, sentences_of

LONGEST = 160  # tokens of claim and evidence together
HELD_OUT = 12  # every so many documents, one is kept for measuring
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
MARKUP = re.compile(r"[*`_]{1,3}(?=\S)|(?<=\S)[*`_]{1,3}|<[^>]{1,200}>")
DETOKENISED = ((" n't", "n't"), (" 's", "'s"), (" ,", ","), (" .", "."), (" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", "."),
               ("( ", "("), (" )", ")"), (" ;", ";"), (" :", ":"), (" - ", "-"))  # fmt: skip


def plain(text: str) -> str:
    """Prose out of Markdown and of texts written token by token."""
    text = MARKUP.sub("", LINK.sub(r"\1", FRONT_MATTER.sub("", text)))
    for old, new in DETOKENISED:
        text = text.replace(old, new)
    return text


def documents(source: str) -> list[list[Sentence]]:
    """The documents of a source, as sentences of prose."""
    folder = data_folder()
    if source == "Well-Architected":
        paths = sorted((folder / "corpora" / "azure_well_architected").rglob("*.md"))
        texts = [path.read_text(encoding="utf-8") for path in paths]
    elif source == "wikitexts":
        texts = re.split(r"\n = [^=]+ = \n", (folder / "chunking" / "corpora" / "wikitexts.md").read_text(encoding="utf-8"))
    elif source == "HaluQuestQA":
        texts = [row["answer"] for row in rows(folder / "relevance" / "haluquestqa.jsonl")]
    else:
        texts = list(dict.fromkeys("\n\n".join(row["contexts"]) for row in groundedness_rows(source)))
    found = []
    for text in texts:
        said = [s for s in sentences_of([plain(text)]) if s.text[0].isupper() and s.text.endswith(".") and "|" not in s.text and "<unk>" not in s.text]
        if len(said) > 2:
            found.append(said)
    return found


SHARES = {"Well-Architected": 0.25, "wikitexts": 1.0, "HaluQuestQA": 1.0, "BEGIN": 1.0, "WiCE": 0.4}


def made(sources: Sequence[str], seed: int, *, held_out: bool) -> list[Made]:
    """Examples from the documents of these sources: those for training, or from the documents held out."""
    rng = random.Random(f"{seed} {held_out}")
    found: list[Made] = []
    for source in sources:
        for number, document in enumerate(documents(source)):
            if (number % HELD_OUT == 0) == held_out:
                found += examples_of(document, rng, SHARES[source])
    return found


def labelled(sources: Sequence[str], repeats: int) -> list[Made]:
    """Rows that people labelled, with the window of neighbouring sentences nearest to the claim in words."""
    found = []
    for source in sources:
        for row in groundedness_rows(source):
            contexts = tuple(plain(text) for text in row["contexts"])
            evidence = sentences_of(contexts)
            if evidence and claims_of(row["answer"]):
                label = SUPPORTED if row["grounded"] else ABSENT
                found += [Made(plain(row["answer"]), nearest(row["answer"], evidence), label)] * repeats
    return found


def nearest(answer: str, evidence: Sequence[Sentence], budget: int = 420) -> str:
    stems = frozenset().union(*(claim.words.stems for claim in claims_of(answer)))
    shares = [len(stems & s.words.stems) for s in evidence]
    best = max(range(len(evidence)), key=lambda i: shares[i] + 0.5 * sum(shares[max(0, i - 1) : i + 2]))
    low = high = best
    size = len(evidence[best].text)
    while True:
        options = [i for i in (low - 1, high + 1) if 0 <= i < len(evidence) and size + len(evidence[i].text) <= budget]
        if not options:
            break
        new = max(options, key=lambda i: shares[i])
        low, high, size = min(low, new), max(high, new), size + len(evidence[new].text)
    return " ".join(s.text for s in evidence[low : high + 1])[:budget]


def batches(lengths: Sequence[int], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Rows of about the same length together, in random order; every batch holds about `size` × 96 tokens."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] + rng.random() * 8)
    found: list[list[int]] = []
    current: list[int] = []
    for i in order:
        current.append(i)
        if lengths[i] * len(current) >= size * 96:
            found.append(current)
            current = []
    found += [current] if current else []
    rng.shuffle(found)
    yield from found


def main() -> None:
    import torch
    from safetensors.torch import load_file, save_file
    from tokenizers import Tokenizer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--without", default="")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=1.2e-4)
    parser.add_argument("--limit", type=int, default=10**9)
    given = parser.parse_args()
    random.seed(given.seed)
    np.random.seed(given.seed)
    torch.manual_seed(given.seed)
    folder = locate(DEFAULT_MODEL)
    sources = [s for s in SHARES if s != given.without]
    training = made(sources, given.seed, held_out=False)
    rng = random.Random(given.seed)
    rng.shuffle(training)
    training = training[: given.limit] + labelled([s for s in ("BEGIN", "WiCE") if s != given.without], given.repeats)
    holding = made(sources, given.seed, held_out=True)
    random.Random(1).shuffle(holding)
    holding = holding[:600]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST, strategy="only_second")
    tokenizer.no_padding()
    print(len(training), "examples", np.bincount([e.label for e in training]), "held out", len(holding), flush=True)

    def encoded(examples: Sequence[Made]) -> list[Any]:
        return tokenizer.encode_batch([(e.claim[:400], e.evidence[:1200]) for e in examples])

    def tensors(rows: Sequence[Any]) -> dict[str, Any]:
        longest = max(len(row.ids) for row in rows)
        pad = lambda values: values + [0] * (longest - len(values))  # noqa: E731
        return {
            "input_ids": torch.tensor([pad(row.ids) for row in rows]),
            "token_type_ids": torch.tensor([pad(row.type_ids) for row in rows]),
            "attention_mask": torch.tensor([pad([1] * len(row.ids)) for row in rows]),
        }

    model = network(folder)
    if given.start:
        model.load_state_dict(load_file(given.start), strict=False)
    rows_, held = encoded(training), encoded(holding)
    order = list(batches([len(r.ids) for r in rows_], given.size, rng))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=given.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 60) * max(0.02, 1 - step / len(order))
    )
    started, seen, losses = time.time(), 0, []

    def evaluate() -> str:
        model.eval()
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = torch.cat([model(tensors(held[i : i + 64])) for i in range(0, len(held), 64)])
        model.train()
        truth = torch.tensor([e.label for e in holding])
        hits = logits.argmax(1) == truth
        return f"held-out accuracy {hits.float().mean():.3f}, by class " + " ".join(f"{hits[truth == c].float().mean():.3f}" for c in range(3))

    def save() -> None:
        state = {k: v.to(torch.float16) for k, v in model.state_dict().items() if not k.startswith(model.given)}
        save_file(state, given.out)

    model.train()
    for step, places in enumerate(order):
        labels = torch.tensor([training[i].label for i in places])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(tensors([rows_[i] for i in places]))
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        seen += len(places)
        losses.append(loss.item())
        if step % 40 == 39:
            speed = seen / (time.time() - started)
            print(f"{step + 1}/{len(order)} loss {np.mean(losses[-40:]):.3f} {speed:.1f}/s", flush=True)
        if step % 200 == 199 or step == len(order) - 1:
            save()
            print(evaluate(), flush=True)


if __name__ == "__main__":
    main()
