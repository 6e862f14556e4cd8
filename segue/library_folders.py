"""Folders that were added to the catalogue, and how one is taken out again."""

from pymongo.database import Database

from segue import store
from segue.discography import refresh_discography
from segue.errors import LibraryError
from segue.store import Document


def remove_folder(root: str, database: Database[Document]) -> int:
    """Take a folder that was added out of the catalogue; return how many tracks left.

    These are marked `missing`; their files are left alone, and so is what was learned
    by them. Whoever adds the folder again has them back.

    Parameters
    ----------
    root : str
        As it was added: its whole path, without links.

    Raises
    ------
    LibraryError
        When it was not added.
    """
    added = database[store.MUSIC_FOLDERS]
    if added.find_one({"_id": root}) is None:
        names = sorted(added.distinct("_id"))
        raise LibraryError(
            f"{root} was not added to the library; "
            + (f"added are {', '.join(names)}" if names else "no folder was")
        )
    left = database[store.TRACKS].update_many(
        {"root": root, "missing": {"$ne": True}}, {"$set": {"missing": True}}
    )
    refresh_discography(database)
    store.touch_catalogue(database)
    # last: who was interrupted can do it again
    added.delete_one({"_id": root})
    return left.modified_count
