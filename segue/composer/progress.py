"""A progress bar for the composer."""

from pathlib import Path

from tqdm import tqdm

from segue.composer.library import compose_library


def compose_with_bar(folder: Path, seed: int, n_workers: int) -> list[Path]:
    """Compose the demo library as `compose_library` does, and show how far it is."""
    with tqdm(desc="composing", unit=" files") as bar:

        def show(n_done: int, n_all: int) -> None:
            bar.total = n_all
            bar.update(n_done - bar.n)

        return compose_library(folder, seed, show, n_workers)
