"""Proxies that people run, for test_get_servers.py: squid, dante, ssh -D."""

import subprocess

from daemons import Daemon, Sshd, free_ports, program
from web_peers import crypted


class Squid(Daemon):
    """An HTTP proxy for the user me with the password secret."""

    NEEDS_ROOT = True  # to become another user, who sees the folder as /mnt
    def prepare(self):
        squid = program("squid", "squid")
        self.write("users", f"me:{crypted('secret')}\n")
        self.write("squid.conf", f"""
http_port 127.0.0.1:{self.port}
visible_hostname proxy.example
auth_param basic program /usr/lib/squid/basic_ncsa_auth /mnt/users
auth_param basic realm here
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 0
access_log none
cache_log /dev/stderr
pid_filename none
coredump_dir none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
""")
        return self.in_place(squid, "-N", "-f", "/mnt/squid.conf")


class Dante(Daemon):
    """SOCKS 4 and 5; not to the port `blocked`."""

    NEEDS_ROOT = True  # as root it wants to become another user
    NAMED = ("--socks5-hostname",)  # of SOCKS 4a it knows addresses alone

    def prepare(self):
        self.blocked = free_ports(1)[0]
        conf = self.write("danted.conf", f"""
logoutput: stderr
internal: 127.0.0.1 port = {self.port}
external: lo
clientmethod: none
socksmethod: none
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.1/32 port = {self.blocked} }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp }}
""")
        return [program("danted", "dante-server"), "-f", conf]


class SshServer(Sshd):
    """sshd that lets in whoever has the key beside it."""

    def prepare(self):
        if not (self.dir / "client").exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            self.dir / "client"], check=True, timeout=30)
        return [*super().prepare(), "-o", f"AuthorizedKeysFile={self.dir}/client.pub",
                "-o", "StrictModes=no", "-o", "PermitRootLogin=yes", "-o", "UsePAM=no",
                "-o", "PasswordAuthentication=no"]


class SshSocks(Daemon):
    """ssh -D: SOCKS 4 and 5 by way of an SSH server."""

    NAMED = ("--socks4a", "--socks5-hostname")

    def __init__(self, directory, certs):
        self.server = SshServer(directory, certs)
        try:
            super().__init__(directory, certs)
        except BaseException:
            self.server.close()
            raise

    def prepare(self):
        return [program("ssh", "openssh-client"), "-N", "-F", "none",
                "-i", self.server.dir / "client", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
                "-o", "ExitOnForwardFailure=yes", "-p", str(self.server.port),
                "-D", f"127.0.0.1:{self.port}", "root@127.0.0.1"]

    def close(self):
        super().close()
        self.server.close()
