"""nc's part of bench/run: bytes through hail, netcat-openbsd, ncat, socat and the bare loops of system
calls (bench/pipe.c), in turn; relays under iperf3; a sweep of ports; idle clients; TLS.

Everything happens in a network namespace of its own, where this file runs as a program and prints
what it saw as JSON; section() puts that into words. A transfer is timed from the start of the sender
to the end of the receiver, which writes to /dev/null; CPU is of both, without the producer.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
BULK = 4 << 30
TLS_BULK = 1 << 30
CHUNK = 256 << 10
SWEEP = "20001-30000"
IDLE = 10000
CIPHER = "TLS_AES_256_GCM_SHA384"
NULL = subprocess.DEVNULL


# --- inside the namespace ---


class Bed:
    """Ports, files and processes of one run."""

    def __init__(self, build, folder):
        self.build, self.dir = pathlib.Path(build), pathlib.Path(folder)
        self.hail, self.pipe = str(self.build / "hail"), str(self.build / "bench/pipe")
        self.port = 10000

    def next_port(self):
        self.port += 1
        return str(self.port)


def listens(port):
    wanted = ":%04X" % int(port)
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[1].endswith(wanted) and words[3] == "0A":
                return True
    return False


def wait_until_listens(port, process):
    for _ in range(1000):
        if listens(port):
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError(f"{process.args}: does not listen")


def finish(process):
    """Waits; the CPU seconds it used."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def transfer(bed, receiver, sender, port, source):
    """One transfer: wall and CPU seconds. `source` is a producer's command or a file."""
    with contextlib.ExitStack() as stack:
        # openssl s_server ends with its standard input, before anything has come
        silence = subprocess.PIPE if receiver[0] == "openssl" else NULL
        got = stack.enter_context(subprocess.Popen(receiver, stdin=silence, stdout=NULL, stderr=NULL))
        wait_until_listens(port, got)
        if isinstance(source, pathlib.Path):
            feed, producer = stack.enter_context(open(source, "rb")), None
        else:
            producer = stack.enter_context(subprocess.Popen(source, stdout=subprocess.PIPE))
            feed = producer.stdout
        start = time.monotonic()
        sent = stack.enter_context(subprocess.Popen(sender, stdin=feed, stdout=NULL, stderr=NULL))
        feed.close()
        cpu = finish(sent) + finish(got)
        wall = time.monotonic() - start
        if producer and producer.wait(60):
            raise RuntimeError(f"{sender}: did not take everything")
        if sent.returncode or got.returncode:
            raise RuntimeError(f"{sender}, {receiver}: {sent.returncode}, {got.returncode}")
    return {"wall": wall, "cpu": cpu}


def pairs(bed):
    """Receiver and sender by the tool's name, for a port."""
    at = "127.0.0.1"
    return {
        "hail nc": lambda p: ([bed.hail, "nc", "-l", at, p], [bed.hail, "nc", "-N", at, p]),
        "nc": lambda p: (["nc.openbsd", "-l", at, p], ["nc.openbsd", "-N", at, p]),
        "ncat": lambda p: (["ncat", "-l", "--recv-only", at, p], ["ncat", "--send-only", at, p]),
        "socat": lambda p: (["socat", "-u", "-b", "262144", f"TCP-LISTEN:{p},bind={at}", "-"],
                            ["socat", "-u", "-b", "262144", "-", f"TCP:{at}:{p}"]),
        "bare splice": lambda p: ([bed.pipe, "splice-receive", p], [bed.pipe, "splice-send", p]),
        "bare sendfile": lambda p: ([bed.pipe, "splice-receive", p], [bed.pipe, "sendfile", p]),
    }


def tls_pairs(bed):
    cert, key = bed.dir / "cert.pem", bed.dir / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    at = "127.0.0.1"
    return {
        "hail nc --tls": lambda p: (
            [bed.hail, "nc", "-l", "--tls", "--cert", str(cert), "--key", str(key), at, p],
            [bed.hail, "nc", "-N", "--tls", "--ca", str(cert), at, p]),
        "openssl": lambda p: (
            ["openssl", "s_server", "-accept", p, "-cert", str(cert), "-key", str(key), "-quiet",
             "-naccept", "1", "-ciphersuites", CIPHER],
            ["openssl", "s_client", "-connect", f"{at}:{p}", "-quiet", "-no_ign_eof",
             "-ciphersuites", CIPHER]),
    }


def transfers(bed, named, source, rounds=ROUNDS):
    """A list of costs by name, the tools in turn."""
    out = {name: [] for name, pair in named.items() if shutil.which(pair("1")[0][0])}
    for i in range(rounds + 1):
        for name in out:
            port = bed.next_port()
            cost = transfer(bed, *named[name](port), port, source)
            if i > 0:  # the first one warms
                out[name].append(cost)
    return out


# --- relays ---

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
{module}
events {{ worker_connections 64; }}
stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{to}; }} }}
"""
HAPROXY = """
global
    nbthread 1
    maxpipes 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option splice-auto
    option splice-request
    option splice-response
listen relay
    bind 127.0.0.1:{port}
    server target 127.0.0.1:{to}
"""


def relays(bed):
    at, module = "127.0.0.1", pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

    def nginx(port, to):
        conf = bed.dir / "nginx.conf"
        conf.write_text(NGINX.format(dir=bed.dir, port=port, to=to, module=f"load_module {module};"),
                        encoding="ascii")
        return ["nginx", "-e", str(bed.dir / "error.log"), "-c", str(conf)]

    def haproxy(port, to):
        conf = bed.dir / "haproxy.cfg"
        conf.write_text(HAPROXY.format(port=port, to=to), encoding="ascii")
        return ["haproxy", "-db", "-f", str(conf)]

    named = {
        "hail nc": lambda p, t: [bed.hail, "nc", f"listen:{at}:{p}", f"tcp:{at}:{t}"],
        "socat": lambda p, t: ["socat", "-b", "262144", f"TCP-LISTEN:{p},bind={at},fork",
                               f"TCP:{at}:{t}"],
        "nginx stream": nginx,
        "haproxy": haproxy,
        "bare splice": lambda p, t: [bed.pipe, "splice-relay", p, t],
    }
    return {name: make for name, make in named.items()
            if shutil.which(make("1", "2")[0]) and (name != "nginx stream" or module.exists())}


def cpu_of_family(pid):
    """CPU seconds of a process, its children, and those that it waited for."""
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = stat.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
            if int(stat.parent.name) == pid:
                total += sum(map(int, words[11:15]))
            elif int(words[1]) == pid:
                total += sum(map(int, words[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def through(bed, make, target, seconds):
    """iperf3 through a relay: GB/s and CPU seconds a GB."""
    port = bed.next_port()
    with subprocess.Popen(make(port, target), stdin=NULL, stdout=NULL, stderr=NULL) as relay:
        try:
            wait_until_listens(port, relay)
            done = subprocess.run(["iperf3", "-c", "127.0.0.1", "-p", port, "-t", str(seconds), "-J"],
                                  stdin=NULL, capture_output=True, text=True, timeout=60, check=True)
            cpu = cpu_of_family(relay.pid)
        finally:
            relay.send_signal(signal.SIGTERM)
    gb = json.loads(done.stdout)["end"]["sum_received"]["bytes"] / 1e9
    return {"rate": gb / seconds, "cpu": cpu / gb}


def relayed(bed):
    target, named = bed.next_port(), relays(bed)
    out = {name: [] for name in named}
    with subprocess.Popen(["iperf3", "-s", "-p", target], stdin=NULL, stdout=NULL) as server:
        try:
            wait_until_listens(target, server)
            for _ in range(ROUNDS):
                for name, make in named.items():
                    out[name].append(through(bed, make, target, 3))
        finally:
            server.terminate()
    return out


# --- the rest ---


def sweeps(bed):
    commands = {"hail nc -z": [bed.hail, "nc", "-z", "127.0.0.1", SWEEP],
                "nc -z": ["nc.openbsd", "-z", "127.0.0.1", SWEEP]}
    out = {name: [] for name in commands}
    for _ in range(ROUNDS + 2):
        for name, command in commands.items():
            start = time.monotonic()
            with subprocess.Popen(command, stdin=NULL, stdout=NULL, stderr=NULL) as process:
                cpu = finish(process)
            out[name].append({"wall": time.monotonic() - start, "cpu": cpu})
    return out


def own_memory(pid):
    """Bytes of a process that are its alone and not of a file."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M)[1]) * 1024


def idle_clients(bed):
    port = bed.next_port()
    with subprocess.Popen([bed.hail, "nc", "-lk", "127.0.0.1", port], stdin=NULL, stdout=NULL) as server:
        try:
            wait_until_listens(port, server)
            before = own_memory(server.pid)
            with subprocess.Popen([bed.pipe, "idle", port, str(IDLE)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as clients:
                if clients.stdout.readline() != "ready\n":
                    raise RuntimeError("bench/pipe idle: not connected")
                for _ in range(500):  # until the last one was accepted
                    if len(os.listdir(f"/proc/{server.pid}/fd")) > IDLE:
                        break
                    time.sleep(0.02)
                held = len(os.listdir(f"/proc/{server.pid}/fd"))
                after = own_memory(server.pid)
                clients.stdin.close()
                clients.wait(60)
        finally:
            server.terminate()
    if held <= IDLE:
        raise RuntimeError(f"only {held} descriptors for {IDLE} clients")
    return (after - before) / IDLE


def inside(build):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        bed = Bed(build, folder)
        named, out = pairs(bed), {}
        out["pipe"] = transfers(bed, {k: v for k, v in named.items() if k != "bare sendfile"},
                                [bed.pipe, "produce", str(BULK), str(CHUNK)])
        big = bed.dir / "big"
        with open(big, "wb") as f:
            subprocess.run([bed.pipe, "produce", str(BULK), str(CHUNK)], stdout=f, check=True)
        out["file"] = transfers(bed, {k: v for k, v in named.items()
                                      if k not in ("bare splice", "ncat")}, big)
        big.unlink()
        out["relay"] = relayed(bed)
        out["sweep"] = sweeps(bed)
        out["tls"] = transfers(bed, tls_pairs(bed),
                               [bed.pipe, "produce", str(TLS_BULK), str(CHUNK)])
        out["idle"] = idle_clients(bed)
    json.dump(out, sys.stdout)


# --- in words ---


def spread(values, form):
    return f"{form} ({form} to {form})" % (statistics.median(values), min(values), max(values))


class Words:
    def __init__(self, seen, judged):
        self.seen, self.judged, self.out = seen, judged, []

    def ratio(self, name, mine, other, sign, limit):
        """Round by round: each ran in turn with the other."""
        each = [a / b for a, b in zip(mine, other)]
        self.out.append(f"| {name} | {spread(each, '%.2f')} | " +
                        self.judged(name, statistics.median(each), sign, limit) + " |")

    def ratios(self, title, what, rows):
        """`what` "rate": the faster the more; "cpu": the cheaper the less."""
        self.out += ["", "| ratio | median (range) | target |", "|---|---|---|"]
        for mine, other, rate, cpu in rows:
            a, b = self.seen[what].get(mine), self.seen[what].get(other)
            if not b:
                self.out.append(f"| {title}: `{mine}` / `{other}` | not installed | |")
                continue
            if rate:
                speed = [[x["rate"] if "rate" in x else 1 / x["wall"] for x in v] for v in (a, b)]
                self.ratio(f"{title}: throughput, `{mine}` / `{other}`", *speed, ">=", rate)
            if cpu:
                self.ratio(f"{title}: CPU, `{mine}` / `{other}`", [x["cpu"] for x in a],
                           [x["cpu"] for x in b], "<=", cpu)

    def transfers(self, title, what, size):
        self.out += [f"### {title}", "", "| | GB/s (range) | CPU s a GB, both ends (range) |",
                     "|---|---|---|"]
        for name, costs in self.seen[what].items():
            self.out.append(f"| `{name}` | {spread([size / 1e9 / c['wall'] for c in costs], '%.2f')} | "
                            f"{spread([c['cpu'] / (size / 1e9) for c in costs], '%.3f')} |")

    def relays(self):
        self.out += ["### A relay, measured by iperf3 through it", "",
                     "| | GB/s (range) | CPU s a GB (range) |", "|---|---|---|"]
        for name, costs in self.seen["relay"].items():
            self.out.append(f"| `{name}` | {spread([c['rate'] for c in costs], '%.2f')} | "
                            f"{spread([c['cpu'] for c in costs], '%.3f')} |")

    def sweep(self):
        self.out += ["### 10,000 closed ports (`-z`, one range)", "", "| | wall ms (range) |", "|---|---|"]
        for name, costs in self.seen["sweep"].items():
            self.out.append(f"| `{name}` | {spread([c['wall'] * 1000 for c in costs], '%.0f')} |")


def section(build, judged):
    """Lines of Markdown."""
    if os.geteuid() != 0:
        return ["## Bytes (`hail nc`)", "", "Left out: network namespaces take root.", ""]
    done = subprocess.run(["unshare", "-n", "/usr/bin/python3", __file__, str(build)], stdin=NULL,
                          stdout=subprocess.PIPE, text=True, check=True, timeout=1200)
    seen = json.loads(done.stdout)
    w = Words(seen, judged)
    w.transfers("4 GiB from a producer through a pipe", "pipe", BULK)
    w.ratios("pipe", "pipe", [("hail nc", "nc", 2, 0.35), ("hail nc", "ncat", 3, None),
                              ("hail nc", "socat", 1.3, 0.65), ("hail nc", "bare splice", 0.95, None)])
    w.out.append("")
    w.transfers("4 GiB from a file in the page cache", "file", BULK)
    w.ratios("file", "file", [("hail nc", "nc", 2.2, None), ("hail nc", "socat", 1.15, 0.65)])
    w.out.append("")
    w.relays()
    best = min((name for name in seen["relay"] if name in ("socat", "nginx stream", "haproxy")),
               key=lambda name: statistics.median(c["cpu"] for c in seen["relay"][name]))
    w.ratios("relay", "relay", [("hail nc", name, 1.2, 0.4 if name == best else None)
                                for name in ("socat", "nginx stream", "haproxy")])
    w.out.append("")
    w.sweep()
    w.ratios("sweep", "sweep", [("hail nc -z", "nc -z", 5, None)])
    w.out.append("")
    w.transfers("1 GiB over TLS 1.3 (" + CIPHER + ")", "tls", TLS_BULK)
    w.ratios("TLS", "tls", [("hail nc --tls", "openssl", 1.0, None)])
    w.out += ["", "| | bytes of user memory | target |", "|---|---|---|",
              f"| an idle client of `hail nc -lk`, of 10,000 | {seen['idle']:.0f} | " +
              judged("an idle client of `hail nc -lk`", seen["idle"], "<=", 1024) + " |"]
    return ["## Bytes (`hail nc`)", ""] + w.out + [""]


if __name__ == "__main__":
    inside(sys.argv[1])
