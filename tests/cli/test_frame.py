"""The frame of all commands: help, versions, typos, exit statuses, closed and full outputs."""

import json
import os
import subprocess

import pytest

COMMANDS = ["tour", "lookup", "ports", "get", "serve"]


def run(hail, *args, **kw):
    return subprocess.run([hail, *args], capture_output=True, text=True, timeout=30, **kw)


def test_version_names_the_libraries(hail):
    done = run(hail, "--version")
    assert done.returncode == 0 and done.stderr == ""
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(lines) == {"hail", "OpenSSL", "c-ares", "libidn2"}
    assert all(v[0].isdigit() for v in lines.values())


def test_help_lists_every_command(hail):
    done = run(hail, "help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout
    assert done.stdout == run(hail, "--help").stdout == run(hail, "-h").stdout
    assert all(len(line) <= 84 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command(hail, name):
    done = run(hail, name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"hail {name} - ")
    assert done.stdout == run(hail, "help", name).stdout
    assert "--json" in done.stdout and "--trace" in done.stdout and "--timeout" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("args, said", [
    (["lokup"], "unknown command 'lokup'; did you mean 'lookup'?"),
    (["prots"], "did you mean 'ports'?"),
    (["xyzzy"], "unknown command 'xyzzy'"),
    (["help", "gte"], "did you mean 'get'?"),
    (["--nosuch"], "unknown option '--nosuch'"),
    (["ports", "--jsno"], "unknown option '--jsno'; did you mean '--json'?"),
    (["ports", "-Z"], "unknown option '-Z'"),
    (["ports", "--timeout"], "option '--timeout' wants a value"),
    (["ports", "--timeout=never"], "--timeout wants seconds above 0, not 'never'"),
    (["ports", "--timeout=-1"], "--timeout wants seconds above 0"),
    (["ports", "--timeout=nan"], "--timeout wants seconds above 0"),
    (["ports", "--color=blue"], "--color wants auto, always or never, not 'blue'"),
    (["ports", "--json=x"], "takes no value"),
    (["ports", "--trace=/tmp/x.pdf"], "has no known ending"),
    (["get"], "URL"),
    (["tour", "x"], "no operands"),
])
def test_usage_errors(hail, args, said):
    done = run(hail, *args)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("hail: ") and said in done.stderr


def test_no_command_is_usage(hail):
    done = run(hail)
    assert done.returncode == 2 and "Usage: hail COMMAND" in done.stdout


def test_escapes_of_the_command_line_are_made_visible(hail):
    done = run(hail, "\033[31mred")
    assert done.returncode == 2 and "\033" not in done.stderr and "\\e[31mred" in done.stderr


def test_called_by_a_commands_name(hail, tmp_path):
    link = tmp_path / "ports"
    link.symlink_to(os.path.abspath(hail))
    done = subprocess.run([link, "-t", "22"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "ssh" in done.stdout


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["ports", "--all"], ["tour"],
                                  ["lookup", "localhost"], ["ports", "--json", "--all"]])
def test_full_output_is_a_local_error(hail, args):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([hail, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 8
    assert done.stderr.startswith("hail: write standard output: ")


def test_closed_pipe_is_a_local_error(hail):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([hail, "ports", "--all"], stdout=write, stderr=subprocess.PIPE, text=True,
                          timeout=30)
    os.close(write)
    assert done.returncode == 8 and "broken pipe" in done.stderr.lower()


def test_trace_files(hail, tmp_path):
    path = tmp_path / "t.jsonl"
    done = run(hail, "lookup", f"--trace={path}", "localhost")
    assert done.returncode == 0 and done.stderr == ""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert events[0]["event"] == "start" and events[0]["op"] == "resolve"
    assert events[-1]["event"] == "done" and all(e["schema"] == "hail.trace/1" for e in events)
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)
    text = tmp_path / "t.txt"
    run(hail, "lookup", f"--trace={text}", "localhost")
    assert "resolve localhost" in text.read_text() and "waterfall" in text.read_text()
    done = run(hail, "lookup", f"--trace={tmp_path}/none/t.jsonl", "localhost")
    assert done.returncode == 8 and "open the trace file" in done.stderr


def test_trace_that_cannot_be_written_is_told(hail):
    done = run(hail, "lookup", "--trace", "localhost")
    assert done.returncode == 0 and "resolve localhost" in done.stderr
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([hail, "lookup", "--trace", "localhost"], stdout=subprocess.PIPE,
                              stderr=full, timeout=30)
    assert done.returncode == 8
