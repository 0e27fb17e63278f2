"""Commands go the whole way: kubelet, real bash, both ways to join words, real sh."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import list2cmdline

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_gke.rendering.documents import text
from ray_gke.rendering.entrypoints import (
    BASH_CHARACTERS,
    entrypoint,
    for_double_quotes,
    for_kubelet,
)

# `python` is that of this test, as the image of Ray has one.
_PYTHON = str(Path(sys.executable).parent)
_ENV = {"PATH": f"{_PYTHON}:/usr/bin:/bin", "GREETING": "hello  world"}


def kubelet(argument: str, env: dict[str, str]) -> str:
    """Kubernetes' expansion: $$ is $, $(NAME) a variable if there is one."""

    def expanded(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return env.get(found[0][2:-1], found[0])

    return re.sub(r"\$\$|\$\([^)]*\)", expanded, argument)


def words_in_submitter(line: str) -> list[str]:
    """What `ray job submit -- LINE` gets, in the line that KubeRay writes."""
    show = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[2:]))'"
    script = f"if ! false ; then {show} -- {line} ; fi ; true"
    done = subprocess.run(
        ["/bin/bash", "-ce", "--", kubelet(script, _ENV)],
        check=True,
        capture_output=True,
        env=_ENV,
    )
    words: list[str] = json.loads(done.stdout)
    return words


JOINS: list[Callable[[list[str]], str]] = [shlex.join, list2cmdline]


def run(command: str, join: Callable[[list[str]], str]) -> tuple[int, bytes]:
    """Run what the head gets to run."""
    on_head = join(words_in_submitter(entrypoint(command)))
    done = subprocess.run(
        ["/bin/sh", "-c", on_head], check=False, capture_output=True, env=_ENV
    )
    return done.returncode, done.stdout


def run_by_all(command: str) -> tuple[int, bytes]:
    """Run it as every Ray would, which must come to the same."""
    by_new, by_old = (run(command, join) for join in JOINS)
    assert by_new == by_old
    return by_new


@pytest.mark.parametrize(
    "command",
    [
        "python squares.py",
        "python -m package.main --rows 100 --rate=0.5",
        "python -u /home/ray/blueprint/train.py gs://bucket/path/file.parquet",
    ],
)
def test_a_plain_command_stays_as_it_is(command: str) -> None:
    assert entrypoint(command) == command


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("echo one && echo two", b"one\ntwo\n"),
        ("echo 'a  b' \"c  d\"", b"a  b c  d\n"),
        ('echo "$GREETING"', b"hello  world\n"),
        ("echo $GREETING", b"hello world\n"),
        ("echo $(echo inner)", b"inner\n"),
        ("echo `echo inner`", b"inner\n"),
        ("echo '$GREETING $$ $(GREETING)'", b"$GREETING $$ $(GREETING)\n"),
        ("echo $(GREETING=x; echo $GREETING)", b"x\n"),
        ("for n in 1 2; do echo $n; done", b"1\n2\n"),
        ("echo a; echo b | tr b c", b"a\nc\n"),
        ("printf '%s\\n' 'back\\slash' \"quo'te\"", b"back\\slash\nquo'te\n"),
        ("printf '%s|' \"\" '' a", b"||a|"),
        ('echo "tab\there"', b"tab\there\n"),
        ("echo 'first\nsecond'", b"first\nsecond\n"),
        ("echo one \\\n  two", b"one two\n"),
        ("echo '*' \"?\" {a,b}", b"* ? {a,b}\n"),
        ("cd / && pwd", b"/\n"),
        ("echo hash # comment", b"hash\n"),
        ("echo ~root! 'é ü'", "~root! é ü\n".encode()),
        ("python3 -c \"print('x', 1 + 1)\"", b"x 2\n"),
        ("echo -- --flag", b"-- --flag\n"),
        ("X=1 sh -c 'echo $X'", b"1\n"),
        ("pwd>/dev/null;echo<&-", b"\n"),
        ("set -f; echo   *", b"*\n"),
        ("cat <<'END'\na  \"b\"\n$x\nEND", b'a  "b"\n$x\n'),
    ],
)
def test_a_shell_command_does_the_same_on_the_head(command: str, output: bytes) -> None:
    assert run_by_all(command) == (0, output)


@pytest.mark.parametrize("command", ["exit 7", 'sh -c "exit 7"'])
def test_the_exit_code_arrives(command: str) -> None:
    assert run_by_all(command)[0] == 7


_PIECES = st.sampled_from(
    [
        *"abz019 $\"'\\`(){}[]*?!#~;&|<>=%,.:-_/@^\t\n",
        "  ",
        "é",
        "$(",
        "$$",
        "\\\\",
        '\\"',
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_any_words_arrive(argument: str) -> None:
    quoted = "'" + argument.replace("'", "'\\''") + "'"
    command = f"printf '%s' x{quoted}"
    assert run_by_all(command) == (0, b"x" + argument.encode())


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_data_survives_double_quotes_of_bash(value: str) -> None:
    data = {"env_vars": {"KEY": value, value or "k": "x"}, "list": [value, 1]}
    # KubeRay makes JSON of the YAML and quotes it as Go does.
    from_yaml = yaml.safe_load(text(for_double_quotes(data)))
    argument = (
        '"' + json.dumps(from_yaml).replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
    line = kubelet(f"printf %s {argument}", _ENV)
    env = _ENV | {name: character for character, name in BASH_CHARACTERS.items()}
    done = subprocess.run(
        ["/bin/bash", "-ce", "--", line], check=True, capture_output=True, env=env
    )
    assert json.loads(done.stdout) == data


@pytest.mark.parametrize("value", ["$(HOME)", "a$$b", "$$(A)", "$A", "100$", "plain"])
def test_an_environment_value_survives_kubelet(value: str) -> None:
    assert kubelet(for_kubelet(value), {"HOME": "/root", "A": "a"}) == value


def test_a_value_without_references_is_not_touched() -> None:
    assert for_kubelet("$HOME/bin") == "$HOME/bin"
    assert Path(for_kubelet("/home")) == Path("/home")
