"""A record of what a program does to the files of a folder, and the disks that a power loss may leave of it.

The model: what a file holds is on disk once the file is fsynced; a name that was made, moved or removed is on disk once
its folder is. Of everything else any part may be there, in any order.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import HasFileno

MOST_SUBSETS = 1 << 8  # of what is not yet on disk, after each operation
Disk = dict[str, bytes | None]  # path → content; None for a folder


@dataclass(slots=True)
class Name:
    """`path` now names `inode`, or nothing (None)."""

    path: str
    inode: int | None


@dataclass(slots=True)
class Operation:
    """Names that change together, or contents that are forced to disk, or a folder whose names are."""

    names: tuple[Name, ...] = ()
    content: tuple[int, bytes] | None = None  # inode, what it holds from now on for sure
    folder: str | None = None


@dataclass
class Recording:
    root: Path
    ignored: Callable[[str], bool]
    before: Disk = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    _inodes: dict[str, int] = field(default_factory=dict)
    _next: int = 0
    _on: bool = False

    def __post_init__(self) -> None:
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if not self.ignored(name):
                self.before[name] = None if path.is_dir() else path.read_bytes()
                self._inode(name)
        sys.addaudithook(self._heard)

    def _inode(self, name: str) -> int:
        if name not in self._inodes:
            self._inodes[name], self._next = self._next, self._next + 1
        return self._inodes[name]

    def _name(self, path: Any) -> str | None:
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if not text.startswith(f"{self.root}/"):
            return None
        name = text.removeprefix(f"{self.root}/")
        return None if self.ignored(name) else name

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event == "open":
            name = self._name(arguments[0])
            if name is not None and not os.path.lexists(self.root / name) and arguments[2] & os.O_CREAT:
                self.operations.append(Operation((Name(name, self._inode(name)),)))
        elif event == "os.mkdir":
            name = self._name(arguments[0])
            if name is not None and not (self.root / name).exists():
                self.operations.append(Operation((Name(name, self._inode(name)),)))
        elif event in ("os.remove", "os.rmdir"):
            name = self._name(arguments[0])
            if name is not None and os.path.lexists(self.root / name):
                self._inodes.pop(name, None)
                self.operations.append(Operation((Name(name, None),)))
        elif event == "os.rename":
            self._renamed(self._name(arguments[0]), self._name(arguments[1]))

    def _renamed(self, source: str | None, target: str | None) -> None:
        if source is None or target is None:
            return
        if (self.root / source).is_dir() and (self.root / target).exists():
            return  # it will fail
        inode = self._inodes.pop(source)
        for name in [name for name in self._inodes if name.startswith(f"{source}/")]:
            self._inodes[target + name.removeprefix(source)] = self._inodes.pop(name)
        self._inodes[target] = inode
        self.operations.append(Operation((Name(source, None), Name(target, inode))))

    @contextmanager
    def running(self) -> Iterator[None]:
        fsync = os.fsync

        def recorded(fd: int | HasFileno) -> None:
            fsync(fd)
            path = Path(os.readlink(f"/proc/self/fd/{fd if isinstance(fd, int) else fd.fileno()}"))
            name = "" if path == self.root else self._name(path)
            if name is None:
                return
            if path.is_dir():
                self.operations.append(Operation(folder=name))
            else:
                self.operations.append(Operation(content=(self._inode(name), path.read_bytes())))

        os.fsync, self._on = recorded, True
        try:
            yield
        finally:
            os.fsync, self._on = fsync, False

    def disks(self, seed: int) -> Iterator[Disk]:
        """Every state that the model allows after each operation; at most `MOST_SUBSETS` of one operation."""
        chance = random.Random(seed)
        final = {op.content[0]: op.content[1] for op in self.operations if op.content}
        for end in range(len(self.operations) + 1):
            done = self.operations[:end]
            sure: dict[int, bytes] = {op.content[0]: op.content[1] for op in done if op.content}
            pending = [n for n, op in enumerate(done) if op.names and not _forced(op, done[n + 1 :])]
            seen: set[tuple[int, ...]] = set()
            for _ in range(min(MOST_SUBSETS, 2 ** (len(pending) + 1))):
                share = chance.choice((0.1, 0.5, 0.9, 1.0))
                lost = tuple(n for n in pending if chance.random() > share)
                part = chance.choice((0.0, 0.5, 1.0))  # of what was written and not forced
                key = (*lost, -int(part * 2) - 1)
                if key not in seen:
                    seen.add(key)
                    yield self._disk(done, set(lost), sure, final, part)

    def _disk(
        self, done: list[Operation], lost: set[int], sure: dict[int, bytes], final: dict[int, bytes], part: float
    ) -> Disk:
        names: dict[str, int] = {name: n for n, name in enumerate(sorted(self.before))}
        numbers = {name: number for number, name in enumerate(sorted(self.before))}
        for n, operation in enumerate(done):
            if n in lost:
                continue
            for change in operation.names:
                below = [name for name in names if name == change.path or name.startswith(f"{change.path}/")]
                if change.inode is None:
                    moved = {name.removeprefix(change.path): names.pop(name) for name in below}
                    kept = moved if len(operation.names) == 2 else {}
                else:
                    if len(operation.names) == 2:
                        names.update({change.path + rest: inode for rest, inode in kept.items()})
                    names[change.path] = change.inode
        old = {number: self.before[name] for name, number in numbers.items()}
        folders = {op.names[-1].inode for op in done if op.names} - set(final) - set(sure)
        disk: Disk = {}
        for name, inode in names.items():
            if inode in sure:
                disk[name] = sure[inode]
            elif inode in final:  # written, not forced
                whole, start = final[inode], old.get(inode) or b""
                added = whole[len(start) :] if whole.startswith(start) else whole
                disk[name] = start + added[: int(len(added) * part)]
            elif inode in folders or old.get(inode, b"") is None:
                disk[name] = None
            else:
                disk[name] = old.get(inode) or b""
        return disk


def _forced(operation: Operation, after: list[Operation]) -> bool:
    """Whether the folders of all its names were fsynced since."""
    parents = {change.path.rpartition("/")[0] for change in operation.names}
    return parents <= {op.folder for op in after if op.folder is not None}


def write_disk(disk: Disk, root: Path) -> None:
    """Make the state as files below `root`, which must not exist."""
    root.mkdir(parents=True)
    for name, content in disk.items():
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
