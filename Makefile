# Everything that is made lies under target/ (or $CARGO_TARGET_DIR). No target but `run` listens anywhere.
#
#   make run     builds rcorn and serves examples/flask on 127.0.0.1:8000 with 2 workers
#   make build   the release build: target/release/rcorn, rcornctl and the extension beside them
#   make wheel   a wheel for pip, in target/dist
#   make test    sets up what the tests need, and runs all of them
#   make soak    a million mixed requests (COUNT=…, FLAGS="--threads 4"), with every one accounted for: about a minute
#   make bench   rcorn beside its peers, in µs of CPU a request: three quarters of an hour, or two minutes with BENCH=quick;
#                some of it with NAMES="hello asgi"
#   make fuzz    what strangers send, ten minutes (FUZZ_SECONDS=…) for each of eight targets
#   make install installs what `make build` has made, below $(DESTDIR)$(PREFIX): packaging/install.mk
#   make deb     a Debian package, in target/dist (with debhelper)
#   make rpm     an RPM package, in target/dist (with rpmbuild)
#   make papers  man pages, completions, sample and docs/settings.md anew, from the table of settings
#   make lint    formatting, clippy and rustdoc, with warnings as errors
#   make clean   removes all of it
#
#   make run ADDRESS=127.0.0.1:9000        another address
#   make test TESTS=processes/test_stop.py  some of the tests
#   make test JOBS=8                        more of them at a time
#   make build GLIBC=2.28                   runs with an older glibc than the one of this machine

CARGO   ?= cargo
PYTHON  ?= python3
ADDRESS ?= 127.0.0.1:8000
JOBS    ?= 4
TESTS   ?=
COUNT   ?= 1000000
FLAGS   ?=
FUZZ_SECONDS ?= 600
GLIBC   ?=
BENCH   ?=
NAMES   ?=
WRITE   ?=

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
DIST := $(TARGET)/dist
# Where `make build` leaves what it makes.
BUILT = $(TARGET)/$(if $(GLIBC),$(shell uname -m)-unknown-linux-gnu/)release
export RCORN_TEST_VENVS ?= $(TARGET)
export RCORN_BIN := $(TARGET)/debug
INTERPRETERS := $(PYTHON) tests/support/interpreters.py
# A component of the toolchain that is not installed is no fault of the code.
HAS = $(CARGO) $(1) --version >/dev/null 2>&1

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# Where it is built must not be seen in what is built: every build of the same sources has the same bytes.
CARGO_HOME ?= $(HOME)/.cargo
REPRODUCIBLE := --remap-path-prefix=$(CURDIR)=/rcorn --remap-path-prefix=$(realpath $(CARGO_HOME))=/cargo
# Packages run on every system with a glibc of 2018 or later: Debian 10, Ubuntu 20.04, RHEL 8.
PACKAGES := deb rpm wheel
$(PACKAGES): export GLIBC = 2.28

.PHONY: run build $(PACKAGES) packages papers test soak bench fuzz lint clean tools

run: tools
	$(INTERPRETERS) example
	$(CARGO) build
	@echo
	@echo "  Open http://$(ADDRESS)/ once it listens. Ctrl-C stops it."
	@echo
	@exec $(RCORN_BIN)/rcorn --python $(RCORN_TEST_VENVS)/venv-example --chdir examples/flask \
		--workers 2 --bind $(ADDRESS) --access-logfile - app:app

build: tools
	RUSTFLAGS="$(RUSTFLAGS) $(REPRODUCIBLE)" \
		$(if $(GLIBC),packaging/older-glibc.sh $(GLIBC),$(CARGO) build) --release --locked

include packaging/install.mk

deb:
	@command -v dh >/dev/null || { echo "a .deb is made with debhelper: apt install build-essential debhelper" >&2; exit 1; }
	mkdir -p $(DIST)
	DIST=$(DIST) dpkg-buildpackage --build=binary --no-sign --buildinfo-option=-u$(DIST) --changes-option=-u$(DIST) \
		--buildinfo-file=$(DIST)/rcorn_$(VERSION).buildinfo --changes-file=$(DIST)/rcorn_$(VERSION).changes

rpm:
	@command -v rpmbuild >/dev/null || { echo "an .rpm is made with rpmbuild: apt install rpm, dnf install rpm-build" >&2; exit 1; }
	mkdir -p $(DIST)
	rpmbuild -bb --nodeps --build-in-place rpm/rcorn.spec --define "_topdir $(TARGET)/rpm" --define "_rpmdir $(DIST)" \
		--define "rcorn_version $(VERSION)"

wheel: build
	$(PYTHON) packaging/wheel/make.py $(BUILT) $(DIST)

# Those that the tools of this machine can make; each in silence, unless it fails.
packages:
	@rm -rf $(DIST)
	@for kind in deb:dh rpm:rpmbuild; do \
		if command -v $${kind#*:} >/dev/null; then \
			$(MAKE) $${kind%:*} >$(TARGET)/$${kind%:*}.log 2>&1 || { tail -30 $(TARGET)/$${kind%:*}.log >&2; exit 1; }; \
		else echo "skipped: make $${kind%:*}: $${kind#*:} is not installed"; fi; \
	done

papers: tools
	RCORN_WRITE_PAPERS=1 $(CARGO) test --bins papers

test: tools
	python=$$($(INTERPRETERS) tests) && \
	$(CARGO) build && $(CARGO) build -p http@$(VERSION) --example websocket_echo --features fuzzing && \
	$(CARGO) test && \
	{ test -n "$(TESTS)" || CARGO_TARGET_DIR=$(TARGET) $$python tests/support/tomorrow.py $(CARGO); } && \
	{ test -n "$(TESTS)" || CARGO_TARGET_DIR=$(TARGET) FUZZ_SECONDS=3 fuzz/run.sh; } && \
	{ test -n "$(TESTS)" || $(MAKE) packages; } && \
	cd tests && $$python -m pytest -n $(JOBS) $(TESTS)

soak: tools
	python=$$($(INTERPRETERS) tests) && $(CARGO) build && cd tests && $$python -m soak.soak $(COUNT) $(FLAGS)

bench: build
	BENCH="$(BENCH)" CARGO_TARGET_DIR=$(TARGET) RCORN_BIN=$(BUILT) $(PYTHON) -m benches $(if $(WRITE),--write $(WRITE)) $(NAMES)

fuzz: tools
	CARGO_TARGET_DIR=$(TARGET) FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz/run.sh

lint: tools
	@if $(call HAS,fmt); then set -x; $(CARGO) fmt --all --check; \
	else echo "skipped: cargo fmt is not installed (rustup component add rustfmt)"; fi
	@if $(call HAS,clippy); then set -x; $(CARGO) clippy --workspace --all-targets -- -D warnings; \
	else echo "skipped: cargo clippy is not installed (rustup component add clippy)"; fi
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

clean:
	$(CARGO) clean

tools:
	@command -v $(CARGO) >/dev/null || \
		{ echo "rcorn is built with Rust 1.91 or newer: see https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || \
		{ echo "Rust links with a C compiler: on Debian, apt install build-essential" >&2; exit 1; }
	@command -v $(PYTHON) >/dev/null || \
		{ echo "rcorn needs Python 3.11 or newer: on Debian, apt install python3 python3-venv" >&2; exit 1; }
