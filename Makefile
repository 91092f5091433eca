# hail - see README.md for the targets and docs/ARCHITECTURE.md for the layout.
BUILD  ?= release
ifeq ($(origin CC),default)
CC = gcc
endif
PREFIX ?= /usr/local
O      := build/$(BUILD)-$(notdir $(firstword $(CC)))

CPPFLAGS_ALL = -D_GNU_SOURCE -Iinclude -Isrc -Icmd $(CPPFLAGS)
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
       -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wno-missing-field-initializers
CFLAGS_ALL = -std=gnu11 $(WARN) -fvisibility=hidden -fno-strict-aliasing $(CFLAGS_$(BUILD)) $(CFLAGS)
CFLAGS_release = -O2 -g -ffunction-sections -fdata-sections -fstack-protector-strong
CFLAGS_static  = $(CFLAGS_release)
CFLAGS_debug   = -Og -g3
CFLAGS_asan    = -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    = -O1 -g3 -fsanitize=thread
CFLAGS_cover   = -O0 -g --coverage
CFLAGS_fuzz    = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release = -static -Wl,--gc-sections
LDFLAGS_static  = -static -Wl,--gc-sections -s
LDFLAGS_asan   = -fsanitize=address,undefined
LDFLAGS_tsan   = -fsanitize=thread
LDFLAGS_cover  = --coverage
LDFLAGS_fuzz   = -fsanitize=address,undefined
LIBS = -lcares -lssl -lcrypto -lidn2 -lunistring -lpthread -ldl -lm

LIB_SRC := $(wildcard src/*/*.c src/os/linux/*.c)
CMD_SRC := $(wildcard cmd/*.c cmd/*/*.c)
TEST_SRC := $(wildcard tests/unit/test_*.c)
EXAMPLE_SRC := $(wildcard examples/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$O/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$O/%.o)
TESTS   := $(TEST_SRC:tests/unit/%.c=$O/tests/%)
EXAMPLES := $(EXAMPLE_SRC:examples/%.c=$O/examples/%)

.PHONY: all clean unit examples
all: $O/hail examples
	@ln -sf $O/hail hail

$O/hail: $(CMD_OBJ) $O/libhail.a
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_$(BUILD)) $(LDFLAGS) -o $@ $(CMD_OBJ) $O/libhail.a $(LIBS)

$O/libhail.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$O/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@ $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -MMD -MP -c -o $@ $<

# A unit test that needs functions replaced names them in its head: "link: --wrap=malloc".
$O/tests/%: tests/unit/%.c $O/libhail.a
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@ $(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $(filter-out -static,$(LDFLAGS_$(BUILD))) \
	    -MMD -MP -o $@ $< $$(sed -n 's|^ \* link: |-Wl,|p' $<) $O/libhail.a -lcmocka $(LIBS)

unit: $(TESTS)
	@for t in $(TESTS); do $$t || exit 1; done

examples: $(EXAMPLES)
$O/examples/%: examples/%.c $O/libhail.a
	@mkdir -p $(@D)
	$(CC) -Iinclude $(CFLAGS_ALL) $(LDFLAGS_$(BUILD)) -MMD -MP -o $@ $< $O/libhail.a $(LIBS)

# The registry's table is committed, so that a build needs no Python.
.PHONY: services
services:
	tools/gen-services data/services.tsv > src/net/services_table.inc

clean:
	rm -rf build hail

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(TESTS:=.d) $(EXAMPLES:=.d)
