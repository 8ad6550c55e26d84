# A thin front for meson. `make help` lists the targets.
#
# Knobs:  BUILD=dir        where to build (build)
#         CC=clang         the compiler, for a new build directory
#         DEPS=skip        install nothing: you see to the packages
#         FUZZ_SECONDS=60  how long each fuzz target runs
#         FUZZ_SEED=1      makes a fuzz run the same each time (0: it is another each time)
#         SECONDS=60 SEED=1 SERVERS=postgresql15,mariadb   of make differential
#         ARGS=...         further arguments for tests/run

BUILD ?= build
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
SECONDS ?= 60
SEED ?= 1
# Debian's python3 is the one that sees Debian's Django and drivers.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

ifeq ($(DEPS),skip)
install_deps = @:
else
install_deps = @sh scripts/install-deps.sh
endif

SANITIZE = -Db_sanitize=address,undefined -Db_lundef=false
# A report of a sanitizer is a failure, never a line that scrolls by.
SANITIZE_ENV = ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

.PHONY: all build demo test sanitize sanitize-threads differential bench fuzz format format-check sources clean help
.PHONY: deps-build deps-test deps-fuzz deps-bench deps-format

all: build

help:
	@echo 'make build         build $(BUILD)/lostwrite, nothing else'
	@echo 'make demo          install what a build needs, build, check examples/orm_mistakes'
	@echo 'make test          install what the tests need, build, run all tests'
	@echo 'make sanitize      the tests (real servers aside) under ASan and UBSan, in build-asan'
	@echo 'make sanitize-threads  the tests of what runs on several threads, under TSan, in build-tsan'
	@echo 'make differential  random schedules on the built-in engine and on servers, for SECONDS=$(SECONDS) each'
	@echo 'make bench         measure speed'
	@echo 'make fuzz          run each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS) under ASan and UBSan'
	@echo 'make sources       write the file lists of the meson.build files anew'
	@echo 'make format        clang-format in place;  make format-check only tells'
	@echo 'make deps-build, deps-test, deps-fuzz, deps-bench, deps-format    install those Debian packages'
	@echo 'make clean         remove $(BUILD) and the other build folders'

$(BUILD)/build.ninja:
	meson setup $(BUILD)

build: $(BUILD)/build.ninja
	ninja -C $(BUILD) lostwrite

# check answers 1 when it has found something, and here it should.
demo: deps-build
	@$(MAKE) --no-print-directory build
	$(BUILD)/lostwrite check examples/orm_mistakes || test $$? -eq 1

test: deps-test
	@$(MAKE) --no-print-directory $(BUILD)/.with-tests
	ninja -C $(BUILD)
	@$(PYTHON) tests/run $(BUILD) $(ARGS)

# A build directory from before cmocka was installed is told to look again.
$(BUILD)/.with-tests: | $(BUILD)/build.ninja
	meson setup --reconfigure $(BUILD) -Dtests=enabled
	@touch $@

sanitize: deps-test
	test -f build-asan/build.ninja || meson setup build-asan $(SANITIZE) -Dtests=enabled
	ninja -C build-asan
	@$(SANITIZE_ENV) $(PYTHON) tests/run build-asan --exclude live --exclude static --slow 4 $(ARGS)

sanitize-threads: deps-test
	test -f build-tsan/build.ninja || meson setup build-tsan -Db_sanitize=thread -Dtests=enabled
	ninja -C build-tsan lostwrite tests/base_base_test
	@TSAN_OPTIONS=halt_on_error=1 $(PYTHON) tests/run build-tsan base/base_test triage/output_test examples_test --slow 4 $(ARGS)

differential: deps-test
	@$(MAKE) --no-print-directory $(BUILD)/.with-tests
	ninja -C $(BUILD) lostwrite tests/differential/differential tests/differential/ticks.so
	@LOSTWRITE=$(BUILD)/lostwrite $(PYTHON) tests/differential/compare.py --seconds $(SECONDS) \
	    --seed $(SEED) $(if $(SERVERS),--servers $(SERVERS)) $(ARGS)

bench: deps-bench
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	ninja -C $(BUILD) lostwrite bench tests/differential/differential
	@$(PYTHON) bench/run $(BUILD) $(ARGS)

fuzz: deps-fuzz
	test -f build-fuzz/build.ninja || \
	    CC=clang meson setup build-fuzz $(SANITIZE) -Dfuzzers=true -Dtests=disabled
	ninja -C build-fuzz fuzzers
	@$(PYTHON) scripts/fuzz.py build-fuzz $(FUZZ_SECONDS) --seed $(FUZZ_SEED) $(ARGS)

C_FILES = $(shell find src tests fuzz bench -name '*.[ch]')

format: deps-format
	clang-format -i $(C_FILES)

format-check: deps-format
	clang-format --dry-run --Werror $(C_FILES)

sources:
	$(PYTHON) scripts/update-sources.py

deps-build:
	$(install_deps) build
deps-test:
	$(install_deps) build test
deps-fuzz:
	$(install_deps) build fuzz
deps-bench:
	$(install_deps) build bench
deps-format:
	$(install_deps) format

clean:
	rm -rf $(BUILD) build-asan build-fuzz build-gcc build-clang
