# The commands of this project. CONTRIBUTING.md tells when to use which.

# OpenSSL comes from the system where its development files are, and is
# otherwise built from source.
FEATURES := $(shell pkg-config --exists openssl 2>/dev/null || echo --features vendored-openssl)
CARGO ?= cargo

.PHONY: demo build test test-long soak fmt lint doc

# The daemon with demo backends and a dataplane inside it; Ctrl-C ends it.
demo: build
	@target/debug/maglevd --demo

build:
	@$(CARGO) build --locked $(FEATURES)

# Everything that must hold before a commit.
test: fmt lint
	$(CARGO) test --locked $(FEATURES)
	$(MAKE) --no-print-directory doc

# The laws on a hundred times as many cases, a thousand seeds of the simulation,
# and a day of 24 hours, alone in its process.
test-long:
	PROPTEST_CASES=100000 MAGLEV_TEST_SEEDS=1000 $(CARGO) test --locked --release $(FEATURES)
	$(CARGO) test --locked --release $(FEATURES) --lib a_day_of_24_hours -- --ignored --nocapture

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
