"""What a build has to do: pure arithmetic on the files found."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, TypeVar

_MAX_TASK_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the library, as the folder lists it."""

    path: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file of the library and the SHA-256 of its bytes."""

    path: str
    size_bytes: int
    mtime_ns: int
    content_sha256: str


File = TypeVar("File", FoundFile, HashedFile)


@dataclass(slots=True)
class BuildPlan:
    """Which files are to be extracted, and how many are not and why.

    Attributes
    ----------
    pending : list of HashedFile
        One file for each content that is neither in the table nor hopeless.
    n_known, n_known_failures, n_duplicate : int
        Contents of the table; contents that failed for good; further copies of a
        content in this library.
    """

    pending: list[HashedFile] = field(default_factory=list)
    n_known: int = 0
    n_known_failures: int = 0
    n_duplicate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSummary:
    """What a build did; `found` is the sum of the other counts.

    Attributes
    ----------
    found : int
        Audio files in the library.
    new, failed : int
        Contents that gave features in this build, and that did not.
    known, known_failures, duplicate : int
        As in :class:`BuildPlan`.
    """

    found: int
    new: int
    known: int
    duplicate: int
    failed: int
    known_failures: int

    @property
    def adds_up(self) -> bool:
        """Whether every file found is accounted for."""
        outcomes = self.new + self.known + self.duplicate
        return self.found == outcomes + self.failed + self.known_failures


def with_hashes(
    files: Iterable[FoundFile], stamps: Mapping[tuple[str, int, int], str]
) -> tuple[list[HashedFile], list[FoundFile]]:
    """Return the files whose hash is known, and those that have to be read.

    Parameters
    ----------
    stamps : mapping
        SHA-256 by path, size and time of change, from earlier builds.
    """
    hashed, unread = list[HashedFile](), list[FoundFile]()
    for file in files:
        sha256 = stamps.get((file.path, file.size_bytes, file.mtime_ns))
        if sha256 is None:
            unread.append(file)
        else:
            hashed.append(HashedFile(file.path, file.size_bytes, file.mtime_ns, sha256))
    return hashed, unread


def plan_build(
    files: Iterable[HashedFile], known: Set[str], hopeless: Set[str]
) -> BuildPlan:
    """Decide for each file whether it is to be extracted.

    Parameters
    ----------
    files : iterable of HashedFile
        In a stable order: of equal files the first is taken.
    known, hopeless : set of str
        Contents in the table, and contents that failed for good.

    Examples
    --------
    >>> copies = [HashedFile(f"{n}.ogg", 9, 5, "1f") for n in "ab"]
    >>> plan = plan_build(copies, known=set(), hopeless=set())
    >>> [file.path for file in plan.pending], plan.n_duplicate
    (['a.ogg'], 1)
    """
    plan = BuildPlan()
    seen: set[str] = set()
    for file in files:
        if file.content_sha256 in seen:
            plan.n_duplicate += 1
        elif file.content_sha256 in known:
            plan.n_known += 1
        elif file.content_sha256 in hopeless:
            plan.n_known_failures += 1
        else:
            plan.pending.append(file)
        seen.add(file.content_sha256)
    return plan


def split_into_tasks(
    files: Sequence[File], n_cores: int, max_files: int, n_rounds: int
) -> list[list[File]]:
    """Return the files in tasks: large first and together, small last and alone.

    A task takes a share of what is left (guided self-scheduling), so that there are few
    tasks and yet no core works long when the others are done.

    Parameters
    ----------
    max_files : int
        Most files of a task; their rows are written together.
    n_rounds : int
        A core takes one over this of its share of what is left. A task costs some 50 ms
        beside its work; more rounds end more evenly.

    Examples
    --------
    >>> files = [FoundFile(f"{n}.ogg", 100, 0) for n in range(40)]
    >>> tasks = split_into_tasks(files, n_cores=1, max_files=64, n_rounds=4)
    >>> [len(task) for task in tasks]
    [10, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    """
    tasks = list[list[File]]()
    left_bytes = sum(file.size_bytes for file in files)
    room_bytes = 0.0
    for file in sorted(files, key=lambda file: (-file.size_bytes, file.path)):
        fits = bool(tasks) and len(tasks[-1]) < max_files
        if not fits or file.size_bytes > room_bytes:
            tasks.append([])
            room_bytes = min(left_bytes / (n_rounds * n_cores), _MAX_TASK_BYTES)
        tasks[-1].append(file)
        room_bytes -= file.size_bytes
        left_bytes -= file.size_bytes
    return tasks
