"""Real .mf4 recordings hold the same frames as the candump logs of the same drives."""

import pytest

from gateway.recordings import open_recording
from tests.data import data_path


@pytest.mark.filterwarnings("ignore")  # asammdf's and pandas' own
@pytest.mark.parametrize(
    ("measured", "logged"),
    [("can/j1939/truck-bam.MF4", "can/j1939/truck-bam.log"),
     ("can/uds/kona-uds.MF4", "can/uds/kona-uds.log")],
)  # fmt: skip
def test_an_mf4_recording_holds_the_frames_of_the_log(measured: str, logged: str) -> None:
    pytest.importorskip("asammdf", reason="the extra mf4 is not installed")
    frames = [frame[1:] for frame in open_recording(data_path(measured))]
    assert frames == [frame[1:] for frame in open_recording(data_path(logged))]
    assert frames
