# The commands of this project. CONTRIBUTING.md tells when to use which.

# OpenSSL comes from the system where its development files are, and is
# otherwise built from source.
FEATURES := $(shell pkg-config --exists openssl 2>/dev/null || echo --features vendored-openssl)
CARGO ?= cargo

# Where `make install` puts things: DESTDIR is prepended to every path.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=

.PHONY: demo build release man test test-integration test-long test-deb lab soak fmt lint doc install deb

# The daemon with demo backends and a dataplane inside it; Ctrl-C ends it.
demo: build
	@target/debug/maglevd --demo

build:
	@$(CARGO) build --locked $(FEATURES)

release:
	$(CARGO) build --locked --release $(FEATURES)

# Manual pages and completions, from the flags and the grammar.
man: release
	$(CARGO) run --quiet --locked --release $(FEATURES) --example man -- target/man
	mkdir -p target/completions
	target/release/maglevc completions bash > target/completions/maglevc.bash
	target/release/maglevc completions zsh > target/completions/_maglevc
	target/release/maglevc completions fish > target/completions/maglevc.fish
	target/release/maglevt --completions bash > target/completions/maglevt.bash
	target/release/maglevt --completions zsh > target/completions/_maglevt
	target/release/maglevt --completions fish > target/completions/maglevt.fish

# Into PREFIX. The user: systemd-sysusers $(PREFIX)/lib/sysusers.d/vpp-maglev.conf
install: man
	install -D -m 755 target/release/maglevd $(DESTDIR)$(PREFIX)/sbin/maglevd
	install -D -m 755 target/release/maglevc $(DESTDIR)$(PREFIX)/bin/maglevc
	install -D -m 755 target/release/maglevt $(DESTDIR)$(PREFIX)/bin/maglevt
	install -D -m 755 target/release/maglev-web $(DESTDIR)$(PREFIX)/bin/maglev-web
	install -D -m 644 target/man/maglevd.8 $(DESTDIR)$(PREFIX)/share/man/man8/maglevd.8
	install -D -m 644 target/man/maglev-web.8 $(DESTDIR)$(PREFIX)/share/man/man8/maglev-web.8
	install -D -m 644 target/man/maglevc.1 $(DESTDIR)$(PREFIX)/share/man/man1/maglevc.1
	install -D -m 644 target/man/maglevt.1 $(DESTDIR)$(PREFIX)/share/man/man1/maglevt.1
	install -D -m 644 target/completions/maglevc.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/maglevc
	install -D -m 644 target/completions/_maglevc $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_maglevc
	install -D -m 644 target/completions/maglevc.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/maglevc.fish
	install -D -m 644 target/completions/maglevt.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/maglevt
	install -D -m 644 target/completions/_maglevt $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_maglevt
	install -D -m 644 target/completions/maglevt.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/maglevt.fish
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/sbin/maglevd|$(PREFIX)/sbin/maglevd|' packaging/systemd/vpp-maglevd.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/vpp-maglevd.service
	sed 's|/usr/bin/maglev-web|$(PREFIX)/bin/maglev-web|' packaging/systemd/vpp-maglev-web.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/vpp-maglev-web.service
	install -D -m 644 packaging/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/vpp-maglev.conf
	test -e $(DESTDIR)$(SYSCONFDIR)/vpp-maglev/maglev.yaml || \
		install -D -m 644 packaging/debian/maglev.yaml $(DESTDIR)$(SYSCONFDIR)/vpp-maglev/maglev.yaml
	test -e $(DESTDIR)$(SYSCONFDIR)/default/vpp-maglev || \
		install -D -m 644 packaging/default/vpp-maglev $(DESTDIR)$(SYSCONFDIR)/default/vpp-maglev
	test -e $(DESTDIR)$(SYSCONFDIR)/default/vpp-maglev-web || \
		install -D -m 644 packaging/default/vpp-maglev-web $(DESTDIR)$(SYSCONFDIR)/default/vpp-maglev-web

# The three Debian packages, into target/debian. Needs cargo-deb (cargo install cargo-deb).
deb: man
	$(CARGO) deb --no-build --locked --strip -o target/debian/
	$(CARGO) deb --no-build --locked --strip --variant client -o target/debian/
	$(CARGO) deb --no-build --locked --strip --variant web -o target/debian/

# Installs, upgrades, removes and purges them in a throw-away Debian. Needs root
# and mmdebstrap, and says so otherwise.
test-deb: deb
	packaging/tests/deb.sh target/debian

# Everything that must hold before a commit.
test: fmt lint
	$(CARGO) test --locked $(FEATURES)
	$(MAKE) --no-print-directory doc

# Clients of other languages; without them it fails, where `test` skips.
test-integration:
	MAGLEV_TEST_GRPCIO=1 $(CARGO) test --locked $(FEATURES) --test integration api::reflection_client

# The laws on a hundred times as many cases, a thousand seeds of the simulation,
# two hundred kills while overrides are set, and a day of 24 hours, alone in its
# process. Optimised file by file: as a whole, as releases are, would take longer
# than the tests.
test-long: export CARGO_PROFILE_RELEASE_LTO = off
test-long: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS = 16
test-long:
	PROPTEST_CASES=100000 MAGLEV_TEST_SEEDS=1000 MAGLEV_TEST_KILLS=200 $(CARGO) test --locked --release $(FEATURES)
	$(CARGO) test --locked --release $(FEATURES) --lib a_day_of_24_hours -- --ignored --nocapture

# Clients' connections through a real VPP, and what breaks of them while something
# is done. Takes root, and MAGLEV_LAB_VPP and MAGLEV_LAB_PLUGINS; else it skips.
# `make lab SCENARIOS="pause drain" RUNS=3` runs some, three times each.
lab: export CARGO_PROFILE_BENCH_LTO = off
lab: export CARGO_PROFILE_BENCH_CODEGEN_UNITS = 16
lab:
	MAGLEV_LAB_RUNS=$(or $(RUNS),1) $(CARGO) bench --locked $(FEATURES) --bench lab -- $(SCENARIOS)

# The daemon with 5000 backends for an hour; ends with 1 if anything grows.
soak:
	MAGLEV_SOAK_SECONDS=3600 $(CARGO) bench --locked $(FEATURES) --bench soak

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --locked --all-targets $(FEATURES) -- -D warnings

# Private items are documented with the public ones, so links to them lead somewhere.
doc:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items $(FEATURES)
