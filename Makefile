# The verbs of the tree; meson does the building. `make help` lists them.
.DEFAULT_GOAL := build
PREFIX ?= /usr/local

.PHONY: build setup run stop status test check bench fuzz format install clean help

build/build.ninja:
	meson setup build --prefix $(PREFIX)

build: build/build.ninja ## compile everything into build/, optimised
	ninja -C build

setup: ## install the distribution packages that are missing
	tools/setup

run: ## install what is missing, build, start a server here with this machine enrolled
	tools/setup --run
	@test -f build/build.ninja || meson setup build --prefix $(PREFIX)
	ninja -C build src/merlond/merlond src/merlon/merlon merlon-agent
	tools/run

stop: ## stop what `make run` started
	tools/run stop

status: ## tell what `make run` started and how it is
	tools/run status

test: ## install what is missing, build, run all tests, count them
	tools/setup
	tools/test

check: ## layout, both compilers, scripts, rooms, style
	tools/check

bench: build ## run the benchmarks
	bench/run

fuzz: ## libFuzzer on each target, FUZZ_SECONDS (60) each
	tools/fuzz

format: ## lay out the C files that differ from main
	tools/format

install: build ## install below PREFIX (/usr/local), or DESTDIR
	meson install -C build --no-rebuild

clean: ## remove what was built
	rm -rf build build-sanitize build-tsan build-clang build-fuzz

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10
