"""`car tolls context`: lint, sign, verify and list, as a person runs them."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from internetcar.contract.message import InputError
from internetcar.launcher.tolls_context import context_app
from services.tolls.tariff.context import load_context
from services.tolls.tariff.layout import written
from services.tolls.tariff.shipped import find_context
from tests.unit.toll_tariffs import all_day, context_of, gate


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(context_app, [str(one) for one in arguments])


def error_of(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, InputError), result
    return str(result.exception)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "toll.json"
    path.write_text(written(context_of(rates=[all_day("1.00")])), encoding="utf-8")
    return path


def test_the_shipped_contexts_are_listed_with_who_signed_them() -> None:
    lines = run("list").output.splitlines()
    assert len(lines) == 4
    assert lines[3].startswith("singapore 2026.1: Singapore: Electronic Road Pricing; 78 gates;")
    assert all("signed by internetcar" in line for line in lines)


def test_a_context_without_errors_passes_the_lint() -> None:
    result = run("lint", "singapore")
    assert result.exit_code == 0
    assert "note: 42: its direction is unknown: it is never charged" in result.output
    assert result.output.splitlines()[-1].startswith("singapore 2026.1: 78 gates, 36 rates: 0 err")


def test_a_context_with_errors_fails_the_lint(tmp_path: Path) -> None:
    path = tmp_path / "askew.json"
    path.write_text(written(context_of(gates=[gate("A", bearing_deg=90)])), encoding="utf-8")
    result = run("lint", path)
    assert result.exit_code == 1
    assert "error: A: its bearing is 90° off the right angle" in result.output


def test_signing_makes_a_key_once_and_says_what_to_trust(tmp_path: Path, file: Path) -> None:
    key, trusted = tmp_path / "key.pem", tmp_path / "trusted.json"
    result = run("sign", file, "--key", key, "--name", "mine")
    assert result.exit_code == 0, result.output
    assert key.stat().st_mode & 0o777 == 0o600
    first, public = result.output.splitlines()
    assert first == "signed testland 1; trust it with"
    trusted.write_text(public, encoding="utf-8")
    assert "is as mine signed it" in run("verify", file, "--trusted", trusted).output
    before = file.read_text(encoding="utf-8")
    assert run("sign", file, "--key", key, "--name", "mine").output == result.output
    assert file.read_text(encoding="utf-8") == before


def test_a_context_that_is_not_trusted_is_not_verified(tmp_path: Path, file: Path) -> None:
    assert "testland 1 is not signed" in error_of("verify", file)
    run("sign", file, "--key", tmp_path / "key.pem", "--name", "mine")
    assert "signed by 'mine', which is not trusted" in error_of("verify", file)


def test_a_shipped_context_is_verified() -> None:
    assert "singapore 2026.1 is as internetcar" in run("verify", "singapore").output


def test_a_shipped_context_that_was_changed_is_found_out(tmp_path: Path) -> None:
    cheaper = orjson.loads(written(find_context("singapore")))
    cheaper["tariff"]["classes"][1]["multiplier"] = "0.5"
    path = tmp_path / "singapore.json"
    path.write_bytes(orjson.dumps(cheaper))
    assert "is not what 'internetcar" in error_of("verify", path)


def test_files_that_are_not_there_or_no_keys_are_named(tmp_path: Path, file: Path) -> None:
    assert "cannot be read" in error_of("sign", tmp_path / "none", "--key", file, "--name", "k")
    assert "no private key in PEM" in error_of("sign", file, "--key", file, "--name", "k")
    there = tmp_path / "no" / "folder.pem"
    assert "cannot be written" in error_of("sign", file, "--key", there, "--name", "k")
    assert "cannot be read" in error_of("verify", file, "--trusted", tmp_path / "none")
    assert "no such toll context" in error_of("lint", tmp_path / "none")


def test_a_key_of_another_kind_is_refused(tmp_path: Path, file: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = tmp_path / "ec.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "not an Ed25519 key" in error_of("sign", file, "--key", key, "--name", "k")


def test_a_name_that_no_key_may_have_is_refused(tmp_path: Path, file: Path) -> None:
    said = error_of("sign", file, "--key", tmp_path / "key.pem", "--name", "two words")
    assert "'two words' is no name of a key" in said
    assert load_context(file.read_bytes(), "toll.json").signature is None
