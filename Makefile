# hail - README.md has the targets, docs/ARCHITECTURE.md the layout.
#
#   make [BUILD=release|debug|asan|tsan|fuzz|cover|static] [CC=gcc|clang] [target]
#
# Everything is built below build/BUILD-CC; `make` leaves the program as ./hail.

BUILD   ?= release
PREFIX  ?= /usr/local
VERSION := 0.1.0
ifeq ($(origin CC),default)
CC = gcc
endif
ifneq ($(filter $(BUILD),release debug asan tsan fuzz cover static),$(BUILD))
$(error BUILD is one of release debug asan tsan fuzz cover static)
endif
ifeq ($(BUILD),fuzz)
CC = clang
endif
O := build/$(BUILD)-$(notdir $(firstword $(CC)))
OBJCOPY = $(shell $(CC) -print-prog-name=objcopy)

# --- flags ---

CPPFLAGS_ALL = -D_GNU_SOURCE -Iinclude -Isrc -Icmd $(CPPFLAGS)
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
       -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wno-missing-field-initializers
CFLAGS_ALL = -std=gnu11 $(WARN) -fvisibility=hidden -fno-strict-aliasing $(CFLAGS_$(BUILD)) $(CFLAGS)
CFLAGS_release = -O2 -g -ffunction-sections -fdata-sections -fstack-protector-strong
CFLAGS_static  = -O2 -ffunction-sections -fdata-sections -fstack-protector-strong \
                 -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=.
CFLAGS_debug   = -Og -g3
CFLAGS_asan    = -DHAIL_INSTRUMENTED -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    = -DHAIL_INSTRUMENTED -O1 -g -fsanitize=thread
CFLAGS_cover   = -DHAIL_INSTRUMENTED -O0 -g --coverage
CFLAGS_fuzz    = -DHAIL_INSTRUMENTED -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

# The program is linked statically where the system has the archives: half of what a short command
# costs would be loading libraries. libcrypto mentions getaddrinfo and its like, which hail never
# calls: the linker's warnings about them are taken out of what it says. (ld's own --no-warnings
# would hide undefined symbols, too.)
STATIC = $(shell echo 'int main(void) { return 0; }' | $(CC) -xc - -o /dev/null -static \
             $(LIBS) 2>/dev/null && echo -static)
LINKED = 2>$@.log; status=$$?; [ $$status != 0 ] || sed -i -e '/in statically linked applications/d' \
             -e '/: in function `/d' $@.log; cat $@.log >&2; rm -f $@.log; exit $$status
LDFLAGS_release = $(STATIC) -Wl,--gc-sections
LDFLAGS_static  = -static -L$O/lib -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,--build-id=none -s
LDFLAGS_asan    = -fsanitize=address,undefined
LDFLAGS_tsan    = -fsanitize=thread
LDFLAGS_cover   = --coverage
LDFLAGS_fuzz    = -fsanitize=address,undefined
LDFLAGS_ALL     = $(LDFLAGS_$(BUILD)) $(LDFLAGS)
LIBS = -lcares -lssl -lcrypto -lpsl -lidn2 -lunistring -lz -lbrotlienc -lbrotlidec -lbrotlicommon -lzstd \
       -lseccomp -lpthread -ldl -lm
# Only the program edits lines. What a static libedit needs besides differs from system to system.
EDIT = $(shell for how in -static ""; do for libs in "-ltinfo -lbsd" -ltinfo -lncursesw; do \
             echo 'int el_gets(void); int main(void) { return el_gets(); }' | $(CC) -w -xc - \
             -o /dev/null $$how -ledit $$libs 2>/dev/null && echo "-ledit $$libs" && exit; \
             done; done)

# --- what there is ---

LIB_SRC     := $(sort $(wildcard src/*/*.c src/os/linux/*.c))
CMD_SRC     := $(sort $(wildcard cmd/*.c cmd/*/*.c))
TEST_SRC    := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC    := $(sort $(wildcard fuzz/fuzz_*.c))
BENCH_SRC   := $(sort $(wildcard bench/bench_*.c))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
MAN         := $(sort $(wildcard man/*.[1-9]))
LIB_OBJ     := $(LIB_SRC:%.c=$O/%.o)
CMD_OBJ     := $(CMD_SRC:%.c=$O/%.o)
SUPPORT_OBJ := $(patsubst %.c,$O/%.o,$(wildcard tests/unit/support.c))
TESTS       := $(TEST_SRC:tests/unit/%.c=$O/tests/%)
EXAMPLES    := $(EXAMPLE_SRC:examples/%.c=$O/examples/%)
REPLAYS     := $(FUZZ_SRC:fuzz/fuzz_%.c=$O/replay/%)
FUZZERS     := $(FUZZ_SRC:fuzz/fuzz_%.c=$O/fuzz/%)
BENCHES     := $(BENCH_SRC:bench/%.c=$O/bench/%)

.PHONY: all program demo test unit-tests thread-tests replays examples shared static dist lint bench benches \
        fuzz install services clean
.SECONDARY:

all: $O/hail examples
	@ln -sf $O/hail hail

program: $O/hail

demo: all
	@./hail tour

static:
	@$(MAKE) --no-print-directory BUILD=static all

dist:
	@$(MAKE) --no-print-directory BUILD=static program
	@tools/dist $(VERSION) build/static-$(notdir $(firstword $(CC)))/hail $$($(CC) -dumpmachine)

# --- building ---

$O/hail: LIBS += $(EDIT) -lcmark
$O/src/net/trace_page.o: $(wildcard src/net/page/*)
$O/cmd/serve/assets.o: $(wildcard cmd/serve/page/*)
$O/hail: $(CMD_OBJ) $O/libhail.a
	@echo "  LINK    $@"
	@$(CC) $(CFLAGS_ALL) -o $@ $(CMD_OBJ) $O/libhail.a $(LDFLAGS_ALL) $(LIBS) $(LINKED)

# The archives that `make static` links, without the tables by which C++ and debuggers unwind a stack:
# a tenth of the file, which nothing in it reads.
ifeq ($(BUILD),static)
$O/libhail.a: | $O/lib/made
$O/lib/made:
	@mkdir -p $(@D)
	@for lib in $(patsubst -l%,%,$(filter -l%,$(LIBS) $(EDIT) -lcmark -lc)); do \
	    from=$$($(CC) -print-file-name=lib$$lib.a); \
	    [ ! -f "$$from" ] || ! ar t "$$from" >/dev/null 2>&1 || $(OBJCOPY) --strip-debug \
	        --remove-section=.eh_frame --remove-section=.rela.eh_frame "$$from" $(@D)/lib$$lib.a || exit 1; \
	done; touch $@
endif

$O/libhail.a: $(LIB_OBJ)
	@echo "  AR      $@"
	@rm -f $@
	@ar rcsD $@ $^

shared: $O/libhail.so.$(VERSION)
$O/libhail.so.$(VERSION): $(LIB_OBJ)
	@echo "  LINK    $@"
	@$(CC) $(CFLAGS_ALL) -shared -Wl,-soname,libhail.so.0 -Wl,-z,defs -o $@ $^ $(LDFLAGS) $(LIBS)

$O/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -MMD -MP -c -o $@ $<

# Everything that is one file on top of the library: tests, replays, fuzzers, benchmarks, examples.
# A unit test that needs functions replaced says so in its head: " * link: --wrap=malloc".
ONE_FILE = mkdir -p $(@D) && echo "  CC      $@" && $(CC) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $<

# ... and of the program what is tested by itself: no more than a file that needs the library alone.
OF_CMD = $(filter $O/cmd/%.o,$^)
$O/tests/test_get_pretty $O/replay/pretty $O/fuzz/pretty: $O/cmd/get/pretty_json.o $O/cmd/get/pretty_markup.o
$O/tests/test_openmetrics: $O/cmd/openmetrics.o
$O/replay/har $O/fuzz/har: $O/cmd/get/har.o
$O/tests/test_check_settings $O/tests/test_check_targets $O/replay/targets $O/fuzz/targets: \
    $(addprefix $O/cmd/check/,pool.o settings.o values.o targets.o targets_file.o)

$O/tests/%: tests/unit/%.c $(SUPPORT_OBJ) $O/libhail.a
	@$(ONE_FILE) $(CPPFLAGS_ALL) -Itests/unit $(SUPPORT_OBJ) $(OF_CMD) $$(sed -n 's|^ \* link: |-Wl,|p' $<) \
	    $O/libhail.a $(filter-out -static,$(LDFLAGS_ALL)) -lcmocka $(LIBS)

$O/replay/%: fuzz/fuzz_%.c fuzz/replay.c $O/libhail.a
	@$(ONE_FILE) $(CPPFLAGS_ALL) fuzz/replay.c $(OF_CMD) $O/libhail.a $(LDFLAGS_ALL) $(LIBS)

$O/fuzz/%: fuzz/fuzz_%.c $O/libhail.a
	@$(ONE_FILE) $(CPPFLAGS_ALL) -fsanitize=fuzzer $(OF_CMD) $O/libhail.a $(LDFLAGS_ALL) $(LIBS)

$O/bench/%: bench/%.c $O/libhail.a
	@$(ONE_FILE) $(CPPFLAGS_ALL) $O/libhail.a $(LDFLAGS_ALL) $(LIBS) $(LINKED)

$O/examples/%: examples/%.c $O/libhail.a
	@$(ONE_FILE) -Iinclude $O/libhail.a $(LDFLAGS_ALL) $(LIBS) $(LINKED)

unit-tests: $(TESTS)
thread-tests: $(filter $O/tests/test_loop%,$(TESTS))
replays: $(REPLAYS)
examples: $(EXAMPLES)
benches: $(BENCHES) $O/bench/spawn $O/bench/sockets $O/bench/floor $O/bench/pipe $O/bench/nc_udp \
         $O/bench/responder $O/bench/pace

# --- evidence ---

# The suite on the release build, and once more under the sanitizers. PEERS=1 adds the heavy tier.
test:
	@$(MAKE) --no-print-directory all unit-tests
	@$(MAKE) --no-print-directory BUILD=asan all unit-tests replays
	@$(MAKE) --no-print-directory BUILD=tsan thread-tests
	@$(MAKE) --no-print-directory BUILD=static program
	@ln -sf $O/hail hail
	@tools/run-tests $(notdir $(CC)) $(PEERS)

lint:
	@tools/lint

bench:
	@$(MAKE) --no-print-directory all benches
	@$(MAKE) --no-print-directory BUILD=static all
	@ln -sf $O/hail hail
	@HAIL_BENCH_BUILD=$(notdir $O) bench/run

# Everything that can go wrong for `hail serve`, at once.
SOAK_SECONDS ?= 600
soak: all
	@tools/soak $(SOAK_SECONDS)
.PHONY: soak

# Each target for FUZZ_SECONDS, beginning with its corpus.
FUZZ_SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory BUILD=fuzz fuzzers
fuzzers: $(FUZZERS)
	@for f in $(FUZZERS); do mkdir -p $O/found/$${f##*/} || exit 1; echo "  FUZZ    $${f##*/}"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$O/found/ -verbosity=0 \
	        $O/found/$${f##*/} fuzz/corpus/$${f##*/} || exit 1; done
.PHONY: fuzzers

# The registry's table is committed, so that a build needs no Python.
services:
	tools/gen-services data/services.tsv > src/net/services_table.inc

# --- installing ---

D := $(DESTDIR)$(PREFIX)
install: all shared
	install -d $D/bin $D/include/hail $D/lib/pkgconfig $D/share/man/man1 $D/share/man/man5
	install -s -m 755 $O/hail $D/bin/hail
	install -m 644 include/hail/*.h $D/include/hail/
	install -m 644 $O/libhail.a $D/lib/libhail.a
	install -m 644 $O/libhail.so.$(VERSION) $D/lib/
	ln -sf libhail.so.$(VERSION) $D/lib/libhail.so.0
	ln -sf libhail.so.0 $D/lib/libhail.so
	for m in $(MAN); do install -m 644 $$m $D/share/man/man$${m##*.}/ || exit 1; done
	printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' \
	    'Name: hail' 'Description: names, ports, connections and conversations' \
	    'Version: $(VERSION)' 'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lhail' \
	    'Libs.private: $(LIBS)' > $D/lib/pkgconfig/hail.pc

clean:
	rm -rf build hail

-include $(shell find $O -name '*.d' 2>/dev/null)
