"""Running `hail lookup`, and taking its output apart."""

import json
import os
import pathlib
import subprocess

HAIL = os.environ.get("HAIL", str(pathlib.Path(__file__).resolve().parents[2] / "hail"))
ENV = {k: v for k, v in os.environ.items() if k not in ("RES_OPTIONS", "LOCALDOMAIN")}


def hail(*args, env=None, **more):
    return subprocess.run([HAIL, "lookup", *args], capture_output=True, timeout=60,
                          env={**ENV, **(env or {})}, check=False, **more)


def lines(result):
    return [line.split("\t") for line in result.stdout.decode().splitlines()]


def addresses(result):
    return [row[0] for row in lines(result)]


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def error(result):
    return result.stderr.decode()


def at(server):
    return "@" + server.server
