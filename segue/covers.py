"""Covers: the image in an album's folder, or the one that a file carries.

The folder's image comes first: somebody put it there for the whole album, and it needs
no copy. Only where there is none is the front cover inside the file written out, once
for all files that carry it: its name is the hash of its bytes.

An image is what its first bytes say, never what its name says: JPEG, PNG, WebP or GIF.
So no page and no script (SVG) is ever served as a cover.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from segue.errors import LibraryError

MAX_COVER_BYTES: Final = 10_000_000
COVER_STEMS: Final = ("cover", "folder", "front")
COVER_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
IMAGE_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
HEAD_BYTES: Final = 16


def covers_folder(home: Path) -> Path:
    """Return where the covers that files carry are kept, below `SEGUE_HOME`."""
    return home / "covers"


def image_suffix(head: bytes) -> str | None:
    r"""Return the suffix of the image that begins with `head`; None for other bytes.

    Examples
    --------
    >>> image_suffix(b"\xff\xd8\xff\xe0"), image_suffix(b"<svg onload=alert(1)>")
    ('.jpg', None)
    """
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ".webp"
    return ".gif" if head.startswith((b"GIF87a", b"GIF89a")) else None


def image_mime(path: Path) -> str | None:
    """Return the type of the image in a file by its first bytes, else None."""
    try:
        with path.open("rb") as file:
            suffix = image_suffix(file.read(HEAD_BYTES))
    except OSError:
        return None
    return None if suffix is None else IMAGE_TYPES[suffix]


def find_cover(folder: Path, root: Path) -> Path | None:
    """Return the image `cover`, `folder` or `front` of an album's folder, if any.

    A link that leads out of `root` is none: it would not be served.
    """
    images = {
        path.stem.lower(): path
        for path in sorted(folder.iterdir(), reverse=True)
        if path.suffix.lower() in COVER_SUFFIXES and path.stem.lower() in COVER_STEMS
        if _is_image(path, root)
    }
    return next((images[stem] for stem in COVER_STEMS if stem in images), None)


def write_cover(image: bytes | None, covers: Path) -> Path | None:
    """Keep the image that a file carries in `covers/<sha256>.<suffix>`, once.

    Returns
    -------
    Path or None
        None when there is no image, it is none of the four kinds, or larger than
        `MAX_COVER_BYTES`.

    Raises
    ------
    LibraryError
        When `covers` cannot be written to.
    """
    if image is None or len(image) > MAX_COVER_BYTES:
        return None
    suffix = image_suffix(image[:HEAD_BYTES])
    if suffix is None:
        return None
    path = covers.resolve() / f"{hashlib.sha256(image).hexdigest()}{suffix}"
    try:
        if not path.is_file():
            _write(path, image)
    except OSError as error:
        raise LibraryError(
            f"cannot write a cover below {covers}: {error.strerror}; make room there, "
            "or set SEGUE_HOME to a folder that can be written to"
        ) from error
    return path


def _is_image(path: Path, root: Path) -> bool:
    real = path.resolve()
    if not real.is_relative_to(root) or not real.is_file():
        return False
    return real.stat().st_size <= MAX_COVER_BYTES and image_mime(real) is not None


def _write(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".cover-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
