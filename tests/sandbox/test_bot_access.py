"""Access to a bot's API: made for one run, on this machine only, and gone afterwards."""

import os
import stat

import pytest

from liqfeature.cli import sandbox as command
from liqfeature.cli.main import main
from liqfeature.sandbox.bot_access import api_access


def test_the_password_is_in_a_file_of_its_owner_for_as_long_as_it_opens_anything():
    with api_access() as access:
        assert access.password_file.read_text() == access.password
        assert stat.S_IMODE(access.password_file.stat().st_mode) == 0o600
        assert access.password not in repr(access)
    assert not access.password_file.parent.exists()


def test_every_run_has_secrets_of_its_own():
    with api_access() as one, api_access() as other:
        settings = [way.environment for way in (one, other)]
    for name in ("PASSWORD", "JWT_SECRET_KEY"):
        first, second = (values[f"FREQTRADE__API_SERVER__{name}"] for values in settings)
        assert first != second
        assert len(first) >= 32


def test_freqtrade_reads_it_as_an_api_on_loopback(monkeypatch):
    environment_vars = pytest.importorskip("freqtrade.configuration.environment_vars")
    with api_access() as access:
        for name, value in access.environment.items():
            monkeypatch.setenv(name, value)
        read = environment_vars.environment_vars_to_dict()["api_server"]
    assert read == {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": access.port,
        "username": access.user,
        "password": access.password,
        "jwt_secret_key": access.environment["FREQTRADE__API_SERVER__JWT_SECRET_KEY"],
    }


def test_a_command_gets_it_where_it_is_asked_for(tmp_path, monkeypatch, capsys):
    from builders.tapes import walking_tape

    monkeypatch.setattr(command, "_simulate", lambda args, console: [walking_tape(minutes=60)])
    printed = tmp_path / "printed"
    line = ["sh", "-c", f"printenv FREQTRADE__API_SERVER__PASSWORD > '{printed}'"]
    options = ["sandbox", "run", "--config-out", str(tmp_path / "exchange.json")]
    assert main([*options, "--", *line]) == 1
    assert main([*options, "--api", "--", *line]) == 0
    password = printed.read_text().strip()
    said = capsys.readouterr().err
    assert len(password) >= 32
    assert password not in said
    assert "bot at http://127.0.0.1:" in said
    assert "FREQTRADE__API_SERVER__PASSWORD" not in os.environ
