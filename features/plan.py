"""What a build has to do: pure arithmetic on the hashes of the files found."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file of the library and the SHA-256 of its bytes."""

    path: str
    content_sha256: str


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
    >>> copies = [HashedFile("a.ogg", "1f"), HashedFile("b.ogg", "1f")]
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
