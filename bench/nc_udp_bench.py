"""The datagrams' part of bench/run: how many a second pass through hail nc, netcat-openbsd, ncat and socat,
where one read and one write is one datagram (bench/nc_udp.c), beside a bare loop of send(2) and recv(2).

    out    pipe in packet mode -> program -> UDP
    in     UDP -> program -> pipe in packet mode
    pair   both, one after the other

What counts are the datagrams that arrived. netcat joins what it finds waiting, so that hardly any of its
datagrams are whole under load; the table says how many are, and how many its bytes would make. The
feeders and counters are C, and so are not the limit; on two cores they do take their share. Tools alternate
in every round. Everything is in a network namespace of its own, where this file runs as a program and
prints what it saw as JSON.
"""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

ROUNDS = 5
SLICE_MS = 500
SIZES = (64, 1400)
SIDES = ("out", "in", "pair")
RATIOS = {"nc.openbsd": 3, "ncat": 3, "socat": 1.6}


def commands(hail):
    """Sender and receiver by the tool's name, for a port."""
    at = "127.0.0.1"
    return {
        "hail nc": lambda p: ([hail, "nc", "-u", at, p], [hail, "nc", "-lu", at, p]),
        "nc.openbsd": lambda p: (["nc.openbsd", "-u", at, p], ["nc.openbsd", "-lu", at, p]),
        "ncat": lambda p: (["ncat", "-u", at, p], ["ncat", "-lu", at, p]),
        "socat": lambda p: (["socat", "-u", "-b", "65536", "STDIN", f"UDP4-SENDTO:{at}:{p}"],
                            ["socat", "-u", "-b", "65536", f"UDP4-RECV:{p},bind={at}", "STDOUT"]),
    }


def once(harness, side, size, port, sender=(), receiver=()):
    """Datagrams a second, of them whole, the bytes' worth; how many of those given arrived."""
    line = [harness, side, str(size), str(SLICE_MS), port]
    line += {"out": sender, "in": receiver, "pair": [*sender, "::", *receiver], "bare": []}[side]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=True)
    rate, whole, worth, arrived, given = map(float, done.stdout.split())
    return {"rate": rate, "whole": whole, "worth": worth, "arrived": arrived / given if given else 0}


def rows(build):
    """What was measured: (side, size) -> tool -> a list of rounds. Runs here, in this namespace."""
    hail, harness = str(pathlib.Path(build) / "hail"), str(pathlib.Path(build) / "bench/nc_udp")
    tools = {name: pair for name, pair in commands(hail).items()
             if name == "hail nc" or shutil.which(name)}
    out, port = {}, 10000
    for size in SIZES:
        for side in ("bare", *SIDES):
            seen = out.setdefault(f"{side} {size}", {})
            for _ in range(ROUNDS):
                for name, pair in (tools if side != "bare" else {"send, recv": None}).items():
                    port += 1
                    words = pair(str(port)) if pair else ()
                    seen.setdefault(name, []).append(once(harness, side, size, str(port), *words))
    return out


def thousands(values, quartiles):
    middle, low, high = quartiles([v / 1000 for v in values])
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def section(build, tools):
    """Lines of Markdown; `tools` is bench/run's measure(), quartiles() and judged()."""
    if os.geteuid() != 0:
        return ["## Datagrams (`hail nc -u`)", "", "Left out: network namespaces take root.", ""]
    _, quartiles, judged = tools
    done = subprocess.run(["unshare", "-n", "/usr/bin/python3", __file__, str(build)], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=1200)
    seen = json.loads(done.stdout)
    out = ["## Datagrams (`hail nc -u`)", "",
           "Thousands of datagrams a second that arrived; medians and quartiles over the rounds.", "",
           "| | tool | arrived | whole | worth of bytes | of those given |", "|---|---|---|---|---|---|"]
    for what, by_tool in seen.items():
        for name, rounds in by_tool.items():
            cells = [thousands([r[key] for r in rounds], quartiles) for key in ("rate", "whole", "worth")]
            share = statistics.median(r["arrived"] for r in rounds)
            out.append(f"| {what} B | `{name}` | " + " | ".join(cells) + f" | {share:.2f} |")
    out += ["", "| ratio of datagrams that arrived | median (quartiles) | target |", "|---|---|---|"]
    for what, by_tool in seen.items():
        for name, rounds in by_tool.items():
            if name in RATIOS:
                ratios = [a["rate"] / b["rate"] for a, b in zip(by_tool["hail nc"], rounds) if b["rate"]]
                middle, low, high = quartiles(ratios)
                title = f"`hail nc` / `{name}`, {what} B"
                out.append(f"| {title} | {middle:.2f} ({low:.2f} to {high:.2f}) | "
                           + judged(title, middle, ">=", RATIOS[name]) + " |")
    return out + [""]


def main():
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    json.dump(rows(sys.argv[1]), sys.stdout)


if __name__ == "__main__":
    main()
