"""Completion in the shells: the script that hail prints, and the words that it asks for."""

import os
import shutil
import subprocess

import pexpect
import pytest

LINES = [
    ("hail nets", "hail netstat "),
    ("hail get --max-redi", "hail get --max-redirs "),
    ("hail get --color al", "hail get --color always "),
    ("hail get --color=nev", "hail get --color=never "),
]

SHELLS = {
    "bash": (["--norc", "--noprofile"],
             "bind 'set enable-bracketed-paste off'; source <(hail help --completion bash)"),
    "zsh": (["-f", "-i"],
            "autoload -U compinit; compinit -u -D; source <(hail help --completion zsh)"),
}


def start(hail, shell, tmp_path):
    """The shell with the script read, and nothing else of this user's."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    (tmp_path / "hail").symlink_to(os.path.abspath(hail))
    env = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin", "TERM": "dumb", "PS1": "$ "}
    options, read = SHELLS[shell]
    child = pexpect.spawn(shell, options, env=env, cwd=str(tmp_path), encoding="utf-8", timeout=8)
    child.sendline(f"{read}; echo re''ady")
    child.expect("ready\r\n")
    return child


@pytest.mark.parametrize("typed, becomes", LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_the_line_is_completed(hail, shell, tmp_path, typed, becomes):
    child = start(hail, shell, tmp_path)
    child.send(typed + "\t")
    child.expect_exact(becomes.removeprefix(typed))
    child.close(force=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_its_script(hail, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    text = subprocess.run([hail, "help", "--completion", shell], check=True,
                          capture_output=True).stdout
    assert subprocess.run([shell, "-n"], input=text, capture_output=True).returncode == 0
