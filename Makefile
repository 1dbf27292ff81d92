# `make help` lists the targets. `make run` and `make test` are all that a fresh clone needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PORT ?= 8080
IMAGE ?= berth:latest
REGION ?= europe-west1
SERVICE ?= berth

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

.PHONY: run
run: ## build and serve the sample tables over SQLite in ./data
	cargo build --release
	@printf '\nberth serves the sample tables on http://localhost:%s (data in ./data). Try:\n\n' '$(PORT)'
	@printf "  curl 'http://localhost:%s/films?select=title,year&order=year.desc&limit=3'\n" '$(PORT)'
	@printf "  curl 'http://localhost:%s/films?rating=gte.7.5&title=ilike.*a*' -H 'Prefer: count=exact' -i\n" '$(PORT)'
	@printf "  curl 'http://localhost:%s/films?select=title,reviews(stars,body)&order=year'\n" '$(PORT)'
	@printf "  curl 'http://localhost:%s/reviews' -H 'Content-Type: application/json' -H 'Prefer: return=representation' -d '{\"film_id\":1,\"stars\":5,\"body\":\"Again!\"}'\n\n" '$(PORT)'
	@printf "or open http://localhost:%s/-/\n\n" '$(PORT)'
	PORT=$(PORT) cargo run --release --quiet -- serve

.PHONY: test
test: ## install what the tests need and run every test
	./tests/setup.sh
	cargo nextest --version >/dev/null 2>&1 && cargo nextest run --no-fail-fast || cargo test --no-fail-fast
	cargo test --doc
	./tests/container.sh dev
	./tests/manifests.sh

.PHONY: lint
lint: ## formatting, clippy, licences
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	./tests/deny.sh

.PHONY: conformance
conformance: ## PostgREST's own tests over HTTP: SOURCE=a tree of PostgREST v16.2; ONLY=…, CASES=…, UPDATE=1
	cargo build
	tests/conformance/run.py --source $(or $(SOURCE),$(error SOURCE names no source tree of PostgREST v16.2)) \
	  $(if $(ONLY),--only '$(ONLY)') $(if $(CASES),--cases $(CASES)) $(if $(UPDATE),--update)

.PHONY: bench
bench: ## requests per second, side by side in one run
	./benches/run.sh

.PHONY: bench-start
bench-start: ## how long an instance takes to open a shared log of 100 MB and 1,000 commits, and its memory
	./benches/cold_start.sh

.PHONY: torture
torture: ## crashes, fleets, simulations and differential tests with many rounds (about half an hour)
	BERTH_TORTURE=1 cargo test --release --lib simulation -- --nocapture
	BERTH_TORTURE=1 cargo test --release --test it -- --nocapture --test-threads 1 durability shared_log generated

.PHONY: container-test
container-test: ## the release image: size, start, memory, a read-only root, a stop and a restart
	./tests/container.sh

.PHONY: fuzz
fuzz: ## fuzz the request parser (FUZZ_SECONDS, 600 by default)
	cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	cd fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run request -- -max_total_time=$${FUZZ_SECONDS:-600}

.PHONY: image
image: ## build the container image
	docker build -t $(IMAGE) .

.PHONY: docker-run
docker-run: image ## run the image with ./data and ./migrations bound
	mkdir -p data
	docker run --rm -p $(PORT):8080 --user "$$(id -u):$$(id -g)" --read-only --tmpfs /tmp \
	  -v "$$PWD/data:/data" -v "$$PWD/migrations:/migrations:ro" $(IMAGE)

.PHONY: deploy-knative
deploy-knative: ## apply the Knative service: KIND=volume (the default), shared or dsn; IMAGE=…
	$(if $(filter dsn,$(KIND)),,kubectl apply -k k8s/knative-features --server-side --field-manager=berth)
	kubectl kustomize k8s/$(OVERLAY_$(or $(KIND),volume)) | sed 's|image: berth:latest|image: $(IMAGE)|' | kubectl apply -f -
OVERLAY_volume := in-place
OVERLAY_shared := shared-log
OVERLAY_dsn := external-dsn

.PHONY: deploy-cloud-run
deploy-cloud-run: ## deploy to Cloud Run: KIND=cloud-storage (the default), nfs or dsn
	gcloud run services replace k8s/cloud-run/$(or $(KIND),cloud-storage).yaml --region $(REGION)
