"""The real Node-RED, from npm, with a flow of ours and a folder of its own."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.broker import free_port
from tests.e2e.stage import Actor, Stage

VERSION = "4.1.15"
"""What the flow was made with."""
INSTALL_S = 600.0


@cache
def red_js() -> Path | str:
    """Node-RED's program, installed once into the user's cache; or why there is none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no Node.js: sudo apt install nodejs npm"
    cached = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(cached) / "internetcar" / f"node-red-{VERSION}"
    program = folder / "node_modules" / "node-red" / "red.js"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--no-save"]
        ended = subprocess.run(
            [*install, "--prefix", str(folder), f"node-red@{VERSION}"],
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
        if ended.returncode:
            return f"npm cannot install Node-RED: {ended.stderr[-300:]}"
    return program


def start(stage: Stage, flow: list[dict[str, Any]], url: BrokerUrl) -> Actor:
    """Run a flow against a broker; only the place of the broker and our user are put in."""
    program = red_js()
    if isinstance(program, str):
        pytest.skip(program)
    folder = stage.folder / "node-red"
    folder.mkdir()
    (broker,) = (node for node in flow if node["type"] == "mqtt-broker")
    broker |= {"broker": url.host, "port": str(url.port)}
    user = {"user": url.username, "password": url.password}
    (folder / "flow.json").write_text(json.dumps(flow))
    (folder / "flow_cred.json").write_text(json.dumps({broker["id"]: user}))
    (folder / "settings.js").write_text(
        "module.exports = {uiHost: '127.0.0.1', credentialSecret: false, flowFile: 'flow.json',"
        " diagnostics: {enabled: false}, telemetry: {enabled: false}};\n"
    )
    node = str(shutil.which("node"))
    arguments = ["--settings", str(folder / "settings.js"), "--userDir", str(folder)]
    return stage.start(node, str(program), *arguments, "--port", str(free_port()))
