"""check's part of bench/run: hail check beside a loop over `nc -z`, nmap -sV and blackbox_exporter.

Services: 200 targets, 25 of each of the eight standard services; HTTP and HTTPS are nginx's, the
others' first words are said by one process here, so that it is not the daemons that are measured.
Fleet: the same pages of one nginx, checked each 15 seconds by `hail check --metrics`, and by
blackbox_exporter when it is asked for each in turn as Prometheus would ask.
"""
import contextlib
import os
import pathlib
import resource
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

EACH = 25
ROUNDS = 15
NMAP_S = 60  # it is ended then, and what it needs is more
TARGETS = 5000
EVERY_S = 15
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
UP_ROUNDS = 20

# What each service says: first, and then by what it hears.
WORDS = {
    "ftp": (b"220 ready\r\n", {b"FEAT": b"211-Features:\r\n SIZE\r\n211 End\r\n", b"QUIT": b"221 bye\r\n"}),
    "ssh": (b"SSH-2.0-Bench_1\r\n", {b"SSH-": b"KEXINIT"}),
    "telnet": (b"\xff\xfd\x18\xff\xfd\x20", {b"\xff": b"login: "}),
    "smtp": (b"220 bench ESMTP\r\n", {b"EHLO": b"250-bench\r\n250 SIZE\r\n", b"QUIT": b"221 bye\r\n"}),
    "pop3": (b"+OK ready\r\n", {b"CAPA": b"+OK\r\nTOP\r\n.\r\n", b"QUIT": b"+OK\r\n"}),
    "nntp": (b"200 ready\r\n", {b"CAPA": b"101 list\r\nVERSION 2\r\n.\r\n", b"QUIT": b"205 bye\r\n"}),
}
LISTS = b"".join(len(n).to_bytes(4, "big") + n for n in
                 (b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256",
                  b"hmac-sha2-256", b"none", b"none", b"", b""))
PAYLOAD = bytes([20]) + bytes(16) + LISTS + bytes(5)
PACKET = (len(PAYLOAD) + 5).to_bytes(4, "big") + bytes([4]) + PAYLOAD + bytes(4)

NGINX = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ {http} {https}
    ssl_certificate {certs}/leaf.pem; ssl_certificate_key {certs}/leaf.key; return 200 "well"; }}
}}
"""


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def speak(listeners):
    """The services' first words, in a process of its own until it is ended."""
    selector = selectors.DefaultSelector()
    for listener, name in listeners:
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, ("accept", name))
    while True:
        for key, _ in selector.select():
            kind, name = key.data
            if kind == "accept":
                with contextlib.suppress(OSError):
                    connection, _ = key.fileobj.accept()
                    connection.send(WORDS[name][0])
                    selector.register(connection, selectors.EVENT_READ, ("talk", name))
                continue
            heard = b""
            with contextlib.suppress(OSError):
                heard = key.fileobj.recv(4096)
            answer = next((a for word, a in WORDS[name][1].items() if heard.startswith(word)), None)
            if not heard or answer is None:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            with contextlib.suppress(OSError):
                key.fileobj.send(PACKET if answer == b"KEXINIT" else answer)


@contextlib.contextmanager
def services():
    """[(scheme, port)] of the six that greet."""
    listeners = [(socket.create_server(("127.0.0.1", 0), backlog=256), name)
                 for name in WORDS for _ in range(EACH)]
    child = os.fork()
    if child == 0:
        try:
            speak(listeners)
        finally:
            os._exit(0)
    found = [(name, listener.getsockname()[1]) for listener, name in listeners]
    for listener, _ in listeners:
        listener.close()
    try:
        yield found
    finally:
        os.kill(child, 15)
        os.waitpid(child, 0)


@contextlib.contextmanager
def nginx(folder, certs):
    ports = free_ports(2 * EACH)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(
        dir=folder, certs=certs, http=" ".join(f"listen 127.0.0.1:{p};" for p in ports[:EACH]),
        https=" ".join(f"listen 127.0.0.1:{p} ssl;" for p in ports[EACH:])))
    command = [shutil.which("nginx", path=PATH), "-p", folder, "-c", conf, "-e", folder / "nginx.log"]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", ports[-1]), 1).close()
                    break
                time.sleep(0.05)
            yield ports[:EACH], ports[EACH:]
        finally:
            server.terminate()


def timed(command):
    begin = time.monotonic()
    done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return time.monotonic() - begin, done.returncode


# --- once ---


def once(hail, folder, certs, tools):
    _, quartiles, judged = tools
    with services() as greeting, nginx(folder, certs) as (http, https):
        targets = [f"{name}://127.0.0.1:{port}" for name, port in greeting]
        targets += [f"http://127.0.0.1:{p}" for p in http] + [f"https://127.0.0.1:{p}" for p in https]
        ports = [port for _, port in greeting] + http + https
        file = folder / "targets"
        file.write_text("".join(f"{t} starttls=never\n" for t in targets))
        loop = "for p in %s; do nc -z 127.0.0.1 $p; done" % " ".join(map(str, ports))
        commands = {"hail check": [hail, "check", "-q", "--cacert", certs / "ca.pem", "--file", file],
                    "nc -z in a loop": ["sh", "-c", loop]}
        seen = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                took, status = timed(command)
                assert status == 0, (name, status)
                seen[name].append(took)
        if shutil.which("nmap"):
            seen["nmap -sV"] = [timed(["timeout", NMAP_S, "nmap", "-n", "-Pn", "-sV", "-p",
                                       ",".join(map(str, ports)), "127.0.0.1"])[0]]
    out = [f"{len(targets)} targets of the eight services, once; {ROUNDS} rounds, "
           f"in turn; nmap once, and for {NMAP_S} s at most.", "", "| tool | wall s (quartiles) |", "|---|---|"]
    for name, times in seen.items():
        out.append("| `%s` | %.3f (%.3f to %.3f) |" % (name, *(quartiles(times * 2))))
    out += ["", "| ratio | wall | goal |", "|---|---|---|"]
    for peer, limit in (("nc -z in a loop", 0.2), ("nmap -sV", 0.1)):
        if peer in seen:
            ratio = quartiles(seen["hail check"])[0] / quartiles(seen[peer] * 2)[0]
            out.append(f"| `hail check` / `{peer}` | {ratio:.3f} | "
                       + judged(f"200 targets, `hail check` / `{peer}`", ratio, "<=", limit) + " |")
    return out + [""]


# --- a fleet ---


def cost(child):
    """CPU seconds so far, and the most memory it ever had in MiB."""
    fields = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak / 1024


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def ready(url):
    for _ in range(200):
        with contextlib.suppress(OSError):
            return get(url)
        time.sleep(0.05)
    raise SystemExit("bench: nobody answers at " + url)


def hail_fleet(hail, folder, page):
    """CPU of one round of all targets, one scrape included, and the peak."""
    (port,) = free_ports(1)
    file = folder / "fleet"
    file.write_text(f"default every={EVERY_S}s protocol=http method=GET\n"
                    + "".join(f"{page}/{i}\n" for i in range(TARGETS)))
    with subprocess.Popen([hail, "check", "--metrics", f"127.0.0.1:{port}", "--file", file],
                          stderr=subprocess.DEVNULL) as child:
        try:
            ready(f"http://127.0.0.1:{port}/-/healthy")
            time.sleep(EVERY_S + 1)
            before = cost(child)[0]
            time.sleep(EVERY_S)
            text = get(f"http://127.0.0.1:{port}/metrics")
            after, peak = cost(child)
            good = text.count(b"probe_success{") - text.count(b'"} 0\n', 0, 1)
            assert good == TARGETS, good
            return after - before, peak
        finally:
            child.terminate()


def blackbox_fleet(hail, folder, page):
    (port,) = free_ports(1)
    config = folder / "blackbox.yml"
    config.write_text("modules:\n  http_2xx:\n    prober: http\n    timeout: 5s\n")
    with subprocess.Popen(["prometheus-blackbox-exporter", f"--config.file={config}",
                           f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                          stderr=subprocess.DEVNULL) as child:
        try:
            ready(f"http://127.0.0.1:{port}/-/healthy")
            before = cost(child)[0]
            for second in range(EVERY_S):
                begin = time.monotonic()
                urls = folder / "urls"
                urls.write_text("".join(
                    f'url = "http://127.0.0.1:{port}/probe?module=http_2xx&target={page}/{i}"\n'
                    'output = "/dev/null"\n' for i in range(second, TARGETS, EVERY_S)))
                subprocess.run([hail, "get", "-s", "-Z", "-K", urls], check=True)
                time.sleep(max(0, begin + 1 - time.monotonic()))
            after, peak = cost(child)
            return after - before, peak
        finally:
            child.terminate()


def fleet(hail, folder, certs, judged):
    with nginx(folder, certs) as (http, _):
        page = f"http://127.0.0.1:{http[0]}"
        seen = {"hail check --metrics": hail_fleet(hail, folder, page)}
        if shutil.which("prometheus-blackbox-exporter"):
            seen["blackbox_exporter"] = blackbox_fleet(hail, folder, page)
    out = [f"{TARGETS:,} HTTP targets, each once in {EVERY_S} s, and one scrape of all.", "",
           "| exporter | CPU s | peak MiB |", "|---|---|---|"]
    out += [f"| `{name}` | {cpu:.2f} | {peak:.1f} |" for name, (cpu, peak) in seen.items()]
    if "blackbox_exporter" in seen:
        out += ["", "| ratio | | goal |", "|---|---|---|"]
        for i, (what, limit) in enumerate((("CPU", 0.4), ("peak memory", 0.3))):
            ratio = seen["hail check --metrics"][i] / seen["blackbox_exporter"][i]
            out.append(f"| {what}, `hail check --metrics` / `blackbox_exporter` | {ratio:.2f} | "
                       + judged(f"fleet: {what}", ratio, "<=", limit) + " |")
    return out + [""]


# --- until it is up ---


def until(hail, tools):
    """From the service's first words to the end of --until up, in ms."""
    _, quartiles, judged = tools
    times = []
    for _ in range(UP_ROUNDS):
        (port,) = free_ports(1)
        with subprocess.Popen([hail, "check", "-q", "--until", "up", f"smtp://127.0.0.1:{port}",
                               "--starttls=never"]) as child:
            time.sleep(0.15)
            with socket.create_server(("127.0.0.1", port)) as server:
                begin = time.monotonic()
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"220 up\r\n")
                    connection.recv(100)
                    connection.sendall(b"250 up\r\n")
                    child.wait(timeout=30)
                    times.append((time.monotonic() - begin) * 1000)
    middle, low, high = quartiles(times)
    return ["From the moment that a service listens to the end of `hail check --until up`, "
            f"{UP_ROUNDS} rounds.", "", "| | ms (quartiles) | goal |", "|---|---|---|",
            f"| `--until up` | {middle:.1f} ({low:.1f} to {high:.1f}), {max(times):.1f} at most | "
            + judged("--until up, ms", middle, "<=", 20) + " |", ""]


def section(build, certs, tools):
    """Lines of Markdown; `tools` and `certs` as get_bench has them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
                                                resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    hail = build / "hail"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        return (["## Checks (`hail check`)", ""] + once(hail, folder, certs, tools)
                + fleet(hail, folder, certs, tools[2]) + until(hail, tools))
