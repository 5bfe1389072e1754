# Outrider: two commands do everything: make run, make test.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -buildid= -X main.version=$(VERSION)
STATIC   := $(GO) tool -modfile=internal/tools/go.mod staticcheck
FUZZTIME ?= 10s
SEEDS    ?= 2
DIST     ?= dist
FIRST    ?= $(shell date +%y%m%d00)

.PHONY: help run test race check format vet lint generate generated ui console build lex licences workflows sbom deb release manual packaging bench quality fuzz cover clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# As "go run ./cmd/gateway demo", which however calls a Ctrl-C an error.
run: ## start the demo: gateway, Graph sandbox and a simulated fleet, with nothing to set up
	@$(GO) build -o bin/gateway ./cmd/gateway && exec bin/gateway demo

test: ## install what the tests need, then run them all (-race, -shuffle=on)
	@internal/tools/test.sh

check: format vet lint generated console licences workflows vulnerable fuzz ## format, vet, staticcheck, import table, generated files, web console, licences, workflows, vulnerabilities, fuzzing

format: ## every file is gofmt'ed
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted, run gofmt -w:"; echo "$$out"; exit 1; fi

vet: ## go vet
	$(GO) vet ./...

lint: ## staticcheck and the import table
	$(STATIC) ./...
	$(GO) test -count=1 ./internal/archtest

generate: ## write the generated files anew: docs/config.md, console/openapi.json
	$(GO) test -count=1 ./internal/config -run Docs -update >/dev/null
	$(GO) test -count=1 ./console -run OpenAPI -update >/dev/null

generated: ## generated files and go.mod match their source
	$(GO) test -count=1 ./internal/config -run Docs
	$(GO) test -count=1 ./console -run OpenAPI
	$(GO) mod tidy -diff

ui: ## build the web console anew into console/ui/dist; needs Node
	cd console/ui && npm ci --no-audit --no-fund --loglevel=error && npm run build

console: ## the console's own checks, and that what is committed of it is what its source builds
	@internal/tools/console.sh

build: ## bin/gateway and bin/simulator, static and stripped
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

licences: ## deployments/THIRD_PARTY_LICENCES is what the programs are made of; make licences WRITE=--write writes it
	@internal/tools/licences.sh $(WRITE)

workflows: ## actionlint
	$(GO) tool -modfile=internal/tools/go.mod actionlint

sbom: build ## bin/sbom: bills of materials (CycloneDX) of the programs and of the console
	internal/tools/sbom.sh '$(VERSION)' bin/sbom bin/gateway bin/simulator

deb: ## bin/*.deb: Debian packages for amd64 and arm64, and archives
	internal/tools/package.sh '$(VERSION)' bin

release: ## DIST (dist) with all that VERSION=v1.2.3 consists of: archives, packages, chart, bills of materials, licences, sums
	@internal/tools/release.sh '$(VERSION)' '$(DIST)'

manual: build ## bin/man and bin/completion: manual pages, and completion for bash, zsh and fish
	bin/gateway man --dir=bin/man
	@mkdir -p bin/completion
	bin/gateway completion bash >bin/completion/gateway
	bin/gateway completion zsh >bin/completion/_gateway
	bin/gateway completion fish >bin/completion/gateway.fish

lex: ## bin/lex-bot.zip and bin/lex-bot-recognize.zip for Amazon Lex to import, bin/lex-fulfillment.zip for AWS Lambda (arm64)
	@mkdir -p bin/lambda
	$(GO) run ./cmd/lex-fulfillment bot bin/lex-bot.zip
	$(GO) run ./cmd/lex-fulfillment bot-recognize bin/lex-bot-recognize.zip
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -tags lambda.norpc -ldflags '$(LDFLAGS)' -o bin/lambda/bootstrap ./cmd/lex-fulfillment
	cd bin/lambda && rm -f ../lex-fulfillment.zip && zip -q ../lex-fulfillment.zip bootstrap

packaging: ## tests of what is in deployments, by the libraries that know these formats
	cd internal/packaging && $(GO) vet . && $(GO) test -count=1 .

bench: ## benchmarks; compare figures of one run with each other, not with another machine's
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) test ./notify/messenger -run PageAtItsLimit -v -count=1 -args -minutes=10  # a page at Meta's limit
	cd geofence/internal/peers && $(GO) test -run Table -v -count=1 -timeout 0 . -args -table  # the engine beside other libraries

quality: ## alert quality on simulated worlds, other ones each day (SEEDS=2 of each kind, FIRST=seed)
	$(GO) test ./internal/quality -run Alert -v -count=1 -timeout 60m -args -seeds=$(SEEDS) -first=$(FIRST)

vulnerable: ## modules are what go.sum says, and what is called has no known vulnerability, where the database can be reached
	$(GO) mod verify
	@internal/tools/vuln.sh

fuzz: ## every fuzz target for FUZZTIME each (10s, which is part of check), several at once; logs in bin/fuzz
	@internal/tools/fuzz.sh $(FUZZTIME)

cover: ## coverage by package
	$(GO) test -coverprofile=coverage.out ./... && $(GO) tool cover -func=coverage.out | tail -1

clean: ## remove what the other targets made
	rm -rf bin dist coverage.out
