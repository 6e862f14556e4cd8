import numpy as np
import pytest

from segue.composer.covers import SIDE_PX, cover_of
from segue.composer.plan import AlbumPlan, plan_library


@pytest.mark.parametrize("album", plan_library(2), ids=lambda album: album.artist)
def test_every_album_gets_a_picture(album: AlbumPlan) -> None:
    picture = cover_of(album, album.generator(0))
    pixels = np.asarray(picture)
    assert pixels.shape == (SIDE_PX, SIDE_PX, 3)
    assert pixels.std() > 15
    np.testing.assert_array_equal(
        pixels, np.asarray(cover_of(album, album.generator(0)))
    )


def test_two_albums_look_different() -> None:
    first, second = plan_library(2)[:2]
    one, two = (np.asarray(cover_of(a, a.generator(0)), float) for a in (first, second))
    assert np.abs(one - two).mean() > 10
