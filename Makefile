# SPDX-License-Identifier: Apache-2.0
# The front door. Meson builds; this file knows the order of things.

BUILD ?= build
BUILD_ASAN ?= build-asan
BUILD_FUZZ ?= build-fuzz
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
# tests run on this engine; auto = what the machine can
ENGINE ?= auto
export FLAMEBOX_TEST_ENGINE = $(ENGINE)

# "no work to do" is nothing to tell
ninja = @out=$$(ninja -C $(BUILD) --quiet $(1) 2>&1); status=$$?; \
	case $$out in '' | *'no work to do.') ;; *) printf '%s\n' "$$out" ;; esac; exit $$status

.DELETE_ON_ERROR:
.PHONY: all program kernel kernel-kvm-test demo run check check-fresh bench lint fuzz install deb clean help

all: program kernel ## build everything into build/

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --buildtype=debugoptimized --prefix=/usr >$(BUILD).log 2>&1 || { cat $(BUILD).log; rm -rf $(BUILD) $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/setup.log

program: $(BUILD)/build.ninja
	$(call ninja,flamebox flamebox-monitor flamebox-net initramfs.cpio)
	@# root's machines run it as users of their own, whatever the umask
	@chmod 755 $(BUILD)/flamebox-net

kernel:
	@kernel/build.sh $(BUILD)

kernel-kvm-test: ## a kernel for a KVM that interprets guest code: tests only
	@mkdir -p $(BUILD)
	@kernel/build.sh $(BUILD) kvm-test

demo: all
	@scripts/make-demo-image $(BUILD)/demo
	@$(BUILD)/flamebox load -q -i $(BUILD)/demo --name demo

run: demo ## make an image from busybox, run a command of it in a microVM
	$(BUILD)/flamebox run --rm demo echo "hello from a microVM"

check: all ## every test; the last line counts them
	@scripts/make-demo-image $(BUILD)/demo
	@$(if $(filter firecracker,$(ENGINE)),scripts/with-kvm) scripts/run-tests $(BUILD) $(BUILD_ASAN)

check-fresh: ## quickstart and quickstart check in a bare Debian tree (as root)
	@scripts/check-fresh

bench: all ## figures and ratios, side by side with other tools
	$(call ninja,bench-programs)
	@bench/run $(BUILD)

lint: ## format, static analysis, shell scripts, layers
	@scripts/lint

fuzz: ## every fuzzer for FUZZ_SECONDS (clang)
	@scripts/fuzz $(BUILD_FUZZ) $(FUZZ_SECONDS)

install: all ## into DESTDIR/PREFIX
	@scripts/install-tree $(BUILD) "$(DESTDIR)" "$(PREFIX)"

deb: all ## a Debian package with kernel and initramfs inside
	@scripts/make-deb $(BUILD)

clean: ## remove the build folders (the kernel stays in its cache)
	rm -rf $(BUILD) $(BUILD_ASAN) $(BUILD_FUZZ)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
