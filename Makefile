# BackscatterGuard: build, run, test. `make help` lists what there is.
#
# Needs Swift 6.2 or later (swift.org); everything else is installed with apt when it is missing.

SHELL = /bin/bash
.DEFAULT_GOAL = help
.PHONY: help deps swift build release run man doc deb test unit-tests script-tests fuzz bench clean

LIBRARIES = libevent-dev libhiredis-dev liblmdb-dev libssl-dev zlib1g-dev pkg-config
FOR_TESTS = postfix swaks openssl haproxy miltertest redis-server curl chromium groff mandoc man-db dpkg-dev lintian debootstrap apparmor logrotate m4
FOR_BENCH = haproxy
# promtool and prometheus are fetched and unpacked by the tests that use them: to install the package would start a service.
# How long `make fuzz` spends on each target.
SECONDS_EACH = 60

help:                   ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

swift:
	@Tests/need --swift

deps: swift             ## install what building needs and is missing
	@Tests/need $(LIBRARIES)

build: deps             ## debug build: .build/debug/guardd
	swift build

# With Swift's libraries inside: it runs on machines without Swift, and is some per cent cheaper a mail.
release: deps           ## release build: .build/release/guardd
	swift build -c release --static-swift-stdlib

run: release            ## build, then guardd demo --keep: guardd before a small mail server, to try by hand
	"$$(swift build -c release --show-bin-path)/guardd" demo --keep

man: build              ## the manual: .build/man/*.[158]; man -l .build/man/guardd.8
	@command -v python3 >/dev/null || Tests/need python3
	GUARDD="$$(swift build --show-bin-path)/guardd" deploy/man/generate .build/man

doc: build              ## the documentation of the library: .build/doc, for a web server; index.html
	deploy/doc/build "$$(swift build --show-bin-path)" .build/doc

deb: deps               ## the Debian package: .build/deb/guardd_VERSION_ARCHITECTURE.deb
	@command -v python3 >/dev/null || Tests/need python3
	@Tests/need dpkg-dev binutils
	swift build -c release --static-swift-stdlib --product guardd
	deploy/debian/build "$$(swift build -c release --static-swift-stdlib --show-bin-path)/guardd" .build/deb

# Both parts run even if one fails; the exit status tells of either.
test: deps              ## unit tests, then the script tests
	@status=0; \
	$(MAKE) --no-print-directory unit-tests || status=1; \
	$(MAKE) --no-print-directory script-tests || status=1; \
	exit $$status

unit-tests: deps        ## swift test
	swift build --build-tests
	swift test --skip-build

# Postfix's master runs as root only: without root those tests are skipped, and say so.
script-tests: build     ## tests with real Postfix instances on loopback, and other scripts
	@command -v python3 >/dev/null || Tests/need python3
	@Tests/need --optional $(FOR_TESTS)
	@GUARDD="$$(swift build --show-bin-path)/guardd" Tests/run-scripts

fuzz: deps              ## fuzz every parser with the address sanitizer, SECONDS_EACH=60 seconds each
	Tests/Fuzz/fuzz-all $(SECONDS_EACH)

bench: release          ## guardd against haproxy and a plain relay: CPU per message in clear and in TLS, memory of idle sessions; time of a milter and of a qmail hook; lines of a log a second, octets an id in the sent log and in Redis; time of bounces with Redis; time of guardd status
	@command -v python3 >/dev/null || Tests/need python3
	@command -v cc >/dev/null || Tests/need gcc libc6-dev
	@command -v openssl >/dev/null || Tests/need openssl
	@Tests/need --optional postfix redis-server $(FOR_BENCH)
	@export GUARDD="$$(swift build -c release --show-bin-path)/guardd"; Tests/Bench/run && Tests/Bench/tls && Tests/Bench/milter && Tests/Bench/hooks && Tests/Bench/logs && Tests/Bench/sent-log && Tests/Bench/redis-memory && Tests/Bench/redis-wait && Tests/Bench/status

clean:                  ## remove what was built
	rm -rf .build Tests/Fuzz/.build
