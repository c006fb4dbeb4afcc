"""Fixtures that several rooms' tests share, how many workers run, and that nothing is skipped."""

import gc
import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from internetcar.launcher.broker import APT_LINE, RunningBroker, mosquitto_path
from tests.postgres import Cluster, running_cluster

hypothesis.settings.register_profile("suite", deadline=None)  # no test is about how fast it is
hypothesis.settings.load_profile("suite")

BROKERS = ("mosquitto", "mosquitto-3.1.1", "embedded")
STORES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--nothing-skipped", action="store_true", help="a test that would be skipped fails"
    )
    parser.addoption(
        "--deaths", type=int, help="of toll processes: 300 with --nothing-skipped, else 40"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than CPUs, for many tests wait for processes; none where only files are named."""
    if not any(Path(argument).is_dir() for argument in config.args):
        return 0
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Thousands of tests stay until the end: the collector need not look through them."""
    assert session
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _forbid_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _forbid_skip(report, collector.config)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if config.getoption("--nothing-skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped, and this was: {reason}"


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Channels and run files are neither the user's nor another worker's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.delenv("INTERNETCAR_BROKER", raising=False)
        patch.delenv("INTERNETCAR_RUN", raising=False)
        yield


def need_mosquitto() -> None:
    """Skip the test where there is no mosquitto."""
    if mosquitto_path() is None:
        pytest.skip(f"no mosquitto: {APT_LINE}")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[RunningBroker]:
    """A fresh mosquitto on a free port of 127.0.0.1, spoken to in MQTT 5."""
    need_mosquitto()
    with RunningBroker("mosquitto", tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    """Each broker that must do: mosquitto with MQTT 5 and 3.1.1, and the embedded one."""
    if request.param == "embedded":
        with RunningBroker("embedded", tmp_path / "embedded") as running:
            yield running
        return
    need_mosquitto()
    with RunningBroker("mosquitto", tmp_path / "mosquitto") as running:
        if request.param == "mosquitto-3.1.1":
            running.url = replace(running.url, protocol="3.1.1")
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """One PostgreSQL for all tests; take a `database()` of your own."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind that a service must do with."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/service.sqlite"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.database()
