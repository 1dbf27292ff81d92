# `make help` lists the targets. `make run` and `make test` are all that a fresh clone needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PORT ?= 8080
IMAGE ?= berth:latest
REGION ?= europe-west1
SERVICE ?= berth
SOURCE ?= unknown

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
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --no-fail-fast; else cargo test --no-fail-fast; fi
	cargo test --doc
	./tests/container.sh dev
	./tests/manifests.sh
	./tests/cloud_run.sh

.PHONY: lint
lint: ## formatting, clippy, licences, and whether what fuzzes still compiles
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cp Cargo.lock fuzz/ && cargo check --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
	./tests/deny.sh

.PHONY: conformance
conformance: ## PostgREST's own tests over HTTP: SOURCE=a tree of PostgREST v16.2; STORE=sqlite, ONLY=…, CASES=…, UPDATE=1
	cargo build
	tests/conformance/run.py --source $(or $(SOURCE),$(error SOURCE names no source tree of PostgREST v16.2)) \
	  $(if $(STORE),--store '$(STORE)') $(if $(ONLY),--only '$(ONLY)') $(if $(CASES),--cases $(CASES)) $(if $(UPDATE),--update)

.PHONY: bench
bench: ## requests per second, side by side in one run
	./benches/run.sh

.PHONY: bench-start
bench-start: ## how long an instance takes to open a shared log of 100 MB and 1,000 commits, and its memory
	./benches/cold_start.sh

.PHONY: torture
torture: ## crashes, fleets, simulations, overload and differential tests with many rounds (about 40 minutes)
	BERTH_TORTURE=1 cargo test --release --lib -- --nocapture log::simulation log::model
	BERTH_TORTURE=1 cargo test --release --test it -- --nocapture --test-threads 1 durability shared_log generated overload

.PHONY: volumes
volumes: ## the shared log's tests on real mounts: GlusterFS, and s3fs and rclone, which are refused (root, apt-get)
	./tests/volumes.sh

.PHONY: overload
overload: ## ten times the load that each store can take, for a minute; a million requests; prints what docs/operations.md has
	BERTH_TORTURE=1 cargo test --release --test it -- --nocapture --test-threads 1 overload::

.PHONY: costs
costs: ## what a million requests cost in time and volume operations; prints the tables of docs/costs.md
	BERTH_TORTURE=1 cargo test --release --test it -- --nocapture --test-threads 1 costs::

.PHONY: container-test
container-test: ## the release image: size, start, memory, a read-only root, a stop and a restart
	./tests/container.sh

.PHONY: image-test
image-test: ## the whole Dockerfile, on a base image made here if RUST_IMAGE names none, and then the same
	./tests/dockerfile.sh

.PHONY: footprint
footprint: ## size, start and idle memory beside PocketBase's and Datasette's; prints the table of the README
	./benches/footprint.sh

.PHONY: fuzz
fuzz: ## fuzz FUZZ_TARGET: request, plan (the default), answer, migration, log or token, for FUZZ_SECONDS (600); JOBS=1
	cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	JOBS=$(or $(JOBS),0) fuzz/run.sh $(or $(FUZZ_TARGET),plan) $${FUZZ_SECONDS:-600}

.PHONY: image
image: ## build the container image; the same commit gives the same image
	docker build -t $(IMAGE) --build-arg SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" \
	  --build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)" \
	  --build-arg REVISION="$$(git rev-parse HEAD)" --build-arg SOURCE=$(SOURCE) .

.PHONY: sbom
sbom: ## what the binary is made of, as CycloneDX, in target/sbom.json
	@mkdir -p target
	SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" python3 scripts/sbom.py > target/sbom.json
	@echo "target/sbom.json: $$(grep -c '"bom-ref"' target/sbom.json) components"

.PHONY: reproducible
reproducible: ## build the release binary twice, in two folders, and compare
	./tests/reproducible.sh

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

# The flags say what k8s/cloud-run/*.yaml say; tests/cloud_run.sh holds one against the other, and against gcloud.
CLOUD_RUN := gcloud beta run deploy $(SERVICE) --image=$(IMAGE) --region=$(REGION) --execution-environment=gen2 \
  --port=8080 --concurrency=80 --timeout=60 --cpu=1 --memory=512Mi \
  --liveness-probe=httpGet.path=/-/live
READY := --startup-probe=httpGet.path=/-/ready,periodSeconds=1,failureThreshold
SHARED := --max-instances=8 $(READY)=60 --set-env-vars=VOLUME=/data,VOLUME_MODE=shared-log \
  --add-volume-mount=volume=data,mount-path=/data
CLOUD_RUN_cloud-storage = $(SHARED) --add-volume='name=data,type=cloud-storage,bucket=$(BUCKET),mount-options=metadata-cache-negative-ttl-secs=0;uid=65532;gid=65532'
CLOUD_RUN_nfs = $(SHARED) --add-volume=name=data,type=nfs,location=$(NFS) --network=$(NETWORK) --subnet=$(SUBNETWORK)
CLOUD_RUN_dsn = --max-instances=10 $(READY)=30 --set-env-vars=POOL_SIZE=5 \
  --set-secrets=DATABASE_URL=berth-database-url:latest --set-cloudsql-instances=$(CLOUD_SQL)

.PHONY: deploy-cloud-run
deploy-cloud-run: ## deploy to Cloud Run: KIND=cloud-storage (BUCKET=…), nfs (NFS=SERVER:/SHARE NETWORK=… SUBNETWORK=…) or dsn (CLOUD_SQL=PROJECT:REGION:INSTANCE); IMAGE=…
	$(CLOUD_RUN) $(CLOUD_RUN_$(or $(KIND),cloud-storage))
