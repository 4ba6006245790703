"""What a child process does with an index that somebody else wrote: the digests are right, the content is not."""

from __future__ import annotations

import os
import random
import resource
import signal
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np

from genaiops.errors import IntegrityError
from genaiops.files import sha256_of_file
from genaiops.indexing import index_inputs, read_manifest
from genaiops.indexing.kinds import IVFPQ_LEAST
from genaiops.indexing.snapshot import load_index, write_index
from genaiops.records import Chunk, Document, Query
from tests.contracts.index_store_contract import unit_rows
from tests.faults.build_children import UNSOUND

DIMENSION = 16
SIZES = {"flat": 200, "hnsw": 200, "ivfpq": IVFPQ_LEAST}
MOST_BYTES = 2 << 30  # of address space that a child gets on top of what it has when it starts
_EDGES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63)


def write_seed(folder: Path, kind: str) -> Path:
    """An honest index of this kind; its folder."""
    texts = [f"kettle {'water ' * (n % 5)}{n}" for n in range(SIZES[kind])]
    documents = [Document(f"{n}.md", text, {"n": n % 9, "language": "de"}) for n, text in enumerate(texts)]
    chunks = [Chunk(d.id, 0, len(d.text), d.text, "s", d.text, d.metadata) for d in documents]
    inputs = index_inputs(documents, {"index": {"kind": kind}}, "words-1")
    manifest = write_index(folder, inputs, documents, chunks, unit_rows(SIZES[kind], DIMENSION), {})
    return folder / manifest.id


def attack(folder: str, first: int, last: int) -> None:
    """Mutate one file, make the manifest fit, open and use the index; for every seed in `[first, last)`.

    An IntegrityError or an answer is right. Anything else ends this process: an exception as UNSOUND, a crash by its
    signal. `progress` beside the index says how far it came: the seed, and how many were refused.
    """
    place = Path(folder)
    _limit()
    whole = {name: (place / name).read_bytes() for name in read_manifest(place).files}
    honest = read_manifest(place)
    refused = 0
    for seed in range(first, last):
        (place.parent / "progress").write_text(f"{seed} {refused}", encoding="utf-8")
        signal.alarm(30)
        chance = random.Random(seed)
        name = "vectors.faiss" if chance.random() < 0.75 else chance.choice(sorted(whole))
        _replace(place / name, mutated(whole[name], chance))
        files = {**honest.files, name: sha256_of_file(place / name)}
        (place / "manifest.json").write_bytes(replace(honest, files=files).text.encode())
        try:
            use(place)
        except IntegrityError:
            refused += 1
        except BaseException:
            (place.parent / "unsound").write_text(f"seed {seed}, {name}\n{traceback.format_exc()}", encoding="utf-8")
            os._exit(UNSOUND)
        _replace(place / name, whole[name])
    (place.parent / "progress").write_text(f"{last} {refused}", encoding="utf-8")


def use(place: Path) -> None:
    """Open the index and ask it as a flow would."""
    index = load_index(place, embedder="words-1")
    vector = unit_rows(1, DIMENSION, seed=3)[0]
    within = index.select(Query("kettle", where={"n": {"gte": 3}}))
    for selection in (None, within):
        found = index.vectors.search(vector, 10, selection)
        assert all(0 <= position < len(index.chunks) for position, _ in found)
        found += index.full_text.search("kettle water 7", 10, selection)
        for position, _ in found:
            assert index.chunk(position).text is not None


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few flipped bits or numbers from the edges of their range, mostly in the head; sometimes cut or lengthened."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        if not changed:
            break
        reach = min(len(changed), chance.choice((64, 256, 1024, len(changed), len(changed))))
        at = chance.randrange(reach) if chance.random() < 0.8 else len(changed) - 1 - chance.randrange(reach)
        if chance.random() < 0.5:
            changed[at] ^= 1 << chance.randrange(8)
        else:
            width = chance.choice((4, 8))
            changed[at : at + width] = chance.choice(_EDGES).to_bytes(8, "little")[:width]
    if chance.random() < 0.1:
        del changed[chance.randrange(len(changed) + 1) :]
    if chance.random() < 0.03:
        changed += bytes(chance.randrange(100))
    return bytes(changed)


def _replace(path: Path, data: bytes) -> None:
    # A new file, not new bytes in the old one: what is still mapped from before must not change.
    path.unlink()
    path.write_bytes(data)


def _limit() -> None:
    with Path("/proc/self/statm").open(encoding="ascii") as stream:
        now = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, now + MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    np.seterr(all="ignore")  # cosines of damaged numbers
