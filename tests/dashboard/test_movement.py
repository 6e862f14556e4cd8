from dashboard.movement import MovementLog, movements


def test_rows_are_new_or_up_or_down_or_the_same() -> None:
    moved = movements(["a", "b", "c", "d"], ["b", "a", "c", "e"])
    assert moved == {"b": "up", "a": "down", "c": "same", "e": "new"}


def test_the_first_list_has_no_movement() -> None:
    assert MovementLog().note("ada", ["a", "b"]) == {}


def test_an_unchanged_order_keeps_the_movements_of_the_last_change() -> None:
    log = MovementLog()
    log.note("ada", ["a", "b"])
    moved = log.note("ada", ["b", "a"])
    assert moved == {"b": "up", "a": "down"}
    assert log.note("ada", ["b", "a"]) == moved


def test_listeners_are_kept_apart() -> None:
    log = MovementLog()
    log.note("ada", ["a"])
    assert log.note("ben", ["b"]) == {}
