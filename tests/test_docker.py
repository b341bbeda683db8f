"""The image: no registry is asked, but what it copies and runs is there, and Freqtrade knows its command.

`tests/slow/test_core_wheel.py` builds the wheel from what the image copies, and compiles with it.
"""

import fnmatch
import re
import shlex
import tomllib
from pathlib import Path

import pytest

import liqfeature
from liqfeature.cli.main import _parser

ROOT = Path(liqfeature.__file__).parents[1]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [shlex.split(line) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
COPIED = [name for word, *rest in INSTRUCTIONS if word == "COPY" for name in rest[1:-1]]


def test_it_builds_on_freqtrade_s_image_and_stays_freqtrade_s_user():
    assert INSTRUCTIONS[0] == ["FROM", "freqtradeorg/freqtrade:stable"]
    assert {word for word, *_ in INSTRUCTIONS[1:]} == {"RUN", "COPY"}
    assert all(rest[0] == "--chown=ftuser:ftuser" for word, *rest in INSTRUCTIONS if word == "COPY")


def test_what_it_copies_is_there_and_sent_to_the_build():
    assert [name for name in COPIED if not (ROOT / name).exists()] == []
    ignored = (ROOT / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    sent = [line[1:] for line in ignored if line.startswith("!")]
    assert [name for name in COPIED if not any(fnmatch.fnmatch(name, kept) for kept in sent)] == []
    links = [path for path in (ROOT / "liqfeature" / "userdir").iterdir() if path.is_symlink()]
    assert {str(path.resolve().relative_to(ROOT)) for path in links} <= set(COPIED)


def test_what_it_runs_is_known():
    made, install, warm = (rest for word, *rest in INSTRUCTIONS if word == "RUN")
    assert made[0] == "mkdir"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\[(\w+)\]", install[-1])) <= set(extras)
    assert install[-1].partition("[")[0] == made[-1]
    assert warm[0] == "liqfeature"
    assert _parser().parse_args(warm[1:]).run


def test_the_service_runs_a_bot_that_freqtrade_understands():
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load((ROOT / "docker" / "docker-compose.yml").read_text())["services"]
    service = services["freqtrade"]
    build = service["build"]
    assert (ROOT / "docker" / build["context"] / build["dockerfile"]).resolve() == ROOT / "docker/Dockerfile"
    (ports,) = service["ports"]
    assert ports.startswith("127.0.0.1:")
    (mounted,) = service["volumes"]
    here, inside = mounted.split(":")
    assert (ROOT / "docker" / here).resolve() == ROOT / "user_data"
    arguments_of = pytest.importorskip("freqtrade.commands.arguments").Arguments
    given = arguments_of(shlex.split(service["command"])).get_parsed_arg()
    assert given["strategy"] == "LiquidationClusters"
    assert given["config"] == [f"{inside}/liqfeature.json"]
    assert given["logfile"].startswith(inside)
