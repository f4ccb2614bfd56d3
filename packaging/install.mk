# The only list of files that an installed rcorn has: `make install DESTDIR= PREFIX=`, and through it the .deb and the .rpm.
#
#   DESTDIR      a directory in front of everything, for packages
#   PREFIX       /usr/local; packages say /usr
#   PROXY_GROUP  the group that nginx has on this distribution: who may open the sockets of rcorn@.socket
#   BUILT        where the binaries lie: what `make build` has made

PREFIX      ?= /usr/local
PROXY_GROUP ?= www-data

AT      := $(DESTDIR)$(PREFIX)
DOC      = $(AT)/share/doc/rcorn
PROGRAM := install -m 755
FILE    := install -m 644
# The units name the programs by their paths, and the socket's group.
UNIT     = sed -e 's:/usr/bin/:$(PREFIX)/bin/:g' -e 's:^SocketGroup=.*:SocketGroup=$(PROXY_GROUP):'

# As a package names it, or as cargo does.
EXTENSION = $(firstword $(wildcard $(BUILT)/_rcorn.abi3.so $(BUILT)/lib_rcorn.so))

.PHONY: install
install: $(BUILT)/third-party.txt
	@test -x $(BUILT)/rcorn || { echo "$(BUILT)/rcorn is not there; run: make build" >&2; exit 1; }
	install -d $(AT)/bin $(AT)/lib/rcorn $(DESTDIR)/etc/rcorn
	$(PROGRAM) $(BUILT)/rcorn $(BUILT)/rcornctl $(AT)/bin
	# Put in its place by a rename: a running server has the old one mapped.
	$(FILE) $(EXTENSION) $(AT)/lib/rcorn/.new && mv -f $(AT)/lib/rcorn/.new $(AT)/lib/rcorn/_rcorn.abi3.so
	install -d $(AT)/lib/systemd/system $(AT)/lib/sysusers.d $(AT)/lib/tmpfiles.d
	for unit in rcorn@.service rcorn@.socket rcorn.target; do \
		$(UNIT) systemd/$$unit >$(AT)/lib/systemd/system/$$unit && chmod 644 $(AT)/lib/systemd/system/$$unit || exit 1; \
	done
	$(FILE) systemd/rcorn.sysusers $(AT)/lib/sysusers.d/rcorn.conf
	$(FILE) systemd/rcorn.tmpfiles $(AT)/lib/tmpfiles.d/rcorn.conf
	install -d $(AT)/share/man/man1 $(AT)/share/man/man5
	$(FILE) packaging/man/*.1 $(AT)/share/man/man1
	$(FILE) packaging/man/*.5 $(AT)/share/man/man5
	install -d $(AT)/share/bash-completion/completions $(AT)/share/zsh/site-functions
	install -d $(AT)/share/fish/vendor_completions.d
	for name in rcorn rcornctl; do \
		$(FILE) packaging/completions/$$name.bash $(AT)/share/bash-completion/completions/$$name && \
		$(FILE) packaging/completions/_$$name $(AT)/share/zsh/site-functions && \
		$(FILE) packaging/completions/$$name.fish $(AT)/share/fish/vendor_completions.d || exit 1; \
	done
	install -d $(DOC)/examples
	$(FILE) README.md docs/*.md $(DOC)
	$(FILE) CHANGELOG.md $(DOC)/changelog
	$(FILE) debian/copyright $(DOC)/copyright
	$(FILE) $(BUILT)/third-party.txt $(DOC)
	$(FILE) packaging/rcorn.toml packaging/proxies/* $(DOC)/examples

# The licences of what is linked in.
$(BUILT)/third-party.txt: Cargo.lock
	$(PYTHON) packaging/third_party.py $(CARGO) >$@.$$$$ && mv $@.$$$$ $@
