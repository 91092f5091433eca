"""get's part of bench/run: hail get beside curl, wget, aria2c and busybox wget, against one nginx.

The client has one core, nginx the other; the tools take turns. Each figure is a whole process, start
to exit, as bench/spawn counts it: wall, CPU, and the most memory it ever had.
"""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import zlib

GIB = 1 << 30
ROUNDS = 5
SMALL = 1000
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
NGINX = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ssl_protocols TLSv1.2 TLSv1.3;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; default_type text/plain;
  server {{ listen 127.0.0.1:{http} backlog=256; listen 127.0.0.1:{https} ssl;
    ssl_certificate {certs}/leaf.pem; ssl_certificate_key {certs}/leaf.key; root {www};
    location /text {{ add_header Content-Encoding gzip; }} }}
}}
"""

# Ratios that are aimed at: what, then (peer, wall or cpu, at most).
GOALS = {
    "1 GiB to /dev/null": [("curl", "cpu", 0.6), ("busybox wget", "cpu", 0.6)],
    "1 GiB to a file": [("curl", "wall", 0.7), ("curl", "cpu", 0.7), ("wget", "wall", 0.35),
                        ("aria2c -x4", "wall", 0.4)],
    "1 GiB over TLS": [("curl", "cpu", 0.95)],
    f"{SMALL:,} small URLs, one connection": [("curl", "wall", 0.5)],
    f"{SMALL:,} small URLs, -Z over 16": [("curl", "wall", 0.5)],
    "1 GiB of text out of gzip": [("curl", "cpu", 0.9)],
}
PEAK_MIB = 8


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def words(size):
    """Text as pages have it: some thousand words, the frequent ones often."""
    import random
    draw = random.Random(1)
    lexicon = ["".join(draw.choices("etaoinshrdlucmfwypvbgk", k=draw.randint(2, 9)))
               for _ in range(4000)]
    out = []
    n = 0
    while n < size:
        line = " ".join(lexicon[int(draw.paretovariate(0.6)) % 4000] for _ in range(12)) + "\n"
        out.append(line)
        n += len(line)
    return "".join(out).encode()[:size]


def prepare(www):
    with open(www / "big", "wb") as f:
        block = os.urandom(1 << 24)
        for _ in range(GIB >> 24):
            f.write(block)
    (www / "small.html").write_bytes(b"x" * 612)
    coder = zlib.compressobj(1, zlib.DEFLATED, 31)
    text = words(8 << 20)
    with open(www / "text", "wb") as f:
        for _ in range(GIB >> 23):
            f.write(coder.compress(text))
        f.write(coder.flush())


@contextlib.contextmanager
def nginx(folder, certs, www):
    ports = free_port(), free_port()
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(dir=folder, certs=certs, www=www, http=ports[0], https=ports[1]))
    command = [shutil.which("nginx", path=PATH), "-p", folder, "-c", conf, "-e", folder / "nginx.log"]
    with subprocess.Popen(["taskset", "-c", "1", *map(str, command)], stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", ports[0]), 1).close()
                    break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
        finally:
            server.terminate()


def works(hail, folder, certs, url, tls, disk):
    """What is measured: (title, tools by name, files to remove before each run)."""
    null, big, ca = "/dev/null", f"{url}/big", certs / "ca.pem"
    config = folder / "urls"
    config.write_text(f'url = "{url}/small.html"\noutput = "/dev/null"\n' * SMALL)
    memory = pathlib.Path("/dev/shm") / f"hail-bench-{os.getpid()}"
    yield "1 GiB to /dev/null", {
        "hail get": [hail, "get", "-s", "-o", null, big], "curl": ["curl", "-s", "-o", null, big],
        "busybox wget": ["busybox", "wget", "-q", "-O", null, big],
        "wget": ["wget", "-q", "-O", null, big]}, ()
    for where, out in (("1 GiB to a file", disk / "out"), ("1 GiB to a file in memory", memory)):
        yield where, {
            "hail get": [hail, "get", "-s", "-o", out, big], "curl": ["curl", "-s", "-o", out, big],
            "wget": ["wget", "-q", "-O", out, big],
            "busybox wget": ["busybox", "wget", "-q", "-O", out, big],
            "aria2c -x4": ["aria2c", "-q", "-x4", "-d", out.parent, "-o", out.name, big]}, (out,)
    yield "1 GiB over TLS", {
        "hail get": [hail, "get", "-s", "--cacert", ca, "-o", null, f"{tls}/big"],
        "curl": ["curl", "-s", "--cacert", ca, "-o", null, f"{tls}/big"],
        "wget": ["wget", "-q", "--ca-certificate", ca, "-O", null, f"{tls}/big"]}, ()
    yield f"{SMALL:,} small URLs, one connection", {
        "hail get": [hail, "get", "-s", "-K", config], "curl": ["curl", "-s", "-K", config]}, ()
    yield f"{SMALL:,} small URLs, -Z over 16", {
        "hail get": [hail, "get", "-s", "-Z", "--parallel-max", "16", "-K", config],
        "curl": ["curl", "-s", "-Z", "--parallel-max", "16", "-K", config]}, ()
    yield "1 GiB of text out of gzip", {
        "hail get": [hail, "get", "-s", "--compressed", "-o", null, f"{url}/text"],
        "curl": ["curl", "-s", "--compressed", "-o", null, f"{url}/text"]}, ()


def run(tools, named, files):
    """By tool, the costs of each round."""
    measure = tools[0]
    seen = {name: {"wall": [], "cpu": [], "peak": []} for name in named}
    for _ in range(ROUNDS):
        for name, command in named.items():
            for file in files:
                file.unlink(missing_ok=True)
            (cost,) = measure([list(map(str, command))], 1, ["taskset", "-c", "0"], 0)
            for key in ("wall", "cpu"):
                seen[name][key] += cost[key]
            seen[name]["peak"].append(cost["peak"])
    for file in files:
        file.unlink(missing_ok=True)
    return seen


def goal_rows(tools, title, seen):
    _, quartiles, judged = tools
    for peer, what, limit in GOALS.get(title.replace(" in memory", ""), ()):
        if peer not in seen:
            continue
        middle, low, high = quartiles([a / b for a, b in zip(seen["hail get"][what], seen[peer][what])])
        name = f"{title}: {what}, `hail get` / `{peer}`"
        yield (f"| {title} | {what.replace('cpu', 'CPU')} / `{peer}` | {middle:.2f} ({low:.2f} to {high:.2f}) | "
               + judged(name, middle, "<=", limit) + " |")


def section(build, certs, tools):
    """Lines of Markdown; `tools` is bench/run's measure(), quartiles() and judged(), `certs` the folder
    of its authority and leaf."""
    _, quartiles, judged = tools
    out = ["## Downloads (`hail get`)", "", f"{ROUNDS} rounds; medians and quartiles.", "",
           "| | tool | wall s | CPU s | peak MiB |", "|---|---|---|---|---|"]
    goals, peak = [], 0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as www, tempfile.TemporaryDirectory() as name:
        folder, www = pathlib.Path(name), pathlib.Path(www)
        os.chmod(www, 0o755)
        os.chmod(folder, 0o755)
        prepare(www)
        with nginx(folder, certs, www) as (url, tls):
            for title, named, files in works(build / "hail", folder, certs, url, tls, folder):
                named = {n: c for n, c in named.items() if shutil.which(str(c[0]), path=PATH)}
                seen = run(tools, named, files)
                for tool, cost in seen.items():
                    cells = ["%.3f (%.3f to %.3f)" % tuple(v / 1e6 for v in quartiles(cost[k]))
                             for k in ("wall", "cpu")]
                    top = max(cost["peak"]) / 1024
                    peak = max(peak, top) if tool == "hail get" and "-Z" not in title else peak
                    out.append(f"| {title} | `{tool}` | {cells[0]} | {cells[1]} | {top:.1f} |")
                goals += goal_rows(tools, title, seen)
    out += ["", "| | ratio | median (quartiles) | goal |", "|---|---|---|---|"] + goals
    out += [f"| any download | peak MiB of `hail get` | {peak:.1f} | "
            + judged("peak MiB of a download", peak, "<=", PEAK_MIB) + " |"]
    return out + [""]
