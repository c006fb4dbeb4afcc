"""Whatever comes in whatever order: no frame without leave, none twice, and every command ends."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.encoding import Refusal
from gateway.requests import Key
from internetcar.contract.message import Value
from tests.unit.commanded import FAN, HORN, LEVEL, MODE, SPEED, Bench, at, changed

NAMES = st.sampled_from(["a", "b", "c", "d"])
REQUESTERS = st.sampled_from(["phone", "radio"])
SELDOM = st.sampled_from([False] * 7 + [True])
RECENT = st.integers(0, 2)
"""One of the newest accepted commands."""
WISHES = st.sampled_from(
    [(FAN, 20), (FAN, 30), (FAN, 40), (FAN, None), (FAN, 300), (MODE, "ECO"), (MODE, "SPORT"),
     (MODE, "RACE"), (HORN, True), (LEVEL, 1), (LEVEL, 31)]
)  # fmt: skip


class Walk(RuleBasedStateMachine):
    """The fan is held, the mode has feedback, the horn and the level have none."""

    @initialize()
    def begin(self) -> None:
        self.leaves = changed(Fan={"only_when": f"{SPEED} == 0"}, Mode={"timeout_ms": 300})
        self.bench = Bench(self.leaves, rate_hz=50.0)
        self.wished: dict[Key, tuple[str, Value]] = {}
        self.accepted: Counter[Key] = Counter()
        self.final: Counter[Key] = Counter()
        self.ended: Counter[Key] = Counter()
        self.firsts: Counter[Key] = Counter()
        self.on_disk: set[Key] = set()
        self.read = 0

    def take(self) -> None:
        for report in self.bench.actuation.take_reports():
            key = report.request.key
            if report.is_repeated or report.state in ("checked", "released"):
                continue
            if report.reason == "id_conflict" or (not report.digest and report.state != "ended"):
                continue
            self.accepted[key] += report.state == "accepted"
            if report.state == "ended":
                assert self.final[key] == 1
                self.ended[key] += 1
            else:
                assert not self.final[key], "nothing but `ended` follows a final state"
                self.final[key] += report.final

    def new_frames(self) -> list[bytes]:
        frames = self.bench.world.sent[self.read :]
        self.read = len(self.bench.world.sent)
        return frames

    def is_live(self, key: Key) -> bool:
        """Whether a frame of it may be on the bus now."""
        return bool(self.accepted[key]) and key in self.on_disk and not self.ended[key]

    @rule(
        wish=WISHES, name=NAMES, requester=REQUESTERS, dry_run=SELDOM,
        retained=SELDOM,
        lives_s=st.sampled_from([None, None, None, None, 0.05, 5, -1, 61]),
    )  # fmt: skip
    def command(
        self, wish: tuple[str, Value], name: str, requester: str, dry_run: bool, retained: bool,
        lives_s: float | None,
    ) -> None:  # fmt: skip
        path, value = wish
        expires_at_ns = None if lives_s is None else at(self.bench, lives_s)
        request = self.bench.request(
            path, value, name, requester=requester, dry_run=dry_run, retained=retained,
            expires_at_ns=expires_at_ns,
        )  # fmt: skip
        before = self.accepted[request.key]
        self.bench.actuation.receive(request, self.bench.moment)
        self.take()
        if self.accepted[request.key] > before:
            self.wished[request.key] = wish
        assert self.new_frames() == []

    def recent(self, back: int) -> Key:
        newest = [*self.wished][-1 - back :]
        return newest[0] if newest else ("phone", "nobody")

    @rule(back=RECENT)
    def written(self, back: int) -> None:
        key = self.recent(back)
        self.bench.actuation.durable(key, self.bench.moment)
        if self.accepted[key]:
            self.on_disk.add(key)
        frames = self.new_frames()
        assert len(frames) <= 1
        if frames:
            assert self.accepted[key] == 1
            assert not self.final[key]
            self.firsts[key] += 1
        self.take()

    @rule(back=RECENT)
    def unwritten(self, back: int) -> None:
        self.bench.actuation.failed(self.recent(back), self.bench.moment)
        self.take()
        assert self.new_frames() == []

    @rule(ms=st.sampled_from([1, 10, 50, 60, 300, 1000, 11_000]))
    def time(self, ms: int) -> None:
        live = {key for key in self.accepted if self.is_live(key)}
        self.bench.now_ns += ms * 1_000_000
        self.bench.actuation.advance(self.bench.moment)
        held = {value for key, (path, value) in self.wished.items() if path == FAN and key in live}
        assert all(frame[1] in held for frame in self.new_frames())
        self.take()

    @rule(path=st.sampled_from([FAN, MODE]), value=st.sampled_from(["ECO", "SPORT", 20, None]))
    def frame(self, path: str, value: str | int | None) -> None:
        self.bench.world.show(path, value)

    @rule(path=st.sampled_from([FAN, MODE]))
    def obedient_frame(self, path: str) -> None:
        for wanted, value in self.wished.values():
            if wanted == path:
                self.bench.world.show(path, value)

    @rule(what=st.sampled_from(["speed", "bus", "off", "other", "clock"]), is_well=st.booleans())
    def car(self, what: str, is_well: bool) -> None:
        world = self.bench.world
        match what:
            case "speed":
                world.values[SPEED] = 0.0 if is_well else 50.0
            case "bus":
                world.lost = None if is_well else Refusal("bus", "no buffer space")
            case "off":
                world.refusal = None if is_well else Refusal("bus", "bus-off")
            case "other":
                world.others = set() if is_well else {256}
            case _:
                self.bench.is_trusted = is_well

    @rule(without=st.sampled_from([FAN, MODE, HORN, None]))
    def mapping(self, without: str | None) -> None:
        leaves = self.leaves if without is None else dict(self.leaves)
        if without is not None:
            leaves.pop(without)
        self.bench.rebind(leaves)
        self.take()
        assert self.new_frames() == []

    @invariant()
    def once(self) -> None:
        if not hasattr(self, "bench"):
            return
        for counts in (self.accepted, self.final, self.ended, self.firsts):
            assert all(count <= 1 for count in counts.values())
        due_ns = self.bench.actuation.next_due_ns
        assert due_ns is None or due_ns > 0

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        self.bench.actuation.end_all("shutdown", self.bench.moment)
        self.take()
        assert not self.bench.actuation.is_busy
        assert self.bench.actuation.next_due_ns is None
        for key in self.accepted:
            assert self.final[key] == 1, key
            self.bench.actuation.durable(key, self.bench.moment)
        self.bench.now_ns += 10**9
        self.bench.actuation.advance(self.bench.moment)
        assert self.new_frames() == []
        assert self.bench.actuation.take_reports() == []


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
