"""Debian's daemons, each for one test: on free ports of the loopback, with its files in the test's
folder, gone when the test ends.

Those that must see their folder with another user's eyes, or at a fixed place, run in a mount
namespace of their own, where the folder is /mnt; that takes root."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

import pytest

FIRST_PORT, WORKER_PORTS, WORKERS = 12000, 2500, 8
PATHS = "/usr/sbin:/usr/bin:/usr/lib/postfix/sbin:/usr/lib/news/bin:/usr/lib/postgresql/15/bin"


def program(name, package):
    """Where the program is; the test is skipped without it."""
    path = shutil.which(name, path=os.environ["PATH"] + ":" + PATHS)
    for place in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/" + name)):
        path = path or str(place)
    if not path:
        pytest.skip(f"{name} is not installed ({package})")
    return path


def free_ports(n):
    """Ports that are free, all different: below those that the system gives out by itself, and of
    a range that only this worker of pytest takes from, so that nobody is there first."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
    sockets = []
    while len(sockets) < n:
        port = FIRST_PORT + worker * WORKER_PORTS + random.randrange(WORKER_PORTS)
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("127.0.0.1", port)))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Daemon:
    """A process of its own session that listens at `port`; the log is what it said."""

    NEEDS_ROOT = False
    READY = ""  # what the log says when it is, if listening is not enough
    PORTS = ("port",)  # where it has to listen

    def __init__(self, directory, certs):
        if self.NEEDS_ROOT and os.geteuid() != 0:
            pytest.skip(f"{type(self).__name__} needs root, for a mount namespace of its own")
        self.dir = pathlib.Path(directory) / type(self).__name__.lower()
        self.dir.mkdir()
        self.dir.chmod(0o755)
        shutil.copy(certs.cert, self.dir / "cert.pem")
        shutil.copy(certs.key, self.dir / "key.pem")
        (self.dir / "key.pem").chmod(0o600)
        self.log = self.dir / "log"
        for _ in range(3):  # another process may take a port first
            self.port, self.tls_port = free_ports(2)
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(self.prepare(), stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, start_new_session=True)
            if self.listens():
                return
            self.close()
        pytest.fail(f"{type(self).__name__} does not start: "
                    + self.log.read_text(errors="replace")[-2000:])

    def prepare(self):
        """Writes the configuration; the command that runs in the foreground."""
        raise NotImplementedError

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def in_place(self, *command):
        """The command where the folder is /mnt."""
        return ["unshare", "-m", "sh", "-c",
                'mount --bind "$0" /mnt && cd /mnt && exec "$@"', self.dir, *command]

    def listens(self):
        end = time.monotonic() + 20
        waiting = [getattr(self, name) for name in self.PORTS]
        while time.monotonic() < end and self.process.poll() is None:
            try:
                while waiting:
                    socket.create_connection(("127.0.0.1", waiting[0]), timeout=1).close()
                    waiting.pop(0)
                if self.READY in self.log.read_text(errors="replace"):
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def close(self):
        """Ends the session that was started here, and nothing else."""
        for sig in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sig)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()


class Vsftpd(Daemon):
    """FTP; AUTH TLS, or TLS at once."""

    IMPLICIT = "NO"

    def prepare(self):
        (self.dir / "empty").mkdir(exist_ok=True)
        conf = self.write("vsftpd.conf", f"""listen=YES
listen_address=127.0.0.1
listen_port={self.port}
background=NO
anonymous_enable=YES
anon_root={self.dir}/empty
ssl_enable=YES
implicit_ssl={self.IMPLICIT}
allow_anon_ssl=YES
force_local_data_ssl=NO
force_local_logins_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file={self.dir}/cert.pem
rsa_private_key_file={self.dir}/key.pem
secure_chroot_dir={self.dir}/empty
seccomp_sandbox=NO
{'' if os.geteuid() == 0 else 'run_as_launching_user=YES'}
""")
        return [program("vsftpd", "vsftpd"), conf]


class VsftpdImplicit(Vsftpd):
    """FTP under TLS, as on port 990."""

    IMPLICIT = "YES"


class Sshd(Daemon):
    """SSH."""

    NEEDS_ROOT = True  # as root it wants /run/sshd

    def prepare(self):
        if not (self.dir / "host").exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            self.dir / "host"], check=True, timeout=30)
        return ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd && "
                'exec "$@"', "sh", program("sshd", "openssh-server"), "-D", "-e",
                "-f", "/dev/null", "-h", self.dir / "host", "-p", str(self.port),
                "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none"]


class Postfix(Daemon):
    """SMTP with STARTTLS, and under TLS at tls_port (submissions)."""

    NEEDS_ROOT = True
    PORTS = ("port", "tls_port")

    def prepare(self):
        master = program("master", "postfix")
        for name in ("spool/pid", "spool/private", "spool/public", "data", "empty"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        for name in ("spool/private", "spool/public", "data"):
            shutil.chown(self.dir / name, "postfix")
        self.write("main.cf", """compatibility_level = 3.6
queue_directory = /mnt/spool
data_directory = /mnt/data
mail_owner = postfix
myhostname = mail.example
mydestination =
local_recipient_maps =
inet_protocols = ipv4
maillog_file =
smtpd_peername_lookup = no
smtpd_tls_cert_file = /mnt/cert.pem
smtpd_tls_key_file = /mnt/key.pem
smtpd_tls_security_level = may
smtpd_tls_session_cache_database =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject
alias_maps =
""")
        self.write("master.cf", f"""
127.0.0.1:{self.port} inet n - n - - smtpd
127.0.0.1:{self.tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
anvil unix - - n - 1 anvil
""")
        return self.in_place("env", "MAIL_CONFIG=/mnt", master, "-c", "/mnt", "-s")


class Dovecot(Daemon):
    """POP3 at port and IMAP at imap_port with STLS and STARTTLS; POP3S and IMAPS at tls_port and
    imaps_port."""

    NEEDS_ROOT = True
    PORTS = ("port", "tls_port", "imap_port", "imaps_port")

    def prepare(self):
        self.imap_port, self.imaps_port = free_ports(2)
        (self.dir / "run").mkdir(exist_ok=True)
        (self.dir / "home").mkdir(exist_ok=True)
        shutil.chown(self.dir / "home", "mail", "mail")
        self.write("users", "me:{PLAIN}secret:mail:mail::/mnt/home::\n")
        self.write("dovecot.conf", f"""
first_valid_uid = 1
base_dir = /mnt/run
first_valid_uid = 1
state_dir = /mnt/run
log_path = /dev/stderr
protocols = pop3 imap
listen = 127.0.0.1
ssl = yes
ssl_cert = </mnt/cert.pem
ssl_key = </mnt/key.pem
mail_location = maildir:/mnt/home/mail
passdb {{
  driver = passwd-file
  args = /mnt/users
}}
userdb {{
  driver = passwd-file
  args = /mnt/users
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.port}
  }}
  inet_listener pop3s {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port}
    ssl = yes
  }}
}}
""")
        for package, module in (("dovecot-pop3d", "pop3"), ("dovecot-imapd", "imap")):
            if not os.path.exists("/usr/lib/dovecot/" + module):
                pytest.skip(f"dovecot has no {module} ({package})")
        return self.in_place(program("dovecot", "dovecot-core"), "-F", "-c", "/mnt/dovecot.conf")


class Nnrpd(Daemon):
    """inn2's reader: NNTP with STARTTLS, or TLS at once."""

    NEEDS_ROOT = True
    OPTIONS = ()

    def prepare(self):
        nnrpd = program("nnrpd", "inn2")
        for name in ("db", "run", "spool", "spool/overview", "tmp", "log.d"):
            (self.dir / name).mkdir(exist_ok=True)
            shutil.chown(self.dir / name, "news", "news")
        for name in ("cert.pem", "key.pem"):
            shutil.chown(self.dir / name, "news", "news")
        (self.dir / "db/active").write_text("local.test 0000000000 0000000001 y\n")
        (self.dir / "db/newsgroups").write_text("local.test\tA test\n")
        (self.dir / "db/history").write_text("")
        self.write("storage.conf", "method tradspool {\n newsgroups: *\n class: 0\n}\n")
        self.write("readers.conf", 'auth all {\n hosts: "*"\n default: "<user>"\n}\n'
                   'access all {\n users: "*"\n newsgroups: "*"\n}\n')
        self.write("inn.conf", """mta: "/bin/false"
pathhost: news.example
domain: example
fromhost: news.example
hismethod: hisv6
ovmethod: tradindexed
enableoverview: true
pathnews: /usr/lib/news
pathetc: /mnt
pathdb: /mnt/db
pathrun: /mnt/run
pathspool: /mnt/spool
pathtmp: /mnt/tmp
pathlog: /mnt/log.d
tlscertfile: /mnt/cert.pem
tlskeyfile: /mnt/key.pem
tlscafile: /mnt/cert.pem
""")
        inn = ("env", "INNCONF=/mnt/inn.conf")
        subprocess.run(self.in_place(*inn, "setpriv", "--reuid=news", "--regid=news",
                                     "--clear-groups", os.path.dirname(nnrpd) + "/makehistory",
                                     "-O", "-x"),
                       check=True, capture_output=True, timeout=60)  # the index of the groups
        return self.in_place(*inn, nnrpd, "-D", "-f", "-b", "127.0.0.1",
                             "-p", str(self.port), "-c", "/mnt/readers.conf", *self.OPTIONS)


class NnrpdTls(Nnrpd):
    """NNTP under TLS, as on port 563."""

    OPTIONS = ("-S",)


class Postgres(Daemon):
    """PostgreSQL; everybody may log in."""

    NEEDS_ROOT = True  # to become the user postgres, as it refuses to be root
    READY = "ready to accept connections"

    def prepare(self):
        initdb, postgres = (program(n, "postgresql") for n in ("initdb", "postgres"))
        self_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = self.dir / "data"
        if not data.exists():
            data.mkdir()
            for path in (data, self.dir / "key.pem"):
                shutil.chown(path, "postgres", "postgres")
            subprocess.run(self.in_place(*self_user, initdb, "-D", "/mnt/data", "-A", "trust",
                                         "-N", "--no-instructions", "--locale=C"),
                           check=True, capture_output=True, timeout=60)
        return self.in_place(*self_user, postgres, "-D", "/mnt/data", "-p", str(self.port),
                             "-h", "127.0.0.1", "-k", "", "-c", "ssl=on",
                             "-c", "ssl_cert_file=/mnt/cert.pem", "-c", "ssl_key_file=/mnt/key.pem",
                             "-c", "fsync=off")


class Slapd(Daemon):
    """OpenLDAP; LDAPS at tls_port."""

    NEEDS_ROOT = True

    def prepare(self):
        self.write("slapd.conf", """include /etc/ldap/schema/core.schema
pidfile /mnt/pid
argsfile /mnt/args
TLSCertificateFile /mnt/cert.pem
TLSCertificateKeyFile /mnt/key.pem
TLSVerifyClient never
""")
        return self.in_place(program("slapd", "slapd"), "-d", "0", "-f", "/mnt/slapd.conf", "-h",
                             f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/")
