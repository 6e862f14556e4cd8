"""What listeners say of tracks: reactions and blocks, one document for each.

A document keeps its latest words, and says what the last of them does. Its words are a
set, so copies, late events and batches that run again leave the same document, in
whatever order they come; and where a word is forgotten, the one before it holds again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

from models.forgetting import ForgetRule, remembered
from models.listens import BLOCKS, REACTIONS, Entry, block_of
from segue import store
from segue.store import Document
from segue.track_names import is_name_id
from streaming.panes import entry_of

SAID: Final = sorted(map(str, REACTIONS | BLOCKS))
"""Actions that say something of a track, whether it plays or not."""
MOST_WORDS: Final = 20

# documents are ordered field by field: by time first
_WORD: Final = ("event_time", "event_id", "action", "play_id", "session_id")
_Key = tuple[str, str]


def write_said(database: Database[Document], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write what accepted events say of tracks.

    Parameters
    ----------
    rows : iterable of mapping
        With the fields of an entry and `user_id`; those of other actions, and of tracks
        that are only known by name, are passed over.
    """
    subjects: dict[_Key, Document] = {}
    words: dict[_Key, list[Document]] = defaultdict(list)
    for row in rows:
        if row["action"] in SAID and not is_name_id(row["track_id"]):
            place, subject = _subject_of(row["user_id"], entry_of(row))
            key = place, subject["_id"]
            subjects[key] = subject
            words[key].append({name: row[name] for name in _WORD})
    for place in (store.REACTIONS, store.BLOCKS):
        updates = [
            _adding(subject, words[key])
            for key, subject in subjects.items()
            if key[0] == place
        ]
        if updates:
            database[place].bulk_write(updates, ordered=False)


def forget_said(
    database: Database[Document], user_id: str, rules: Iterable[ForgetRule]
) -> None:
    """Take out the words that rules cover, and documents of which none is left."""
    held = list(rules)
    for place in (store.REACTIONS, store.BLOCKS):
        mine = {"user_id": user_id}
        for document in database[place].find(mine):
            gone = [
                word
                for word in document["words"]
                if not remembered([_entry_of(document, word)], held)
            ]
            if gone:
                database[place].update_one({"_id": document["_id"]}, _without(gone))
        database[place].delete_many({**mine, "words": []})


def _subject_of(user_id: str, entry: Entry) -> tuple[str, Document]:
    """Return the collection of a word, and what of its document never changes."""
    about = {"user_id": user_id, "track_id": entry.track_id}
    if entry.action in REACTIONS:
        return store.REACTIONS, {"_id": f"{user_id}|{entry.track_id}", **about}
    scope = block_of(entry).scope
    name = f"{user_id}|{scope}|{entry.track_id}"
    return store.BLOCKS, {"_id": name, **about, "scope": scope}


def _entry_of(document: Document, word: Document) -> Entry:
    nothing = {"played_ms": None, "duration_ms": None}
    return entry_of({**nothing, "track_id": document["track_id"], **word})


def _adding(subject: Document, words: list[Document]) -> UpdateOne:
    # what a listener wrote is a literal: it may begin with a dollar sign
    known = {"$ifNull": ["$words", []]}
    together = {"$setUnion": [known, {"$literal": words}]}
    by_time = {"$sortArray": {"input": together, "sortBy": -1}}
    kept = {"$slice": [by_time, MOST_WORDS]}
    plain = {name: {"$literal": value} for name, value in subject.items()}
    return UpdateOne(
        {"_id": subject["_id"]},
        [{"$set": {**plain, "words": kept}}, _LAST],
        upsert=True,
    )


def _without(words: list[Document]) -> list[Document]:
    return [
        {"$set": {"words": {"$setDifference": ["$words", {"$literal": words}]}}},
        {"$set": {"words": {"$sortArray": {"input": "$words", "sortBy": -1}}}},
        _LAST,
    ]


_LAST: Final = {
    "$set": {
        "action": {"$first": "$words.action"},
        "at": {"$first": "$words.event_time"},
    }
}
