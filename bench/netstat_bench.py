"""netstat's part of bench/run: hail beside netstat, ss and lsof, looking at the same sockets.

The sockets (bench/sockets.c: the two ends of connections over loopback, held by processes of 12,000
each) are in a network namespace of their own, where all programs run in turn; they write to
/dev/null. The two floors (bench/floor.c) are the bare system calls behind `-ant` and, added to
those, behind `-antp`. It takes root.
"""
import contextlib
import os
import statistics
import subprocess

MIB = 1024


@contextlib.contextmanager
def sockets(build, count):
    """Holds `count` sockets in a namespace; gives the prefix for a command to be run there."""
    holder = subprocess.Popen(["unshare", "-n", build / "bench/sockets", str(count)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if holder.stdout.readline() != "ready\n":
            raise RuntimeError("bench/sockets did not come up")
        yield ["nsenter", "-t", str(holder.pid), "-n"]
    finally:
        holder.stdin.close()
        holder.wait(60)


class Section:
    """Collects tables; `tools` is bench/run's measure(), quartiles() and judged()."""

    def __init__(self, build, tools):
        self.build, self.hail = build, build / "hail"
        self.measure, self.quartiles, self.judged = tools
        self.out, self.cost = [], {}

    def cell(self, values):
        return "%.1f (%.1f to %.1f)" % tuple(v / 1000 for v in self.quartiles(values)) \
            if len(values) > 1 else "%.1f" % (values[0] / 1000)

    def run(self, around, named, rounds, warm=1):
        """Rows of a table for commands by their names."""
        costs = self.measure(list(named.values()), rounds, around, warm)
        for name, cost in zip(named, costs):
            self.cost[name] = cost
            self.out.append(f"| `{name}` | {rounds} | {self.cell(cost['wall'])} | "
                            f"{self.cell(cost['cpu'])} | {cost['peak'] / MIB:.1f} |")

    def table(self, title):
        self.out += [f"### {title}", "", "| | runs | wall ms (quartiles) | CPU ms (quartiles) | "
                     "peak MiB |", "|---|---|---|---|---|"]

    def ratio(self, mine, other, limit):
        """Wall time of `mine` to `other`: run by run where they ran in turn, else of the medians."""
        a, b = self.cost[mine]["wall"], self.cost[other]["wall"]
        ratios = [x / y for x, y in zip(a, b)] if len(a) == len(b) else \
            [statistics.median(a) / statistics.median(b)]
        middle = statistics.median(ratios)
        spread = " (%.3f to %.3f)" % self.quartiles(ratios)[1:] if len(ratios) > 1 else ""
        self.out.append(f"| `{mine}` / `{other}` | {middle:.3f}{spread} | " +
                        self.judged(f"`{mine}` / `{other}`", middle, "<=", limit) + " |")

    def ratios(self, rows):
        self.out += ["", "| ratio of wall time | median (quartiles) | target |", "|---|---|---|"]
        for row in rows:
            self.ratio(*row)

    def peak(self, name, limit):
        value = self.cost[name]["peak"] / MIB
        self.out.append(f"| peak of `{name}` | {value:.1f} MiB | " +
                        self.judged(f"peak of `{name}`", value, "<=", limit) + " |")

    def command(self, *words):
        return [self.hail, "netstat", *words]

    def thousand(self):
        self.table("1,000 sockets")
        with sockets(self.build, 1000) as around:
            self.run(around, {"hail -ant, 1,000": self.command("-ant"), "ss -ant, 1,000": ["ss", "-ant"],
                              "netstat -ant, 1,000": ["netstat", "-ant"]}, 100)
        self.ratios([("hail -ant, 1,000", "ss -ant, 1,000", 0.5)])

    def hundred_thousand(self):
        everything = ("--info", "--memory", "--options", "--cgroup")
        self.table("100,000 sockets")
        with sockets(self.build, 100000) as around:
            self.run(around, {"hail -ant": self.command("-ant"), "ss -ant": ["ss", "-ant"],
                              "netstat -ant": ["netstat", "-ant"], "hail -lnt": self.command("-lnt"),
                              "ss -lnt": ["ss", "-lnt"],
                              "floor rows": [self.build / "bench/floor", "rows"],
                              "floor holders": [self.build / "bench/floor", "holders"]}, 11)
            self.run(around, {"hail -ant --info": self.command("-ant", "--info"),
                              "hail -ant --json --info": self.command("-ant", "--json", "--info"),
                              "hail -ant --json, everything":
                              self.command("-ant", "--json", *everything)}, 7)
            self.run(around, {"hail -antp": self.command("-antp"), "ss -antp": ["ss", "-antp"],
                              "netstat -antp": ["netstat", "-antp"],
                              "lsof": ["lsof", "-nP", "-iTCP"]}, 3)
        self.ratios([("hail -ant", "ss -ant", 0.65), ("hail -ant", "netstat -ant", 0.32),
                     ("hail -antp", "ss -antp", 0.08), ("hail -antp", "netstat -antp", 0.08),
                     ("hail -antp", "lsof", 0.22), ("hail -lnt", "ss -lnt", 0.10),
                     ("hail -ant --json, everything", "hail -ant --info", 1.5),
                     # --info alone is a table, which reads /proc for its processes; JSON does not
                     ("hail -ant --json, everything", "hail -ant --json --info", 1.5)])
        self.peak("hail -ant", 4)

    def two_hundred_thousand(self):
        self.out.append("")
        self.table("200,000 sockets")
        with sockets(self.build, 200000) as around:
            self.run(around, {"hail -ant, 200,000": self.command("-ant")}, 5)
            # the first walk over /proc makes its entries, which the next ones find
            self.run(around, {"hail -antp, 200,000": self.command("-antp")}, 7)
            self.run(around, {"ss -antp, 200,000": ["ss", "-antp"],
                              "netstat -antp, 200,000": ["netstat", "-antp"]}, 1, 0)
        self.ratios([("hail -antp, 200,000", "ss -antp, 200,000", 0.035),
                     ("hail -antp, 200,000", "netstat -antp, 200,000", 0.035),
                     ("hail -antp, 200,000", "hail -antp", 2.2)])
        self.peak("hail -ant, 200,000", 4)
        self.peak("hail -antp, 200,000", 24)


def section(build, tools):
    """Lines of Markdown."""
    if os.geteuid() != 0:
        return ["## Sockets", "", "Left out: network namespaces take root.", ""]
    s = Section(build, tools)
    s.thousand()
    s.out.append("")
    s.hundred_thousand()
    s.two_hundred_thousand()
    return ["## Sockets (`hail netstat`)", ""] + s.out + [""]
