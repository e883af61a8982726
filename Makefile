# connect: Kafka Connect inside PostgreSQL
#
#   make, make install     build and install (PG_CONFIG names the server)
#   make test              set everything up and run every test
#   make demo, demo-stop   a throwaway server with a pipeline in it
EXTENSION = connect
MODULE_big = connect
DATA = $(wildcard sql/connect--*.sql)
# Builds for tests can be updated to a version that exists for tests alone.
ifneq ($(findstring CONNECT_FAULTS,$(CONNECT_CFLAGS)),)
DATA += $(wildcard test/upgrade/connect--*.sql)
endif

SRCS = $(sort $(wildcard src/*.c src/*/*.c connectors/*.c connectors/*/*.c))
OBJS = $(SRCS:.c=.o)

PG_CONFIG ?= pg_config
# PostgreSQL 15 leaves PGDLLEXPORT empty, and we hide what is not marked.
PG_CPPFLAGS = -I$(srcdir)/src -I$(srcdir)/connectors \
	-I$(shell $(PG_CONFIG) --includedir) $(shell pkg-config --cflags libpq 2>/dev/null) \
	-DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS = -std=gnu11 -fvisibility=hidden -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	-Wno-declaration-after-statement $(CONNECT_CFLAGS)
SHLIB_LINK = -lrdkafka -lpq
override with_llvm = no

KIT_GOALS = demo demo-stop test
KIT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))test/kit

# The kit's goals work where no server is installed yet.
ifneq ($(filter-out $(KIT_GOALS),$(or $(MAKECMDGOALS),all)),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Objects are rebuilt when a header changes.
$(OBJS): $(wildcard src/*.h src/*/*.h connectors/*.h connectors/*/*.h)
endif

$(KIT_GOALS):
	@$(KIT)/$@

.PHONY: $(KIT_GOALS)
