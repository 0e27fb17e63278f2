"""What is told of a kubeconfig that is broken, and of plugins that do not log in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml
from urllib3.exceptions import HTTPError

from ray_gke.errors import Problem, RefusedError
from ray_gke.targets.kubernetes.client import connect

EXPIRED = (
    '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", '
    '"status": {"token": "old", "expirationTimestamp": "2020-01-01T00:00:00Z"}}'
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def with_plugin(file: Path, command: object, **more: str) -> None:
    version = "client.authentication.k8s.io/v1beta1"
    plugin = {"apiVersion": version, "command": str(command), **more}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "one", "user": "me"}}],
        "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"exec": plugin}}],
    }
    file.write_text(yaml.safe_dump(document))


def script(folder: Path, text: str) -> Path:
    path = folder / "log-in"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def refused() -> Problem:
    with pytest.raises(RefusedError) as caught:
        connect(None)
    (problem,) = caught.value.problems
    return problem


def test_a_kubeconfig_that_is_not_yaml_is_told_with_the_line(file: Path) -> None:
    file.write_text("apiVersion: v1\ncontexts: [\n")
    problem = refused()
    assert "not YAML" in problem.message
    assert str(problem.place) == f"{file}:3:1"


@pytest.mark.parametrize("text", ["- a\n- b\n", "hello\n", "", "contexts: 3\n"])
def test_a_kubeconfig_of_another_form_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    assert "the kubeconfig cannot be used" in refused().message


def test_a_plugin_that_is_missing_is_told_with_what_installs_it(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with_plugin(file, "no-such-auth-plugin", installHint="Install it\nfrom here.")
    problem = refused()
    assert "no-such-auth-plugin, which failed" in problem.message
    assert "No such file" in problem.message
    assert problem.hint == "Install it from here."
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'log in first' >&2; exit 3", "returned 3. log in first"),
        ("echo hello", "failed to decode process output"),
        (f"echo '{EXPIRED.replace('token', 'tokn')}'", "missing token"),
    ],
)
def test_a_plugin_that_fails_is_told_with_its_error(
    file: Path, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    with_plugin(file, script(file.parent, text))
    problem = refused()
    assert said in problem.message
    assert f"install {file.parent}/log-in" in str(problem.hint)
    assert capfd.readouterr() == ("", "")


def test_a_plugin_that_fails_later_is_told_too(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with_plugin(file, script(file.parent, f"echo '{EXPIRED}'"))
    client = connect(None)
    with pytest.raises(HTTPError):
        client.request("GET", "/version", timeout=(1.0, 1.0))
    script(file.parent, "exit 7")
    with pytest.raises(RefusedError, match="log-in, which failed: exec: process ret"):
        client.request("GET", "/version", timeout=(1.0, 1.0))
    assert capfd.readouterr() == ("", "")


def test_what_a_plugin_says_to_a_terminal_itself_is_not_told_again(
    file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_plugin(file, script(file.parent, "echo 'log in first' >&2; exit 3"))
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert refused().message.endswith("log-in, which failed: see above")
    assert capfd.readouterr() == ("", "log in first\n")
