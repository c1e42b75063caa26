# Thin verbs; what they do lives in CMakePresets.json and tools/.

PREFIX ?= /usr/local
SEEDS ?= 20000
FUZZ_SECONDS ?= 600

.PHONY: all deps run test bench fuzz lint fmt asan tsan cover sim clean help install
.DEFAULT_GOAL := all

all: ## build the programs into build/bin/
	@tools/install-deps.sh build
	@tools/build.sh release

deps: ## install what building, testing, measuring and linting need
	@tools/install-deps.sh build test bench lint cover

run: all ## start telexd with two accounts and deliver a first message (ONCE=1: then stop)
	@tools/run.sh

test: ## build and run every test
	@tools/install-deps.sh build test
	@tools/run_tests.py

bench: ## measure against libre and GNU oSIP
	@tools/install-deps.sh build bench
	@tools/build.sh bench
	@for program in build/bench/bin/bench_*; do "$$program" || exit 1; done

fuzz: ## look for crashes in every parser (FUZZ_SECONDS=600 in all)
	@tools/install-deps.sh build test
	@tools/build.sh fuzz
	@tools/fuzz.py --seconds $(FUZZ_SECONDS)

lint: ## formatting, clang-tidy, cppcheck and the rules of this house
	@tools/install-deps.sh build test lint
	@tools/lint.sh

fmt: ## format every C file in place
	@tools/install-deps.sh lint
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 -r clang-format -i

asan tsan: ## unit tests and simulation under the sanitizers
	@tools/install-deps.sh build test
	@tools/build.sh $@
	@ctest --preset $@ -j $$(nproc)

cover: ## which lines the unit tests and the simulation reach
	@tools/install-deps.sh build test cover
	@tools/build.sh cover
	@ctest --preset cover -j $$(nproc)
	@gcovr --root . --filter src/ build/cover

sim: ## the simulation over many seeds (SEEDS=20000)
	@tools/install-deps.sh build test
	@tools/build.sh asan telex_sim
	@build/asan/bin/telex_sim --seeds $(SEEDS)

install: all ## install under PREFIX=/usr/local (DESTDIR is honoured)
	@cmake --install build --prefix "$(PREFIX)"

clean: ## remove everything that was built, and the data of make run
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z ]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12
