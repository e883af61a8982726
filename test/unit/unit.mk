# Unit programs: pure C, built stand-alone under the sanitizers.
#
#   make -f test/unit/unit.mk OUT=DIR DIR/NAME    build one
#   make -f test/unit/unit.mk OUT=DIR run         build and run all
PG_CONFIG ?= pg_config
OUT ?= test/unit/bin
CC ?= gcc
SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined

PURE = $(wildcard src/pure.c src/config/*.c src/convert/*.c src/transform/*.c) \
	$(filter-out src/record/row.c src/record/datum.c,$(wildcard src/record/*.c))
PROGRAMS = $(patsubst test/unit/%.c,$(OUT)/%,$(filter-out test/unit/kafka_%,$(wildcard test/unit/*.c))) $(OUT)/vectors

UNIT_CFLAGS = -std=gnu11 -g -O1 -DFRONTEND $(SANITIZE) -fno-omit-frame-pointer \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-declaration-after-statement \
	-Isrc -Itest/unit/vectors -I$(shell $(PG_CONFIG) --includedir-server)
UNIT_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) \
	-lpgcommon -lpgport -lm

OBJS = $(patsubst %.c,$(OUT)/obj/%.o,$(PURE))
HEADERS = $(wildcard src/*.h src/*/*.h test/unit/*.h test/unit/*/*.h)

run: $(PROGRAMS)
	@set -e; for p in $(filter-out $(OUT)/vectors,$(PROGRAMS)); do \
		echo "$$p"; ASAN_OPTIONS=detect_leaks=0 $$p; done

$(OUT)/obj/%.o: %.c $(HEADERS)
	@mkdir -p $(dir $@)
	$(CC) $(UNIT_CFLAGS) -c -o $@ $<

$(OUT)/vectors: $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard test/unit/vectors/*.c)) $(OBJS)
	$(CC) $(SANITIZE) -o $@ $^ $(UNIT_LIBS)

$(OUT)/%: $(OUT)/obj/test/unit/%.o $(OBJS)
	$(CC) $(SANITIZE) -o $@ $^ $(UNIT_LIBS)

.PHONY: run
.SECONDARY:
