"""The demo library on disk: composed by two processes, each file whole or absent."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from segue.composer.covers import cover_of
from segue.composer.encode import Tags, is_whole, part_path, write_audio
from segue.composer.plan import AlbumPlan, plan_library
from segue.composer.render import render
from segue.composer.styles import STYLES
from segue.errors import LibraryError

EDITION: Final = 1
"""Counts up when a seed comes to mean other music; older files are then replaced."""

COVER_NAME: Final = "cover.jpg"
Report = Callable[[int, int], None]
"""Called with (files done, files in all), first with 0."""


@dataclass(frozen=True)
class _Job:
    """One file: a track by its number from 1, or the cover as number 0."""

    path: Path
    album: AlbumPlan
    number: int


def compose_library(
    folder: Path,
    seed: int = 1,
    report: Report | None = None,
    n_workers: int = 2,
) -> list[Path]:
    """Compose the demo library below `folder`; what is already whole is left alone.

    Parameters
    ----------
    folder : Path
        Made if missing. Layout: `Artist/Album/01 Title.ogg` and `cover.jpg`.
    seed : int
        Not negative. The same seed gives the same music.
    report : callable, optional
        Called with (files done, files in all) whenever a file is ready.
    n_workers : int
        Processes that compose.

    Returns
    -------
    list of Path
        All files of this library, in order; those written now and those found.

    Raises
    ------
    LibraryError
        When `folder` cannot be made or written, or the seed is negative.
    """
    if seed < 0:
        raise LibraryError(f"seed is {seed}; give 0 or more")
    return compose_albums(folder, plan_library(seed), report, n_workers)


def compose_albums(
    folder: Path,
    albums: Sequence[AlbumPlan],
    report: Report | None = None,
    n_workers: int = 2,
) -> list[Path]:
    """Compose some albums below `folder`; see :func:`compose_library`."""
    jobs = list(_jobs(folder, albums))
    try:
        for path in {job.path.parent for job in jobs}:
            path.mkdir(parents=True, exist_ok=True)
            _remove_parts(path)
        _run(jobs, report or _ignore, n_workers)
    except OSError as error:
        raise LibraryError(
            f"cannot write the demo library to {folder}: {error.strerror or error}; "
            "give a folder that you may write to, on a disk with 250 MB free"
        ) from error
    return [job.path for job in jobs]


def _ignore(n_done: int, n_all: int) -> None:
    """Report to nobody."""


def _jobs(folder: Path, albums: Sequence[AlbumPlan]) -> Iterator[_Job]:
    for album in albums:
        place = folder / album.folder
        yield _Job(place / COVER_NAME, album, 0)
        for number, title in enumerate(album.track_titles, start=1):
            yield _Job(place / f"{number:02d} {title}.{album.suffix}", album, number)


def _run(jobs: list[_Job], report: Report, n_workers: int) -> None:
    missing = [job for job in jobs if not _is_done(job)]
    n_done = len(jobs) - len(missing)
    report(n_done, len(jobs))
    if not missing:
        return
    # spawned, not forked: the parent may hold threads of Spark, Kafka or MongoDB
    context = multiprocessing.get_context("spawn")
    pool = context.Pool(min(n_workers, len(missing)), _start_worker)
    try:
        for _ in pool.imap_unordered(_write, missing):
            n_done += 1
            report(n_done, len(jobs))
        pool.close()
    except BaseException:
        pool.terminate()
        raise
    finally:
        pool.join()
        for job in missing:
            part_path(job.path).unlink(missing_ok=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threadpool_limits(1)  # one process a core is enough


def _remove_parts(folder: Path) -> None:
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)


def _comment(album: AlbumPlan) -> str:
    return f"Composed by segue demo-library, edition {EDITION}, seed {album.seed}"


def _is_done(job: _Job) -> bool:
    if job.number == 0:
        return job.path.is_file()
    return is_whole(job.path, _comment(job.album))


def _write(job: _Job) -> None:
    rng = job.album.generator(job.number)
    if job.number == 0:
        part = part_path(job.path)
        cover_of(job.album, rng).save(part, "JPEG", quality=88)
        part.replace(job.path)
        return
    score = STYLES[job.album.style].compose(rng, job.album.artist_number)
    write_audio(job.path, render(score, rng), _tags(job))


def _tags(job: _Job) -> Tags:
    album = job.album
    return Tags(
        title=album.track_titles[job.number - 1],
        artist=album.artist,
        album=album.title,
        genre=album.genre,
        date=str(album.year),
        tracknumber=str(job.number),
        comment=_comment(album),
    )
