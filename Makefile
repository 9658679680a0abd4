# The commands of this project. CONTRIBUTING.md tells when to use which.

# OpenSSL comes from the system where its development files are, and is
# otherwise built from source.
FEATURES := $(shell pkg-config --exists openssl 2>/dev/null || echo --features vendored-openssl)
CARGO ?= cargo

.PHONY: demo build test test-integration test-long fmt lint doc

# The daemon with demo backends and a dataplane inside it; Ctrl-C ends it.
demo: build
	@target/debug/maglevd --demo

build:
	@$(CARGO) build --locked $(FEATURES)

# Everything that must hold before a commit.
test: fmt lint
	$(CARGO) test --locked $(FEATURES)
	$(MAKE) --no-print-directory doc

# Clients of other languages; without them it fails, where `test` skips.
test-integration:
	MAGLEV_TEST_STRANGER=1 $(CARGO) test --locked $(FEATURES) --test stranger

# The laws on a hundred times as many cases, and a thousand simulated days.
test-long:
	PROPTEST_CASES=100000 MAGLEV_TEST_SEEDS=1000 $(CARGO) test --locked --release $(FEATURES)

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --locked --all-targets $(FEATURES) -- -D warnings

# Private items are documented with the public ones, so links to them lead somewhere.
doc:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items $(FEATURES)
