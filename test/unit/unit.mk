# Unit programs: C that knows no server, built stand-alone under the sanitizers.
#
#   make -f test/unit/unit.mk OUT=DIR DIR/NAME    build one
#   make -f test/unit/unit.mk OUT=DIR             build all
#
# Each test/unit/NAME.c is a program that prints its failures and ends with
# "N passed, N failed" and an exit status.  kafka_*.c are linked with src/kafka,
# the others with the pure code and PostgreSQL's common library.  test/unit/run
# builds and runs them.
PG_CONFIG ?= pg_config
OUT ?= test/unit/bin
CC ?= gcc
SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined

PURE = $(wildcard src/pure.c src/config/*.c src/convert/*.c src/transform/*.c) \
	src/command/ddl.c src/catalog/properties.c \
	$(filter-out src/record/row%.c src/record/datum%.c src/record/numeric.c src/record/zone.c,$(wildcard src/record/*.c))
PROGRAMS = $(patsubst test/unit/%.c,$(OUT)/%,$(wildcard test/unit/*.c))

UNIT_CFLAGS = -std=gnu11 -g -O1 -DFRONTEND $(SANITIZE) -fno-omit-frame-pointer \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-declaration-after-statement \
	-Isrc -Itest/unit/vectors -I$(shell $(PG_CONFIG) --includedir-server)
UNIT_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) \
	-lpgcommon -lpgport -lm

OBJS = $(patsubst %.c,$(OUT)/obj/%.o,$(PURE))
KAFKA_OBJS = $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard src/kafka/*.c))
HEADERS = $(wildcard src/*.h src/*/*.h test/unit/*.h test/unit/*/*.h)

all: $(PROGRAMS) $(OUT)/vectors

# src/kafka is plain POSIX: no part of PostgreSQL.
$(OUT)/obj/src/kafka/%.o $(OUT)/obj/test/unit/kafka_%.o: UNIT_CFLAGS := $(filter-out -DFRONTEND,$(UNIT_CFLAGS)) -D_GNU_SOURCE

$(OUT)/obj/%.o: %.c $(HEADERS)
	@mkdir -p $(dir $@)
	$(CC) $(UNIT_CFLAGS) -c -o $@ $<

$(OUT)/vectors: $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard test/unit/vectors/*.c)) $(OBJS)
	$(CC) $(SANITIZE) -o $@ $^ $(UNIT_LIBS)

$(OUT)/kafka_%: $(OUT)/obj/test/unit/kafka_%.o $(KAFKA_OBJS)
	$(CC) $(SANITIZE) -o $@ $^ -lrdkafka -lpthread

$(OUT)/%: $(OUT)/obj/test/unit/%.o $(OBJS)
	$(CC) $(SANITIZE) -o $@ $^ $(UNIT_LIBS)

# test/fuzz/run says how.
$(OUT)/fuzz_%: $(OUT)/obj/test/fuzz/%.o $(OBJS)
	$(CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(UNIT_LIBS)

.PHONY: all
.SECONDARY:
