"""serve's part of bench/run: hail beside nginx, h2o, lighttpd, caddy, Python's http.server and busybox
httpd, and bare responders (bench/responder.c).

Each server has one core, the load (wrk; openssl s_time; bench/pace.c) the other; they take turns. CPU
is what the kernel's scheduler counts for all threads of a server, from /proc. A round is a second; figures are medians over the rounds with the least and the most. On the same core as the
server's own work is what the kernel does for its sockets.
"""
import contextlib
import gzip
import os
import pathlib
import re
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time

SECONDS = 1
ROUNDS = 5
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
PIPELINE = """
init = function(args)
  local r = {}
  for i = 1, 16 do r[i] = wrk.format(nil, "/612.html") end
  req = table.concat(r)
end
request = function() return req end
"""
NGINX = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
worker_rlimit_nofile 20000; events {{ worker_connections 15000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; open_file_cache_min_uses 1;
  gzip_static on; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m; keepalive_timeout 600s;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; types {{ text/html html; image/jpeg jpg; }}
  server {{ listen 127.0.0.1:{http} backlog=4096; listen 127.0.0.1:{https} ssl backlog=4096;
    ssl_certificate {dir}/leaf.pem; ssl_certificate_key {dir}/leaf.key; root {www}; }}
}}
"""
H2O = """
num-threads: 1
pid-file: {dir}/h2o.pid
max-connections: 15000
http1-request-timeout: 60
listen: {{host: 127.0.0.1, port: {http}}}
listen:
  host: 127.0.0.1
  port: {https}
  ssl: {{certificate-file: {dir}/leaf.pem, key-file: {dir}/leaf.key}}
{user}
hosts: {{default: {{paths: {{/: {{file.dir: {www}}}}}}}}}
"""
LIGHTTPD = """
server.document-root = "{www}"
server.port = {http}
server.bind = "127.0.0.1"
server.max-connections = 15000
server.max-keep-alive-requests = 1000000000
server.network-backend = "sendfile"
mimetype.assign = (".html" => "text/html", ".jpg" => "image/jpeg")
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{http} {{
  root * {www}
  file_server
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server: its ports, and the CPU time and memory of its processes."""

    def __init__(self, name, command, http, https=None, env=None):
        self.name, self.http, self.https = name, http, https
        self.process = subprocess.Popen(["taskset", "-c", "0", *map(str, command)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE if http is None else
                                        subprocess.DEVNULL, text=True, env=env)
        if http is None:
            ports = [int(re.search(r":(\d+)/", self.process.stdout.readline())[1])
                     for _ in range(2 if https else 1)]
            self.http, self.https = ports[0], ports[-1] if https else None
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.http), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{name} does not answer")

    def pids(self):
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    todo += map(int, pathlib.Path(
                        f"/proc/{pid}/task/{task}/children").read_text().split())
        return found

    def cpu(self):
        """Seconds, of all threads."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    total += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text()
                                 .split()[0])
        return total / 1e9

    def memory(self, field="RssAnon"):
        """Bytes."""
        return sum(int(re.search(rf"^{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status")
                                 .read_text(), re.M)[1]) for pid in self.pids()) * 1024

    def end(self):
        self.process.terminate()
        self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()


class Bench:
    def __init__(self, build, judged, folder):
        self.build, self.hail, self.judged = build, build / "hail", judged
        self.dir, self.www = folder, folder / "www"
        self.out, self.figures = [], {}
        self.make_site()

    def make_site(self):
        self.www.mkdir()
        self.dir.chmod(0o755)
        text = b"".join(b"line %06d of a page that compresses\n" % i for i in range(1320))
        for name, data in (("612.html", b"x" * 612), ("48k.jpg", os.urandom(48823)),
                           ("1m.bin", os.urandom(1 << 20)), ("100m.bin", bytes(100 << 20)),
                           ("text.html", text[:48823]),
                           ("text.html.gz", gzip.compress(text[:48823], 9))):
            (self.www / name).write_bytes(data)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subprocess.run(["openssl", "req", "-x509", *key, "-keyout", "leaf.key", "-out", "leaf.pem",
                        "-days", "2", "-subj", "/CN=localhost"], cwd=self.dir, check=True,
                       capture_output=True)
        (self.dir / "pipeline.lua").write_text(PIPELINE)

    def configured(self, name, text):
        http, https = free_port(), free_port()
        path = self.dir / f"{name}.conf"
        user = "user: root" if os.geteuid() == 0 else ""
        path.write_text(text.format(dir=self.dir, www=self.www, http=http, https=https, user=user))
        return path, http, https

    def start(self, name, tls=True):
        """A server by its name, or None if it is not installed."""
        tool = {"python": "python3", "busybox": "busybox", "nginx": "nginx", "h2o": "h2o",
                "lighttpd": "lighttpd", "caddy": "caddy"}.get(name)
        if tool and not shutil.which(tool, path=PATH):
            return None
        tool = tool and shutil.which(tool, path=PATH)
        if name == "hail" and not tls:
            return Server(name, [self.hail, "serve", "-q", "--threads=1", "-l", "127.0.0.1:0",
                                 "--idle-time=600", self.www], None)
        if name == "hail":
            return Server(name, [self.hail, "serve", "-q", "--threads=1", "-l", "127.0.0.1:0", "-l",
                                 "tls:127.0.0.1:0", "--tls-cert", self.dir / "leaf.pem",
                                 "--tls-key", self.dir / "leaf.key", "--idle-time=600", self.www],
                          None, True)
        if name == "bare":
            return Server(name, [self.build / "bench/responder"], None)
        if name == "bare sendfile":
            return Server(name, [self.build / "bench/responder", self.www / "1m.bin"], None)
        port = free_port()
        if name == "python":
            return Server(name, [tool, "-m", "http.server", "-b", "127.0.0.1", "-d", self.www, port],
                          port)
        if name == "busybox":
            return Server(name, [tool, "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", self.www],
                          port)
        text = {"nginx": NGINX, "h2o": H2O, "lighttpd": LIGHTTPD, "caddy": CADDY}[name]
        path, http, https = self.configured(name, text)
        command = {"nginx": [tool, "-p", self.dir, "-c", path, "-e", self.dir / "nginx.log"],
                   "h2o": [tool, "-c", path], "lighttpd": [tool, "-D", "-f", path],
                   "caddy": [tool, "run", "--config", path, "--adapter", "caddyfile"]}[name]
        env = {**os.environ, "HOME": str(self.dir)}
        return Server(name, command, http, https if name in ("nginx", "h2o") else None, env)

    # --- load ---

    def wrk(self, server, path, connections, *more, tls=False):
        """Requests a second, CPU in microseconds a request."""
        port = server.https if tls else server.http
        before = server.cpu()
        done = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}",
                               f"-d{SECONDS}s", *map(str, more),
                               f"http{'s' * tls}://127.0.0.1:{port}{path}"], capture_output=True,
                              text=True, timeout=60)
        used = server.cpu() - before
        found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", done.stdout)
        if not found or int(found[1]) == 0:
            return None
        took = float(found[2]) / (1000 if found[3] == "ms" else 1)
        return int(found[1]) / took, used * 1e6 / int(found[1])

    def handshakes(self, server, *kind):
        """Connections with a handshake a second that a core does: by CPU, as the client is slower."""
        before = server.cpu()
        done = subprocess.run(["taskset", "-c", "1", "openssl", "s_time", "-connect",
                               f"127.0.0.1:{server.https}", "-www", "/612.html", *kind, "-time", "2"],
                              capture_output=True, text=True, timeout=60)
        used = server.cpu() - before
        found = re.findall(r"(\d+) connections in \d+ real seconds", done.stdout)
        count = int(found[-1]) if found else 0
        return (count / used, used * 1e6 / count) if count else None

    # --- tables ---

    def table(self, title, names, load, rounds=ROUNDS):
        """Runs `load` with each server in turn; figures by name and title."""
        self.out += [f"### {title}", "", "| | a second (least to most) | CPU µs each (least to most) |",
                     "|---|---|---|"]
        servers = {name: self.start(name) for name in names}
        got = {name: [] for name in names}
        try:
            for name, server in servers.items():  # what is cached is, from here on
                if server:
                    load(server)
            for _ in range(rounds):
                for name, server in servers.items():
                    figures = load(server) if server else None
                    if figures:
                        got[name].append(figures)
        finally:
            for server in servers.values():
                if server:
                    server.end()
        for name in names:
            if not servers[name]:
                self.out.append(f"| {name} | not installed | |")
                continue
            if not got[name]:
                self.out.append(f"| {name} | no answer | |")
                continue
            cells = []
            for values in zip(*got[name]):
                cells.append("%.4g (%.4g to %.4g)" % (statistics.median(values), min(values),
                                                      max(values)))
            if name == "busybox":
                cells[1] = "its processes end with their connections"
            self.out.append(f"| {name} | {cells[0]} | {cells[1]} |")
            self.figures[title, name] = got[name]
        self.out.append("")

    def ratios(self, title, rows):
        """Rows of (peers, what, sign, limit): hail to the best of the peers, round by round."""
        self.out += ["| ratio | median (least to most) | goal |", "|---|---|---|"]
        for peers, what, sign, limit in rows:
            column = 0 if what == "a second" else 1
            mine = self.figures.get((title, "hail"))
            theirs = {p: self.figures[title, p] for p in peers if (title, p) in self.figures}
            if not mine or not theirs:
                continue
            better = max if column == 0 else min
            best = better(theirs, key=lambda p: statistics.median(v[column] for v in theirs[p]))
            values = [a[column] / b[column] for a, b in zip(mine, theirs[best])]
            middle = statistics.median(values)
            name = f"serve, {title}, {what}, hail / {best}"
            self.out.append(f"| {what}, hail / {best} | {middle:.3f} ({min(values):.3f} to "
                            f"{max(values):.3f}) | {self.judged(name, middle, sign, limit)} |")
        self.out.append("")

    def small(self):
        peers = ("nginx", "h2o", "lighttpd", "caddy", "python")
        for connections, names in ((64, ("hail", *peers, "busybox", "bare")),
                                   (512, ("hail", "nginx", "h2o", "bare"))):
            title = f"612 bytes, keep-alive, {connections} connections"
            self.table(title, names, lambda s, c=connections: self.wrk(s, "/612.html", c))
            self.ratios(title, [(peers, "CPU", "<=", 0.85), (("nginx",), "CPU", "<=", 0.65),
                                (("bare",), "CPU", "<=", 1.15), (peers, "a second", ">=", 1.1)])

    def bigger(self):
        title = "48,823 bytes"
        self.table(title, ("hail", "nginx", "h2o", "lighttpd"),
                   lambda s: self.wrk(s, "/48k.jpg", 64))
        self.ratios(title, [(("nginx", "h2o", "lighttpd"), "CPU", "<=", 0.8)])
        title = "1 MiB"
        self.table(title, ("hail", "nginx", "h2o", "bare sendfile"),
                   lambda s: self.wrk(s, "/1m.bin", 16))
        self.ratios(title, [(("nginx",), "CPU", "<=", 0.9), (("nginx",), "a second", ">=", 1.1),
                            (("bare sendfile",), "CPU", "<=", 1.15)])
        title = "100 MB"
        self.table(title, ("hail", "nginx"), lambda s: self.wrk(s, "/100m.bin", 4))
        self.ratios(title, [(("nginx",), "CPU", "<=", 1.0), (("nginx",), "a second", ">=", 1.0)])

    def ways(self):
        title = "612 bytes, 16 requests at a time"
        self.table(title, ("hail", "nginx", "h2o"), lambda s: self.wrk(
            s, "/612.html", 64, "-s", self.dir / "pipeline.lua"), 3)
        self.ratios(title, [(("nginx",), "a second", ">=", 8)])
        title = "612 bytes, a connection for each"
        self.table(title, ("hail", "nginx", "h2o"),
                   lambda s: self.wrk(s, "/612.html", 64, "-H", "Connection: close"))
        self.ratios(title, [(("nginx", "h2o"), "a second", ">=", 1.0),
                            (("nginx", "h2o"), "CPU", "<=", 0.95)])
        title = "precompressed text"
        self.table(title, ("hail", "nginx"),
                   lambda s: self.wrk(s, "/text.html", 64, "-H", "Accept-Encoding: gzip"))
        self.ratios(title, [(("nginx",), "a second", ">=", 1.2), (("nginx",), "CPU", "<=", 0.83)])

    def secure(self):
        for path, name in (("/612.html", "612"), ("/48k.jpg", "48,823")):
            title = f"TLS, {name} bytes"
            self.table(title, ("hail", "nginx", "h2o"),
                       lambda s, p=path: self.wrk(s, p, 64, tls=True), 3)
            self.ratios(title, [(("h2o",), "CPU", "<=", 0.9)])
        for kind, title, limit in (("-new -tls1_3", "TLS 1.3 handshakes", 1.0),
                                   ("-reuse -tls1_3", "TLS 1.3 handshakes, resumed", 1.2),
                                   ("-reuse -tls1_2", "TLS 1.2 handshakes, resumed", 1.2)):
            self.table(title, ("hail", "nginx", "h2o"),
                       lambda s, k=kind: self.handshakes(s, *k.split()), 2)
            self.ratios(title, [(("nginx",), "a second", ">=", limit)])

    # --- memory, latency, attacks ---

    def idle(self):
        self.out += ["### Idle connections", "", "| | at the start, resident | user memory of a "
                     "connection | goal |", "|---|---|---|---|"]
        for name in ("hail", "nginx", "h2o"):
            for tls, count, goal in ((False, 10000, 200), (True, 2000, 6144)):
                server = self.start(name, tls)
                if not server:
                    continue
                held, start = [], server.memory("VmRSS")
                try:
                    each, held = self.hold(server, count, tls)
                finally:
                    for s in held:
                        s.close()
                    server.end()
                label = f"{name}, {count:,} connections{', TLS' * tls}"
                cell = self.judged(f"serve, {label}", each, "<=", goal) if name == "hail" else ""
                begin = self.judged("serve, resident at the start, MiB", start / 2 ** 20, "<=", 5) \
                    if name == "hail" and not tls else ""
                self.out.append(f"| {label} | {start / 2 ** 20:.1f} MiB{', ' * bool(begin)}{begin} "
                                f"| {each:.0f} B | {cell} |")
        self.out.append("")

    def hold(self, server, count, tls):
        context = ssl.create_default_context(cafile=self.dir / "leaf.pem")
        before, held = server.memory(), []
        for _ in range(count):
            s = socket.create_connection(("127.0.0.1", server.https if tls else server.http))
            s = context.wrap_socket(s, server_hostname="localhost") if tls else s
            s.sendall(b"GET /612.html HTTP/1.1\r\nHost: x\r\n\r\n")
            s.recv(65536)
            held.append(s)
        return (server.memory() - before) / count, held

    def pace(self, server, rate, connections=64):
        done = subprocess.run(["taskset", "-c", "1", self.build / "bench/pace", str(server.http),
                               "/612.html", str(connections), str(rate), "2"], capture_output=True,
                              text=True, timeout=60)
        return tuple(map(int, done.stdout.split()[1:])) if done.returncode == 0 else None

    def latency(self):
        full = self.figures.get(("612 bytes, keep-alive, 64 connections", "nginx"))
        if not full:
            return
        rate = int(statistics.median(v[0] for v in full) / 2)
        self.out += [f"### Latency at {rate:,} requests a second, half of what nginx can", "",
                     "| | median µs | 99th percentile µs (least to most) |", "|---|---|---|"]
        names = ("hail", "nginx", "h2o")
        servers, got = {n: self.start(n) for n in names}, {n: [] for n in names}
        try:
            for _ in range(5):
                for name, server in servers.items():
                    one = self.pace(server, rate) if server else None
                    if one:
                        got[name].append(one)
            for name, values in got.items():
                if values:
                    p99 = [v[1] for v in values]
                    self.out.append(f"| {name} | {statistics.median(v[0] for v in values):.0f} | "
                                    f"{statistics.median(p99):.0f} ({min(p99)} to {max(p99)}) |")
            if got["hail"] and got["nginx"]:
                ratio = statistics.median(v[1] for v in got["hail"]) / \
                    statistics.median(v[1] for v in got["nginx"])
                self.out += ["", "Ratio of the 99th percentiles, hail / nginx: %.2f, %s." % (
                    ratio, self.judged("serve, p99 at half load", ratio, "<=", 0.8)), ""]
            self.slowloris(servers["hail"], rate)
        finally:
            for server in servers.values():
                if server:
                    server.end()

    def slowloris(self, server, rate):
        """The others' latency while 10,000 connections send their heads a byte at a time."""
        before = [self.pace(server, rate) for _ in range(5)]
        held, stop = [], threading.Event()

        def trickle():
            while not stop.is_set():
                for s in held:
                    with contextlib.suppress(OSError):
                        s.send(b"a")
                    if stop.is_set():
                        return
                stop.wait(1)

        for _ in range(10000):
            s = socket.create_connection(("127.0.0.1", server.http))
            s.send(b"GET / HTTP/1.1\r\nX: ")
            held.append(s)
        worker = threading.Thread(target=trickle)
        worker.start()
        try:
            during = [self.pace(server, rate) for _ in range(5)]
        finally:
            stop.set()
            worker.join()
            for s in held:
                s.close()
        cells = ["%.0f" % statistics.median(v[1] for v in values if v) for values in
                 (before, during)]
        self.out += [f"With 10,000 connections that send a byte of their heads each second, the "
                     f"99th percentile of the others is {cells[1]} µs, without them {cells[0]} µs "
                     "(the attacker takes time of the load's core, too).", ""]

    def attacks(self):
        self.out += ["### slowhttptest, 1,000 connections, 10 seconds", "",
                     "| mode | service available | the end |",
                     "|---|---|---|"]
        if not shutil.which("slowhttptest"):
            self.out += ["| not installed | | |", ""]
            return
        for name, flags in (("slow heads (-H)", ["-H"]), ("slow content (-B)", ["-B", "-s", "8192"]),
                            ("ranges (-R)", ["-R", "-a", "5", "-b", "3000"]),
                            ("slow reading (-X)", ["-X", "-w", "10", "-y", "20", "-n", "1", "-z",
                                                   "32", "-k", "3"])):
            server = Server("hail", [self.hail, "serve", "-q", "--threads=1", "--head-time=5", "-l",
                                     "127.0.0.1:0", self.www], None)
            done = subprocess.run(["slowhttptest", *flags, "-c", "1000", "-i", "2", "-r", "500",
                                   "-l", "10", "-p", "2", "-u",
                                   f"http://127.0.0.1:{server.http}/48k.jpg"], capture_output=True,
                                  text=True, timeout=120)
            server.end()
            text = re.sub("\033\\[[0-9;]*m", "", done.stdout)
            available = re.findall(r"service available:\s*(\w+)", text)
            ended = re.search(r"Test ended on (\d+)\w+ second", text)
            why = re.search(r"Exit status:\s*(.*)", text)
            verdict = "at every look" if available and set(available) == {"YES"} else \
                "**not always**" if available else "?"
            self.out.append(f"| {name} | {verdict} | {ended[1] if ended else '?'} s: "
                            f"{why[1].strip().lower() if why else '?'} |")
        self.out.append("")


def section(build, judged):
    """Lines of Markdown."""
    if not shutil.which("wrk", path=PATH) or (os.cpu_count() or 1) < 2:
        return ["## Files (`hail serve`)", "", "Left out: it takes wrk and two cores.", ""]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with tempfile.TemporaryDirectory() as name:
            b = Bench(build, judged, pathlib.Path(name))
            for part in (b.small, b.bigger, b.ways, b.secure, b.idle, b.latency, b.attacks):
                part()
            return ["## Files (`hail serve`)", "", *b.out]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
