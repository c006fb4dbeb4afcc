"""Every frame of the recordings of a real car, against cantools."""

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.databases import Database, load_database
from gateway.decode import Decoder
from tests import kona, oracle
from tests.data import data_path


def compare(
    frames: Iterable[tuple[int, int, bytes, int]], buses: Sequence[Sequence[Database]]
) -> tuple[Decoder, int]:
    """Decodes the frames both ways; the decoder, and how many changes both saw."""
    decoder = Decoder(buses)
    known: dict[int, int | float] = {}
    changes = 0
    for bus, can_id, payload, at_ns in frames:
        ours = decoder.decode(bus, can_id, payload, at_ns)
        state = decoder.state(bus, can_id)
        if state is None:
            assert ours == ()
            continue
        assert state.last_at_ns == at_ns
        theirs = oracle.by_cantools(state.definition.source, payload)
        assert theirs is not None
        names = [signal.name for signal in state.definition.signals]
        index = dict(zip(names, state.indices, strict=True))
        values = {index[name]: value for name, value in theirs.items()}
        expected = {key: value for key, value in values.items() if known.get(key) != value}
        assert sorted(map(repr, ours)) == sorted(map(repr, expected.items()))
        known |= values
        changes += len(expected)
    return decoder, changes


def test_every_frame_of_the_drive_is_decoded_as_by_cantools() -> None:
    pcan, ccan = kona.drive_databases()
    frames = list(kona.frames(kona.DRIVE))
    decoder, changes = compare(frames, [[pcan], [ccan]])
    per_bus = Counter(bus for bus, *_ in frames)
    assert per_bus[0] - decoder.unknown_frames[0] == 24_262
    assert decoder.unknown_frames == [1, 497]
    assert (per_bus[0], len(frames), changes) == (24_263, 39_546, 44_151)
    seen = sum(state.frames for states in decoder.messages for state in states.values())
    assert seen == 39_546 - 498


def test_every_frame_of_the_compressor_bus_is_decoded_as_by_cantools() -> None:
    database = load_database(str(data_path("can/kona-ev/comp_can.fixed.dbc")))
    frames = [(0, can_id, payload, at) for _, can_id, payload, at in kona.frames(kona.HEATING)]
    decoder, changes = compare(frames, [[database]])
    assert len(frames) > 27_000
    assert changes > 0
    assert decoder.errors == [0]


def test_no_frame_of_the_drive_fails_its_check_and_checking_changes_nothing() -> None:
    buses = [[database] for database in kona.drive_databases()]
    plain, checked = Decoder(buses), Decoder(buses, checked=kona.PROTECTED)
    for frame in kona.frames(kona.DRIVE):
        assert list(plain.decode(*frame)) == list(checked.decode(*frame))
    for bus, can_id in kona.PROTECTED:
        state = checked.state(bus, can_id)
        assert state is not None
        assert (state.rejected, state.failing) == (0, False)
        assert state.frames > 100
